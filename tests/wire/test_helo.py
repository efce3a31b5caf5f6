"""The name that a client gives itself."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import ProtocolError
from harakatw.wire.helo import MAX_HOST_OCTETS, parse_helo
from tests.properties import given, st


class HeloTests(SynchronousTestCase):
    """What HELO and EHLO may say."""

    def test_names(self) -> None:
        """Names, literals and the odd names of home routers are taken as they came."""
        for name in (
            "mx.Example.com",
            "[192.0.2.1]",
            "[IPv6:::1]",
            "my_pc",
            "localhost",
        ):
            self.assertEqual(parse_helo(name.encode()), name)

    def test_first_word(self) -> None:
        """What follows the first word is not the name."""
        self.assertEqual(parse_helo(b"  mx.example (I am nice)\t "), "mx.example")

    def test_missing(self) -> None:
        """A HELO without a name is refused."""
        self._refuses(b"", "need a host name")
        self._refuses(b" \t ", "need a host name")

    def test_unprintable(self) -> None:
        """
        Row 9: line ends, terminal escapes, NUL and letters beyond ASCII are refused,
        also behind the name.
        """
        for argument in (
            b"a\rb",
            b"a\nb",
            b"\x1b[2J",
            b"a\0",
            b"a \x7f",
            b"a b\tc",
            b"\xff",
            "bücher.example".encode(),
        ):
            self._refuses(argument, "not ASCII")

    def test_length(self) -> None:
        """A name has 255 octets at most; more words do not count."""
        longest = b"a" * MAX_HOST_OCTETS
        self.assertEqual(parse_helo(longest + b" b"), longest.decode())
        self._refuses(longest + b"a", "255")

    @given(st.binary())
    def test_random(self, argument: bytes) -> None:
        """Random octets are a printable word or refused."""
        try:
            host = parse_helo(argument)
        except ProtocolError:
            return
        self.assertTrue(host.isascii() and host.isprintable() and " " not in host)
        self.assertNotEqual(host, "")

    def _refuses(self, argument: bytes, why: str) -> None:
        error = self.assertRaises(ProtocolError, parse_helo, argument)
        self.assertEqual(error.reply.encoded[:9], b"501 5.5.4")
        self.assertEqual(error.reply.encoded.count(b"\r\n"), 1)
        self.assertIn(why, error.reply.text)
