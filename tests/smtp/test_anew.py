"""Sessions that begin again as another client."""

from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.new_client import NewClient
from harakatw.smtp.connection import TLS, Connection, Local, Remote
from harakatw.testing.server import MemoryServer
from harakatw.verdict import CONT, DENY, ok
from tests.fake_plugins import FakePlugin, fake_plugin
from tests.sessions import ENVELOPE, make_site

OTHER = NewClient(ip="198.51.100.7", port=7, name="other.example", said_by="192.0.2.1")
GREETING = "220 mail.example ESMTP\r\n"


def becomes(client: NewClient = OTHER, /, **says: Any) -> FakePlugin:
    """A plugin whose command BECOME makes the session another client's."""
    return fake_plugin(unrecognized_command=lambda *_: ok(value=client), **says)


class BeginAgainTests(SynchronousTestCase):
    """What is left of the first client: nothing but the connection."""

    def test_hooks(self) -> None:
        """
        The first client leaves and the other comes, as far as plugins can see: what
        they count comes out even. Its name is known and not looked up.
        """
        hooks = ("connect_init", "lookup_rdns", "connect", "disconnect")
        plugin = becomes(**dict.fromkeys((*hooks, "reset_transaction"), CONT))
        site = make_site(plugin)
        site.greet()
        site.client.say(ENVELOPE[0], "BECOME", "NOOP", "QUIT")
        site.client.leave()
        seen = [hook for hook in plugin.asked if hook != "unrecognized_command"]
        self.assertEqual(
            seen,
            [
                *("connect_init", "lookup_rdns", "connect"),
                *("reset_transaction", "disconnect"),
                *("connect_init", "connect"),
                "disconnect",
            ],
        )

    def test_forgotten(self) -> None:
        """
        Hello, notes, results, transaction, counters, the right to relay and the session
        id: all of it is new.
        """
        site = make_site(becomes())
        connection = site.connection
        uuid = connection.uuid
        site.greet()
        connection.relaying = True
        connection.notes.set("auth_user", "joe")
        connection.results.add("x", passed="y")
        site.client.say("FOO" * 30, *ENVELOPE)
        site.server.clock.advance(5)
        self.assertEqual(site.client.ask("BECOME"), GREETING)
        self.assertNotEqual(connection.uuid, uuid)
        self.assertEqual(connection.started, 5)
        self.assertIsNone(connection.transaction)
        self.assertIsNone(connection.notes.get("auth_user"))
        self.assertFalse(connection.results.has("x", "pass", "y"))
        self.assertFalse(connection.relaying)
        self.assertEqual((connection.hello.host, connection.errors), ("", 0))
        self.assertEqual((connection.tran_count, connection.rcpt_accepted), (0, 0))
        site.client.say("MAIL FROM:<a@b.example>")
        self.assertEqual(site.client.codes(), [503])

    def test_no_field_is_missed(self) -> None:
        """Whatever a connection knows is new, or is of the transport."""
        connection = Connection("1", Remote("192.0.2.1", 1), Local("", 0, ""), 0.0)
        kept = ("local", "tls", "watch", "session")
        odd: dict[str, Any] = {}
        for field in attrs.fields(Connection):
            odd[field.name] = object()
            setattr(connection, field.name, odd[field.name])
        connection.start_over("2", Remote("198.51.100.7", 7), 9.0)
        for name, value in odd.items():
            if name in kept:
                self.assertIs(getattr(connection, name), value, name)
            else:
                self.assertIsNot(getattr(connection, name), value, name)

    def test_encryption(self) -> None:
        """
        The connection stays encrypted, if it was; but whoever showed a certificate was
        not this client, and has proved nothing for it.
        """
        site = make_site(becomes())
        site.connection.tls = TLS(True, "x", True, "TLSv1.3", "mx.example")
        site.client.say("BECOME")
        tls = site.connection.tls
        self.assertEqual((tls.enabled, tls.cipher, tls.version), (True, "x", "TLSv1.3"))
        self.assertFalse(tls.verified)
        self.assertIsNone(tls.certificate)
        note = site.connection.notes.get("tls")
        self.assertEqual(note["cipher"], {"name": "x", "version": "TLSv1.3"})
        self.assertFalse(note["authorized"])

    def test_trace(self) -> None:
        """Mail is the new client's, also after mail of the first one."""
        site = make_site(becomes())
        for name in ("first.example", "second.example"):
            site.client.say(f"EHLO {name}", *ENVELOPE, "DATA")
            site.client.say("Subject: x", "", "x", ".", "BECOME")
        first, second = (
            mail.octets.split(b"\r\n")[0] for mail in site.mailbox.messages
        )
        self.assertEqual(first, b"Received: from first.example ([192.0.2.1])")
        self.assertEqual(
            second,
            b"Received: from second.example (other.example [198.51.100.7])",
        )

    def test_refused(self) -> None:
        """Plugins may refuse the other client: it is told so, and may only leave."""
        verdicts = {"192.0.2.1": CONT, "198.51.100.7": DENY}
        site = make_site(becomes(connect=lambda c: verdicts[c.remote.ip]))
        said = site.client.ask("BECOME", "EHLO x", "QUIT")
        self.assertEqual(
            [line[:3] for line in said.splitlines()], ["554", "554", "221"]
        )

    def test_hello(self) -> None:
        """What the client is said to have called itself is known before it says it."""
        client = attrs.evolve(OTHER, hello_verb="EHLO", hello_host="x.example")
        seen: list[str] = []
        site = make_site(becomes(client, connect=lambda c: seen.append(c.hello.host)))
        site.client.say("BECOME", "EHLO y.example")
        self.assertEqual(seen, ["", "x.example"])
        self.assertEqual(site.connection.hello.host, "y.example")


class WaitingTests(SynchronousTestCase):
    """Plugins that take their time."""

    def test_pipelined(self) -> None:
        """Commands that came along wait for the greeting."""
        waiting: Deferred[Any] = Deferred()
        verdicts = {"192.0.2.1": CONT, "198.51.100.7": waiting}
        site = make_site(becomes(connect=lambda c: verdicts[c.remote.ip]))
        self.assertEqual(site.client.ask("BECOME", "EHLO x"), "")
        site.client.say("NOOP")
        waiting.callback(CONT)
        self.assertEqual(site.client.codes(), [220, 250, 250])

    def test_left_meanwhile(self) -> None:
        """
        If the connection breaks while the first client's last hooks are run, they are
        not run again, and the other client never came.
        """
        leaving: Deferred[Any] = Deferred()
        plugin = becomes(disconnect=lambda *_: leaving, connect_init=CONT)
        site = make_site(plugin)
        site.client.say("BECOME")
        site.client.leave()
        leaving.callback(CONT)
        self.assertEqual(plugin.asked.count("disconnect"), 1)
        self.assertEqual(plugin.asked.count("connect_init"), 1)
        self.assertEqual(len(site.server.factory.sweep.sessions), 0)
        self.assertEqual(site.server.clock.getDelayedCalls(), [])


class LimitTests(SynchronousTestCase):
    """Limits per address."""

    def _server(self, most: int) -> MemoryServer:
        limits = ConnectionOptions(max_connections_per_ip=most, banner_chars=0)
        return MemoryServer((becomes(),), limits=limits)

    def test_counted_as(self) -> None:
        """A session counts to the client that it has, and no more to the first one."""
        server = self._server(1)
        first = server.connect("192.0.2.1")
        first.say("BECOME")
        second = server.connect("192.0.2.1")
        self.assertEqual(first.codes(), [220, 220])
        second.say("BECOME")
        self.assertEqual(second.codes(), [220, 421])
        self.assertTrue(second.transport.closed)
        second.leave()
        first.leave()
        third = server.connect("198.51.100.7")
        self.assertEqual(third.codes(), [220])

    def test_same_address(self) -> None:
        """To become oneself again is no second session."""
        client = self._server(1).connect("198.51.100.7")
        client.say("BECOME", "BECOME")
        self.assertEqual(client.codes(), [220, 220, 220])
