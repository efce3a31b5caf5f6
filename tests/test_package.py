"""What is declared about the package is true."""

import re
import sys
from collections.abc import Iterable
from configparser import ConfigParser
from importlib import import_module
from importlib.metadata import packages_distributions
from typing import Any

from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase

from harakatw.version import __version__
from tests.rules.imports import imports_of
from tests.rules.source import CHECKOUT, read_sources

NEWS_KINDS = ("feature", "bugfix", "doc", "removal", "misc")

BROUGHT_BY_TLS = frozenset(("pyopenssl", "cryptography", "service-identity"))
"""Distributions, as in metadata, that C{Twisted[tls]} is asked for to bring."""


def declared(section: str, key: str) -> list[str]:
    """The lines of an option of C{setup.cfg}."""
    parser = ConfigParser()
    parser.read(CHECKOUT / "setup.cfg", "utf-8")
    return [line.strip() for line in parser[section][key].splitlines() if line.strip()]


def distribution_names(requirements: list[str]) -> set[str]:
    """The names alone, as they are compared: C{Twisted[tls] >= 24} is C{twisted}."""
    names = [re.split(r"[\s\[<>=!~;]", line)[0] for line in requirements]
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


class DependencyTests(SynchronousTestCase):
    """C{setup.cfg} asks for what the package imports, and for nothing else."""

    def test_imports_are_declared(self) -> None:
        """Whoever installs the server need not guess what it is missing."""
        wanted = distribution_names(declared("options", "install_requires"))
        tops = {
            found.target.partition(".")[0]
            for source in read_sources("harakatw")
            for found in imports_of(source)
        }
        foreign = tops - sys.stdlib_module_names - {"harakatw"}
        providers = packages_distributions()
        # Several may share a name, as zope.interface and zope.schema do: one must fit.
        offers = {top: distribution_names(providers.get(top, [])) for top in foreign}
        welcome = wanted | BROUGHT_BY_TLS
        self.assertEqual([top for top in offers if not offers[top] & welcome], [])
        self.assertEqual(wanted - set().union(*offers.values()), set())

    def test_names(self) -> None:
        """Names are compared as pip compares them."""
        found = distribution_names(["Twisted[tls] >= 24.7", "zope.interface", "A_b<2"])
        self.assertEqual(found, {"twisted", "zope-interface", "a-b"})


class EntryTests(SynchronousTestCase):
    """The ways into the server are there."""

    def test_twistd(self) -> None:
        """C{twistd haraka} is known to Twisted, and its module makes a service."""
        makers: Iterable[Any] = getPlugins(IServiceMaker)  # module is no part of it
        modules = [maker.module for maker in makers if maker.tapname == "haraka"]
        self.assertEqual(modules, ["harakatw.tap"])
        tap = import_module("harakatw.tap")
        self.assertTrue(callable(tap.makeService))
        self.assertIn("config", tap.Options().synopsis + tap.Options().getUsage())

    def test_commands(self) -> None:
        """Each command that pip installs leads to a function."""
        for line in declared("options.entry_points", "console_scripts"):
            module, function = line.partition("=")[2].strip().split(":")
            self.assertTrue(callable(getattr(import_module(module), function)), line)

    def test_every_folder_is_a_package(self) -> None:
        """A folder of modules says with C{__init__.py} that it is one."""
        for top in ("harakatw", "tests"):
            folders = {path.parent for path in (CHECKOUT / top).rglob("*.py")}
            bare = [each for each in folders if not (each / "__init__.py").is_file()]
            self.assertEqual(bare, [])

    def test_twisted_stays_whole(self) -> None:
        """Our folder beside Twisted's plugins must not pose as Twisted."""
        ours = sorted(path.name for path in (CHECKOUT / "twisted").rglob("*.py"))
        self.assertEqual(ours, ["harakatw_plugin.py"])


class ReleaseTests(SynchronousTestCase):
    """What a release is made from."""

    def test_version(self) -> None:
        """The version is one that pip can compare."""
        self.assertRegex(__version__, r"^\d+\.\d+\.\d+((a|b|rc)\d+)?$")

    def test_news(self) -> None:
        """Each piece of news has a name that the news page is made from, and a text."""
        kinds = "|".join(NEWS_KINDS)
        for path in (CHECKOUT / "newsfragments").iterdir():
            if path.name != ".gitignore":
                self.assertRegex(path.name, rf"^(\d+|\+[\w-]+)\.({kinds})(\.\d+)?\.md$")
                self.assertNotEqual(path.read_text("utf-8").strip(), "", path.name)
