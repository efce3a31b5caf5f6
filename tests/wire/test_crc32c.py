"""The checksum of PROXY headers."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.wire.crc32c import crc32c


class Crc32cTests(SynchronousTestCase):
    """The examples of iSCSI's specification, and the usual check value."""

    def test_known_values(self) -> None:
        """Zeros, ones, both ways up and down, and the nine digits."""
        for octets, value in (
            (b"", 0),
            (b"123456789", 0xE3069283),
            (bytes(32), 0x8A9136AA),
            (b"\xff" * 32, 0x62A8AB43),
            (bytes(range(32)), 0x46DD794E),
            (bytes(reversed(range(32))), 0x113FDB5C),
        ):
            self.assertEqual(crc32c(octets), value, octets)
