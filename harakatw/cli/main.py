"""The C{haraka} command: parse, and call the one function that does it."""

import getpass
import os
import platform
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TextIO

import twisted

from harakatw.cli.arguments import WORDS, flag_parser, misplaced, word_parser
from harakatw.cli.check import check
from harakatw.cli.create import create, instance_files, own_host
from harakatw.cli.demo import demo
from harakatw.cli.failure import CommandError
from harakatw.cli.hash_password import print_api_key, print_hash
from harakatw.cli.instance import OpenInstance, open_instance
from harakatw.cli.list_plugins import show_plugins
from harakatw.cli.manual import show_page
from harakatw.cli.new_plugin import new_plugin
from harakatw.cli.order import show_order
from harakatw.cli.queue.command import run_queue
from harakatw.cli.queue.flags import (
    queue_empty,
    queue_list,
    queue_stat,
    queue_unstick,
)
from harakatw.cli.run import run
from harakatw.cli.services import make_services
from harakatw.cli.try_session import try_session
from harakatw.cli.try_wanted import Wanted
from harakatw.errors import ConfigError, HarakaError
from harakatw.process.plugin_host import plugin_search
from harakatw.version import __version__

Action = Callable[[Namespace, TextIO], int]
"""Does what was asked for; returns the status of the process."""

_INTERRUPTED: Final = 130  # what a shell makes of SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Do what a command line asks for.

    @param arguments: without the program's name; L{None} for the process's own.
    @return: the status of the process.
    @raise SystemExit: with status 2 if the command line makes no sense.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = _dispatch(words, sys.stdout)
        sys.stdout.flush()
        return status
    except HarakaError as error:
        problems = error.problems if isinstance(error, ConfigError) else (str(error),)
        for problem in problems:
            print(f"haraka: {problem}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # as in haraka -l | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED


def _dispatch(words: list[str], out: TextIO) -> int:
    if words and words[0] in WORDS:
        return _WORDS[words[0]](word_parser(words[0]).parse_args(words[1:]), out)
    parser = flag_parser()
    flags = parser.parse_args(words)
    wrong = misplaced(flags)
    if wrong:
        parser.error(wrong)
    for name, action in _FLAGS.items():
        if getattr(flags, name) not in (None, False):
            return action(flags, out)
    if not words and not os.environ.get("HARAKA"):
        parser.print_help(out)
        return 2
    return _run(flags, out)


def _directory(flags: Namespace) -> Path:
    """
    C{-c}, or else C{$HARAKA} (row CL13).

    @raise CommandError: if there is neither.
    """
    path: Path | str | None = flags.configs or os.environ.get("HARAKA")
    if path is None:
        raise CommandError("which instance? say -c DIR")
    return Path(path)


def _instance(flags: Namespace) -> OpenInstance:
    return open_instance(_directory(flags))


def _instance_if_any(flags: Namespace) -> OpenInstance | None:
    return open_instance(flags.configs) if flags.configs else None


def _reactor() -> Any:
    """
    Twisted's reactor.

    An import at the top would make it, and the server would not get its own any more.
    """
    return import_module("twisted.internet.reactor")


def _demo(flags: Namespace, out: TextIO) -> int:
    return demo(flags.directory, flags.listen, _reactor(), out)


def _run(flags: Namespace, out: TextIO) -> int:
    return run(_directory(flags))


def _check(flags: Namespace, out: TextIO) -> int:
    instance = _instance(flags)
    return check(instance, make_services(instance, _reactor()), out)


def _hash(flags: Namespace, out: TextIO) -> int:
    if flags.api_key:
        return print_api_key(out)
    return print_hash(flags.scheme, sys.stdin, getpass.getpass, out)


def _version(flags: Namespace, out: TextIO) -> int:
    python = platform.python_version()
    versions = f"Twisted {twisted.__version__}, Python {python}"
    print(f"haraka (harakatw) {__version__}, {versions}", file=out)
    return 0


def _help(flags: Namespace, out: TextIO) -> int:
    if not flags.help:
        flag_parser().print_help(out)
        return 0
    instance = _instance_if_any(flags)
    return show_page(flags.help, instance, os.environ.get("PAGER"), out)


def _create(flags: Namespace, out: TextIO) -> int:
    host = own_host()
    directory = flags.install.absolute()
    create(directory, instance_files(host, (host,)), force=flags.force)
    print(
        f"made {directory}\nit takes mail for {host}: see config/host_list;"
        f" to run it: haraka -c {directory}",
        file=out,
    )
    return 0


def _list(flags: Namespace, out: TextIO) -> int:
    instance = _instance_if_any(flags)
    return show_plugins(instance.search if instance else plugin_search(), out)


def _order(flags: Namespace, out: TextIO) -> int:
    instance, reactor = _instance(flags), _reactor()
    return show_order(instance, make_services(instance, reactor), reactor, out)


def _plugin(flags: Namespace, out: TextIO) -> int:
    return new_plugin(_instance(flags), flags.plugin, out, force=flags.force)


def _test(flags: Namespace, out: TextIO) -> int:
    return try_session(_instance(flags), Wanted.from_flags(flags), _reactor(), out)


def _queue(flags: Namespace, out: TextIO) -> int:
    return run_queue(flags, _instance(flags), _confirm, out)


def _queue_list(flags: Namespace, out: TextIO) -> int:
    return queue_list(_instance(flags), out)


def _queue_stat(flags: Namespace, out: TextIO) -> int:
    return queue_stat(_instance(flags), out)


def _queue_empty(flags: Namespace, out: TextIO) -> int:
    return queue_empty(_instance(flags), None if flags.yes else _confirm, out)


def _queue_unstick(flags: Namespace, out: TextIO) -> int:
    return queue_unstick(_instance(flags), flags.qunstick, out)


def _confirm(question: str) -> bool:
    """
    Ask whoever sits at the terminal.

    @raise CommandError: if nobody does.
    """
    if not sys.stdin.isatty():
        raise CommandError(f"{question} nobody can be asked here: say --yes")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    agrees = sys.stdin.readline().strip().lower() in ("y", "yes")
    if not agrees:
        print("nothing was done", file=sys.stderr)
    return agrees


_WORDS: Final[Mapping[str, Action]] = MappingProxyType(
    {
        "demo": _demo,
        "run": _run,
        "check": _check,
        "hash": _hash,
        "queue": _queue,
    }
)

_FLAGS: Final[Mapping[str, Action]] = MappingProxyType(
    {
        "version": _version,
        "help": _help,
        "install": _create,
        "list": _list,
        "order": _order,
        "plugin": _plugin,
        "test": _test,
        "qlist": _queue_list,
        "qstat": _queue_stat,
        "qempty": _queue_empty,
        "qunstick": _queue_unstick,
    }
)
