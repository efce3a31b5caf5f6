"""What clients send: C{harakatw.wire}."""

from typing import Final

from harakatw.address import Address, parse_address
from harakatw.errors import ProtocolError
from harakatw.wire.command import CommandStream, split_command
from harakatw.wire.data import DataDecoder, has_bare_newline, repair_newlines
from harakatw.wire.demands import (
    date_time,
    parse_by,
    parse_hold_for,
    parse_hold_until,
    parse_priority,
)
from harakatw.wire.dsn import (
    encode_foreign,
    message_dsn,
    parse_orcpt,
    recipient_dsn,
)
from harakatw.wire.extensions import EXTENSIONS, Offer, Terms, make_offer
from harakatw.wire.helo import MAX_HOST_OCTETS, parse_helo
from harakatw.wire.params import (
    MAX_PARAMS,
    Params,
    decode_xtext,
    encode_xtext,
    parse_body,
    parse_params,
    parse_size,
)
from harakatw.wire.path import FROM, TO, parse_path
from tests.abuse.inputs import FALSE_ENDS
from tests.fuzz.target import Target, cut, cuts, octets, refusal, text
from tests.properties import st

_MAX_LINE = 40
_REFUSED = (501, 552, 555)
_END = b"\r\n.\r\n"


# ---- command -------------------------------------------------------------------------


def check_command(stream: bytes, lengths: tuple[int, ...]) -> None:
    """Lines come out the same however they are cut; what is kept is bounded."""
    whole = _lines_of([stream])
    assert _lines_of(list(cut(stream, lengths))) == whole
    assert len(whole) == stream.count(b"\n")
    for line in whole:
        if line is not None:
            assert len(line) <= _MAX_LINE - 2
            assert b"\r" not in line and b"\n" not in line
            verb, argument = split_command(line)
            assert verb == verb.upper() and b" " not in verb
            assert argument == argument.strip(b" \t")


def _lines_of(pieces: list[bytes]) -> list[bytes | None]:
    """The lines, C{None} for one that was refused."""
    commands = CommandStream(_MAX_LINE)
    found: list[bytes | None] = []
    for piece in pieces:
        commands.feed(piece)
        while commands.pending:
            try:
                line = commands.take_line()
            except ProtocolError as error:
                assert error.reply.code == 500
                found.append(None)
                continue
            if line is None:
                break
            found.append(line)
    assert len(commands.take_all()) <= _MAX_LINE
    return found


# ---- data ----------------------------------------------------------------------------


def check_data(body: bytes, lengths: tuple[int, ...], longest: int) -> None:
    """
    A message is the same however it is cut, and what the RFC makes of it line by line.
    """
    stream = body + _END
    end = (b"\r\n" + stream).index(_END)
    wire, after = stream[:end], stream[end + 3 :]
    lines = wire.split(b"\r\n")
    plain = [line.removeprefix(b".") for line in lines]
    expected = (
        b"\r\n".join(plain),
        after,
        any(has_bare_newline(line) for line in lines),
    )
    for pieces in ([stream], list(cut(stream, lengths))):
        decoder = DataDecoder(longest)
        message, rest = _decode(decoder, pieces)
        assert (message, rest, decoder.bare_newline) == expected
        assert repair_newlines(message).count(b"\r\n") >= message.count(b"\r\n")
        if not decoder.bare_newline:
            most = max(map(len, plain))
            assert decoder.long_line == (0 < longest < most)


def _decode(decoder: DataDecoder, pieces: list[bytes]) -> tuple[bytes, bytes]:
    taken = []
    for number, piece in enumerate(pieces):
        octets_taken, rest = decoder.feed(piece)
        taken.append(octets_taken)
        if rest is not None:
            return b"".join(taken), rest + b"".join(pieces[number + 1 :])
    raise AssertionError("the end was not seen")


# ---- path and params -----------------------------------------------------------------


def check_path(argument: bytes, is_mail: bool, utf8: bool, postel: bool) -> None:
    """
    A path that is taken can be written and read again; whoever is strict takes no more
    than who is not, and the same.
    """
    keyword = FROM if is_mail else TO

    def parse(strict: bool) -> tuple[Address, Params]:
        return parse_path(argument, keyword, utf8=utf8, strict=strict, postel=postel)

    if refusal((501, 550, 553), parse, False):
        assert refusal((501, 550, 553), parse, True)
        return
    address, params = parse(False)
    if not refusal((501,), parse, True):
        assert parse(True) == (address, params)
    assert is_mail or not address.is_null
    _check_address(address, is_mail)


def _check_address(address: Address, is_mail: bool) -> None:
    written = address.format()
    assert written.isprintable() and len(written.encode()) <= 998
    again = parse_address(written, utf8=True, null=is_mail, bare_postmaster=not is_mail)
    assert (again.user, again.host) == (address.user, address.host)
    assert again.format() == written


def check_params_of(argument: bytes, utf8: bool) -> None:
    """Parameters that are taken are few, distinct, and can be written again."""
    if refusal((501,), parse_params, argument, utf8=utf8):
        return
    params = parse_params(argument, utf8=utf8)
    assert len(params) <= MAX_PARAMS
    words = [k if v is None else f"{k}={v}" for k, v in params.items()]
    assert parse_params(" ".join(words).encode(), utf8=utf8) == params
    _check_offer(params, utf8)
    for value in params.values():
        if not refusal((501, 552), parse_size, value, 99):
            assert 0 <= parse_size(value, 99) <= 99
        refusal((501,), parse_body, value, binary=True)
    for word in (*message_dsn(params), *recipient_dsn(params)):
        assert word.isprintable() and " " not in word


def _check_offer(params: Params, utf8: bool) -> None:
    """Nothing is taken that was not announced (RFC 5321 section 4.1.1.11)."""
    for keywords in ((), ("SIZE 99", "8BITMIME"), tuple(EXTENSIONS)):
        offer: Offer = make_offer(keywords, Terms(max_bytes=99))
        if not refusal(_REFUSED, offer.check_mail, params):
            assert params.keys() <= offer.mail.keys()
        if not refusal(_REFUSED, offer.check_rcpt, params, utf8=utf8):
            assert params.keys() <= offer.rcpt.keys()


def check_xtext(value: str) -> None:
    """What is encoded is a value again; what is decoded is printable."""
    printable = "".join(filter(str.isprintable, value))
    if printable:
        assert decode_xtext(encode_xtext(printable), utf8=True) == printable
    for utf8 in (False, True):
        if not refusal((501,), decode_xtext, value, utf8=utf8):
            decoded = decode_xtext(value, utf8=utf8)
            assert decoded.isprintable() and (utf8 or decoded.isascii())


def check_dsn(value: str, utf8: bool) -> None:
    """An original recipient is printable, and comes through the ASCII form."""
    if refusal((501,), parse_orcpt, value, utf8=utf8):
        return
    found = parse_orcpt(value, utf8=utf8)
    assert found.address.isprintable() and found.type == found.type.lower()
    encoded = encode_foreign(found.address)
    assert encoded.isascii() and encoded.isprintable()
    if len(encoded) < 490:
        again = parse_orcpt(f"utf-8;{encoded}", utf8=False)
        assert again.address == found.address


def check_demands(value: str) -> None:
    """Times and priorities are in their range, whatever is asked for."""
    if not refusal((501,), parse_by, value):
        by = parse_by(value)
        assert abs(by.seconds) < 10**9 and (by.seconds > 0 or not by.returns)
    if not refusal((501,), parse_hold_for, value):
        assert 0 < parse_hold_for(value) < 10**9
    if not refusal((501,), parse_priority, value):
        assert -9 <= parse_priority(value) <= 9
    if not refusal((501,), parse_hold_until, value):
        moment = parse_hold_until(value)
        if moment >= 0:
            assert parse_hold_until(date_time(moment)) == int(moment)


def check_helo(argument: bytes) -> None:
    """A name is one printable word."""
    if refusal((501,), parse_helo, argument):
        return
    host = parse_helo(argument)
    assert host.isascii() and host.isprintable() and " " not in host
    assert 0 < len(host) <= MAX_HOST_OCTETS
    assert parse_helo(host.encode()) == host


_PATH_WORDS = (
    *(b"FROM:", b"TO:", b"<", b">", b"<>", b"@", b".", b'"', b"\\", b"[", b"]", b":"),
    *(b"a", b"b.example", b"Postmaster", b" ", b"\t", b"SIZE=1", b"SMTPUTF8", b"="),
    *(b"[IPv6:::1]", b"[127.0.0.1]", b"@a,@b:", b"\xc3\xbc", b"\xef\xbc\xa0", b"\0"),
    *(b"xn--", b"x" * 64, b"\xff", b"-", b"FROM:<a@b.example>", b"TO:<a@b.example> "),
)
_PARAM_WORDS = (
    *(b"SIZE=", b"BODY=", b"RET=", b"ENVID=", b"NOTIFY=", b"ORCPT=", b"=", b" ", b"\t"),
    *(b"rfc822;", b"utf-8;", b"+41", b"+", b"FULL", b"NEVER", b"9", b"SMTPUTF8", b"x"),
    *(b"SIZE=1 ", b"NOTIFY=SUCCESS,DELAY ", b"\xc3\xbc", b"8BITMIME"),
)
_DEMANDS = (
    *(
        "120",
        ";",
        "R",
        "N",
        "T",
        "-",
        "+",
        "0",
        "9",
        "9" * 9,
        "2026-12-24T18:00:00Z",
        ".",
    ),
    *(
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59",
        "+14:00",
        "-23:59",
        "Z",
        "T24:00:00",
    ),
    *("2024-02-30T00:00:00z", "60", ":", "1970-01-01", "T00:00:00"),
)
_XTEXT_WORDS = (
    "+41",
    "+",
    "=",
    "+0D",
    "rfc822;",
    "utf-8;",
    "\\x{FC}",
    "\\x{",
    "ü",
    ";",
)
_BODY_WORDS = (*FALSE_ENDS, b"\r\n", b".", b"\r", b"\n", b"..", b"\r\n.", b"x" * 30)

TARGETS: Final = (
    Target(
        ("wire.command",),
        st.tuples(octets(b"\r\n", b"\r", b"\n", b"NOOP", b" ", b"x" * 39), cuts()),
        check_command,
    ),
    Target(
        ("wire.data",),
        st.tuples(octets(*_BODY_WORDS), cuts(), st.sampled_from((0, 5, 78))),
        check_data,
    ),
    Target(
        ("wire.path",),
        st.tuples(octets(*_PATH_WORDS), st.booleans(), st.booleans(), st.booleans()),
        check_path,
    ),
    Target(
        ("wire.params", "wire.extensions"),
        st.tuples(octets(*_PARAM_WORDS), st.booleans()),
        check_params_of,
    ),
    Target(("wire.params",), st.tuples(text(*_XTEXT_WORDS)), check_xtext),
    Target(("wire.dsn",), st.tuples(text(*_XTEXT_WORDS), st.booleans()), check_dsn),
    Target(("wire.demands",), st.tuples(text(*_DEMANDS, most=4)), check_demands),
    Target(
        ("wire.helo",), st.tuples(octets(b"a", b".", b" ", b"[", b"x" * 99)), check_helo
    ),
)
