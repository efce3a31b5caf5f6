"""Lists, values, raw lines, JSON and YAML."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.problems import BadFile
from harakatw.config.readers import (
    MAX_DEPTH,
    decode,
    merge_objects,
    parse_data,
    parse_json,
    parse_list,
    parse_value,
    parse_yaml,
)
from tests.properties import given
from tests.properties import st as some


class FlatTests(SynchronousTestCase):
    """Files of one item a line."""

    def test_list(self) -> None:
        """Blank lines and comments are left out, items trimmed."""
        text = "# domains\n\n example.com \r\n;no\nexample.org#1\n"
        self.assertEqual(parse_list(text), ("example.com", "example.org#1"))

    def test_value(self) -> None:
        """The first line that says something is the value."""
        self.assertEqual(
            parse_value("\n# name\n mx.example.com \nother\n"), "mx.example.com"
        )
        self.assertEqual(parse_value("# nothing\n"), "")

    def test_data(self) -> None:
        """Raw files keep blanks, blank lines and comments."""
        self.assertEqual(parse_data("# a \r\n\n b\n"), ("# a ", "", " b"))
        self.assertEqual(parse_data(""), ())

    def test_byte_order_mark(self) -> None:
        """The mark that Windows editors put in front is no part of the text."""
        self.assertEqual(decode(b"\xef\xbb\xbfmx.example"), "mx.example")

    def test_not_utf8(self) -> None:
        """A file in Latin-1 is refused with the line of the first strange octet."""
        error = self.assertRaises(BadFile, decode, b"a\nb\xfcc\n")
        self.assertEqual((error.message, error.line), ("is not UTF-8 text", 2))

    @given(some.text())
    def test_any_text(self, text: str) -> None:
        """No list holds an empty item or a comment."""
        for item in parse_list(text):
            self.assertNotIn(item[:1], ("", ";", "#"))


class TreeTests(SynchronousTestCase):
    """JSON and YAML."""

    def test_json(self) -> None:
        """JSON is read as it is (RFC 8259)."""
        self.assertEqual(parse_json('{"a": [1, null]}'), {"a": [1, None]})

    def test_bad_json(self) -> None:
        """A missing comma is told with its line."""
        error = self.assertRaises(BadFile, parse_json, '{"a": 1\n"b": 2}')
        self.assertEqual(error.line, 2)
        self.assertIn("is not JSON", error.message)

    def test_yaml(self) -> None:
        """Keys are texts, as in JSON, whatever YAML takes them for."""
        self.assertEqual(parse_yaml("25: [yes, x]\n"), {"25": [True, "x"]})
        self.assertIsNone(parse_yaml("# empty\n"))

    def test_bad_yaml(self) -> None:
        """A mapping within a value is told with its line."""
        error = self.assertRaises(BadFile, parse_yaml, "a: 1\nb: c: d\n")
        self.assertEqual(error.line, 2)
        self.assertIn("is not YAML", error.message)

    def test_python_objects(self) -> None:
        """A file cannot make the server run anything."""
        text = "!!python/object/apply:os.system ['true']"
        self.assertIn(
            "could not determine a constructor",
            self.assertRaises(BadFile, parse_yaml, text).message,
        )

    def test_impossible_date(self) -> None:
        """A date that is none is a complaint, not a crash."""
        self.assertIn(
            "month", self.assertRaises(BadFile, parse_yaml, "a: 2026-13-01").message
        )

    def test_too_deep(self) -> None:
        """Nesting without end is refused in either format."""
        self.assertNotEqual(parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH), [])
        for depth in (MAX_DEPTH + 1, 100_000):
            text = "[" * depth + "]" * depth
            self.assertRaises(BadFile, parse_json, text)
        self.assertRaises(BadFile, parse_yaml, "[" * 101 + "]" * 101)
        self.assertRaises(BadFile, parse_yaml, "[" * 5000)

    def test_alias_of_itself(self) -> None:
        """A YAML tree that holds itself is refused."""
        self.assertIn(
            "deeper", self.assertRaises(BadFile, parse_yaml, "&a [*a]").message
        )

    def test_alias_bomb(self) -> None:
        """Aliases of aliases cost no more than their text."""
        lines = ["a0: &a0 [x, x]"]
        lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
        content = parse_yaml("\n".join(lines))
        assert isinstance(content, dict)
        self.assertEqual(len(content), 60)

    def test_merge(self) -> None:
        """Objects are joined key by key; lists and scalars are replaced."""
        base = {"a": {"x": 1, "y": [1, 2]}, "b": 1}
        over = {"a": {"y": [3]}, "b": {"z": 1}, "c": 2}
        self.assertEqual(
            merge_objects(base, over),
            {"a": {"x": 1, "y": [3]}, "b": {"z": 1}, "c": 2},
        )

    @given(some.text())
    def test_any_text(self, text: str) -> None:
        """No text makes a reader fail in an unforeseen way."""
        for parse in (parse_json, parse_yaml):
            try:
                parse(text)
            except BadFile as error:
                self.assertNotEqual(error.message, "")
