"""What notes of a message say about its way."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.hop import Hop, HopError
from harakatw.outbound.routes.origin import ANYWHERE, Origin, next_hop, read_origin


class OriginTests(SynchronousTestCase):
    """Plugins choose our address and our name by notes (row OB25)."""

    def test_notes(self) -> None:
        """Haraka's notes are understood, the old one by its family."""
        cases: dict[str, tuple[dict[str, object], Origin]] = {
            "helo": ({"outbound_helo": "out.test"}, Origin("out.test")),
            "4": ({"outbound_ip": "192.0.2.1"}, Origin(ip4="192.0.2.1")),
            "6": ({"outbound_ip": "2001:db8::1"}, Origin(ip6="2001:db8::1")),
            "new": (
                {"outbound_ip": "192.0.2.1", "outbound_ip4": "192.0.2.4"},
                Origin(ip4="192.0.2.4"),
            ),
            "both": (
                {"outbound_ip4": "192.0.2.4", "outbound_ip6": "2001:db8::6"},
                Origin(ip4="192.0.2.4", ip6="2001:db8::6"),
            ),
        }
        for name, (notes, origin) in cases.items():
            self.assertEqual(read_origin(notes), origin, name)

    def test_none(self) -> None:
        """Other notes, and notes that were taken back, say nothing."""
        self.assertIs(read_origin({"seen": 1, "outbound_helo": None}), ANYWHERE)

    def test_wrong(self) -> None:
        """What is no name and no address is refused before anything is sent."""
        for name, value in (
            ("outbound_helo", "two words"),
            ("outbound_helo", "out.test\r\nRCPT TO:<x>"),
            ("outbound_helo", 7),
            ("outbound_ip", "out.test"),
            ("outbound_ip4", "2001:db8::1"),
            ("outbound_ip6", "192.0.2.1"),
            ("outbound_ip6", "nonsense"),
        ):
            self.assertRaises(HopError, read_origin, {name: value})

    def test_apply(self) -> None:
        """What the hop says counts more; the address must be of the hop's family."""
        origin = Origin("out.test", "192.0.2.4", "2001:db8::6")
        four = origin.apply(Hop(host="mx.test", ip="198.51.100.1"))
        self.assertEqual((four.bind, four.bind_helo), ("192.0.2.4", "out.test"))
        six = origin.apply(Hop(host="mx.test", ip="2001:db8::25"))
        self.assertEqual(six.bind, "2001:db8::6")
        own = Hop(ip="198.51.100.1", bind="192.0.2.9", bind_helo="own.test")
        self.assertEqual(origin.apply(own), own)
        self.assertEqual(origin.apply(Hop(path="/run/lmtp")).bind, "")

    def test_next_hop(self) -> None:
        """The next hop is found in the group of notes about the queue (row OB34)."""
        self.assertEqual(
            next_hop({"queue": {"next_hop": "smtp://a.test"}}), "smtp://a.test"
        )
        nothing: tuple[dict[str, object], ...] = (
            {},
            {"queue": {}},
            {"queue": {"next_hop": ""}},
            {"queue": "x"},
        )
        for notes in nothing:
            self.assertIsNone(next_hop(notes))
