"""Addresses to listen on."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.endpoints import ListenAddress, parse_address, parse_addresses


class AddressTests(SynchronousTestCase):
    """One address each."""

    def test_forms(self) -> None:
        """Haraka's forms, with the port that is given or the usual one."""
        cases = {
            ("127.0.0.1:25", 25): "127.0.0.1:25",
            ("127.0.0.1", 25): "127.0.0.1:25",
            ("127.0.0.1", 250): "127.0.0.1:250",
            ("[::1]:25", 25): "[::1]:25",
            ("[::1]", 25): "[::1]:25",
            ("[::1]", 250): "[::1]:250",
            ("127.0.0.1:25,[::1]:25", 25): "127.0.0.1:25,[::1]:25",
            ("127.0.0.1:25,[::1]", 25): "127.0.0.1:25,[::1]:25",
            ("127.0.0.1,[::1]", 250): "127.0.0.1:250,[::1]:250",
        }
        for (text, port), expected in cases.items():
            found = parse_addresses(text, port)
            self.assertEqual(",".join(map(str, found)), expected)

    def test_everywhere(self) -> None:
        """[::0] is every address; so is a port alone."""
        expected = ListenAddress("::", 25)
        for text in ("[::0]:25", "[::]:25", "25", "::0"):
            self.assertEqual(parse_address(text, 25), expected)

    def test_socket(self) -> None:
        """A Unix socket is a path, and may say who may connect."""
        plain = parse_address("/run/haraka.sock", 25)
        self.assertEqual(plain, ListenAddress(path="/run/haraka.sock"))
        moded = parse_address("/run/haraka.sock:660", 25)
        self.assertEqual((moded.path, moded.mode), ("/run/haraka.sock", 0o660))
        self.assertEqual(str(moded), "/run/haraka.sock:660")
        self.assertEqual(str(plain), "/run/haraka.sock")

    def test_list(self) -> None:
        """Blanks and empty items of a list do no harm; an empty list is one."""
        found = parse_addresses(" 127.0.0.1:25 ,, /run/s ,", 25)
        self.assertEqual(list(map(str, found)), ["127.0.0.1:25", "/run/s"])
        self.assertEqual(parse_addresses("", 25), ())

    def test_bad(self) -> None:
        """Names, wrong ports and half brackets are told with what was expected."""
        for text in (
            "localhost:25",
            "127.0.0.1:65536",
            "127.0.0.1:",
            "127.0.0.1:smtp",
            "127.0.0.1:-1",
            "[::1",
            "[::1]25",
            "[]:25",
            "300.1.1.1:25",
            "1:2:3",
            "run/haraka.sock",
            "*:25",
            "",
        ):
            error = self.assertRaises(ValueError, parse_address, text, 25)
            self.assertTrue(str(error).startswith(repr(text)), str(error))

    def test_twice(self) -> None:
        """An address can be listened on once; port 0 is another each time."""
        error = self.assertRaises(ValueError, parse_addresses, "[::]:25,[::0]", 25)
        self.assertEqual(str(error), "[::]:25 is listed twice")
        self.assertEqual(len(parse_addresses("127.0.0.1:0,127.0.0.1:0", 25)), 2)
