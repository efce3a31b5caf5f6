"""Commands that come before their predecessors are answered (RFC 2920)."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.verdict import DENY, OK, Verdict
from tests.fake_plugins import fake_plugin, in_turn
from tests.sessions import ENVELOPE, make_site


class GroupTests(SynchronousTestCase):
    """A group of commands in one segment."""

    def test_one_write(self) -> None:
        """The replies to one segment go out as one, in order."""
        site = make_site()
        site.greet()
        writes: list[bytes] = []
        site.client.transport.write = writes.append  # type: ignore[method-assign]
        site.client.say(*ENVELOPE, "RCPT TO:<v@far.example>", "DATA")
        self.assertEqual(len(writes), 1)
        codes = [line[:3] for line in writes[0].split(b"\r\n")[:-1]]
        self.assertEqual(codes, [b"250", b"250", b"550", b"354"])

    def test_allowed_anywhere(self) -> None:
        """MAIL, RCPT and RSET may stand anywhere in a group: nothing is noted."""
        site = make_site()
        site.greet()
        site.client.say(*ENVELOPE, "RSET", *ENVELOPE, "RSET")
        self.assertEqual(site.client.codes(), [250] * 6)
        self.assertFalse(site.connection.early_talker)

    def test_must_be_last(self) -> None:
        """EHLO, NOOP and others must end a group: who goes on is an early talker."""
        for line in ("EHLO x", "NOOP", "VRFY x", "QUIT"):
            site = make_site()
            site.greet()
            site.client.say(line)
            self.assertFalse(site.connection.early_talker, line)
            site = make_site()
            site.greet()
            site.client.say(line, "NOOP")
            self.assertTrue(site.connection.early_talker, line)

    def test_data_not_last(self) -> None:
        """
        More input with DATA breaks the session: it might be the message, or somebody
        else's commands (row 32). Nothing of it is used.
        """
        site = make_site()
        site.greet()
        site.client.say(
            *ENVELOPE, "DATA", "Subject: x", "", ".", "MAIL FROM:<x@y.example>"
        )
        said = site.client.hear().splitlines()
        self.assertEqual(said[2:], ["554 5.5.0 SMTP protocol synchronization error"])
        self.assertTrue(site.client.transport.closed)
        self.assertEqual(site.mailbox.messages, [])

    def test_data_refused_goes_on(self) -> None:
        """When DATA has no place, what follows it is commands, as RFC 2920 wants."""
        site = make_site()
        site.greet()
        site.client.say("DATA", "NOOP")
        self.assertEqual(site.client.codes(), [503, 250])


class PendingTests(SynchronousTestCase):
    """A verdict is waited for while the client goes on talking."""

    def test_order(self) -> None:
        """
        Replies keep the order of the commands, though a later one needs no verdict
        (RFC 2920 section 3.2).
        """
        verdict: Deferred[Verdict] = Deferred()
        site = make_site(fake_plugin(rcpt=in_turn((verdict, DENY, OK))))
        site.greet()
        recipients = [f"RCPT TO:<{user}@here.example>" for user in "abc"]
        site.client.say(ENVELOPE[0], *recipients, "NOOP")
        self.assertEqual(site.client.codes(), [250])
        verdict.callback(OK)
        self.assertEqual(site.client.codes(), [250, 550, 250, 250])

    def test_silent_plugin(self) -> None:
        """
        A plugin that gives no verdict in time means "try later"; the session goes on,
        and no timer is left.
        """
        plugin = fake_plugin(rcpt=Deferred())
        site = make_site(plugin, plugin_timeout_seconds=20)
        site.greet()
        site.client.say(*ENVELOPE, "NOOP")
        site.server.clock.advance(19.9)
        self.assertEqual(site.client.codes(), [250])
        site.server.clock.advance(0.2)
        self.assertEqual(site.client.codes(), [450, 250])
        site.client.leave()
        self.assertEqual(site.server.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.flushLoggedErrors()), 0)

    def test_nothing_more_is_read(self) -> None:
        """
        Who sends more while a verdict is pending is read no further, so that what is
        held is no more than one read (row 21).
        """
        verdict: Deferred[None] = Deferred()
        site = make_site(fake_plugin(mail=verdict))
        site.greet()
        site.client.say(ENVELOPE[0])
        self.assertEqual(site.client.transport.producerState, "producing")
        site.client.say("NOOP")
        self.assertEqual(site.client.transport.producerState, "paused")
        verdict.callback(None)
        self.assertEqual(site.client.transport.producerState, "producing")

    def test_deep_pipeline(self) -> None:
        """Thousands of commands, each waiting for its verdict: no recursion."""
        verdicts: list[Deferred[None]] = []

        def later(*_: object) -> "Deferred[None]":
            verdicts.append(Deferred())
            return verdicts[-1]

        site = make_site(fake_plugin(noop=later))
        site.greet()
        site.client.send(b"NOOP\r\n" * 3000)
        while verdicts:
            verdicts.pop().callback(None)
        self.assertEqual(site.client.codes(), [250] * 3000)

    def test_deep_pipeline_of_answers(self) -> None:
        """The same with Deferreds that have fired already."""

        def done(*_: object) -> "Deferred[None]":
            verdict: Deferred[None] = Deferred()
            verdict.callback(None)
            return verdict

        site = make_site(fake_plugin(noop=done))
        site.greet()
        site.client.send(b"NOOP\r\n" * 3000)
        self.assertEqual(site.client.codes(), [250] * 3000)

    def test_verdict_closes(self) -> None:
        """A verdict that closes the session leaves what was pipelined unanswered."""
        verdict: Deferred[Verdict] = Deferred()
        site = make_site(fake_plugin(mail=verdict))
        site.greet()
        site.client.say(*ENVELOPE, "QUIT")
        verdict.callback(OK)
        self.assertEqual(site.client.codes(), [250, 250, 221])

    def test_plugin_disconnects(self) -> None:
        """
        A plugin that calls disconnect() in whatever hook ends the session there and
        then: no reply, no greeting, no 354 follows, and nothing more is heard.
        """
        for hook in ("connect", "ehlo", "mail", "rcpt", "rcpt_ok", "data", "noop"):
            site = make_site(fake_plugin(**{hook: lambda c, *_: c.disconnect()}))
            site.client.say("EHLO x", "NOOP")
            site.client.say(*ENVELOPE, "DATA")
            said = site.client.hear()
            self.assertTrue(site.client.transport.closed, hook)
            self.assertNotIn("354", said)
            self.assertEqual(site.client.ask("NOOP"), "", hook)

    def test_plugin_disconnects_late(self) -> None:
        """The same from a plugin that is waited for."""
        verdict: Deferred[None] = Deferred()
        site = make_site(fake_plugin(mail=verdict))
        site.greet()
        site.client.say(*ENVELOPE)
        site.connection.disconnect()
        verdict.callback(None)
        self.assertEqual(site.client.hear(), "")
        self.assertTrue(site.client.transport.closed)


class ReaderTests(SynchronousTestCase):
    """Clients that do not read what they are told (row 21)."""

    def test_not_reading(self) -> None:
        """A client whose replies pile up is not heard until it reads again."""
        site = make_site()
        site.greet()
        site.client.protocol.pauseProducing()
        self.assertEqual(site.client.transport.producerState, "paused")
        self.assertEqual(site.client.ask("NOOP", "NOOP"), "")
        site.client.protocol.resumeProducing()
        self.assertEqual(site.client.codes(), [250, 250])
        self.assertEqual(site.client.transport.producerState, "producing")

    def test_not_reading_while_pending(self) -> None:
        """Neither a verdict nor the client's reading alone lets input in again."""
        verdict: Deferred[None] = Deferred()
        site = make_site(fake_plugin(mail=verdict))
        site.greet()
        site.client.say(ENVELOPE[0])
        transport = site.client.transport
        site.client.protocol.pauseProducing()
        site.client.protocol.resumeProducing()
        self.assertEqual(transport.producerState, "paused")
        site.client.protocol.pauseProducing()
        verdict.callback(None)
        self.assertEqual(transport.producerState, "paused")
        site.client.protocol.resumeProducing()
        self.assertEqual(transport.producerState, "producing")

    def test_never_reads(self) -> None:
        """Who never reads is closed after the time of inactivity."""
        site = make_site(options=ConnectionOptions(), inactivity_seconds=60)
        site.client.protocol.pauseProducing()
        for _ in range(61):
            site.server.clock.advance(1)
        self.assertTrue(site.client.transport.closed)
