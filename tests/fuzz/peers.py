"""What the hosts say that mail is sent to: answers, offers, challenges."""

from typing import Final

from harakatw.outbound.client.sasl import start
from harakatw.wire.answer import (
    MAX_KEPT_OCTETS,
    MAX_LINE_OCTETS,
    MAX_LINES,
    Answer,
    AnswerReader,
    PeerError,
    our_answer,
)
from harakatw.wire.capabilities import parse_capabilities
from harakatw.wire.dialogue import Dialogue, Stage
from harakatw.wire.sasl.text import SASLError
from tests.fuzz.target import Target, check_reply, cut, cuts, octets
from tests.properties import st

_LOST = our_answer(451, "4.4.2", "the connection was lost")


def check_answer(stream: bytes, lengths: tuple[int, ...]) -> None:
    """Answers are the same however they are cut; what is kept of each is bounded."""
    whole = _answers_in([stream])
    assert _answers_in(list(cut(stream, lengths))) == whole
    for answer in whole:
        if isinstance(answer, Answer):
            assert 200 <= answer.code < 600 and len(answer.raw) <= MAX_LINES
            assert max(map(len, answer.raw), default=0) <= MAX_LINE_OCTETS
            assert len(answer.raw) == 1 or sum(map(len, answer.raw)) <= MAX_KEPT_OCTETS
            check_reply(answer.reply.encoded)


def _answers_in(pieces: list[bytes]) -> list[Answer | str]:
    """What is read, at last maybe what is wrong with it."""
    reader = AnswerReader()
    found: list[Answer | str] = []
    for piece in pieces:
        reader.feed(piece)
        try:
            while answer := reader.take():
                found.append(answer)
        except PeerError as error:
            return [*found, str(error)]
    return found


def check_capabilities(lines: list[bytes]) -> None:
    """Whatever a host says it can do, what we understand of it is clean."""
    found = parse_capabilities(Answer(250, tuple(lines)))
    assert len(found.keywords) <= len(lines)
    for keyword in (*found.keywords, *found.auth):
        assert keyword.isascii() and keyword == keyword.upper()
    assert found.max_size is None or found.max_size >= 0
    assert found.pipelining == ("PIPELINING" in found.keywords)


def check_dialogue(
    count: int,
    codes: list[int],
    pipelining: bool,
    lmtp: bool,
    reset: bool,
    chunked: bool,
) -> None:
    """
    Whatever a host answers, each recipient has one outcome in the end, and none is
    delivered that the host has not said yes to.
    """
    rcpts = [b"RCPT TO:<%d@b.example>\r\n" % number for number in range(count)]
    dialogue = Dialogue(
        b"MAIL FROM:<>\r\n",
        rcpts,
        pipelining=pipelining,
        per_recipient=lmtp,
        reset_first=reset,
        chunked=chunked,
    )
    sent = dialogue.start()
    for code in codes:
        if dialogue.stage is Stage.BODY and code != 451:
            dialogue.body_sent()
        if dialogue.stage is Stage.DONE:
            break
        try:
            sent += dialogue.answered(Answer(code, (b"",)))
        except PeerError:
            dialogue.give_up(_LOST)
    if dialogue.stage is not Stage.DONE:
        dialogue.give_up(_LOST)
    _check_outcome(dialogue, sent, count)


def _check_outcome(dialogue: Dialogue, sent: bytes, count: int) -> None:
    assert sent.count(b"RCPT ") <= count and sent.count(b"MAIL ") <= 1
    assert sent.count(b"DATA\r\n") <= 1 and sent.count(b"RSET\r\n") <= 1
    assert len(dialogue.said) == count
    for said in dialogue.said:
        assert said is not None
        if said.answer.code < 300:
            assert said.stage is Stage.DOT
    assert dialogue.stage is Stage.DONE


def check_sasl(mechanism: str, challenges: list[bytes]) -> None:
    """A challenge is answered in few octets, or called off; no proof, no success."""
    try:
        exchange = start(mechanism, "user", "pencil", lambda: "nonce")
        for challenge in challenges:
            answer = exchange.respond(challenge)
            assert len(answer) <= 200 + len(challenge)
        exchange.finish()
    except SASLError as error:
        assert "pencil" not in str(error)
    else:
        assert not mechanism.startswith("SCRAM")


_ANSWER_WORDS = (
    *(b"250 ok\r\n", b"250-x\r\n", b"550 5.1.1 no\r\n", b"\r\n", b"\n", b"\r", b"250"),
    *(b"421 ", b"-", b" ", b"\x1b[2J", b"\xff", b"x" * 2100, b"999 x\r\n", b"250-\r\n"),
)
_OFFERS = (
    *(
        b"PIPELINING",
        b"SIZE 10",
        b"SIZE",
        b"AUTH PLAIN LOGIN",
        b"AUTH=PLAIN",
        b"size x",
    ),
    *(b"8BITMIME", b"", b"\xff", b" STARTTLS", b"SIZE " + b"9" * 30, b"X" * 300),
)
_CODES = (220, 250, 251, 354, 421, 450, 451, 452, 550, 552, 554)
_CHALLENGES = (
    *(b"", b"User Name\0", b"r=nonceX,s=QUJD,i=4096", b"r=nonce", b"v=x", b"e=no"),
    *(b"r=nonceX,s=QUJD,i=1", b"r=nonceX,s=!,i=4096", b"i=99999999999", b"\xff", b","),
)

TARGETS: Final = (
    Target(("wire.answer",), st.tuples(octets(*_ANSWER_WORDS), cuts()), check_answer),
    Target(
        ("wire.capabilities",),
        st.tuples(st.lists(st.one_of(st.sampled_from(_OFFERS), octets(*_OFFERS)))),
        check_capabilities,
    ),
    Target(
        ("wire.dialogue",),
        st.tuples(
            st.integers(1, 4),
            st.lists(st.sampled_from(_CODES), max_size=16),
            *[st.booleans()] * 4,
        ),
        check_dialogue,
    ),
    Target(
        ("outbound.client.sasl",),
        st.tuples(
            st.sampled_from(("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256")),
            st.lists(
                st.one_of(st.sampled_from(_CHALLENGES), octets(*_CHALLENGES, most=3)),
                max_size=3,
            ),
        ),
        check_sasl,
    ),
)
