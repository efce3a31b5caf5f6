"""
C{haraka hash}: what a file of users keeps of a password.

The password never stands on the command line, where every user of the machine and the
shell's history would see it.
"""

import argparse
from collections.abc import Callable
from typing import Final, TextIO

from harakatw.auth.passwords import (
    SCHEMES,
    hash_api_key,
    hash_password,
    make_api_key,
)
from harakatw.cli.failure import CommandError

DEFAULT_SCHEME: Final = "argon2"

_MAX_CHARACTERS: Final = 4096


def hash_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add what C{haraka hash} takes to a parser."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--scheme",
        choices=tuple(SCHEMES),
        default=DEFAULT_SCHEME,
        help="how to hash it (default: %(default)s)",
    )
    group.add_argument(
        "--api-key",
        action="store_true",
        help="make a random key for a program, and hash that",
    )
    return parser


def print_hash(
    scheme: str, stdin: TextIO, ask: Callable[[str], str], out: TextIO
) -> int:
    """
    Read a password and print its hash.

    @param stdin: a terminal, or the password as its first line.
    @param ask: asks for a line at the terminal without showing it.
    @return: 0.
    @raise CommandError: if there is no password, or it cannot be one.
    """
    try:
        hashed = hash_password(_read(stdin, ask), scheme)
    except ValueError as error:
        raise CommandError(str(error)) from None
    print(hashed, file=out)
    return 0


def print_api_key(out: TextIO) -> int:
    """Make a key, and print it with its hash."""
    key = make_api_key()
    print(f"key (shown only now): {key}", file=out)
    print(hash_api_key(key), file=out)
    return 0


def _read(stdin: TextIO, ask: Callable[[str], str]) -> str:
    if not stdin.isatty():
        return stdin.readline(_MAX_CHARACTERS).rstrip("\r\n")
    password = ask("Password: ")
    if ask("Again: ") != password:
        raise CommandError("the passwords differ")
    return password
