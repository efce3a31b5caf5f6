"""The rows of the survey of bug classes: which of them are shown over a real socket."""

import ast
import re
from collections.abc import Mapping
from types import MappingProxyType

from twisted.trial.unittest import SynchronousTestCase

from tests.rules.source import CHECKOUT, functions

ROWS: Mapping[int, str] = MappingProxyType(
    {
        1: "messages smuggled in",
        2: "messages smuggled out",
        3: "BDAT out of step",
        4: "TLS that ends within BDAT",
        5: "commands before STARTTLS obeyed after it",
        6: "replies before STARTTLS believed after it",
        7: "a login that leaks to another session",
        8: "AUTH that is hard to read",
        9: "line ends in the envelope",
        10: "line ends in header fields",
        11: "text of refusals",
        12: "magic names",
        13: "MIME bombs",
        14: "header bombs",
        15: "DKIM bombs",
        16: "SPF bombs",
        17: "hostile DNS",
        18: "dead block lists",
        19: "slow patterns",
        20: "slow clients",
        21: "clients that never read",
        22: "long lines",
        23: "floods of recipients",
        24: "lies about SIZE",
        25: "open relay by grammar",
        26: "parsers that disagree",
        27: "lookup injection",
        28: "shell injection",
        29: "path traversal",
        30: "bounce loops",
        31: "accepted, then bounced",
        32: "out of sync",
        33: "PROXY and XCLIENT of strangers",
        34: "forged Authentication-Results",
        35: "ways round DMARC",
        36: "eight bits",
        37: "hostile hosts",
        38: "TLS policies taken away",
        39: "faults of the storage",
        40: "faults of plugins",
        41: "control sockets",
        42: "starvation",
    }
)

LATER: Mapping[int, str] = MappingProxyType(
    {
        15: "signatures are not verified yet",
        16: "SPF is not evaluated yet",
        18: "block lists are not asked yet",
        31: "no other server is asked about recipients yet",
        38: "neither DANE nor MTA-STS is known yet",
    }
)
"""Rows about what the server does not do yet, so that there is nothing to attack."""


class RowTests(SynchronousTestCase):
    """No row is forgotten."""

    def setUp(self) -> None:
        """Find the files that show a row."""
        self.files: dict[int, list[str]] = {}
        for path in sorted((CHECKOUT / "tests/functional").glob("test_row_*.py")):
            number = re.match(r"test_row_(\d\d)_[a-z_]+$", path.stem)
            assert number is not None, path
            self.files.setdefault(int(number[1]), []).append(path.read_text("utf-8"))

    def test_all(self) -> None:
        """Every row is shown by a test over a real socket, but for those named here."""
        shown = self.files.keys() | LATER.keys()
        self.assertEqual(ROWS.keys() - shown, set())
        self.assertEqual(self.files.keys() - ROWS.keys(), set())

    def test_numbers(self) -> None:
        """There are forty-two, and no row is named for two reasons."""
        self.assertEqual(list(ROWS), list(range(1, 43)))
        self.assertEqual(len(set(ROWS.values())), 42)
        self.assertEqual(LATER.keys() & self.files.keys(), set())

    def test_say_so(self) -> None:
        """Each file says which row it is about, and has a test."""
        for number, texts in self.files.items():
            for text in texts:
                tree = ast.parse(text)
                about = ast.get_docstring(tree) or ""
                self.assertRegex(about, rf"^Row {number}\b")
                names = [each.name for each in functions(tree)]
                self.assertTrue(any(name.startswith("test_") for name in names), about)
