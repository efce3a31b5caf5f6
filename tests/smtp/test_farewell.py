"""What happens when a session is over, however it ended."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import LogEvent
from twisted.trial.unittest import SynchronousTestCase

from harakatw.verdict import CONT, DENY
from tests.fake_plugins import fake_plugin, raising
from tests.log_events import collect_log
from tests.sessions import ENVELOPE, make_site


class FarewellTests(SynchronousTestCase):
    """The last hooks."""

    def test_client_gone(self) -> None:
        """
        When the client is gone, the transaction is dropped first, then all plugins
        are told that the connection is.
        """
        first = fake_plugin("First", reset_transaction=None, disconnect=DENY)
        second = fake_plugin("Second", disconnect=None)
        site = make_site(first, second)
        site.greet()
        site.client.say(*ENVELOPE)
        site.client.leave()
        self.assertEqual(first.asked, ["reset_transaction", "disconnect"])
        self.assertEqual(second.asked, ["disconnect"])
        self.assertIsNone(site.connection.transaction)

    def test_gone_in_data(self) -> None:
        """A message that broke off is not delivered, and its file is given up."""
        plugin = fake_plugin(data_post=None, queue=None, disconnect=None)
        site = make_site(plugin)
        site.begin_data()
        site.client.send(b"Subject: half a mess")
        message = site.connection.transaction.message
        site.client.leave()
        self.assertEqual(plugin.asked, ["disconnect"])
        self.assertEqual(message.in_memory, 0)
        self.assertEqual(site.mailbox.messages, [])

    def test_slow_plugins(self) -> None:
        """The connection counts as open until the last plugin has said goodbye."""
        reset: Deferred[None] = Deferred()
        disconnect: Deferred[None] = Deferred()
        plugin = fake_plugin(reset_transaction=reset, disconnect=disconnect)
        site = make_site(plugin)
        site.greet()
        site.client.say(*ENVELOPE)
        site.client.leave()
        sessions = site.server.factory.sweep.sessions
        self.assertEqual((plugin.asked, len(sessions)), (["reset_transaction"], 1))
        reset.callback(None)
        self.assertEqual(len(sessions), 1)
        disconnect.callback(None)
        self.assertEqual(len(sessions), 0)
        self.assertIsNone(site.connection.session)

    def test_silent_plugins(self) -> None:
        """A plugin that never says goodbye is not waited for longer than its time."""
        plugin = fake_plugin(reset_transaction=Deferred(), disconnect=Deferred())
        site = make_site(plugin)
        site.greet()
        site.client.say(*ENVELOPE)
        site.client.leave()
        site.server.clock.pump([1.0] * 62)
        self.assertEqual(len(site.server.factory.sweep.sessions), 0)
        self.assertEqual(site.server.clock.getDelayedCalls(), [])
        self.assertFalse(site.client.transport.aborted)

    def test_raising_plugin(self) -> None:
        """A plugin that raises at the end does not keep the others from hearing it."""
        second = fake_plugin("Second", disconnect=None)
        site = make_site(fake_plugin(disconnect=raising(KeyError("x"))), second)
        site.client.leave()
        self.assertEqual(second.asked, ["disconnect"])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_skipped_plugin_is_told(self) -> None:
        """
        A plugin that was to be skipped in a transaction hears of the disconnection
        all the same: skipping ends with the transaction.
        """

        def skip(connection: Any, *_: object) -> None:
            connection.transaction.skip_plugins(["Second"])

        second = fake_plugin("Second", mail=DENY, disconnect=None)
        site = make_site(fake_plugin(mail=skip), second)
        site.greet()
        site.client.say("MAIL FROM:<>")
        site.client.leave()
        self.assertEqual(second.asked, ["disconnect"])

    def test_disconnect_after_the_end(self) -> None:
        """A plugin that closes a connection which is over does no harm."""
        site = make_site()
        connection = site.connection
        site.client.leave()
        connection.disconnect()
        self.assertFalse(site.client.transport.closed)


class LogTests(SynchronousTestCase):
    """What a postmaster finds in the log."""

    def setUp(self) -> None:
        """Collect what is logged."""
        self.events = collect_log(self)

    def _lines(self, begin: str) -> list[LogEvent]:
        return [
            event
            for event in self.events
            if str(event.get("log_format", "")).startswith("{uuid} " + begin)
        ]

    def test_summary(self) -> None:
        """Each session has one line at its end that tells its story."""
        site = make_site()
        site.send_message(b"a: b\r\n\r\nc\r\n.\r\n")
        site.client.say("FOO", *ENVELOPE, "RCPT TO:<v@far.example>")
        site.server.clock.advance(1.5)
        site.client.leave()
        (line,) = self._lines("disconnect")
        wanted = {
            "ip": "192.0.2.1",
            "helo": "client.example",
            "relay": "N",
            "early": "N",
            "esmtp": "Y",
            "tls": "N",
            "errors": 1,
            "txns": 2,
            "rcpts": "2/0/1",
            "msgs": "1/0/0",
            "octets": 11,
            "last": "550 5.1.1 I cannot deliver mail for that recipient",
            "seconds": 1.5,
            "uuid": site.connection.uuid,
        }
        self.assertEqual({key: line[key] for key in wanted}, wanted)

    def test_message(self) -> None:
        """Each message that came whole has a line, with envelope, size and reply."""
        site = make_site()
        site.send_message(b"a: b\r\n\r\nc\r\n.\r\n")
        (line,) = self._lines("message")
        self.assertEqual(line["uuid"], f"{site.connection.uuid}.1")
        self.assertEqual(line["sender"], "<a@client.example>")
        self.assertEqual(line["rcpts"], "<b@here.example>")
        self.assertEqual((line["size"], line["code"]), (11, 250))

    def test_refused_message(self) -> None:
        """Refused messages too, whoever refused them."""
        for plugin, octets, code in (
            (fake_plugin(data_post=DENY), b"a: b\r\n\r\n.\r\n", 550),
            (fake_plugin(queue=DENY), b"a: b\r\n\r\n.\r\n", 550),
            (fake_plugin(queue=CONT), b"a: b\n\r\n.\r\n", 554),
        ):
            self.events.clear()
            make_site(plugin).send_message(octets)
            self.assertEqual([each["code"] for each in self._lines("message")], [code])

    def test_quiet(self) -> None:
        """Where the log level asks for less, sessions leave no line."""
        site = make_site()
        site.server.context.log.set_level("warn")
        site.send_message(b"a: b\r\n\r\n.\r\n")
        site.client.leave()
        self.assertEqual(self._lines("message") + self._lines("disconnect"), [])

    def test_protocol(self) -> None:
        """
        At level protocol every line of the dialogue is logged, and none can forge
        another or play with the terminal.
        """
        site = make_site()
        site.server.context.log.set_level("protocol")
        site.client.say(b"NOOP \x1b[2J\xff", "EHLO x")
        said = [str(event.get("line")) for event in self.events if "line" in event]
        self.assertEqual(said[0], r"'NOOP \x1b[2J\\xff'")
        self.assertEqual(said[1:3], ["250 2.0.0 OK", "EHLO x"])
        self.assertTrue(all(line.isprintable() for line in said))
