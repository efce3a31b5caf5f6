"""One message from the client's side: what is sent when, and whose answer is whose."""

from collections.abc import Sequence

import attrs
from twisted.trial.unittest import SynchronousTestCase

from harakatw.wire.answer import AnswerReader, PeerError, our_answer
from harakatw.wire.dialogue import MAX_GROUP, Dialogue, Stage

MAIL = b"MAIL FROM:<a@b.example>\r\n"
LOST = our_answer(451, "4.4.2", "lost")


def rcpts(count: int) -> list[bytes]:
    """The commands for some recipients."""
    return [b"RCPT TO:<%d@d.example>\r\n" % number for number in range(count)]


@attrs.frozen(kw_only=True)
class Case:
    """
    A dialogue.

    @ivar says: the codes that the server answers, in order; after 354 the message is
        sent, and the codes go on.
    @ivar groups: verbs that the client sends, a word for each write.
    @ivar fates: code and stage for each recipient.
    """

    name: str
    says: str
    groups: str
    fates: str
    count: int = 1
    pipelining: bool = True
    lmtp: bool = False
    reset_first: bool = False
    forwards: int = 0
    needs_reset: bool = False
    must_close: bool = False


CASES = (
    Case(name="taken", says="250 250 354 250", groups="MRD", fates="250DOT"),
    Case(
        name="taken, one by one",
        says="250 250 354 250",
        groups="M R D",
        fates="250DOT",
        pipelining=False,
    ),
    Case(
        name="with XFORWARD",
        says="250 250 250 250 354 250",
        groups="XXMRD",
        fates="250DOT",
        forwards=2,
    ),
    Case(
        name="with XFORWARD that is refused, one by one",
        says="550 300 250 250 354 250",
        groups="X X M R D",
        fates="250DOT",
        forwards=2,
        pipelining=False,
    ),
    Case(
        name="with XFORWARD after RSET",
        says="250 550 250 250 354 250",
        groups="ZXMRD",
        fates="250DOT",
        forwards=1,
        reset_first=True,
    ),
    Case(
        name="with XFORWARD after RSET, one by one",
        says="250 250 250 250 354 250",
        groups="Z X M R D",
        fates="250DOT",
        forwards=1,
        reset_first=True,
        pipelining=False,
    ),
    Case(
        name="some recipients refused",
        says="250 250 550 451 251 354 250",
        groups="MRRRRD",
        fates="250DOT 550RCPT 451RCPT 250DOT",
        count=4,
    ),
    Case(
        name="some recipients refused, one by one",
        says="250 450 250 354 554",
        groups="M R R D",
        fates="450RCPT 554DOT",
        count=2,
        pipelining=False,
    ),
    Case(
        name="the sender refused",
        says="550 503 503 503",
        groups="MRRD",
        fates="550MAIL 550MAIL",
        count=2,
    ),
    Case(
        name="the sender deferred, one by one",
        says="451",
        groups="M",
        fates="451MAIL",
        pipelining=False,
    ),
    Case(
        name="all recipients refused",
        says="250 550 450 503",
        groups="MRRD",
        fates="550RCPT 450RCPT",
        count=2,
        needs_reset=True,
    ),
    Case(
        name="all recipients refused, one by one",
        says="250 550 550",
        groups="M R R",
        fates="550RCPT 550RCPT",
        count=2,
        pipelining=False,
        needs_reset=True,
    ),
    Case(
        name="all recipients refused, and 354 (RFC 2920 section 3.1)",
        says="250 550 550 354 554",
        groups="MRRD .",
        fates="550RCPT 550RCPT",
        count=2,
    ),
    Case(
        name="the sender refused, and 354",
        says="550 250 354 250",
        groups="MRD .",
        fates="550MAIL",
    ),
    Case(
        name="all recipients refused by LMTP, and 354",
        says="250 550 354",
        groups="MRD",
        fates="550RCPT",
        lmtp=True,
        needs_reset=True,
        must_close=True,
    ),
    Case(
        name="DATA refused",
        says="250 250 550 451",
        groups="MRRD",
        fates="451DATA 550RCPT",
        count=2,
        needs_reset=True,
    ),
    Case(
        name="the message deferred",
        says="250 250 354 451",
        groups="MRD",
        fates="451DOT",
    ),
    Case(
        name="an answer for each recipient (RFC 2033)",
        says="250 250 550 250 250 354 250 452 550",
        groups="MRRRRD",
        fates="250DOT 550RCPT 452DOT 550DOT",
        count=4,
        lmtp=True,
    ),
    Case(
        name="too many recipients, said the old way",
        says="250 250 552 354 250",
        groups="MRRD",
        fates="250DOT 452RCPT",
        count=2,
    ),
    Case(
        name="the first recipient gets 552, which is no matter of how many",
        says="250 552 250 354 250",
        groups="MRRD",
        fates="552RCPT 250DOT",
        count=2,
    ),
    Case(
        name="the server closes after one recipient",
        says="250 250 421",
        groups="MRRRD",
        fates="421RCPT 421RCPT 421RCPT",
        count=3,
        needs_reset=True,
        must_close=True,
    ),
    Case(
        name="a refusal before the server closes stands",
        says="250 550 421",
        groups="MRRD",
        fates="550RCPT 421RCPT",
        count=2,
        needs_reset=True,
        must_close=True,
    ),
    Case(
        name="LMTP closes amid its answers",
        says="250 250 250 354 250 421",
        groups="MRRD",
        fates="250DOT 421DOT",
        count=2,
        lmtp=True,
        must_close=True,
    ),
    Case(
        name="after a message that was broken off",
        says="250 250 250 354 250",
        groups="ZMRD",
        fates="250DOT",
        reset_first=True,
    ),
    Case(
        name="after a message that was broken off, one by one",
        says="250 250 250 354 250",
        groups="Z M R D",
        fates="250DOT",
        reset_first=True,
        pipelining=False,
    ),
)

_LETTERS = {
    b"XFORWARD": "X",
    b"RSET": "Z",
    b"MAIL": "M",
    b"RCPT": "R",
    b"DATA": "D",
    b".": ".",
}


def letters(octets: bytes) -> str:
    """A letter for each command of a write."""
    lines = octets.split(b"\r\n")[:-1]
    return "".join(_LETTERS[line.split(b" ")[0]] for line in lines)


def play(case: Case, pieces: Sequence[bytes]) -> tuple[str, Dialogue]:
    """
    Go through a dialogue.

    @param pieces: what the server says, as it comes.
    @return: the groups that the client sent, and the dialogue.
    """
    dialogue = Dialogue(
        MAIL,
        rcpts(case.count),
        pipelining=case.pipelining,
        per_recipient=case.lmtp,
        reset_first=case.reset_first,
        before=[b"XFORWARD NAME=x\r\n"] * case.forwards,
    )
    groups = [letters(dialogue.start())]
    reader = AnswerReader()
    for piece in pieces:
        reader.feed(piece)
        while (answer := reader.take()) is not None:
            octets = dialogue.answered(answer)
            if octets:
                groups.append(letters(octets))
            if dialogue.stage is Stage.BODY:
                dialogue.body_sent()
    return " ".join(groups), dialogue


def said(case: Case) -> bytes:
    """What the server says."""
    return b"".join(b"%d-x\r\n%d y\r\n" % (c, c) for c in map(int, case.says.split()))


def fates(dialogue: Dialogue) -> str:
    """Code and stage for each recipient."""
    return " ".join(
        f"{each.answer.code}{each.stage.name}" if each else "?"
        for each in dialogue.said
    )


class DialogueTests(SynchronousTestCase):
    """Every dialogue of the table above."""

    def test_all(self) -> None:
        """What is sent, and what becomes of each recipient, is as the table says."""
        for case in CASES:
            groups, dialogue = play(case, [said(case)])
            self.assertEqual(groups, case.groups, case.name)
            self.assertEqual(fates(dialogue), case.fates, case.name)
            self.assertIs(dialogue.stage, Stage.DONE, case.name)
            self.assertEqual(dialogue.needs_reset, case.needs_reset, case.name)
            self.assertEqual(dialogue.must_close, case.must_close, case.name)

    def test_every_cut(self) -> None:
        """However the network cuts the answers, the same happens."""
        for case in CASES:
            stream = said(case)
            for at in range(1, len(stream)):
                groups, dialogue = play(case, [stream[:at], stream[at:]])
                self.assertEqual(groups, case.groups, f"{case.name} at {at}")
                self.assertEqual(fates(dialogue), case.fates, f"{case.name} at {at}")

    def test_lost_at_every_answer(self) -> None:
        """
        When the connection is lost every recipient has a fate, and what was said of one
        before stands.
        """
        for case in CASES:
            codes = case.says.split()
            for kept in range(len(codes)):
                part = attrs.evolve(case, says=" ".join(codes[:kept]))
                _, dialogue = play(part, [said(part)])
                before = fates(dialogue).split()
                if dialogue.stage is not Stage.DONE:
                    dialogue.give_up(LOST)
                    self.assertTrue(dialogue.must_close)
                for old, new in zip(before, fates(dialogue).split(), strict=True):
                    self.assertTrue(new.startswith(old if old != "?" else "451"))


class GroupTests(SynchronousTestCase):
    """Many recipients (RFC 2920 section 3.1)."""

    def test_bounded(self) -> None:
        """
        Recipients go out in groups, each when the last is answered, so that no more
        than one group waits in anybody's window; DATA ends the last.
        """
        count = 2 * MAX_GROUP + 1
        dialogue = Dialogue(MAIL, rcpts(count), pipelining=True)
        sizes = [len(letters(dialogue.start()))]
        reader = AnswerReader()
        reader.feed(b"250 ok\r\n" * (count + 1))
        while (answer := reader.take()) is not None:
            octets = dialogue.answered(answer)
            if octets:
                sizes.append(len(letters(octets)))
        self.assertEqual(sizes, [1 + MAX_GROUP, MAX_GROUP, 2])
        self.assertIs(dialogue.stage, Stage.DATA)

    def test_exact(self) -> None:
        """A group that is just full takes DATA with it."""
        octets = Dialogue(MAIL, rcpts(MAX_GROUP), pipelining=True).start()
        self.assertTrue(octets.endswith(b"\r\nDATA\r\n"))

    def test_refused_sender(self) -> None:
        """A server that refuses the sender is not asked about further recipients."""
        dialogue = Dialogue(MAIL, rcpts(MAX_GROUP + 1), pipelining=True)
        dialogue.start()
        reader = AnswerReader()
        reader.feed(b"550 no\r\n" + b"503 no\r\n" * MAX_GROUP)
        while (answer := reader.take()) is not None:
            self.assertEqual(dialogue.answered(answer), b"")
        self.assertIs(dialogue.stage, Stage.DONE)


class OtherHostTests(SynchronousTestCase):
    """When the next MX may help (weakness WK08)."""

    def other_host(self, says: str) -> bool:
        """May another host help after these answers to a message for one recipient?"""
        case = Case(name="", says=says, groups="", fates="")
        _, dialogue = play(case, [said(case)])
        assert dialogue.said[0] is not None
        return dialogue.said[0].other_host

    def test_temporary(self) -> None:
        """After 4xx to MAIL, DATA or the message another host is asked."""
        for says in ("451 503 503", "250 250 451", "250 250 354 451", "421"):
            self.assertTrue(self.other_host(says), says)

    def test_recipient(self) -> None:
        """A recipient that is put off waits, as RFC 5321 section 4.5.4.1 has it."""
        self.assertFalse(self.other_host("250 450 503"))

    def test_permanent(self) -> None:
        """5xx ends it."""
        for says in ("550 503 503", "250 550 503", "250 250 354 554"):
            self.assertFalse(self.other_host(says), says)


class HostileTests(SynchronousTestCase):
    """Answers that no server should give (survey row 37)."""

    def assert_refused(self, says: str, pipelining: bool = True) -> None:
        """The last of these answers must be an error."""
        *codes, last = says.split()
        case = Case(
            name="",
            says=" ".join(codes),
            groups="",
            fates="",
            pipelining=pipelining,
            reset_first=says.startswith("5"),
        )
        _, dialogue = play(case, [said(case)])
        reader = AnswerReader()
        reader.feed(last.encode() + b" x\r\n")
        answer = reader.take()
        assert answer is not None
        self.assertRaises(PeerError, dialogue.answered, answer)

    def test_impossible(self) -> None:
        """Neither yes nor no ends the session, and the message stays queued."""
        for says in (
            "354",
            "250 354",
            "250 250 250",
            "250 250 354 354",
            "250 250 354 250 250",
        ):
            self.assert_refused(says)

    def test_reset_refused(self) -> None:
        """A server that cannot forget the last message gets no other."""
        self.assert_refused("500")

    def test_answer_amid_the_message(self) -> None:
        """
        A refusal that comes before the message has ended counts, and the connection is
        closed, for what follows would be taken for commands.
        """
        dialogue = Dialogue(MAIL, rcpts(1), pipelining=True)
        dialogue.start()
        reader = AnswerReader()
        reader.feed(b"250 x\r\n250 x\r\n354 x\r\n552 too much\r\n")
        while (answer := reader.take()) is not None:
            dialogue.answered(answer)
        self.assertEqual(fates(dialogue), "552BODY")
        self.assertTrue(dialogue.must_close)

    def test_yes_amid_the_message(self) -> None:
        """A 250 that comes before the message has ended is worth nothing."""
        dialogue = Dialogue(MAIL, rcpts(1), pipelining=True)
        dialogue.start()
        reader = AnswerReader()
        reader.feed(b"250 x\r\n250 x\r\n354 x\r\n250 taken\r\n")
        for _ in range(3):
            answer = reader.take()
            assert answer is not None
            dialogue.answered(answer)
        answer = reader.take()
        assert answer is not None
        self.assertRaises(PeerError, dialogue.answered, answer)
