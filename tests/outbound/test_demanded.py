"""Tests of C{harakatw.outbound.demanded}: what a sender asks for, as it is queued."""

import json

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import NO_DEMANDS, Demands
from harakatw.message.header import Header
from harakatw.outbound.demanded import (
    as_demanded,
    demands_as_json,
    demands_of_json,
    has_demands,
    read_demands,
    restate_priority,
    without_tls,
)
from harakatw.outbound.hop import Hop
from harakatw.reply import reply
from harakatw.wire.params import EMPTY_PARAMS, parse_params

NOW = 1_700_000_000.0


def read(params: bytes = b"", header: bytes = b"") -> Demands:
    """What is read of a message."""
    return read_demands(parse_params(params), Header(header), NOW)


class ReadTests(SynchronousTestCase):
    """From MAIL and the header."""

    def test_nothing(self) -> None:
        """Nearly all mail asks for nothing, and is not looked at any closer."""
        self.assertFalse(has_demands(EMPTY_PARAMS, b"Subject: x\r\n"))
        self.assertFalse(has_demands(parse_params(b"SIZE=1 BODY=8BITMIME"), b""))
        self.assertEqual(read(b"SIZE=1", b"Subject: x\r\n"), NO_DEMANDS)

    def test_params(self) -> None:
        """Each parameter means something; times count from now."""
        for params, demands in (
            (b"REQUIRETLS", Demands(requires_tls=True)),
            (b"MT-PRIORITY=-4", Demands(priority=-4)),
            (b"HOLDFOR=60", Demands(released_at=NOW + 60)),
            (b"HOLDUNTIL=2023-11-14T22:15:00Z", Demands(released_at=NOW + 100)),
            (b"BY=60;R", Demands(deliver_by=NOW + 60, returns_late=True)),
            (b"BY=-5;NT", Demands(deliver_by=NOW - 5, is_traced=True)),
        ):
            self.assertTrue(has_demands(parse_params(params), b""))
            self.assertEqual(read(params), demands)

    def test_tls_required(self) -> None:
        """Only one field that says No counts (RFC 8689 section 3)."""
        for header, is_optional in (
            (b"TLS-Required: No\r\n", True),
            (b"Subject: x\r\ntls-required:\r\n no\r\n", True),
            (b"TLS-Required: Yes\r\n", False),
            (b"TLS-Required: No\r\nTLS-Required: No\r\n", False),
        ):
            self.assertTrue(has_demands(EMPTY_PARAMS, header))
            self.assertEqual(read(b"", header).tls_is_optional, is_optional, header)
        both = read(b"REQUIRETLS", b"TLS-Required: No\r\n")
        self.assertEqual(both, Demands(requires_tls=True))  # section 4.1

    def test_priority_field(self) -> None:
        """What came through hosts that do not know MT-PRIORITY (RFC 6758)."""
        field = b"MT-Priority: 3\r\n"
        self.assertEqual(read(b"", field).priority, 3)
        self.assertEqual(read(b"MT-PRIORITY=-2", field).priority, -2)
        self.assertEqual(read(b"", b"MT-Priority: high\r\n").priority, 0)

    def test_restated(self) -> None:
        """It is said in the header once, whatever was there before."""
        for params, field, said in (
            (b"MT-PRIORITY=3", b"", ["3"]),
            (b"MT-PRIORITY=3", b"MT-Priority: 1\r\nMT-Priority: 2\r\n", ["3"]),
            (b"", b"MT-Priority: nonsense\r\n", ["0"]),
            (b"SIZE=1", b"", []),
        ):
            header = Header(b"Subject: x\r\n" + field)
            for _ in range(2):
                restate_priority(parse_params(params), header)
                self.assertEqual(header.get_all("MT-Priority"), said)


class JSONTests(SynchronousTestCase):
    """In the store."""

    def test_round_trip(self) -> None:
        """What is written is read, and nothing more is written than differs."""
        for demands in (
            NO_DEMANDS,
            Demands(requires_tls=True, priority=-3, released_at=NOW),
            Demands(tls_is_optional=True, deliver_by=1.5, returns_late=True),
            Demands(is_traced=True),
        ):
            text = json.dumps(demands_as_json(demands))
            self.assertEqual(demands_of_json(json.loads(text)), demands)
        self.assertEqual(demands_as_json(NO_DEMANDS), {})

    def test_damaged(self) -> None:
        """What nobody wrote is not taken for something."""
        damaged: tuple[object, ...] = (
            None,
            [],
            {"unknown": 1},
            {"priority": "3"},
            {"priority": True},
            {"requires_tls": 1},
        )
        for values in damaged:
            self.assertRaises(ValueError, demands_of_json, values)


class HopTests(SynchronousTestCase):
    """What it means for the way to a host."""

    HOP = Hop(host="mx.far.example", from_dns="far.example")

    def test_usual(self) -> None:
        """Most mail goes as the postmaster has it."""
        self.assertIs(as_demanded(self.HOP, NO_DEMANDS, "a@b.example"), self.HOP)
        urgent = Demands(priority=9)
        self.assertIs(as_demanded(self.HOP, urgent, "a@b.example"), self.HOP)

    def test_required(self) -> None:
        """REQUIRETLS goes before what is said of a hop, but not for reports."""
        secret = Demands(requires_tls=True)
        for hop in (self.HOP, Hop(host="x", tls="never")):
            self.assertEqual(as_demanded(hop, secret, "a@b.example").tls, "strict")
            self.assertIs(as_demanded(hop, secret, ""), hop)
        local = Hop(path="/run/lmtp", using_lmtp=True)
        self.assertIs(as_demanded(local, secret, "a@b.example"), local)

    def test_optional(self) -> None:
        """TLS-Required: No changes what is usual, and nothing that is written down."""
        careless = Demands(tls_is_optional=True)
        self.assertEqual(as_demanded(self.HOP, careless, "a@b").tls, "relaxed")
        for wish in ("verify", "must", "never"):
            hop = Hop(host="x", tls=wish)
            self.assertIs(as_demanded(hop, careless, "a@b"), hop)

    def test_without_tls(self) -> None:
        """Failed encryption is final (5.7.10), anything else is not."""
        for enhanced in ("4.7.4", "4.7.5"):
            said = without_tls(reply(451, enhanced, "TLS failed: expired"))
            assert said is not None
            self.assertEqual(said.encoded[:10], b"550 5.7.10")
        self.assertIsNone(without_tls(reply(451, "4.4.1", "nobody there")))
