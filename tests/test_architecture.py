"""The layers of the package: who may import whom."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from twisted.trial.unittest import SynchronousTestCase

from tests.rules.imports import (
    find_cycle,
    forbidden_forms,
    imports_from,
    imports_of,
    module_graph,
    reachable,
)
from tests.rules.mutable_state import shared_state
from tests.rules.source import SourceFile, read_sources

LAYERS = (
    ("values",),
    ("wire",),
    ("interfaces",),
    ("config",),
    ("dns", "message", "net", "observe"),
    ("auth", "mailauth"),
    ("plugin",),
    ("hooks",),
    ("smtp", "outbound"),
    ("plugins",),
    ("process",),
    ("web", "cli", "testing"),
    ("service",),
    ("tap",),
)
"""Lowest first. A part imports itself and lower layers, never a neighbour."""

VALUES = frozenset(
    (
        "harakatw",
        "version",
        "reply",
        "errors",
        "verdict",
        "hook_rules",
        "address",
        "address_grammar",
        "results",
        "notes",
        "new_client",
        "secret",
    )
)
"""The files directly in the package that are values; with the package, one part."""

LEVELS: Mapping[str, int] = MappingProxyType(
    {part: level for level, layer in enumerate(LAYERS) for part in layer}
)

REACTOR_FILES = ("harakatw.service", "harakatw.tap", "harakatw.process", "harakatw.cli")
"""Where the reactor may be imported; everywhere else it is an argument."""


def part_of(module: str) -> str:
    """The folder or file directly under the package that a module belongs to."""
    part = module.split(".")[:2][-1]
    return "values" if part in VALUES else part


def wrong_arrow(importer: str, target: str) -> str:
    """
    What is wrong with one module of the package importing another, or C{""}.

    @param importer: a dotted name that begins with C{harakatw}.
    @param target: the same.
    """
    upper, lower = part_of(importer), part_of(target)
    unknown = {upper, lower} - LEVELS.keys()
    if unknown:
        return f"{importer}: {unknown} is in no layer; add it to the table"
    if upper == lower or LEVELS[upper] > LEVELS[lower]:
        return ""
    return f"{importer} must not import {target}: {upper} is not above {lower}"


class WrongArrowTests(SynchronousTestCase):
    """The table of layers is applied as it is meant."""

    def test_down(self) -> None:
        """The SMTP server may use the rules of the wire and the values."""
        self.assertEqual(wrong_arrow("harakatw.smtp.rcpt", "harakatw.wire.path"), "")
        self.assertEqual(wrong_arrow("harakatw.smtp.rcpt", "harakatw.reply"), "")

    def test_same_part(self) -> None:
        """Files of one folder, and the values among themselves, may use each other."""
        self.assertEqual(wrong_arrow("harakatw.smtp.rcpt", "harakatw.smtp.mail"), "")
        self.assertEqual(wrong_arrow("harakatw.errors", "harakatw.reply"), "")

    def test_up(self) -> None:
        """The core must not know a plugin by name."""
        wrong = wrong_arrow("harakatw.smtp.rcpt", "harakatw.plugins.tls")
        self.assertIn("smtp is not above plugins", wrong)

    def test_neighbours(self) -> None:
        """Receiving and sending do not import each other."""
        wrong = wrong_arrow("harakatw.smtp.rcpt", "harakatw.outbound.queue")
        self.assertIn("smtp is not above outbound", wrong)

    def test_unknown(self) -> None:
        """A file that nobody put into a layer is a mistake, not a free pass."""
        self.assertIn("no layer", wrong_arrow("harakatw.misc", "harakatw.reply"))


class PackageTests(SynchronousTestCase):
    """Rules that every file of the package keeps."""

    sources: Sequence[SourceFile]

    def setUp(self) -> None:
        """Read the package."""
        self.sources = read_sources("harakatw")

    def test_arrows(self) -> None:
        """
        A part imports only what lies below it, so that a reader can start at the
        bottom, and so that a change in a plugin can break no part of the core.
        """
        graph = module_graph(self.sources, with_types=True)
        wrong = [
            problem
            for importer, targets in graph.items()
            for target in targets
            if (problem := wrong_arrow(importer, target))
        ]
        self.assertEqual(sorted(wrong), [])

    def test_every_module_has_a_layer(self) -> None:
        """A new folder or file at the top is put into the table of layers."""
        parts = {part_of(source.name) for source in self.sources}
        self.assertEqual(parts - LEVELS.keys(), set())

    def test_no_cycle(self) -> None:
        """No two modules need each other to be imported."""
        ring = find_cycle(module_graph(self.sources, with_types=False))
        self.assertEqual(" -> ".join(ring), "")

    def test_forms(self) -> None:
        """Imports stand at the top of a file and name what they take."""
        wrong = [found for source in self.sources for found in forbidden_forms(source)]
        self.assertEqual(wrong, [])

    def test_reactor(self) -> None:
        """
        The reactor is imported by the entry files only, so that two servers, or a
        server and a test's clock, can live in one process.
        """
        wrong = [
            str(found)
            for source in self.sources
            if not any(imports_from(source.name, name) for name in REACTOR_FILES)
            for found in imports_of(source)
            if imports_from(found.target, "twisted.internet.reactor")
        ]
        self.assertEqual(wrong, [])

    def test_wire_is_free_of_twisted(self) -> None:
        """The rules of SMTP load without Twisted: bytes in, values out."""
        graph = module_graph(self.sources, with_types=False)
        loaded = reachable(
            graph, (name for name in graph if imports_from(name, "harakatw.wire"))
        )
        self.assertNotEqual(loaded, set())
        wrong = [
            str(found)
            for source in self.sources
            if source.name in loaded
            for found in imports_of(source)
            if imports_from(found.target, "twisted") and not found.for_types_only
        ]
        self.assertEqual(wrong, [])

    def test_twisted_mail(self) -> None:
        """
        Only one file imports C{twisted.mail.smtp}, which loads the reactor and looks
        the host's name up as it is imported.
        """
        importers = {
            source.name
            for source in self.sources
            for found in imports_of(source)
            if imports_from(found.target, "twisted.mail.smtp")
        }
        self.assertEqual(importers - {"harakatw.smtp.protocol"}, set())

    def test_init_files(self) -> None:
        """An C{__init__.py} says what its folder is for, and does nothing."""
        wrong = [
            source.path
            for source in (*self.sources, *read_sources("tests"))
            if source.is_package and not source.is_docstring_only
        ]
        self.assertEqual(wrong, [])

    def test_no_shared_state(self) -> None:
        """Nothing that can change belongs to a module or a class."""
        wrong = [found for source in self.sources for found in shared_state(source)]
        self.assertEqual(wrong, [])
