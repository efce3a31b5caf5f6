"""Tests of C{harakatw.message.foreign}."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.foreign import disown_results
from tests.message.specimens import octets_of, whole_message


class DisownTests(SynchronousTestCase):
    """Authentication-Results that a message comes with."""

    def _disowned(self, octets: bytes) -> bytes:
        message = whole_message(octets)
        disown_results(message)
        return octets_of(message)

    def test_renamed(self) -> None:
        """
        A field that claims to be ours is not what a mail reader will look for, and can
        still be read (RFC 8601 section 5).
        """
        self.assertEqual(
            self._disowned(
                b"Authentication-Results: us.example; spf=pass\r\nA: b\r\n\r\nbody\r\n"
            ),
            b"Original-Authentication-Results: us.example; spf=pass\r\n"
            b"A: b\r\n\r\nbody\r\n",
        )

    def test_order(self) -> None:
        """Several keep their order."""
        octets = self._disowned(
            b"A: b\r\nAuthentication-Results: one; none\r\nC: d\r\n"
            b"Authentication-Results: two; none\r\n\r\nbody\r\n"
        )
        self.assertEqual(
            octets,
            b"Original-Authentication-Results: one; none\r\n"
            b"Original-Authentication-Results: two; none\r\n"
            b"A: b\r\nC: d\r\n\r\nbody\r\n",
        )

    def test_case(self) -> None:
        """However its name is written."""
        octets = self._disowned(b"AUTHENTICATION-results: x; none\r\n\r\nbody\r\n")
        self.assertEqual(
            octets, b"Original-AUTHENTICATION-results: x; none\r\n\r\nbody\r\n"
        )

    def test_folded(self) -> None:
        """A field of several lines is renamed as a whole."""
        octets = self._disowned(
            b"Authentication-Results: x;\r\n\tspf=pass\r\n\r\nbody\r\n"
        )
        self.assertEqual(
            octets,
            b"Original-Authentication-Results: x;\r\n\tspf=pass\r\n\r\nbody\r\n",
        )

    def test_similar(self) -> None:
        """Fields whose names are longer, and values that speak of it, stay."""
        octets = (
            b"ARC-Authentication-Results: i=1; x; none\r\n"
            b"Subject: Authentication-Results\r\n\r\nbody\r\n"
        )
        self.assertEqual(self._disowned(octets), octets)

    def test_body(self) -> None:
        """What stands in the body is the sender's own affair."""
        octets = b"A: b\r\n\r\nAuthentication-Results: x; none\r\n"
        self.assertEqual(self._disowned(octets), octets)
