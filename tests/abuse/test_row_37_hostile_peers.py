"""
Row 37: hosts that misbehave when they are given mail.

Whatever they say, it is bounded what is kept of it, the mail is neither lost nor sent
twice, and the sender hears what is true.
"""

from harakatw.interfaces.queue import ItemState
from tests.outbound.hosts import GONE
from tests.outbound.post_office import BOB, FIRST, PostOffice, PostOfficeTestCase

CAROL = "carol@far.example"


class HostilePeerTests(PostOfficeTestCase):
    """The first host of a domain misbehaves; the second one is as it should be."""

    def kept(self, post: PostOffice) -> str:
        """Why the one item that there is waits for another attempt."""
        (item,) = post.items()
        self.assertIs(item.state, ItemState.READY)
        self.assertEqual(post.reports(), [])
        return item.last_error

    def test_useless_replies(self) -> None:
        """
        Replies that are none, have several codes, too many lines or lines that are too
        long: the connection is dropped, and the second host gets the message, once.
        """
        for said in (
            b"250-x\r\n550 y",
            b"250-" + b"x\r\n250-" * 600 + b"x\r\n250 y",
            b"250 " + b"x" * 1_000_000,
            b"hello",
            b" ",
            b"\0\xff\xfe",
            b"99 x",
            b"1000 x",
            b"600 x",
            b"354 too early",
            b"200x",
        ):
            for verb in ("ehlo", "mail", "rcpt"):
                post = self.office()
                post.first.refuse(**{verb: said})
                post.send()
                post.run(20)
                self.assertEqual(post.second.recipients, [BOB], (said[:20], verb))
                self.assertEqual(post.first.taken, [])
                self.assertEqual((post.items(), post.reports()), ((), []))

    def test_banner(self) -> None:
        """A greeting almost without an end, in thousands of lines or in one."""
        for said in (b"220-x\r\n" * 10_000 + b"220 x", b"220 " + b"x" * 1_000_000):
            post = self.office()
            post.first.greeting = said
            post.send()
            post.run(20)
            self.assertEqual(post.second.recipients, [BOB])

    def test_endless_drip(self) -> None:
        """
        A host that says a little again and again, and never ends its reply, has the
        five minutes that a reply to MAIL may take, and no more.
        """
        post = self.office()
        post.first.offers = ()  # it wants to be told one thing at a time
        post.first.refuse(mail=b"250-wait")
        post.net.hosts.pop("192.0.2.2")
        post.send()
        post.run(1)
        (line,) = post.net.lines
        for _ in range(5):
            self.assertFalse(line.aborted)
            line.said(b"250-wait")
            post.run(60)
        self.assertIn("451 4.", self.kept(post))
        self.assertTrue(line.aborted)

    def test_all_refused_and_354(self) -> None:
        """
        A host that refuses everybody and still asks for the message gets an empty one,
        and nobody counts as served.
        """
        post = self.office()
        post.first.refuse(rcpt=b"550 5.1.1 who")
        usual = post.first.object_to
        post.first.object_to = lambda line: (
            b"354 go on" if line == b"DATA" else usual(line) or _to_dot(line)
        )
        post.send()
        post.run(5)
        self.assertNotIn(b"Hello, Bob.", post.first.commands)
        (report,) = post.reports()
        self.assertIn(b"Status: 5.1.1", report)
        self.assertEqual(post.second.taken, [])

    def test_leaves(self) -> None:
        """One that closes anywhere before the end: the second host gets it, once."""
        for verb in ("ehlo", "mail", "rcpt", "data"):
            post = self.office()
            post.first.refuse(**{verb: GONE})
            post.send(BOB, CAROL)
            post.run(20)
            self.assertEqual(post.second.recipients, [BOB, CAROL], verb)
            self.assertEqual((post.items(), post.reports()), ((), []), verb)

    def test_leaves_at_the_end(self) -> None:
        """
        One that closes when it has the message: nobody knows whether it has taken it,
        so no other host gets it at once; it is tried again later (RFC 1047).
        """
        post = self.office()
        answers = [GONE, b"250 ok"]
        post.first.take = lambda taken: answers.pop(0)
        post.send()
        post.run(20)
        self.assertEqual(post.second.heard, [])
        self.assertIn("connection was lost", self.kept(post))
        post.run(60)
        self.assertEqual(post.first.recipients, [BOB])
        self.assertEqual(post.items(), ())

    def test_two_answers(self) -> None:
        """
        One that answers the message twice: the first answer counts, and the connection
        is of no more use, so that the second is not taken for that to the next message.
        """
        post = self.office()
        post.first.take = lambda taken: b"250 ok\r\n550 5.7.1 no"
        post.send(BOB)
        post.run(1)
        post.first.take = lambda taken: b"250 ok"
        post.send(CAROL)
        post.run(1)
        self.assertEqual(post.first.recipients, [BOB, CAROL])
        self.assertEqual(post.net.tried, [FIRST, FIRST])
        self.assertEqual((post.items(), post.reports()), ((), []))

    def test_answers_ahead(self) -> None:
        """One that answers the next message before it has it is not believed."""
        post = self.office()
        post.send(BOB)
        post.run(1)
        for answer in (b"250 ok", b"250 ok", b"354 go", b"250 queued"):
            post.net.lines[0].said(answer)
        post.send(CAROL)
        post.run(20)
        self.assertEqual(post.first.recipients + post.second.recipients, [BOB, CAROL])
        self.assertEqual(post.items(), ())

    def test_closes_when_idle(self) -> None:
        """
        One that closes a connection that waits, at any moment before it has the next
        message: that message is sent, once, over another connection.
        """
        for moment in range(4):
            post = self.office()
            post.send(BOB)
            post.run(1)
            post.clock.callLater(moment * 0.0005, post.net.lines[0].hang_up)
            post.send(CAROL)
            post.run(70)
            everybody = post.first.recipients + post.second.recipients
            self.assertEqual(sorted(everybody), [BOB, CAROL], moment)
            self.assertEqual(post.items(), (), moment)

    def test_words(self) -> None:
        """What it says ends in the report, without what terminals or mail obey."""
        post = self.office()
        post.first.refuse(rcpt=b"550 5.1.1 \x1b[2J\x07\xff no " + b"x" * 5000)
        post.send()
        post.run(5)
        (report,) = post.reports()
        self.assertNotIn(b"\x1b", report)
        self.assertNotIn(b"\x07", report)
        self.assertIn(b"no xxx", report.replace(b"\r\n ", b" "))
        self.assertTrue(max(map(len, report.split(b"\r\n"))) <= 998)
        self.assertLess(len(report), 10_000)

    def test_some_lmtp_answers_missing(self) -> None:
        """A mail store that answers for some recipients only, and leaves."""
        post = self.office()
        post.first.take = lambda taken: b"250 ok\r\n" + GONE
        notes = {"queue": {"next_hop": f"lmtp://{FIRST}"}}
        post.send(BOB, CAROL, notes=notes)
        post.run(5)
        self.assertIn("connection was lost", self.kept(post))
        (item,) = post.items()
        self.assertEqual([each.address for each in item.recipients], [CAROL])


def _to_dot(line: bytes) -> bytes | None:
    """The answer to an empty message."""
    return b"250 ok" if line == b"." else None
