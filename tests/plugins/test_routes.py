"""Next hops as a postmaster writes them."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.plugins._routes import ANY, Route, parse_route, parse_routes


class NextHopTests(SynchronousTestCase):
    """The forms of a nexthop."""

    def test_good(self) -> None:
        """A name or address, with or without a port, or a URL; kept as written."""
        for hop in (
            "mx.example",
            "MX.example:25",
            "mail_sink:2525",
            "localhost",
            "192.0.2.1",
            "192.0.2.1:65535",
            "[2001:db8::1]",
            "[::1]:2525",
            "[192.0.2.1]:25",
            "smtp://mx.example:587",
            "lmtp://127.0.0.1:24/",
            "smtp://user:secret@mx.example:587",
        ):
            self.assertEqual(parse_route(f'{{"nexthop": "{hop}"}}'), Route(None, hop))

    def test_bad(self) -> None:
        """What nobody can connect to is refused when the file is read."""
        for hop in (
            "::1",
            "mx.example:0",
            "mx.example:65536",
            "mx.example:smtp",
            "mx.example:",
            ":25",
            "a b",
            "[::1",
            "[:::]",
            "http://mx.example",
            "smtp://",
            "smtp://mx.example/path",
            "-x",
        ):
            error = self.assertRaises(
                ValueError, parse_route, f'{{"nexthop": "{hop}"}}'
            )
            self.assertIn(repr(hop), str(error))

    def test_wrong_type(self) -> None:
        """A nexthop is a text."""
        for value in "25", "null", "[]", "{}", "false":
            self.assertRaises(ValueError, parse_route, f'{{"nexthop": {value}}}')

    def test_secret(self) -> None:
        """What is wrong is told without the password, for it goes to the log."""
        for entry in (
            '{"nexthop": "smtp://user:sesame@mx.example:99999"}',
            '{"nexthop": "user:sesame@mx.example"}',
            '{"nexthop": ["smtp://user:sesame@mx.example"]}',
            '{"nexthop": "smtp://user:sesame@mx.example"',
        ):
            error = self.assertRaises(ValueError, parse_route, entry)
            self.assertNotIn("sesame", str(error))
            self.assertIn("expected" if "[" in entry else "not", str(error))

    def test_none(self) -> None:
        """An entry without one, or an empty one, leaves the route to DNS."""
        for text in "{}", '{"nexthop": ""}':
            self.assertEqual(parse_route(text), Route())

    def test_deep(self) -> None:
        """An entry that nests without end is refused, and nothing breaks."""
        self.assertRaises(ValueError, parse_route, "[" * 100_000)


class RouteTableTests(SynchronousTestCase):
    """The section as a whole."""

    def test_names(self) -> None:
        """Domains are found as they stand in an envelope: lower case, A-labels."""
        routes = parse_routes(
            {"Bücher.Example": '{"action": "deny"}', "*": '{"nexthop": "mx"}'}
        )
        self.assertEqual(
            routes,
            {"xn--bcher-kva.example": Route("deny"), ANY: Route(None, "mx")},
        )
