"""
Clients that say anything: whatever comes, the replies keep the grammar, nothing of ours
breaks, and what is taken for a message is one.
"""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from tests.abuse.inputs import BAD_ENVELOPES, FALSE_ENDS, RELAY_ATTEMPTS, SIZES
from tests.abuse.test_row_11_reply_text import malformed
from tests.fake_plugins import fake_plugin
from tests.properties import given, st
from tests.sessions import Site, make_site

COMMANDS = (
    b"EHLO client.example",
    b"HELO client.example",
    b"MAIL FROM:<a@client.example>",
    b"MAIL FROM:<a@client.example> SIZE=10 BODY=8BITMIME",
    b"MAIL FROM:<>",
    b"RCPT TO:<b@here.example>",
    b"RCPT TO:<v@far.example>",
    b"DATA",
    b"RSET",
    b"NOOP",
    b"VRFY root",
    b"EXPN list",
    b"HELP",
    b"XFOO",
    b"",
    b".",
    b"..",
    b"Subject: hi",
    b"\0",
    b"a" * 600,
    b"\xff\xfe",
)
INPUTS = (
    *(command + b"\r\n" for command in COMMANDS),
    *(line + b"\r\n" for line in BAD_ENVELOPES),
    *(b"RCPT TO:" + path + b"\r\n" for path in RELAY_ATTEMPTS),
    *(b"MAIL FROM:<a@b.example> " + size + b"\r\n" for size, _ in SIZES),
    b"MAIL FROM:<a@client.example> BODY=BINARYMIME\r\n",
    b"BDAT 3\r\nabc",
    b"BDAT 6\r\nQUIT\r\n",
    b"BDAT 2 LAST\r\n\r\n",
    b"BDAT 0 LAST\r\n",
    b"BDAT 6000\r\n" + b"RSET\r\n" * 1000,
    *FALSE_ENDS,
    b"\r\n.\r\n",
    b"\r",
    b"\n",
)
OPTIONS = ConnectionOptions(max_errors=10**6, max_line_length=512, max_bytes=5000)


class RandomClientTests(SynchronousTestCase):
    """No input breaks a session, or anything beside it."""

    def _check(self, site: Site) -> None:
        said = site.client.hear()
        self.assertEqual(malformed(said), [])
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertNotIn("421 4.3.0", said)
        transactions = site.connection.tran_count
        self.assertLessEqual(len(site.mailbox.messages), transactions)
        site.client.leave()
        self.assertEqual(site.server.clock.getDelayedCalls(), [])
        self.assertIsNone(site.connection.transaction)

    @given(st.lists(st.binary(max_size=200), max_size=20))
    def test_random_octets(self, pieces: list[bytes]) -> None:
        """Random octets are refused as commands."""
        site = make_site(options=OPTIONS)
        for piece in pieces:
            if piece:
                site.client.send(piece)
        self._check(site)

    @given(st.lists(st.sampled_from(INPUTS), max_size=60))
    def test_random_commands(self, inputs: list[bytes]) -> None:
        """Commands in any order, good and bad, each in a segment of its own."""
        site = make_site(options=OPTIONS)
        for octets in inputs:
            site.client.send(octets)
        self._check(site)

    @given(st.lists(st.sampled_from(INPUTS), max_size=30), st.integers(1, 40))
    def test_random_cuts(self, inputs: list[bytes], size: int) -> None:
        """The same stream in pieces of one size."""
        site = make_site(options=OPTIONS)
        stream = b"".join(inputs)
        for at in range(0, len(stream), size):
            site.client.send(stream[at : at + size])
        self._check(site)

    @given(
        st.lists(st.one_of(st.sampled_from(INPUTS), st.integers(0, 40)), max_size=40)
    )
    def test_slow_plugins(self, events: list[bytes | int]) -> None:
        """The same with plugins that answer late, never, or when it is too late."""
        waiting: list[Deferred[None]] = []

        def later(*_: object) -> "Deferred[None]":
            waiting.append(Deferred())
            return waiting[-1]

        plugin = fake_plugin(mail=later, rcpt=later, data=later, data_post=later)
        site = make_site(plugin, options=OPTIONS)
        for event in events:
            if isinstance(event, bytes):
                if site.client.transport.producerState == "producing":
                    site.client.send(event)
            else:
                site.server.clock.advance(event)
                if waiting:
                    waiting.pop().callback(None)
        said = site.client.hear()
        self.assertEqual(malformed(said), [])
        site.client.leave()
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(site.server.clock.getDelayedCalls(), [])
