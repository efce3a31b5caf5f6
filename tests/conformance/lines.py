"""What clients say, good and bad, each with what it is worth by the grammar."""

from typing import Final

from tests.conformance.values import OUR_DOMAIN, Line
from tests.properties import st

MAX_LINE_OCTETS: Final = 512
"""Longest command that the server in these tests takes, with its CRLF."""

VERBS: Final = frozenset(
    b"HELO EHLO MAIL RCPT DATA RSET NOOP VRFY EXPN HELP QUIT".split()
)

_ATOM = "abcXYZ019!#$%&'*+-/=?^_`{|}~"
_LABEL = "abcxyzABC019"

_BAD_PATHS = (
    (b"", 501),
    (b"a@b.example>", 501),
    (b"<a@b.example", 501),
    (b"<a@>", 501),
    (b"<@b.example>", 501),
    (b"<a b@c.example>", 501),
    (b"<a..b@c.example>", 501),
    (b"<.a@c.example>", 501),
    (b"<a@b..example>", 501),
    (b"<a@-b.example>", 501),
    (b"<a@b_c.example>", 501),
    (b"<a@b@c.example>", 501),
    (b'<"a@b.example>', 501),
    (b'<"a"b@c.example>', 501),
    (b"<a@[1.2.3.4>", 501),
    (b"<a@[1.2.3.400]>", 501),
    (b"<a@[IPv6:1:2]>", 501),
    (b"<a\x00@b.example>", 501),
    (b"<a@b.example\x7f>", 501),
    (b"<a@b.example>x", 501),
    (b"<" + b"a" * 65 + b"@b.example>", 501),
    (b"<a@" + b"b" * 64 + b".example>", 501),
    (b"<\xff@b.example>", 501),
)
_MAIL_PARAMS = (
    b"SIZE=0",
    b"SIZE=5000",
    b"size=10",
    b"BODY=8BITMIME",
    b"body=7bit",
    b"SMTPUTF8",
    b"RET=HDRS",
    b"ENVID=a+2Bb",
    b"SIZE=1 BODY=7BIT ENVID=x",
)
_BAD_MAIL_PARAMS = (
    (b"SIZE=5001", 552),
    (b"SIZE=-1", 501),
    (b"SIZE=" + b"9" * 21, 501),
    (b"SIZE=1 SIZE=1", 501),
    (b"BODY=16BITMIME", 501),
    (b"ENVID=a+0D+0Ab", 501),
    (b"RET=ALL", 501),
    (b"NOTIFY=NEVER", 555),
    (b"XYZ=1", 555),
    (b"=", 501),
    (b"SMTPUTF8=1", 501),
)
_UNREADABLE = frozenset((b"=", b"SIZE=1 SIZE=1", b"NOTIFY=NEVER NOTIFY=NEVER"))
"""What is no list of parameters at all, whether there may be one or not."""

_RCPT_PARAMS = (b"NOTIFY=NEVER", b"notify=success,failure", b"ORCPT=rfc822;a@b.example")
_BAD_RCPT_PARAMS = (
    (b"NOTIFY=NEVER,DELAY", 501),
    (b"ORCPT=a@b.example", 501),
    (b"SIZE=1", 555),
    (b"NOTIFY=NEVER NOTIFY=NEVER", 501),
)


def _any(*kinds: st.SearchStrategy[Line]) -> st.SearchStrategy[Line]:
    """Each kind as often as each other, however many lines it knows."""
    return st.sampled_from(kinds).flatmap(lambda kind: kind)


@st.composite
def _cased(draw: st.DrawFn, word: bytes) -> bytes:
    """Verbs have no case (section 2.4)."""
    how = draw(st.sampled_from((bytes.upper, bytes.lower, bytes.swapcase)))
    return how(word) if how is not bytes.swapcase else word[:1].lower() + word[1:]


def _parts(alphabet: str, longest: int, most: int) -> st.SearchStrategy[str]:
    part = st.text(alphabet, min_size=1, max_size=longest)
    return st.lists(part, min_size=1, max_size=most).map(".".join)


_LOCAL_PARTS = _parts(_ATOM, 12, 3)
_DOMAINS = _parts(_LABEL, 12, 3)


@st.composite
def _command(
    draw: st.DrawFn, /, verb: str, argument: bytes = b"", fault: int = 0, **more: object
) -> Line:
    octets = draw(_cased(verb.encode()))
    if argument:
        octets += b" " + argument
    blanks = b" " * draw(st.integers(0, 2))  # section 4.1.1: to be taken
    return Line(octets + blanks + b"\r\n", verb, fault, **more)  # type: ignore[arg-type]


@st.composite
def _with_path(
    draw: st.DrawFn,
    verb: str,
    keyword: bytes,
    domains: st.SearchStrategy[str],
    params: tuple[bytes, ...],
    bad_params: tuple[tuple[bytes, int], ...],
) -> Line:
    """A MAIL or RCPT whose path is good."""
    local, domain = draw(_LOCAL_PARTS), draw(domains)
    path = f"<{local}@{domain}>".encode()
    good = st.sampled_from(params).map(lambda each: (each, 0))
    none = st.just((b"", 0))
    param, fault = draw(st.one_of(none, none, good, st.sampled_from(bad_params)))
    argument = draw(_cased(keyword)) + path + (b" " + param if param else b"")
    mailbox = f"{local}@{domain.lower()}"
    is_extended = bool(param) and param not in _UNREADABLE
    return draw(
        _command(verb, argument, fault, mailbox=mailbox, is_extended=is_extended)
    )


def _bad_paths(verb: str, keyword: bytes) -> st.SearchStrategy[Line]:
    return st.sampled_from(_BAD_PATHS).flatmap(
        lambda bad: _command(verb, keyword + bad[0], bad[1])
    )


_OURS = st.sampled_from((OUR_DOMAIN, OUR_DOMAIN.upper(), OUR_DOMAIN.title()))
_MAIL = _with_path("MAIL", b"FROM:", _DOMAINS, _MAIL_PARAMS, _BAD_MAIL_PARAMS)
_RCPT = _with_path(
    "RCPT", b"TO:", st.one_of(_OURS, _DOMAINS), _RCPT_PARAMS, _BAD_RCPT_PARAMS
)
_NULL = _command("MAIL", b"FROM:<>")
_SIMPLE_MAIL = _command("MAIL", b"FROM:<a@b.example>", mailbox="a@b.example")
_SIMPLE_RCPT = _command("RCPT", b"TO:<b@here.example>", mailbox="b@here.example")
_ROUTED = st.sampled_from((b"@c.example", b"@c.example,@here.example")).flatmap(
    lambda route: _command(
        "RCPT", b"TO:<" + route + b":b@here.example>", mailbox="b@here.example"
    )
)
_HELLO = _any(
    _command("EHLO", b"client.example"),
    _command("EHLO", b"client.example"),
    _command("HELO", b"client.example"),
    _command("EHLO", b"[192.0.2.1]"),
    _command("EHLO", b"", 501),
    _command("HELO", b"a\x00b", 501),
    _command("EHLO", b"a" * 256, 501),
    _command("EHLO", b"\xc3\xbc.example", 501),
)
_OTHERS = _any(
    _command("RSET"),
    _command("NOOP"),
    _command("NOOP", b"with an argument"),
    _command("VRFY", b"root"),
    _command("VRFY", b"", 501),
    _command("VRFY", b"a\x1b[2J", 501),
    _command("EXPN", b"list"),
    _command("HELP"),
    _command("RSET", b"all", 501),
    _command("QUIT", b"now", 501),
)


def _is_noise(octets: bytes) -> bool:
    verb = octets.partition(b" ")[0].upper()
    return verb not in VERBS and b"\r" not in octets and b"\n" not in octets


_NOISE = _any(
    st.binary(max_size=60).filter(_is_noise).map(lambda octets: Line(octets + b"\r\n")),
    st.sampled_from(
        (b"", b".", b"DATAX", b"STARTTLSX a", b"MAILFROM:<a@b.example>")
    ).map(lambda word: Line(word + b"\r\n")),
    # Not a line, whatever stands in it (section 2.3.8).
    st.sampled_from((b"NOOP\n", b"NO\rOP\r\n", b"\n", b"RSET\r\r\n", b"QUIT\n")).map(
        Line
    ),
    st.sampled_from((b"NOOP ", b"MAIL FROM:<a@b.example> ", b"\xff")).map(
        lambda start: Line(start.ljust(MAX_LINE_OCTETS - 1, b"a") + b"\r\n")
    ),
)

LINES: Final[st.SearchStrategy[Line]] = _any(
    _HELLO,
    _RCPT,
    _SIMPLE_MAIL,
    _SIMPLE_RCPT,
    _NULL,
    _MAIL,
    _RCPT,
    _ROUTED,
    _bad_paths("MAIL", b"FROM:"),
    _bad_paths("RCPT", b"TO:"),
    _OTHERS,
    _NOISE,
)
"""Anything but DATA, and QUIT as it should be."""

HELLO: Final = Line(b"EHLO client.example\r\n", "EHLO")
OPENING: Final = (
    HELLO,
    Line(b"RSET\r\n", "RSET"),
    Line(b"MAIL FROM:<a@b.example>\r\n", "MAIL", mailbox="a@b.example"),
    Line(b"RCPT TO:<b@here.example>\r\n", "RCPT", mailbox="b@here.example"),
)
"""After these a message may come, whatever was before."""

DATA: Final = Line(b"DATA\r\n", "DATA")
QUIT: Final = Line(b"QUIT\r\n", "QUIT")


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """
    A message as it is sent, up to the dot that ends it.

    No line of it is a dot alone, so that it does end there; else anything goes.
    """
    word = st.one_of(
        st.sampled_from((b".", b"..", b"\r", b"\n", b"\0", b"\r\n", b"Subject: x")),
        st.binary(max_size=20),
        st.sampled_from((b"DATA", b"MAIL FROM:<e@x.example>", b"x" * 1500)),
    )
    plain = st.sampled_from((b"Subject: x", b"", b"text", b".dot", b"\xc3\xbc", b"."))
    lines = draw(
        st.one_of(
            st.lists(plain, max_size=8).map(b"\r\n".join),
            st.lists(word, max_size=12).map(b"".join),
        )
    ).split(b"\r\n")
    stuffed = b"\r\n".join(b".." if line == b"." else line for line in lines)
    return stuffed + b"\r\n" if stuffed else b""


def chunks() -> st.SearchStrategy[bytes]:
    """The octets of a BDAT: anything, much of which looks like commands or an end."""
    word = st.one_of(
        st.sampled_from((b"QUIT\r\n", b".\r\n", b"\r\n.\r\n", b"\r\n", b"\r", b"\n")),
        st.sampled_from((b"BDAT 9\r\n", b"Subject: x\r\n", b".", b"RSET", b"text\r\n")),
        st.binary(max_size=9),
    )
    plain = st.sampled_from((b"Subject: x\r\n", b"\r\n", b"text\r\n", b".\r\n", b"te"))
    return st.one_of(
        st.lists(plain, max_size=5).map(b"".join),
        st.lists(word, max_size=6).map(b"".join),
        st.just(b"x" * 6000),
    )
