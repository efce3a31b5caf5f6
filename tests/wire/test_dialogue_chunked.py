"""A message with BDAT from the client's side: nothing is asked before it (RFC 3030)."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.wire.answer import Answer, PeerError
from harakatw.wire.dialogue import Dialogue, Stage

MAIL, RCPT = b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<c@d.example>\r\n"


def dialogue(count: int = 1, *, pipelining: bool = True) -> Dialogue:
    """A dialogue about a message for some recipients."""
    return Dialogue(MAIL, [RCPT] * count, pipelining=pipelining, chunked=True)


class ChunkedTests(SynchronousTestCase):
    """What is said when."""

    def test_pipelining(self) -> None:
        """Once the last recipient is answered, the message may go."""
        talk = dialogue(2)
        self.assertEqual(talk.start(), MAIL + RCPT + RCPT)
        for code in (250, 550):
            self.assertEqual(talk.answered(Answer(code, (b"",))), b"")
            self.assertIsNot(talk.stage, Stage.BODY)
        self.assertEqual(talk.answered(Answer(250, (b"",))), b"")
        self.assertIs(talk.stage, Stage.BODY)
        talk.body_sent()
        talk.answered(Answer(250, (b"",)))
        self.assertIs(talk.stage, Stage.DONE)
        self.assertEqual([each and each.answer.code for each in talk.said], [550, 250])
        self.assertFalse(talk.needs_reset)

    def test_one_by_one(self) -> None:
        """Without PIPELINING likewise."""
        talk = dialogue(pipelining=False)
        self.assertEqual(talk.start(), MAIL)
        self.assertEqual(talk.answered(Answer(250, (b"",))), RCPT)
        self.assertEqual(talk.answered(Answer(250, (b"",))), b"")
        self.assertIs(talk.stage, Stage.BODY)

    def test_nobody(self) -> None:
        """If nobody is taken, nothing is sent."""
        for pipelining in (True, False):
            for codes in ((250, 550), (550, 250)):
                talk = dialogue(pipelining=pipelining)
                talk.start()
                for code in codes:
                    if talk.stage is not Stage.DONE:
                        talk.answered(Answer(code, (b"",)))
                self.assertIs(talk.stage, Stage.DONE, codes)

    def test_early_answer(self) -> None:
        """A yes before the message was sent is none; a no ends the connection."""
        for code in (250, 354, 550):
            talk = dialogue()
            talk.start()
            talk.answered(Answer(250, (b"",)))
            talk.answered(Answer(250, (b"",)))
            if code < 400:
                self.assertRaises(PeerError, talk.answered, Answer(code, (b"",)))
            else:
                talk.answered(Answer(code, (b"",)))
                self.assertTrue(talk.must_close)
