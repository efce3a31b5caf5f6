"""Tests of C{harakatw.wire.demands}: BY, HOLDFOR, HOLDUNTIL, MT-PRIORITY."""

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import ProtocolError
from harakatw.wire.demands import (
    DeliverBy,
    date_time,
    parse_by,
    parse_hold_for,
    parse_hold_until,
    parse_priority,
)
from tests.properties import given, st

PARSERS: tuple[Callable[[str | None], object], ...] = (
    parse_by,
    parse_hold_for,
    parse_hold_until,
    parse_priority,
)


class DemandTests(SynchronousTestCase):
    """What each value means, and what is none."""

    def assert_refused(
        self, parse: Callable[[str | None], object], *values: str
    ) -> None:
        """None of these is taken: 501 5.5.4."""
        for value in (*values, "", None, "x", " 1", "1 ", "\u0661", "9" * 30):
            error = self.assertRaises(ProtocolError, parse, value)
            self.assertEqual(error.reply.encoded[:9], b"501 5.5.4", value)

    def test_by(self) -> None:
        """Seconds and what to do then (RFC 2852 section 4); R needs time left."""
        for value, by in (
            ("120;R", DeliverBy(120, True, False)),
            ("+120;rt", DeliverBy(120, True, True)),
            ("-5;N", DeliverBy(-5, False, False)),
            ("0;NT", DeliverBy(0, False, True)),
        ):
            self.assertEqual(parse_by(value), by)
        self.assert_refused(
            parse_by, "0;R", "-1;R", "120", "120;", "120;X", "120;RN", "1234567890;N"
        )

    def test_hold_for(self) -> None:
        """At least a second, at most nine digits (RFC 4865 section 3)."""
        self.assertEqual(parse_hold_for("1"), 1)
        self.assertEqual(parse_hold_for("0086400"), 86400)
        self.assertEqual(parse_hold_for("999999999"), 999999999)
        self.assert_refused(parse_hold_for, "0", "000", "-1", "+1", "1.5", "1234567890")

    def test_hold_until(self) -> None:
        """A point in time with its zone (RFC 3339 section 5.6)."""
        noon = 1_766_577_600.0
        for value in (
            "2025-12-24T12:00:00Z",
            "2025-12-24t12:00:00z",
            "2025-12-24T13:00:00+01:00",
            "2025-12-24T12:00:00.000-00:00",
        ):
            self.assertEqual(parse_hold_until(value), noon, value)
        self.assertEqual(date_time(noon + 0.9), "2025-12-24T12:00:00Z")
        self.assert_refused(
            parse_hold_until,
            "2025-12-24",
            "2025-12-24T12:00:00",
            "2025-02-31T12:00:00Z",
            "2025-12-24T25:00:00Z",
            "2025-12-24 12:00:00Z",
            "0000-01-01T00:00:00Z",
            "20251224T120000Z",
        )

    def test_priority(self) -> None:
        """-9 to 9 (RFC 6710 section 3)."""
        for number in range(-9, 10):
            self.assertEqual(parse_priority(str(number)), number)
        self.assert_refused(parse_priority, "10", "-10", "+3", "-0", "03", "high")

    @given(st.sampled_from(PARSERS), st.text("0123456789-+;:.TZRNrn", max_size=30))
    def test_random(self, parse: Callable[[str | None], object], value: str) -> None:
        """Whatever comes has an answer."""
        try:
            parse(value)
        except ProtocolError as error:
            self.assertEqual(error.reply.code, 501)
