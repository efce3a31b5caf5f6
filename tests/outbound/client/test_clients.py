"""What is kept of a client with its message, and told to a hop."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.client.clients import note_of, xclient_of, xforward_of
from harakatw.testing.server import MemoryServer
from harakatw.wire.xclient import TEMPUNAVAIL

CLIENT = {
    "name": "mx.client.example",
    "addr": "198.51.100.7",
    "port": "2525",
    "proto": "ESMTP",
    "helo": "helo.example",
    "login": "joe",
    "destaddr": "192.0.2.25",
    "destport": "587",
    "source": "REMOTE",
}


class NoteTests(SynchronousTestCase):
    """What is kept."""

    def test_note(self) -> None:
        """Everything that the two commands can tell."""
        client = MemoryServer().connect("198.51.100.7", 2525)
        client.say("EHLO helo.example")
        connection: Any = client.protocol.connection
        connection.remote.host = "mx.client.example"
        connection.notes.set("auth_user", "joe")
        expected = {**CLIENT, "destport": "25", "source": "LOCAL"}
        self.assertEqual(note_of(connection), expected)


class XclientTests(SynchronousTestCase):
    """As XCLIENT says it."""

    def test_all(self) -> None:
        """All of it, in the names of the command."""
        told = dict(xclient_of({"client": CLIENT}))
        self.assertEqual(told.pop("ADDR"), "198.51.100.7")
        self.assertEqual(
            told,
            {
                "NAME": "mx.client.example",
                "PORT": "2525",
                "PROTO": "ESMTP",
                "HELO": "helo.example",
                "LOGIN": "joe",
                "DESTADDR": "192.0.2.25",
                "DESTPORT": "587",
            },
        )

    def test_unknown(self) -> None:
        """Names that could not be found are said to be so; LMTP is extended."""
        for host, name in (
            ("NXDOMAIN", ""),
            ("Unknown", ""),
            ("DNSERROR", TEMPUNAVAIL),
        ):
            note = {**CLIENT, "name": host, "proto": "LMTP", "port": "0"}
            told = xclient_of({"client": note})
            self.assertEqual((told["NAME"], told["PORT"]), (name, ""))
            self.assertEqual(told["PROTO"], "ESMTP")

    def test_nobody(self) -> None:
        """A client without an address is nobody, as is mail of our own."""
        notes: tuple[object, ...] = (None, {}, {**CLIENT, "addr": ""}, "x", {"addr": 7})
        for note in notes:
            self.assertEqual(dict(xclient_of({"client": note})), {})


class XforwardTests(SynchronousTestCase):
    """As XFORWARD says it."""

    def test_own_client(self) -> None:
        """Who our client was, and the message's id."""
        told = xforward_of({"client": CLIENT}, "UUID.1")
        self.assertEqual(" ".join(told), "NAME ADDR PORT PROTO HELO IDENT SOURCE")
        self.assertEqual((told["IDENT"], told["SOURCE"]), ("UUID.1", "REMOTE"))

    def test_told(self) -> None:
        """Whom a peer told us of goes before: it is further away."""
        notes = {"client": CLIENT, "xforward": {"addr": "203.0.113.9", "ident": "4A"}}
        told = xforward_of(notes, "UUID.1")
        self.assertEqual(dict(told), {"ADDR": "203.0.113.9", "IDENT": "4A"})

    def test_own_mail(self) -> None:
        """A report that was made here is from here."""
        self.assertEqual(
            dict(xforward_of({}, "UUID.1")), {"IDENT": "UUID.1", "SOURCE": "LOCAL"}
        )

    def test_no_text(self) -> None:
        """What a plugin put there that is no clean text is not sent."""
        note: dict[Any, object] = {**CLIENT, "helo": "a\r\nRSET", "name": 7, 9: "x"}
        told = xforward_of({"client": note}, "UUID.1")
        self.assertNotIn("HELO", told)
        self.assertNotIn("NAME", told)
