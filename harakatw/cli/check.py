"""C{haraka check}: all that is wrong with an instance, before a server starts."""

import time
from collections.abc import Iterator, Mapping
from typing import TextIO

import attrs

from harakatw.cli.instance import OpenInstance
from harakatw.cli.plugin_files import bundled_options, options_of, shared_options_of
from harakatw.config.check import check_files
from harakatw.config.core import PluginTimeoutOptions
from harakatw.config.listeners import misplaced_lmtp, unused_sections
from harakatw.config.options import load_options
from harakatw.config.problems import Problem
from harakatw.config.schema import OptionClass, options
from harakatw.errors import PluginError
from harakatw.hooks.loader import PluginLoader, own_problems
from harakatw.hooks.search import successor
from harakatw.process.certificates import tls_problems
from harakatw.process.settings import CORE


@attrs.frozen
class _Plugins:
    """
    What the plugins of C{config/plugins} bring in.

    @ivar options: their option classes by their names.
    @ivar problems: why some cannot be loaded, and what their time-outs say.
    """

    options: Mapping[str, OptionClass]
    problems: tuple[Problem, ...]


def check(instance: OpenInstance, services: Mapping[str, object], out: TextIO) -> int:
    """
    Print every problem, one a line.

    Plugins are made as for a server, but their C{register()} is not called: it may
    reach out for what is not meant to be reached yet.

    @return: 1 if one of them is an error, 0 if there are only notices or none.
    """
    problems = find_problems(instance, services)
    for problem in problems:
        print(f"{problem.severity}: {problem}", file=out)
    errors = sum(problem.severity == "error" for problem in problems)
    print(_verdict(errors, len(problems) - errors), file=out)
    return 1 if errors else 0


def _verdict(errors: int, notices: int) -> str:
    if not errors and not notices:
        return "no problems found"
    return f"{_count(errors, 'error')}, {_count(notices, 'notice')}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def find_problems(
    instance: OpenInstance, services: Mapping[str, object]
) -> tuple[Problem, ...]:
    """
    Look at every file that the server or one of its plugins reads.

    @param services: what plugins may ask for, by name.
    """
    plugins = _look_at_plugins(instance, services)
    classes = {**dict(CORE), **plugins.options}
    settings = instance.settings
    return (
        *plugins.problems,
        *check_files(instance.files, classes, _files_of_others(instance)),
        *unused_sections(settings.server, settings.listeners, instance.files),
        *misplaced_lmtp(settings.server, settings.listeners, instance.files),
        *tls_problems(settings, time.time()),
    )


def _look_at_plugins(
    instance: OpenInstance, services: Mapping[str, object]
) -> _Plugins:
    loader = PluginLoader(
        instance.search, instance.files, services, instance.server.plugin_timeout
    )
    problems = list(_renamed(instance))
    found: dict[str, OptionClass] = {}
    for name in instance.plugin_names:
        problems += _time_out(instance, name)
        try:
            cls = options_of(instance.search, name)
            if cls is not None:
                found[name] = cls
            found.update(shared_options_of(instance.search, name))
            problems += own_problems(loader.load(name).instance)
        except PluginError as error:
            problems.append(_problem(instance, f"plugin {name}: {error.why}"))
    return _Plugins(found, tuple(problems))


def _renamed(instance: OpenInstance) -> Iterator[Problem]:
    for name in instance.server.plugins:
        now = successor(name)
        if now != name:
            why = f"plugin {name} is called {now} today, and that is loaded"
            yield attrs.evolve(_problem(instance, why), severity="notice")


def _time_out(instance: OpenInstance, name: str) -> tuple[Problem, ...]:
    return load_options(PluginTimeoutOptions, instance.files, name).problems


def _problem(instance: OpenInstance, message: str) -> Problem:
    return Problem(instance.files.shown("plugins"), 0, "", "", message)


def _files_of_others(instance: OpenInstance) -> Iterator[str]:
    """
    Files that are nobody's slip of the pen: time-outs, and files of plugins that are
    not in use.
    """
    yield from (f"{name}.timeout" for name in instance.plugin_names)
    yield from ("tls/*", "*.pem")  # certificates have the names that they were given
    for name, cls in bundled_options(instance.search):
        yield from (option.source.file for option in options(cls, name))
