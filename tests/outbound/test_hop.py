"""Reading where mail is to be sent."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.hop import Hop, HopError, parse_hop


class TextTests(SynchronousTestCase):
    """Hops that somebody wrote as text."""

    def test_host(self) -> None:
        """A name, an IPv4 or IPv6 address, each with or without a port."""
        for text, host, port in (
            ("mx.example", "mx.example", 25),
            ("MX.Example.", "mx.example", 25),
            ("mx.example:2525", "mx.example", 2525),
            ("192.0.2.1", "192.0.2.1", 25),
            ("192.0.2.1:587", "192.0.2.1", 587),
            ("2001:db8::1", "2001:db8::1", 25),
            ("[2001:db8::1]", "2001:db8::1", 25),
            ("[2001:db8::1]:26", "2001:db8::1", 26),
            ("b\u00fccher.example", "xn--bcher-kva.example", 25),
            ("mail_out:25", "mail_out", 25),
            ("smtp:26", "smtp", 26),
            (" localhost ", "localhost", 25),
        ):
            self.assertEqual(parse_hop(text), Hop(host=host, port=port), text)

    def test_url(self) -> None:
        """A URL says which protocol, and may hold user and password."""
        for url, hop in (
            ("smtp://mx.example", Hop(host="mx.example")),
            ("SMTP://mx.example:26/", Hop(host="mx.example", port=26)),
            ("smtp://[2001:db8::1]:26", Hop(host="2001:db8::1", port=26)),
            (
                "smtp://joe:p%40ss%3Aw%2Frd@mx.example:587",
                Hop(
                    host="mx.example", port=587, auth_user="joe", auth_pass="p@ss:w/rd"
                ),
            ),
            (
                "smtp://joe@b.example:s3cret@mx.example",
                Hop(host="mx.example", auth_user="joe@b.example", auth_pass="s3cret"),
            ),
            (
                "smtps://mx.example",
                Hop(host="mx.example", port=465, implicit_tls=True, tls="must"),
            ),
            (
                "lmtp://store.example",
                Hop(host="store.example", port=24, using_lmtp=True),
            ),
            (
                "lmtp://store.example:2003",
                Hop(host="store.example", port=2003, using_lmtp=True),
            ),
            ("lmtp:/run/dovecot/lmtp", Hop(path="/run/dovecot/lmtp", using_lmtp=True)),
            ("lmtp:///run/a%20b", Hop(path="/run/a b", using_lmtp=True)),
        ):
            self.assertEqual(parse_hop(url), hop, url)

    def test_wrong(self) -> None:
        """What is no hop is refused with a word on what was expected."""
        for text in (
            "",
            "a b",
            "mx.example:",
            "mx.example:port",
            "mx.example:0",
            "mx.example:65536",
            "mx.example:123456",
            "[mx.example]:25",
            "[1.2.3.4]",
            "http://mx.example",
            "smtp:/mx.example",
            "smtp://",
            "smtp://@mx.example",
            "smtp://mx.example/path",
            "mx.example\r\nRCPT TO:<x>",
            "-mx-.example/",
            "fe80::1%eth0",
            "{not json",
            "lmtp:/run/\x1b[2J",
            "lmtp:/run/a%0Ab",
        ):
            self.assertRaises(HopError, parse_hop, text)

    def test_secret(self) -> None:
        """No error and no log shows a password."""
        for text in ("joe:s3cret@mx.example", "smtp://joe:s3cret@mx example"):
            error = self.assertRaises(HopError, parse_hop, text)
            self.assertNotIn("s3cret", str(error))
        hop = parse_hop("smtp://joe:s3cret@mx.example")
        self.assertNotIn("s3cret", f"{hop} {hop!r}")


class ObjectTests(SynchronousTestCase):
    """Hops as plugins and files have them, with Haraka's keys (row OB23)."""

    def test_all_keys(self) -> None:
        """Every key of Haraka is understood."""
        hop = parse_hop(
            {
                "exchange": "MX.example",
                "port": "26",
                "priority": 10,
                "bind": "192.0.2.9",
                "bind_helo": "out.example",
                "using_lmtp": "true",
                "auth_user": "joe",
                "auth_pass": "x",
                "auth_type": "plain",
                "from_dns": "example",
                "path": None,
            }
        )
        self.assertEqual(
            hop,
            Hop(
                host="mx.example",
                port=26,
                priority=10,
                bind="192.0.2.9",
                bind_helo="out.example",
                using_lmtp=True,
                auth_user="joe",
                auth_pass="x",
                auth_type="plain",
                from_dns="example",
            ),
        )

    def test_clients(self) -> None:
        """Whether the host is told of clients is ours."""
        hop = parse_hop('{"exchange": "a.example", "xclient": true, "xforward": "yes"}')
        self.assertEqual(hop, Hop(host="a.example", xclient=True, xforward=True))

    def test_ports(self) -> None:
        """Without a port it is the protocol's own."""
        self.assertEqual(parse_hop({"host": "a.example"}).port, 25)
        self.assertEqual(parse_hop({"host": "a.example", "using_lmtp": True}).port, 24)
        implicit = parse_hop({"host": "a.example", "implicit_tls": True})
        self.assertEqual((implicit.port, implicit.tls), (465, "must"))

    def test_json(self) -> None:
        """The same as JSON."""
        hop = parse_hop('{"path": "/run/lmtp", "using_lmtp": true}')
        self.assertEqual(hop, Hop(path="/run/lmtp", port=24, using_lmtp=True))

    def test_hop(self) -> None:
        """What is a hop already is left as it is."""
        hop = Hop(host="a.example")
        self.assertIs(parse_hop(hop), hop)

    def test_wrong(self) -> None:
        """A wrong key or value is refused, and named."""
        for written, named in (
            ({"hots": "a.example"}, "hots"),
            ({}, "either"),
            ({"host": "a.example", "path": "/x"}, "either"),
            ({"path": "x"}, "begin with /"),
            ({"host": "a.example", "exchange": "b.example"}, "twice"),
            ({"host": 5}, "host must be a text"),
            ({"host": "a.example", "port": "x"}, "port"),
            ({"host": "a.example", "port": True}, "port"),
            ({"host": "a.example", "port": 0}, "0 is not a port"),
            ({"host": "a.example", "using_lmtp": "perhaps"}, "using_lmtp"),
            ({"host": "a.example", "bind": "eth0"}, "bind"),
            ({"host": "a.example", "bind_helo": "a b"}, "bind_helo"),
            ({"host": "a.example", "ip": "b.example"}, "ip"),
            ({"host": "a.example", "auth_pass": "x"}, "auth_user"),
            ({"host": "a.example", "auth_type": "PLAIN X"}, "auth_type"),
            ({"host": "a.example", "tls": "always"}, "tls"),
            ([], "list is no hop"),
            (None, "NoneType"),
            ("[]", "no hop"),
        ):
            error = self.assertRaises(HopError, parse_hop, written)
            self.assertIn(named, str(error))


class ShownTests(SynchronousTestCase):
    """How a hop is written in a log."""

    def test_shown(self) -> None:
        """Name, address and port, or the path."""
        for hop, shown in (
            (Hop(host="a.example"), "a.example:25"),
            (Hop(host="a.example", ip="192.0.2.1"), "a.example[192.0.2.1]:25"),
            (Hop(host="192.0.2.1", ip="192.0.2.1", port=26), "192.0.2.1:26"),
            (Hop(ip="2001:db8::1"), "[2001:db8::1]:25"),
            (Hop(path="/run/lmtp"), "/run/lmtp"),
        ):
            self.assertEqual(str(hop), shown)

    def test_name(self) -> None:
        """In a bounce a local delivery agent has no path."""
        self.assertEqual(Hop(path="/run/lmtp").name, "localhost")
        self.assertEqual(Hop(ip="192.0.2.1").name, "192.0.2.1")
