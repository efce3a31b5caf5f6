"""BDAT: the message in chunks (RFC 3030)."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.config.extensions import ExtensionOptions
from harakatw.verdict import DENY, DENYDISCONNECT, DENYSOFT
from tests.fake_plugins import FakePlugin, fake_plugin
from tests.sessions import ENVELOPE, Site, make_site

MESSAGE = b"Subject: x\r\n\r\n.\r\nHello\r\n.\r\n"


def bdat(octets: bytes, *, last: bool = False) -> bytes:
    """A chunk with its command."""
    return b"BDAT %d%s\r\n%s" % (len(octets), b" LAST" * last, octets)


def opened(*plugins: FakePlugin, mail: str = ENVELOPE[0], **options: object) -> Site:
    """A site whose client has said MAIL and RCPT."""
    limits = ConnectionOptions(banner_chars=0, **options)  # type: ignore[arg-type]  # by name
    site = make_site(*plugins, options=limits)
    site.greet()
    site.client.ask(mail, ENVELOPE[1])
    return site


class ChunkTests(SynchronousTestCase):
    """What a client may do."""

    def test_one_chunk(self) -> None:
        """A message in one chunk is taken as it is: dots are no more than dots."""
        site = opened()
        site.client.send(bdat(MESSAGE, last=True))
        self.assertEqual(site.client.codes(), [250])
        self.assertEqual(site.mailbox.messages[0].received, MESSAGE)
        self.assertEqual(site.connection.msg_accepted, 1)

    def test_every_cut(self) -> None:
        """Two chunks, cut anywhere, and cut anywhere by the network."""
        for at in range(len(MESSAGE) + 1):
            octets = bdat(MESSAGE[:at]) + bdat(MESSAGE[at:], last=True)
            for step in (1, 5, len(octets)):
                site = opened()
                for begin in range(0, len(octets), step):
                    site.client.send(octets[begin : begin + step])
                self.assertEqual(site.client.codes(), [250, 250], (at, step))
                self.assertEqual(site.mailbox.messages[0].received, MESSAGE)

    def test_tiny_chunks(self) -> None:
        """A message may come octet by octet, and end in an empty chunk."""
        site = opened()
        chunks = [bdat(MESSAGE[at : at + 1]) for at in range(len(MESSAGE))]
        site.client.send(b"".join(chunks) + bdat(b"", last=True))
        self.assertEqual(site.client.codes(), [250] * (len(MESSAGE) + 1))
        self.assertEqual(site.mailbox.messages[0].received, MESSAGE)

    def test_pipelined(self) -> None:
        """The envelope, the chunks and the next envelope come as one (RFC 2920)."""
        site = make_site()
        site.greet()
        envelope = "\r\n".join(ENVELOPE).encode() + b"\r\n"
        site.client.send((envelope + bdat(MESSAGE, last=True)) * 2 + b"QUIT\r\n")
        self.assertEqual(site.client.codes(), [250] * 6 + [221])
        self.assertEqual(len(site.mailbox.messages), 2)

    def test_reset(self) -> None:
        """RSET between chunks drops what has come; so does EHLO."""
        for command in ("RSET", "EHLO client.example"):
            site = opened()
            site.client.send(bdat(b"Subject: old\r\n"))
            site.client.say(command, *ENVELOPE)
            site.client.send(bdat(MESSAGE, last=True))
            self.assertEqual(site.client.codes(), [250] * 5)
            self.assertEqual(site.mailbox.messages[0].received, MESSAGE)

    def test_after_the_last(self) -> None:
        """After LAST the transaction is over: another chunk gets 503."""
        site = opened()
        site.client.send(bdat(MESSAGE, last=True) + bdat(b"more\r\n"))
        self.assertEqual(site.client.codes(), [250, 503])

    def test_data_after_bdat(self) -> None:
        """DATA does not go on with what BDAT began; BDAT still does."""
        site = opened()
        site.client.send(bdat(MESSAGE) + b"DATA\r\n")
        site.client.send(bdat(b"", last=True))
        self.assertEqual(site.client.codes(), [250, 503, 250])
        self.assertEqual(site.mailbox.messages[0].received, MESSAGE)

    def test_data_in_the_same_session(self) -> None:
        """Another message may come with DATA."""
        site = opened()
        site.client.send(bdat(MESSAGE, last=True))
        site.client.say(*ENVELOPE, "DATA")
        site.client.say("Subject: y", "", ".")
        self.assertEqual(site.client.codes(), [250, 250, 250, 354, 250])

    def test_commands_between(self) -> None:
        """NOOP and VRFY between chunks change nothing; MAIL and RCPT get 503."""
        site = opened()
        site.client.send(bdat(MESSAGE))
        site.client.say("NOOP", *ENVELOPE)
        site.client.send(bdat(b"", last=True))
        self.assertEqual(site.client.codes(), [250, 250, 503, 503, 250])

    def test_trace_field(self) -> None:
        """The message gets its trace field as with DATA."""
        site = opened()
        site.client.send(bdat(MESSAGE, last=True))
        octets = site.mailbox.messages[0].octets
        self.assertTrue(octets.startswith(b"Received: from client.example"))


class RefusedTests(SynchronousTestCase):
    """Survey row 3: the octets of a refused chunk are dropped, and answered once."""

    POISON = b"QUIT\r\nMAIL FROM:<evil@client.example>\r\n"

    def test_order(self) -> None:
        """Too early, without a sender, without a recipient."""
        chunk = bdat(self.POISON)
        for before, code in (
            ((), 502),
            (("HELO client.example",), 502),
            (("EHLO client.example",), 503),
            (("EHLO client.example", ENVELOPE[0]), 503),
            (("EHLO client.example", ENVELOPE[0], "RCPT TO:<x@far.example>"), 554),
        ):
            site = make_site()
            site.client.ask(*before)
            site.client.send(chunk + b"NOOP\r\n")
            self.assertEqual(site.client.codes(), [code, 250], before)
            self.assertFalse(site.client.transport.closed)

    def test_switched_off(self) -> None:
        """Where CHUNKING is not offered, nobody is fooled who sends it all the same."""
        site = make_site(extensions=ExtensionOptions(chunking=False))
        self.assertNotIn("BINARYMIME", site.client.ask("EHLO client.example"))
        site.client.say(*ENVELOPE)
        site.client.send(bdat(self.POISON) + b"NOOP\r\n")
        self.assertEqual(site.client.codes(), [250, 250, 502, 250])

    def test_absurd(self) -> None:
        """Who gives no size, or an absurd one, cannot be understood any more."""
        for argument in (b"-1", b"9" * 20, b"9" * 30, b"", b"LAST", b"5 LAST 5"):
            site = opened()
            site.client.send(b"BDAT " + argument + b"\r\n" + self.POISON)
            self.assertEqual(site.client.codes(), [501], argument)
            self.assertTrue(site.client.transport.closed)
            self.assertEqual(site.mailbox.messages, [])

    def test_after_a_refused_greeting(self) -> None:
        """A client that was refused outright gets the refusal for each chunk."""
        site = make_site(fake_plugin(connect=DENY))
        site.client.hear()
        site.client.send(bdat(self.POISON) + b"QUIT\r\n")
        self.assertEqual(site.client.codes(), [554, 221])

    def test_plugin_says_no(self) -> None:
        """A denial on data is told after the first chunk; later ones get 503."""
        for verdict, codes in ((DENY, [554, 503, 250]), (DENYSOFT, [451, 503, 250])):
            site = opened(fake_plugin(data=verdict))
            site.client.send(bdat(self.POISON) + bdat(self.POISON, last=True))
            site.client.say("NOOP")
            said = site.client.codes()
            self.assertEqual([said[0] // 100, *said[1:]], [codes[0] // 100, *codes[1:]])
            self.assertIsNone(site.connection.transaction)

    def test_plugin_disconnects(self) -> None:
        """A plugin may end the session instead."""
        site = opened(fake_plugin(data=DENYDISCONNECT))
        site.client.send(bdat(self.POISON) + b"NOOP\r\n")
        self.assertEqual(len(site.client.codes()), 1)
        self.assertTrue(site.client.transport.closed)

    def test_plugin_waits(self) -> None:
        """While a plugin thinks about the first chunk, its octets wait."""
        verdict: Deferred[None] = Deferred()
        site = opened(fake_plugin(data=verdict))
        site.client.send(bdat(MESSAGE, last=True) + b"NOOP\r\n")
        self.assertEqual(site.client.hear(), "")
        verdict.callback(None)
        self.assertEqual(site.client.codes(), [250, 250])
        self.assertEqual(site.mailbox.messages[0].received, MESSAGE)

    def test_hooks(self) -> None:
        """Plugins see one message: data once, data_post once, at the end."""
        plugin = fake_plugin(data=None, data_post=None)
        site = opened(plugin)
        site.client.send(bdat(MESSAGE[:9]) + bdat(MESSAGE[9:]))
        self.assertEqual(plugin.asked, ["data"])
        site.client.send(bdat(b"", last=True))
        self.assertEqual(plugin.asked, ["data", "data_post"])


class FormTests(SynchronousTestCase):
    """What a message must look like."""

    def test_bare_newline(self) -> None:
        """A CR or LF alone is as wrong as with DATA, or put right."""
        for mode, code in (("refuse", 554), ("normalise", 250)):
            site = opened(bare_newline=mode)
            site.client.send(bdat(b"Subject: x\n\ra\r") + bdat(b"b", last=True))
            self.assertEqual(site.client.codes(), [250, code])
        received = site.mailbox.messages[0].received
        self.assertEqual(received, b"Subject: x\r\n\r\na\r\nb\r\n")

    def test_no_line_end(self) -> None:
        """A text whose last line has no end gets one."""
        site = opened()
        site.client.send(bdat(b"Subject: x\r\n\r\nHello", last=True))
        self.assertEqual(site.client.codes(), [250])
        received = site.mailbox.messages[0].received
        self.assertEqual(received, b"Subject: x\r\n\r\nHello\r\n")

    def test_binary(self) -> None:
        """A BINARYMIME message is kept to the octet."""
        body = bytes(range(256)) * 20 + b"\r\n.\r\n\r\r\n\n"
        octets = b"MIME-Version: 1.0\r\n\r\n" + body
        site = opened(mail=f"{ENVELOPE[0]} BODY=binarymime")
        self.assertTrue(site.client.protocol.offer.terms.binary)
        site.client.send(bdat(octets[:700]) + bdat(octets[700:], last=True))
        self.assertEqual(site.client.codes(), [250, 250])
        self.assertEqual(site.mailbox.messages[0].received, octets)

    def test_binary_needs_bdat(self) -> None:
        """DATA cannot carry BINARYMIME: 503 (section 3). BDAT may follow."""
        site = opened(mail=f"{ENVELOPE[0]} BODY=BINARYMIME")
        site.client.say("DATA")
        site.client.send(bdat(MESSAGE, last=True))
        self.assertEqual(site.client.codes(), [503, 250])

    def test_binary_not_offered(self) -> None:
        """Where BINARYMIME is switched off it is no body type."""
        site = make_site(extensions=ExtensionOptions(binarymime=False))
        site.greet()
        site.client.say(f"{ENVELOPE[0]} BODY=BINARYMIME")
        self.assertEqual(site.client.codes(), [501])

    def test_loop(self) -> None:
        """What is wrong with a message is found as with DATA."""
        site = opened(max_received=2)
        trace = b"Received: by a.example; now\r\n"
        site.client.send(bdat(trace * 3) + bdat(b"\r\n", last=True))
        self.assertEqual(site.client.codes(), [250, 554])


class LimitTests(SynchronousTestCase):
    """Size and time."""

    def test_too_big(self) -> None:
        """
        A chunk that makes the message too big is dropped as it comes and refused, and
        the session goes on.
        """
        for chunks, codes in (
            ([b"x" * 1001], [552]),
            ([b"x" * 600, b"y" * 600], [250, 552]),
        ):
            site = opened(max_bytes=1000)
            for chunk in chunks:
                site.client.send(bdat(chunk))
            site.client.send(bdat(b"z", last=True) + b"NOOP\r\n")
            self.assertEqual(site.client.codes(), [*codes, 503, 250])
            self.assertIsNone(site.connection.transaction)
            self.assertEqual(site.connection.msg_rejected, 1)

    def test_just_right(self) -> None:
        """A message of exactly the limit is taken."""
        site = opened(max_bytes=1000)
        octets = b"Subject: x\r\n\r\n"
        octets += b"x" * (1000 - len(octets) - 2) + b"\r\n"
        site.client.send(bdat(octets, last=True))
        self.assertEqual(site.client.codes(), [250])

    def test_silence(self) -> None:
        """Who sends no more of a chunk, or no next one, is not waited for."""
        for octets in (b"BDAT 10\r\nabc", bdat(b"abc")):
            site = opened()
            site.client.send(octets)
            site.client.hear()
            site.server.clock.pump([1.0] * 301)
            self.assertEqual(site.client.codes(), [421])

    def test_slow(self) -> None:
        """A message that trickles in is given up, as with DATA (row 20)."""
        site = opened(min_data_rate=64)
        site.client.send(bdat(b"Subject: x\r\n"))
        for _ in range(310):
            site.server.clock.advance(1)
            site.client.send(bdat(b"x"))
        self.assertIn("421 4.4.2 The message comes too slowly", site.client.hear())

    def test_refused_chunk_that_stops(self) -> None:
        """Nor is the rest of a chunk that was refused waited for for ever."""
        site = make_site()
        site.greet()
        site.client.send(b"BDAT 1000\r\nabc")
        site.server.clock.pump([1.0] * 301)
        self.assertEqual(site.client.codes(), [421])

    def test_spooled(self) -> None:
        """A big message goes to a file while it comes."""
        site = opened(spool_after=1000)
        octets = b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n"
        body = (b"y" * 70 + b"\r\n") * 20
        for _ in range(20):
            site.client.send(bdat(octets[:0] + body) if _ else bdat(octets + body))
        transaction = site.connection.transaction
        self.assertTrue(transaction.message.is_spooled)
        site.client.send(bdat(b"", last=True))
        self.assertEqual(site.client.codes(), [250] * 21)
        self.assertEqual(site.mailbox.messages[0].received, octets + body * 20)

    def test_disk_full(self) -> None:
        """A disk that takes no more is told with 452, and nothing is kept."""
        site = opened(spool_after=100, spool_dir="/nowhere/at/all")
        chunk = b"Subject: x\r\n\r\n" + b"x" * 200 + b"\r\n"
        site.client.send(bdat(chunk) + bdat(chunk, last=True))
        self.assertEqual(site.client.codes(), [452, 503])
        self.assertEqual(site.mailbox.messages, [])
        self.flushLoggedErrors()
