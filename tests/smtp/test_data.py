"""DATA: the message itself (RFC 5321 section 4.1.1.4)."""

from errno import ENOSPC
from os import strerror
from typing import IO

import attrs
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.smtp.connection import Connection
from harakatw.testing.threads import HeldThreads
from harakatw.verdict import CONT, DENY, DENYSOFT, OK, Verdict, deny, ok
from tests.fake_plugins import fake_plugin
from tests.sessions import ENVELOPE, make_site

MESSAGE = b"Subject: hi\r\n\r\nHello\r\n"


class DataTests(SynchronousTestCase):
    """A message comes in."""

    def test_accepted(self) -> None:
        """
        The reply to the final dot has the transaction's id, by which the message is
        found again, and the message has our trace field on top.
        """
        site = make_site()
        said = site.send_message(MESSAGE + b".\r\n")
        self.assertEqual(
            said, f"250 2.0.0 Message Queued ({site.connection.uuid}.1)\r\n"
        )
        (message,) = site.mailbox.messages
        self.assertEqual(message.received, MESSAGE)
        self.assertEqual(message.sender, "a@client.example")
        self.assertEqual(message.recipients, ("b@here.example",))
        self.assertIsNone(site.connection.transaction)

    def test_trace_field(self) -> None:
        """
        The trace field names the client, us, the protocol, the session and, as there
        is but one, the recipient (RFC 5321 section 4.4).
        """
        site = make_site()
        site.send_message(MESSAGE + b".\r\n")
        trace = site.mailbox.messages[0].octets.decode().partition("Subject:")[0]
        self.assertEqual(
            trace,
            "Received: from client.example ([192.0.2.1])\r\n"
            f"\tby mail.example with ESMTP id {site.connection.uuid}.1\r\n"
            "\t(envelope-from <a@client.example>)\r\n"
            "\tfor <b@here.example>;\r\n"
            "\tThu, 01 Jan 1970 00:00:00 +0000\r\n",
        )

    def test_no_trace_field(self) -> None:
        """The trace field may be turned off."""
        site = make_site(options=ConnectionOptions(add_received=False))
        site.send_message(MESSAGE + b".\r\n")
        self.assertEqual(site.mailbox.messages[0].octets, MESSAGE)

    def test_dots(self) -> None:
        """A dot that the client doubled is taken out again (section 4.5.2)."""
        site = make_site()
        site.send_message(b"..a: b\r\n\r\n..\r\n...\r\n. \r\na.\r\n.\r\n")
        received = site.mailbox.messages[0].received
        self.assertEqual(received, b".a: b\r\n\r\n.\r\n..\r\n \r\na.\r\n")

    def test_empty(self) -> None:
        """A message of no octets is a message."""
        site = make_site()
        self.assertEqual(site.send_message(b".\r\n")[:3], "250")
        self.assertEqual(site.mailbox.messages[0].received, b"\r\n")

    def test_next_message(self) -> None:
        """A session goes on with another message, which has the next number."""
        site = make_site()
        site.send_message(MESSAGE + b".\r\n")
        site.client.say(*ENVELOPE, "DATA")
        site.client.hear()
        site.client.send(MESSAGE + b".\r\n")
        self.assertIn(f"{site.connection.uuid}.2", site.client.hear())
        self.assertEqual(len(site.mailbox.messages), 2)
        self.assertEqual(site.connection.msg_accepted, 2)

    def test_commands_after_the_dot(self) -> None:
        """What follows the final dot in the same segment is a command (RFC 2920)."""
        site = make_site()
        site.begin_data()
        site.client.send(MESSAGE + b".\r\nMAIL FROM:<>\r\nQUIT\r\n")
        self.assertEqual(site.client.codes(), [250, 250, 221])

    def test_order(self) -> None:
        """DATA needs MAIL and RCPT; with an argument it is no DATA."""
        site = make_site()
        for line in ("DATA", "EHLO x", "DATA", "MAIL FROM:<>", "DATA"):
            site.client.say(line)
        self.assertEqual(site.client.codes(), [220, 503, 250, 503, 250, 503])
        site.client.say(ENVELOPE[1])
        site.client.say("DATA now")
        self.assertEqual(site.client.codes(), [250, 501])

    def test_no_valid_recipient(self) -> None:
        """When all recipients were refused, so is DATA, with 554 (section 3.3)."""
        site = make_site()
        site.greet()
        site.client.say(ENVELOPE[0], "RCPT TO:<v@far.example>", "DATA")
        self.assertEqual(site.client.codes(), [250, 550, 554])

    def test_recipients_taken_away(self) -> None:
        """A plugin took the last recipient away: there is nobody to send to."""

        def forget(connection: Connection, _: object) -> None:
            assert connection.transaction is not None
            connection.transaction.rcpt_to.clear()

        site = make_site(fake_plugin(rcpt=OK, rcpt_ok=forget))
        site.greet()
        site.client.say(*ENVELOPE, "DATA")
        self.assertEqual(site.client.codes(), [250, 250, 554])


class FormTests(SynchronousTestCase):
    """Messages that are refused for their form, whatever plugins think."""

    def _refused(self, octets: bytes, **options: object) -> str:
        limits = ConnectionOptions(**options)  # type: ignore[arg-type]  # by name
        plugin = fake_plugin(data_post=None, reset_transaction=None)
        site = make_site(plugin, options=limits)
        said = site.send_message(octets)
        self.assertEqual(plugin.asked, ["reset_transaction"])
        self.assertEqual(site.mailbox.messages, [])
        self.assertEqual(site.connection.msg_rejected, 1)
        site.client.say(*ENVELOPE)
        self.assertEqual(site.client.codes(), [250, 250])
        return said

    def test_bare_newline(self) -> None:
        """A CR or LF alone: 554, the session goes on, no retry storm (WK28)."""
        for octets in (b"a: b\n\r\n.\r\n", b"a: b\r\r\n\r\n.\r\n", b"\r\n\ra\r\n.\r\n"):
            self.assertEqual(self._refused(octets)[:9], "554 5.6.0", octets)

    def test_loop(self) -> None:
        """More trace fields than headers.max_received: a loop (section 6.3)."""
        head = b"Received: from a by b; c\r\n" * 101
        self.assertEqual(self._refused(head + b"\r\n.\r\n")[:9], "554 5.4.6")

    def test_no_loop(self) -> None:
        """As many trace fields as allowed are no loop; nor is text that looks so."""
        site = make_site(options=ConnectionOptions(max_received=2))
        head = b"received: x\r\n" * 2 + b"X-Received: y\r\n"
        said = site.send_message(head + b"\r\nReceived: body\r\n.\r\n")
        self.assertEqual(said[:3], "250")

    def test_too_big(self) -> None:
        """A message bigger than max.bytes is read to its end, and refused with 552."""
        said = self._refused(b"a" * 101 + b"\r\n.\r\n", max_bytes=100)
        self.assertEqual(said, "552 5.3.4 Message too big\r\n")

    def test_just_fits(self) -> None:
        """A message of exactly max.bytes is taken; doubled dots do not count."""
        octets = b"..aaa\r\n" + b"b" * 91 + b"\r\n"
        site = make_site(options=ConnectionOptions(max_bytes=99))
        self.assertEqual(site.send_message(octets + b".\r\n")[:3], "250")

    def test_too_big_wording(self) -> None:
        """A plugin may word the refusal or make it one for now, not take it back."""
        for verdict, said in (
            (OK, "552 5.3.4 Message too big\r\n"),
            (deny("put it on the web"), "552 5.3.4 put it on the web\r\n"),
            (DENYSOFT, "452 4.3.4 Message too big for now\r\n"),
        ):
            options = ConnectionOptions(max_bytes=10)
            site = make_site(fake_plugin(max_data_exceeded=verdict), options=options)
            self.assertEqual(site.send_message(b"a" * 11 + b"\r\n.\r\n"), said)
            self.assertEqual(site.mailbox.messages, [])

    def test_long_line(self) -> None:
        """A line over the limit is noted for plugins; the message is not changed."""
        seen: list[object] = []

        def look(connection: Connection) -> None:
            assert connection.transaction is not None
            notes = connection.transaction.notes
            seen.append(notes.get("data_line_length_exceeded"))

        site = make_site(fake_plugin(data_post=look))
        for octets in (b".." + b"a" * 997, b"a" * 999):
            site.client.say("RSET")
            site.send_message(octets + b"\r\n.\r\n")
        self.assertEqual(seen, [None, True])
        self.assertIn(b"a" * 999, site.mailbox.messages[1].octets)


class NormaliseTests(SynchronousTestCase):
    """The postmaster chose to repair messages with bare CR or LF."""

    def test_repaired(self) -> None:
        """Each CR, LF and CRLF becomes a line end; none of them ends the message."""
        site = make_site(options=ConnectionOptions(bare_newline="normalise"))
        said = site.send_message(b"a: b\n\r\nc\rd\n.\ne\r\n.\r\n")
        self.assertEqual(said[:3], "250")
        (message,) = site.mailbox.messages
        self.assertEqual(message.received, b"a: b\r\n\r\nc\r\nd\r\n.\r\ne\r\n")

    def test_cut_anywhere(self) -> None:
        """It is the same message however the network cut it."""
        octets = b"\na: b\n\r\nc\rd\r\r\n..\n\r\n.\r\n"
        for cut in range(1, len(octets)):
            site = make_site(options=ConnectionOptions(bare_newline="normalise"))
            site.begin_data()
            site.client.send(octets[:cut])
            site.client.send(octets[cut:])
            received = site.mailbox.messages[0].received
            self.assertEqual(received, b"\r\na: b\r\n\r\nc\r\nd\r\n\r\n.\r\n\r\n", cut)


class PluginTests(SynchronousTestCase):
    """What plugins make of a message."""

    def test_denied_before(self) -> None:
        """A plugin may refuse DATA: no message comes, the transaction is gone."""
        for verdict, code in ((DENY, 554), (DENYSOFT, 451)):
            site = make_site(fake_plugin(data=verdict))
            site.greet()
            site.client.say(*ENVELOPE, "DATA")
            self.assertEqual(site.client.codes(), [250, 250, code])
            self.assertIsNone(site.connection.transaction)

    def test_own_invitation(self) -> None:
        """The text of OK stands in the 354, which never becomes a 250."""
        site = make_site(fake_plugin(data=ok("2.0.0 speak", code=250)))
        site.greet()
        self.assertTrue(site.client.ask(*ENVELOPE, "DATA").endswith("354 speak\r\n"))

    def test_denied_after(self) -> None:
        """A plugin may refuse the message once it has it."""
        for verdict, code in ((DENY, 550), (DENYSOFT, 450)):
            plugin = fake_plugin(data_post=verdict, queue=OK)
            site = make_site(plugin)
            self.assertEqual(site.send_message(MESSAGE + b".\r\n")[:3], str(code))
            self.assertEqual(plugin.asked, ["data_post"])

    def test_order_of_hooks(self) -> None:
        """data, data_post, queue, queue_ok, reset_transaction: in this order."""
        plugin = fake_plugin(
            data=None, data_post=None, queue=OK, queue_ok=None, reset_transaction=None
        )
        make_site(plugin).send_message(MESSAGE + b".\r\n")
        self.assertEqual(
            plugin.asked,
            ["data", "data_post", "queue", "queue_ok", "reset_transaction"],
        )

    def test_header_changed(self) -> None:
        """What plugins add to the header is in the message that is queued."""

        def sign(connection: Connection) -> Verdict:
            assert connection.transaction is not None
            connection.transaction.add_header("X-Seen", "yes")
            connection.transaction.add_leading_header("X-First", "1")
            connection.transaction.remove_header("subject")
            return CONT

        site = make_site(fake_plugin(data_post=sign))
        site.send_message(MESSAGE + b".\r\n")
        octets = site.mailbox.messages[0].octets
        self.assertTrue(octets.startswith(b"X-First: 1\r\nReceived:"), octets)
        self.assertTrue(octets.endswith(b"X-Seen: yes\r\n\r\nHello\r\n"), octets)

    def test_forged_results(self) -> None:
        """
        Row 34: Authentication-Results that the message came with are not ours, however
        they are spelt: plugins find none, and the reader sees whose they are.
        """
        seen: list[str] = []

        def look(connection: Connection) -> None:
            assert connection.transaction is not None
            seen.append(connection.transaction.header.get("Authentication-Results"))

        head = b"authentication-RESULTS:\r\n mail.example 1; dmarc=pass\r\n"
        for clean, found in ((True, ""), (False, " mail.example 1; dmarc=pass")):
            options = ConnectionOptions(clean_auth_results=clean)
            site = make_site(fake_plugin(data_post=look), options=options)
            site.send_message(head + b"\r\n.\r\n")
            self.assertEqual(seen.pop().strip(), found.strip())
            octets = site.mailbox.messages[0].octets
            self.assertEqual(b"Original-authentication-RESULTS" in octets, clean)

    def test_body_before_354(self) -> None:
        """
        A client that does not wait for the 354 is heard when the plugins have ruled,
        and its message is not taken for commands.
        """
        verdict: Deferred[None] = Deferred()
        site = make_site(fake_plugin(data=verdict))
        site.greet()
        site.client.say(*ENVELOPE, "DATA")
        site.client.send(MESSAGE + b".\r\n")
        self.assertEqual(site.client.codes(), [250, 250])
        verdict.callback(None)
        self.assertEqual(site.client.codes(), [354, 250])
        self.assertEqual(site.mailbox.messages[0].received, MESSAGE)


def full_disk(directory: str) -> IO[bytes]:
    """Open a spool file as on a full disk."""
    raise OSError(ENOSPC, strerror(ENOSPC))


class SpoolTests(SynchronousTestCase):
    """Messages that are kept in a file while they come."""

    def test_written_in_a_thread(self) -> None:
        """
        While the disk takes a piece of the message, one read is held and no more; then
        it goes on.
        """
        threads = HeldThreads()
        options = ConnectionOptions(spool_after=20, spool_dir=".")
        site = make_site(options=options, threads=threads)
        site.begin_data()
        site.client.send(b"a: b\r\n\r\n" + b"c" * 30)
        site.client.send(b"d")
        self.assertEqual(site.client.transport.producerState, "paused")
        threads.run_one()
        self.assertEqual(site.client.transport.producerState, "producing")
        site.client.send(b"\r\n.\r\n")
        self.assertEqual(site.client.codes(), [250])
        received = site.mailbox.messages[0].received
        self.assertEqual(received, b"a: b\r\n\r\n" + b"c" * 30 + b"d\r\n")

    def test_disk_full(self) -> None:
        """
        A full disk makes it 452, try again later: never a 5xx, never a 250 (WK03); the
        session goes on.
        """
        options = ConnectionOptions(spool_after=0)
        site = make_site(options=options)
        context = site.server.context
        full = attrs.evolve(context.store, open_file=full_disk)
        site.client.protocol.context = attrs.evolve(context, store=full)
        said = site.send_message(b"a: b\r\n\r\n" + b"c" * 30 + b"\r\n.\r\n")
        self.assertEqual(said[:3], "250", "a small message never needs the disk")
        site.client.say(*ENVELOPE, "DATA")
        site.client.hear()
        site.client.send(b"a: b\r\n\r\n" + b"c" * 30)
        site.client.send(b"c" * 30 + b"\r\n.\r\n")
        self.assertEqual(site.client.hear()[:9], "452 4.3.1")
        site.client.say("NOOP")
        self.assertEqual(site.client.codes(), [250])
        self.assertEqual(len(site.mailbox.messages), 1)

    def test_left_while_spooling(self) -> None:
        """A client that leaves while its message is written: nothing is left over."""
        threads = HeldThreads()
        options = ConnectionOptions(spool_after=0, spool_dir=".")
        plugin = fake_plugin(disconnect=None)
        site = make_site(plugin, options=options, threads=threads)
        site.begin_data()
        site.client.send(b"a: b\r\n\r\n" + b"c" * 30)
        site.client.leave()
        self.assertEqual(plugin.asked, ["disconnect"])
        self.assertIsNone(site.connection.transaction)
        self.assertEqual(self.flushLoggedErrors(), [])
