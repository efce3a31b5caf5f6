"""What one mail server tells another of a client."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import ProtocolError
from harakatw.wire.xclient import (
    TEMPUNAVAIL,
    XCLIENT,
    XFORWARD,
    attribute_lines,
    parse_attributes,
)
from tests.properties import given, st


class ParseTests(SynchronousTestCase):
    """The argument of XCLIENT and XFORWARD."""

    def test_all(self) -> None:
        """Every attribute, in any case and order."""
        told = parse_attributes(
            "addr=192.0.2.7 NAME=Mx.Client.example. Port=25 PROTO=esmtp HELO=mx+20x"
            " LOGIN=joe+40client.example DESTADDR=IPV6:2001:DB8::1 DESTPORT=587",
            XCLIENT,
        )
        self.assertEqual(
            dict(told),
            {
                "ADDR": "192.0.2.7",
                "NAME": "mx.client.example",
                "PORT": "25",
                "PROTO": "ESMTP",
                "HELO": "mx x",
                "LOGIN": "joe@client.example",
                "DESTADDR": "2001:db8::1",
                "DESTPORT": "587",
            },
        )

    def test_forward(self) -> None:
        """What is for the log only."""
        told = parse_attributes("IDENT=4A1B SOURCE=local PROTO=LMTP", XFORWARD)
        self.assertEqual(
            dict(told), {"IDENT": "4A1B", "SOURCE": "LOCAL", "PROTO": "LMTP"}
        )

    def test_unavailable(self) -> None:
        """What the sender does not know either; a name may be known later."""
        told = parse_attributes(
            "NAME=[TEMPUNAVAIL] HELO=[unavailable] PORT=[UNAVAILABLE]", XCLIENT
        )
        self.assertEqual(dict(told), {"NAME": TEMPUNAVAIL, "HELO": "", "PORT": ""})

    def test_addresses(self) -> None:
        """IPv6 with its prefix or without; mapped IPv4 is IPv4."""
        for text, address in (
            ("2001:db8::1", "2001:db8::1"),
            ("ipv6:::1", "::1"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("IPv6:::ffff:192.0.2.7", "192.0.2.7"),
        ):
            told = parse_attributes(f"ADDR={text}", XCLIENT)
            self.assertEqual(told["ADDR"], address)

    def test_refused(self) -> None:
        """Row 9: what is no attribute, or hides a line end, is refused with 501."""
        for text in (
            "",
            "ADDR",
            "=x",
            "ADDR=",
            "FOO=bar",
            "LOGIN=a LOGIN=b",
            "ADDR=1.2.3",
            "ADDR=192.0.2.07",
            "ADDR=IPV6:192.0.2.7",
            "ADDR=fe80::1%25eth0",
            "ADDR=fe80::1%eth0",
            "ADDR=mx.example",
            "ADDR=[TEMPUNAVAIL]",
            "PORT=65536",
            "PORT=-1",
            "PORT=025",
            "PROTO=LMTP",
            "NAME=a..b",
            "NAME=a b",
            "NAME=a+0D+0Ab",
            "HELO=a+0D+0ARCPT+20TO:<x>",
            "LOGIN=a+0D+0A",
            "LOGIN=a+00",
            "LOGIN=a+1B[2J",
            "LOGIN=a+",
            "LOGIN=a+4",
            "LOGIN=a+GG",
            "LOGIN=+FF",
            "LOGIN=" + "a" * 256,
            "HELO=" + "a" * 256,
        ):
            with self.assertRaises(ProtocolError, msg=text) as caught:
                parse_attributes(text, XCLIENT)
            answer = caught.exception.reply
            self.assertEqual((answer.code, answer.enhanced), (501, "5.5.4"))
        with self.assertRaises(ProtocolError):
            parse_attributes("LOGIN=joe", XFORWARD)

    @given(st.text(max_size=60), st.sampled_from(("", "ADDR=", "LOGIN=", "HELO=+")))
    def test_random(self, text: str, begin: str) -> None:
        """Any text is read or refused, and nothing that is read has a control in it."""
        try:
            told = parse_attributes(begin + text, XCLIENT)
        except ProtocolError as error:
            self.assertEqual(error.reply.code, 501)
        else:
            self.assertTrue(all(value.isprintable() for value in told.values()))


class FormatTests(SynchronousTestCase):
    """The same, to be sent."""

    def test_round_trip(self) -> None:
        """What is written is read as it was."""
        told = {
            "NAME": "mx.example",
            "ADDR": "2001:db8::1",
            "PORT": "25",
            "PROTO": "ESMTP",
            "HELO": "a b=c+d\u00fc",
            "LOGIN": "",
        }
        (line,) = attribute_lines("XCLIENT", told, frozenset(XCLIENT))
        text = line.decode().removeprefix("XCLIENT ")
        self.assertEqual(dict(parse_attributes(text, XCLIENT)), told)
        self.assertIn("ADDR=IPV6:2001:db8::1 ", text)
        self.assertTrue(text.endswith(" LOGIN=[UNAVAILABLE]"))

    def test_announced(self) -> None:
        """What the peer does not take is left out."""
        told = {"NAME": TEMPUNAVAIL, "IDENT": "x"}
        self.assertEqual(
            attribute_lines("X", told, frozenset(("NAME",))), (b"X NAME=[TEMPUNAVAIL]",)
        )
        self.assertEqual(attribute_lines("X", told, frozenset()), ())

    def test_long(self) -> None:
        """
        No command is longer than any server takes (RFC 5321 section 4.5.3.1.4): more
        are made, and what is too long by itself is left out.
        """
        told = {
            "NAME": "n" * 255,
            "HELO": "h" * 255,
            "LOGIN": "\u00fc" * 200,
            "PORT": "1",
        }
        lines = attribute_lines("XCLIENT", told, frozenset(XCLIENT))
        self.assertEqual(
            [line[:13] for line in lines], [b"XCLIENT NAME=", b"XCLIENT HELO="]
        )
        self.assertTrue(lines[1].endswith(b" PORT=1"))
        self.assertTrue(all(len(line) <= 510 for line in lines))
