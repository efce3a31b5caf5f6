"""C{xclient}: mail servers that say whose mail they pass on."""

from typing import Any

from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.listeners import Listener
from harakatw.config.options import load_options
from harakatw.plugins.relay import Relay, RelayOptions
from harakatw.plugins.xclient import Xclient, XclientOptions
from tests.config.folders import ConfigTestCase
from tests.log_events import collect_log
from tests.sessions import ENVELOPE, Site, make_site

GREETING = "220 mail.example ESMTP\r\n"
PEER = "192.0.2.1"


def site(*plugins: object, ip: str = PEER, **arguments: Any) -> Site:
    """A server that believes one host, and a client that has heard its greeting."""
    options = XclientOptions(hosts=(PEER, "2001:db8::/32"), forward_hosts=(PEER,))
    made = make_site(Xclient(options, "xclient"), *plugins, ip=ip, **arguments)
    made.client.hear()
    return made


class AnnounceTests(SynchronousTestCase):
    """Who is told of it."""

    def test_listed(self) -> None:
        """Only who is on a list, and with all attributes."""
        said = site().client.ask("EHLO mx.example")
        self.assertIn("XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT", said)
        self.assertIn("XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE", said)
        said = site(ip="2001:db8::9").client.ask("EHLO mx.example")
        self.assertIn("XCLIENT", said)
        self.assertNotIn("XFORWARD", said)
        self.assertNotIn("XC", site(ip="192.0.2.2").client.ask("EHLO mx.example"))

    def test_still_the_peer(self) -> None:
        """As another client it is told of it again: that is what Postfix does."""
        client = site().client
        client.say("XCLIENT ADDR=198.51.100.7", "EHLO a.example")
        self.assertIn("XCLIENT ", client.hear())

    def test_listener(self) -> None:
        """A listener can be without; then the command is not known there."""
        without = Listener(no_extensions=frozenset(("XCLIENT",)))
        client = site(listener=without).client
        said = client.ask("EHLO mx.example")
        self.assertNotIn("XCLIENT", said)
        self.assertIn("XFORWARD", said)
        self.assertTrue(client.ask("XCLIENT ADDR=198.51.100.7").startswith("500 "))


class ClientTests(SynchronousTestCase):
    """XCLIENT."""

    def test_all(self) -> None:
        """The session goes on as that client's, from the greeting on."""
        made = site()
        said = made.client.ask(
            "XCLIENT NAME=mx.client.example ADDR=198.51.100.7 PORT=2525 PROTO=ESMTP"
            " HELO=helo.client.example DESTADDR=203.0.113.25 DESTPORT=587"
        )
        self.assertEqual(said, GREETING)
        connection = made.connection
        remote, local = connection.remote, connection.local
        self.assertEqual((remote.ip, remote.port), ("198.51.100.7", 2525))
        self.assertEqual((remote.host, remote.login), ("mx.client.example", ""))
        self.assertEqual((local.ip, local.port), ("203.0.113.25", 587))
        self.assertEqual(connection.hello.verb, "EHLO")
        self.assertEqual(connection.hello.host, "helo.client.example")
        proxy = connection.proxy
        self.assertEqual((proxy.allowed, proxy.ip, proxy.type), (True, PEER, "xclient"))
        self.assertFalse(connection.relaying)

    def test_stranger(self) -> None:
        """Row 33: who is not on the list is refused, and stays who it is."""
        made = site(ip="192.0.2.2")
        for line in ("XCLIENT ADDR=127.0.0.1 LOGIN=root", "XFORWARD ADDR=127.0.0.1"):
            self.assertTrue(made.client.ask(line).startswith("550 5.7.0 "), line)
        self.assertEqual(made.connection.remote.ip, "192.0.2.2")
        self.assertFalse(made.connection.relaying)
        self.assertEqual(made.connection.errors, 2)

    def test_transaction(self) -> None:
        """Within a transaction it may not come, and does the transaction no harm."""
        made = site()
        made.greet()
        for lines in ((ENVELOPE[0],), (ENVELOPE[1],)):
            made.client.ask(*lines)
            for verb in ("XCLIENT", "XFORWARD"):
                said = made.client.ask(f"{verb} ADDR=198.51.100.7")
                self.assertTrue(said.startswith("503 5.5.1 "), said)
        self.assertEqual(made.connection.remote.ip, PEER)
        made.client.say("DATA")
        self.assertEqual(made.client.codes(), [354])

    def test_malformed(self) -> None:
        """Row 9: nothing that hides a line end gets any further."""
        made = site()
        for line in (
            "XCLIENT",
            "XCLIENT FOO=bar",
            "XCLIENT ADDR=198.51.100.7 HELO=a+0D+0AMAIL",
            "XCLIENT ADDR=[UNAVAILABLE]",
            "XCLIENT ADDR=198.51.100.7 DESTADDR=[UNAVAILABLE]",
            "XFORWARD HELO=a+0D+0AMAIL",
        ):
            self.assertTrue(made.client.ask(line).startswith("501 5.5.4 "), line)
        self.assertEqual(made.connection.remote.ip, PEER)

    def test_names(self) -> None:
        """A name that the peer does not know is not looked up again."""
        for name, host in (
            ("[UNAVAILABLE]", "NXDOMAIN"),
            ("[TEMPUNAVAIL]", "DNSERROR"),
            ("mx.example", "mx.example"),
        ):
            made = site()
            made.client.say(f"XCLIENT NAME={name} ADDR=198.51.100.7")
            self.assertEqual(made.connection.remote.host, host)

    def test_several(self) -> None:
        """What one command does not tell stays as the last one told it."""
        made = site()
        made.client.say("XCLIENT NAME=mx.example ADDR=198.51.100.7 PORT=9 LOGIN=joe")
        said = made.client.ask("XCLIENT HELO=a.example")
        self.assertEqual(said, GREETING)
        remote = made.connection.remote
        self.assertEqual((remote.ip, remote.port), ("198.51.100.7", 9))
        self.assertEqual(remote.host, "mx.example")
        self.assertEqual(made.connection.hello.verb, "HELO")
        self.assertEqual(remote.login, "")
        self.assertFalse(made.connection.relaying)
        self.assertEqual(made.connection.proxy.ip, PEER)

    def test_login(self) -> None:
        """Who has logged in at the peer has logged in here."""
        made = site()
        made.client.say("XCLIENT ADDR=198.51.100.7 LOGIN=joe+40here.example")
        self.assertEqual(made.connection.remote.login, "joe@here.example")
        self.assertEqual(made.connection.notes.get("auth_user"), "joe@here.example")
        self.assertTrue(made.connection.relaying)
        made.client.say("EHLO a.example", ENVELOPE[0], "RCPT TO:<x@else.example>")
        self.assertEqual(made.client.codes()[-1], 250)

    def test_no_login(self) -> None:
        """And who has not, may not relay, though the peer itself might."""
        relay = Relay(RelayOptions(acl_allow=(PEER,)), "relay")
        made = site(relay)
        self.assertTrue(made.connection.relaying)
        made.client.say("XCLIENT ADDR=198.51.100.7 LOGIN=[UNAVAILABLE]")
        made.client.say("EHLO a.example", ENVELOPE[0], "RCPT TO:<x@else.example>")
        self.assertEqual(made.client.codes()[-1], 550)


class ForwardTests(SynchronousTestCase):
    """XFORWARD."""

    def test_note(self) -> None:
        """
        What is told in several commands goes with the next message, and is in the log;
        nothing else changes.
        """
        made = site()
        made.greet()
        events = collect_log(self)
        for line in (
            "XFORWARD NAME=mx.client.example ADDR=198.51.100.7 PROTO=SMTP",
            "XFORWARD HELO=a+20b IDENT=4A1B SOURCE=REMOTE",
        ):
            self.assertEqual(made.client.ask(line), "250 2.0.0 OK\r\n")
        made.client.say(ENVELOPE[0])
        note = made.connection.transaction.notes.get("xforward")
        self.assertEqual((note["addr"], note["helo"]), ("198.51.100.7", "a b"))
        self.assertEqual((note["ident"], note["source"]), ("4A1B", "REMOTE"))
        self.assertEqual(made.connection.remote.ip, PEER)
        (line,) = [formatEvent(e) for e in events if "forwarded" in formatEvent(e)]
        self.assertIn(f"{made.connection.transaction.uuid} xclient: forwarded", line)
        self.assertIn(" addr=198.51.100.7 proto=SMTP helo=a+20b ident=4A1B", line)

    def test_one_message(self) -> None:
        """It is about one message, whether that is sent or given up."""
        made = site()
        made.greet()
        made.client.say("XFORWARD ADDR=198.51.100.7", ENVELOPE[0], "RSET", ENVELOPE[0])
        self.assertEqual(made.client.codes(), [250] * 4)
        self.assertIsNone(made.connection.transaction.notes.get("xforward"))

    def test_another_client(self) -> None:
        """XCLIENT forgets it."""
        made = site()
        made.client.say("XFORWARD ADDR=198.51.100.7", "XCLIENT ADDR=198.51.100.8")
        self.assertIsNone(made.connection.notes.get("xforward"))


class FileTests(ConfigTestCase):
    """C{xclient.hosts} and C{xforward.hosts}."""

    def _load(self) -> Any:
        return load_options(XclientOptions, self.files(), "xclient")

    def test_lists(self) -> None:
        """Addresses and networks, a line each."""
        self.write("xclient.hosts", "192.0.2.1\n2001:db8::/32\n")
        self.write("xforward.hosts", "192.0.2.2\n")
        loaded = self._load()
        self.assertEqual(loaded.problems, ())
        self.assertEqual(loaded.options.hosts, ("192.0.2.1", "2001:db8::/32"))
        self.assertEqual(loaded.options.forward_hosts, ("192.0.2.2",))

    def test_nobody(self) -> None:
        """Without files nobody is believed."""
        self.assertEqual(self._load().options, XclientOptions())

    def test_mistake(self) -> None:
        """A name is no address: the file is named, and nobody is believed."""
        self.write("xclient.hosts", "mx.example\n")
        loaded = self._load()
        self.assertEqual(len(loaded.errors), 1)
        self.assertIn("xclient.hosts", str(loaded.errors[0]))
        self.assertEqual(loaded.options.hosts, ())
