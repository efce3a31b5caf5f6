"""
The command line: words of our own, and Haraka's flags.

@see: Haraka rows CI01 to CI13 and CI16 to CI19
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from harakatw.cli import demo
from harakatw.cli.hash_password import hash_parser
from harakatw.cli.queue.arguments import queue_parser

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "demo": "make an instance to try, and run it",
        "run": "run the server on an instance",
        "check": "find what is wrong with an instance",
        "hash": "hash a password for a file of users",
        "queue": "look at the queue, and change it",
    }
)
"""What may stand first, and what it is for."""

_OF_TRIAL: Final = (
    "ip",
    "helo",
    "ehlo",
    "envfrom",
    "envrcpt",
    "message",
    "set_relay",
    "skip_deny",
    "queue",
    "dump_stream",
    "dump_mime",
)


def flag_parser() -> argparse.ArgumentParser:
    """The parser for a command line that begins with a flag, as Haraka's do."""
    words = "\n".join(f"  haraka {word:<22}{what}" for word, what in WORDS.items())
    parser = argparse.ArgumentParser(
        prog="haraka",
        usage="haraka WORD ... | haraka FLAG ...",
        description="Haraka, the SMTP server made of plugins.",
        epilog=f"words:\n{words}\n\n`haraka WORD -h` tells more about each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    _add_queue_actions(_add_actions(parser))
    _add_config(parser)
    parser.add_argument(
        "-f", "--force", action="store_true", help="with -i and -p: overwrite"
    )
    parser.add_argument(
        "-y", "--yes", action="store_true", help="with --qempty: do not ask"
    )
    _add_trial(parser)
    return parser


def _add_actions(
    parser: argparse.ArgumentParser,
) -> argparse._MutuallyExclusiveGroup:
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("-v", "--version", action="store_true", help="the version")
    actions.add_argument(
        "-h",
        "--help",
        nargs="?",
        const="",
        metavar="NAME",
        help="the page of a plugin or topic; without a name, this text",
    )
    actions.add_argument(
        "-i", "--install", type=Path, metavar="DIR", help="make an instance"
    )
    actions.add_argument(
        "-l", "--list", action="store_true", help="list the plugins there are"
    )
    actions.add_argument(
        "-o", "--order", action="store_true", help="which plugin is asked when"
    )
    actions.add_argument("-p", "--plugin", metavar="NAME", help="begin a plugin")
    actions.add_argument(
        "-t",
        "--test",
        metavar="PLUGINS",
        help="run a session in memory through these plugins (a comma list, or all)",
    )
    return actions


def _add_queue_actions(actions: argparse._MutuallyExclusiveGroup) -> None:
    for flag, what in (
        ("--qlist", "list the queue"),
        ("--qstat", "where the queue is, and how much is in it"),
        ("--qempty", "drop all that is in the queue"),
    ):
        actions.add_argument(flag, action="store_true", help=what)
    actions.add_argument(
        "--qunstick",
        nargs="?",
        const="",
        metavar="DOMAIN",
        help="try everything in the queue now, or what is for a domain",
    )


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-c",
        "--configs",
        type=Path,
        metavar="DIR",
        help="the instance; alone: run it (default: $HARAKA)",
    )


def _add_trial(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("with -t")
    group.add_argument("--ip", metavar="IP", help="the client's address")
    hello = group.add_mutually_exclusive_group()
    hello.add_argument("--helo", metavar="HOST", help="it says HELO")
    hello.add_argument("--ehlo", metavar="HOST", help="it says EHLO")
    group.add_argument("--envfrom", metavar="ADDRESS", help="the sender; '' for none")
    group.add_argument(
        "--envrcpt", metavar="ADDRESS", action="append", help="a recipient, or more"
    )
    group.add_argument("--message", metavar="FILE", help="the message; - for stdin")
    flags = (
        ("--set-relay", "the client may relay"),
        ("--skip-deny", "go on after a plugin's denial"),
        ("--queue", "have the message queued in earnest, too"),
        ("--dump-stream", "print the message as it is when it is queued"),
        ("--dump-mime", "print its parts, as they are then"),
    )
    for flag, what in flags:
        group.add_argument(flag, action="store_true", help=what)


def word_parser(word: str) -> argparse.ArgumentParser:
    """
    The parser for what follows a word.

    @param word: one of L{WORDS}.
    """
    if word == "queue":
        return queue_parser()
    parser = argparse.ArgumentParser(
        prog=f"haraka {word}", description=f"{WORDS[word]}.", allow_abbrev=False
    )
    if word == "hash":
        return hash_parser(parser)
    if word != "demo":
        _add_config(parser)
        return parser
    parser.add_argument(
        "directory",
        type=Path,
        nargs="?",
        default=demo.DIRECTORY,
        metavar="DIR",
        help="the instance, which is made if it is not there (default: %(default)s)",
    )
    parser.add_argument(
        "--listen",
        metavar="IP:PORT",
        help=f"where a new instance listens (default: {demo.LISTEN})",
    )
    return parser


def misplaced(flags: argparse.Namespace) -> str:
    """
    What is wrong with flags that parse and do not go together; C{""} if nothing is.

    Without this, one that belongs to another action would be ignored.
    """
    if flags.force and not (flags.install or flags.plugin):
        return "-f goes with -i or -p"
    if flags.yes and not flags.qempty:
        return "--yes goes with --qempty"
    if flags.configs and (flags.install or flags.version):
        return "-c does not go with -i and -v"
    if flags.test is None:
        return next(
            (
                f"--{name.replace('_', '-')} goes with -t"
                for name in _OF_TRIAL
                if getattr(flags, name) not in (None, False)
            ),
            "",
        )
    if flags.envrcpt and flags.envfrom is None:
        return "--envrcpt needs --envfrom"
    if flags.message is not None and not flags.envrcpt:
        return "--message needs --envrcpt"
    needing = flags.dump_stream or flags.dump_mime or flags.queue
    if needing and flags.message is None:
        return "--dump-stream, --dump-mime and --queue need --message"
    return ""
