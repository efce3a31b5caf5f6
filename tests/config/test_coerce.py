"""Texts as truth values, numbers, times and sizes."""

from typing import Literal

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.coerce import (
    BadValue,
    split_words,
    to_bool,
    to_collection,
    to_float,
    to_int,
    to_scalar,
)
from tests.properties import given
from tests.properties import st as some


class BoolTests(SynchronousTestCase):
    """Haraka's words for true and false."""

    def test_words(self) -> None:
        """All of Haraka's words for true are taken, in any case."""
        for word in ("true", "yes", "OK", "Enabled", "on", "1"):
            self.assertIs(to_bool(word), True)
        for word in ("false", "no", "Disabled", "OFF", "0", ""):
            self.assertIs(to_bool(word), False)

    def test_other_words(self) -> None:
        """A word that is neither, which Haraka takes for false, is told."""
        error = self.assertRaises(BadValue, to_bool, "ture")
        self.assertEqual(str(error), "'ture' is neither true nor false")


class NumberTests(SynchronousTestCase):
    """Numbers with and without units."""

    def test_time(self) -> None:
        """A time may be given in the unit that reads best."""
        cases = {"30": 30, "30s": 30, "5m": 300, "2h": 7200, "1d": 86400, "250ms": 0.25}
        for text, seconds in cases.items():
            self.assertEqual(to_float(text, "seconds"), seconds)
        self.assertEqual(to_int("2h", "seconds"), 7200)
        self.assertEqual(to_int("2h", "minutes"), 120)
        self.assertEqual(to_int("2 w", "days"), 14)

    def test_size(self) -> None:
        """A size may be given in binary multiples of octets."""
        cases = {
            "26214400": 26214400,
            "25M": 26214400,
            "25MiB": 26214400,
            "25 MB": 26214400,
            "10K": 10240,
            "1G": 1073741824,
            "1.5k": 1536,
            "64b": 64,
            "-1": -1,
        }
        for text, octets in cases.items():
            self.assertEqual(to_int(text, "octets"), octets)

    def test_wrong_unit(self) -> None:
        """A size is no time, and a plain number has no unit."""
        for text, unit in (("5M", "seconds"), ("5m", "recipients"), ("5s", "octets")):
            self.assertRaises(BadValue, to_int, text, unit)
        error = self.assertRaises(BadValue, to_float, "5x", "seconds")
        self.assertEqual(
            str(error),
            "'5x' is not a number of seconds, or one with ms, s, m, h, d or w",
        )

    def test_not_whole(self) -> None:
        """Half a recipient is refused."""
        error = self.assertRaises(BadValue, to_int, "1.5", "recipients")
        self.assertEqual(str(error), "'1.5' is not a whole number of recipients")

    def test_big(self) -> None:
        """A big number keeps all its digits."""
        self.assertEqual(to_int("9007199254740993"), 9007199254740993)

    def test_no_numbers(self) -> None:
        """Whatever Python might take for a number is not one for that."""
        for text in ("", "1_000", "nan", "inf", "1e5", "٣", "0x10", "1" * 5000, "--1"):
            self.assertRaises(BadValue, to_float, text)
            self.assertRaises(BadValue, to_int, text)

    @given(some.text(), some.sampled_from(["", "seconds", "octets", "hours"]))
    def test_any_text(self, text: str, unit: str) -> None:
        """Any text is a number or a complaint."""
        for read in (to_int, to_float):
            try:
                read(text, unit)
            except BadValue as error:
                self.assertIn("is not", str(error))


class TypeTests(SynchronousTestCase):
    """A text becomes what the option's type says."""

    def test_scalars(self) -> None:
        """Each type reads its own."""
        self.assertEqual(to_scalar("5", str), "5")
        self.assertEqual(to_scalar("5", int), 5)
        self.assertEqual(to_scalar("5", float | None), 5.0)
        self.assertIsNone(to_scalar(" ", float | None))
        self.assertIs(to_scalar("on", bool), True)

    def test_choices(self) -> None:
        """A choice is found in any case; another word is met by the list."""
        choice = Literal["refuse", "normalise"]
        self.assertEqual(to_scalar("Refuse", choice), "refuse")
        error = self.assertRaises(BadValue, to_scalar, "ignore", choice)
        self.assertEqual(str(error), "'ignore' is not one of refuse, normalise")

    def test_collections(self) -> None:
        """Lists and sets hold items of one type."""
        self.assertEqual(to_collection(("25", "587"), tuple[int, ...]), (25, 587))
        self.assertEqual(to_collection(("a", "a"), frozenset[str]), frozenset({"a"}))
        self.assertRaises(BadValue, to_collection, ("x",), tuple[int, ...])

    def test_words(self) -> None:
        """A list on one line may be cut by commas, semicolons and blanks."""
        self.assertEqual(
            split_words(" mail, rcpt;data  ehlo,"), ("mail", "rcpt", "data", "ehlo")
        )

    def test_impossible_type(self) -> None:
        """An option of a type that no file can hold is a mistake of its author."""
        for wanted in (bytes, int | str, dict[str, int]):
            self.assertRaises(TypeError, to_scalar, "1", wanted)
