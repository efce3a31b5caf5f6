"""What a stranger sends in a path is read in time that grows with its length only."""

import re
from collections.abc import Iterator, Mapping
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase

from harakatw import address, address_grammar
from harakatw.errors import ProtocolError
from harakatw.message.mime import banner, edits, encoding, part, walker
from harakatw.wire import helo, params, path

MODULES = (
    address,
    address_grammar,
    helo,
    params,
    path,
    banner,
    edits,
    encoding,
    part,
    walker,
)

_ESCAPE = re.compile(r"\\.", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?[^]]*\]")
_GREEDY_CLASS = re.compile(r"[CE.](?:[*+]|\{\d*,\d*\})(?!\+)")
_POSSESSIVE_GROUP = re.compile(r"\)(?:[*+]|\{\d*,\d*\})\+")

LONG = 64 * 1024


def skeleton(pattern: str | bytes) -> str:
    """The pattern's operators: C{C} for a character class, C{E} for an escape."""
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    return _CLASS.sub("C", _ESCAPE.sub("E", text))


def patterns_of(module: ModuleType) -> Iterator[str | bytes]:
    """The source of every pattern that a module holds, also in a table."""
    for value in vars(module).values():
        for item in value.values() if isinstance(value, Mapping) else (value,):
            if isinstance(item, re.Pattern):
                yield item.pattern


class PatternTests(SynchronousTestCase):
    """Row 19: no pattern can be made to try the same text again and again."""

    def test_character_classes(self) -> None:
        """A run of characters is taken once and never given back bit by bit."""
        for module in MODULES:
            found = tuple(patterns_of(module))
            self.assertNotEqual(found, (), module.__name__)
            for pattern in found:
                self.assertNotRegex(skeleton(pattern), _GREEDY_CLASS, pattern)

    def test_groups(self) -> None:
        """
        No group is possessive: Python before 3.11.5 would go on from the middle of a
        round that failed, and take a malformed address for a good one.
        """
        for module in MODULES:
            for pattern in patterns_of(module):
                self.assertNotRegex(skeleton(pattern), _POSSESSIVE_GROUP, pattern)

    def test_rules_find_something(self) -> None:
        """The rules above do see a pattern that breaks them."""
        for greedy in (r"[a-z]+x", r"[^]x]{0,9}x", r"\d*", r".*@"):
            self.assertRegex(skeleton(greedy), _GREEDY_CLASS)
        self.assertNotRegex(skeleton(r"[a-z]++x.*+"), _GREEDY_CLASS)
        self.assertRegex(skeleton(r"(?:a|b)*+"), _POSSESSIVE_GROUP)


class LongInputTests(SynchronousTestCase):
    """Row 19: 64 KB of the worst characters end in an ordinary refusal."""

    def test_paths(self) -> None:
        """Quotes, dots, backslashes, brackets and at-signs without end."""
        for unit in '"', '\\"', '"\\', ".", "a.", "-", "a-", "@", "@a,", "<", "<>", " ":
            text = (unit * LONG)[:LONG].encode()
            for argument in (
                b"TO:" + text,
                b"TO:<" + text,
                b"TO:<" + text + b"@d>",
                b'TO:<"' + text + b'"@d>',
                b"TO:<u@" + text + b">",
                b"TO:<@" + text + b":u@d>",
                b"TO:<u@[IPv6:" + text + b"]>",
            ):
                self._is_refused(argument)

    def test_international(self) -> None:
        """Letters beyond ASCII are not handed to IDNA without end."""
        text = ("ü" * LONG).encode()
        self._is_refused(b"TO:<" + text + b"@d>")
        self._is_refused(b"TO:<u@" + text + b">")

    def test_parameters(self) -> None:
        """Parameters without end, and one that is endless."""
        for tail in (b" a=b" * LONG, b" " + b"a" * LONG, b" a=" + b"=" * LONG):
            self._is_refused(b"TO:<u@d>" + tail)

    def test_xtext(self) -> None:
        """An encoded value that never gets right."""
        for value in ("+" * LONG, "+4" * LONG, "+41" * LONG + "="):
            self.assertRaises(ProtocolError, params.decode_xtext, value)

    def _is_refused(self, argument: bytes) -> None:
        for postel in (False, True):
            error = self.assertRaises(
                ProtocolError,
                path.parse_path,
                argument,
                path.TO,
                utf8=True,
                strict=False,
                postel=postel,
            )
            self.assertEqual(error.reply.code, 501)
