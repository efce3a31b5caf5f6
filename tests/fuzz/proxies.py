"""What proxies, relays and senders of chunks say: C{harakatw.wire} again."""

import struct
from typing import Final

from harakatw.errors import ProtocolError
from harakatw.wire.chunks import ChunkDecoder, OctetCounter, parse_bdat
from harakatw.wire.data import has_bare_newline
from harakatw.wire.proxy import ProxyHeaderReader
from harakatw.wire.proxy_header import ProxyHeader
from harakatw.wire.proxy_v2 import SIGNATURE
from harakatw.wire.xclient import XCLIENT, XFORWARD, attribute_lines, parse_attributes
from tests.fuzz.target import Target, check_reply, cut, cuts, octets, refusal, text
from tests.properties import st


def check_bdat(argument: bytes) -> None:
    """A size is a number that fits a computer, or the session ends."""
    if refusal((501,), parse_bdat, argument):
        return
    chunk = parse_bdat(argument)
    assert 0 <= chunk.octets < 10**12
    assert chunk.is_last == argument.upper().endswith(b"LAST")
    again = b"%d%b" % (chunk.octets, b" LAST" if chunk.is_last else b"")
    assert parse_bdat(again) == chunk


def check_chunks(
    chunks: list[bytes], after: bytes, lengths: tuple[int, ...], is_binary: bool
) -> None:
    """
    Survey row 3: so many octets are the message, whatever they are, and what follows is
    not; the same however it is cut.
    """
    found = {
        _decode(chunks, after, pieces, is_binary)
        for pieces in (((10**6,),) * len(chunks), (lengths,) * len(chunks))
    }
    ((message, rest, bare),) = found
    body = b"".join(chunks)
    assert rest == after
    if is_binary:
        assert (message, bare) == (body, False)
        return
    assert message.startswith(body) and message[len(body) :] in (b"", b"\n", b"\r\n")
    assert not message or message.endswith(b"\n")
    assert bare == has_bare_newline(body)


def _decode(
    chunks: list[bytes], after: bytes, cuts: tuple[tuple[int, ...], ...], binary: bool
) -> tuple[bytes, bytes, bool]:
    decoder = ChunkDecoder(78, is_binary=binary)
    message, rest = b"", b""
    for number, (chunk, lengths) in enumerate(zip(chunks, cuts, strict=True), 1):
        is_last = number == len(chunks)
        decoder.begin(parse_bdat(b"%d%b" % (len(chunk), b" LAST" * is_last)))
        counter = OctetCounter(len(chunk))
        beyond: bytes | None = None
        for piece in list(cut(chunk + after, lengths)) or [b""]:
            if beyond is not None:
                beyond += piece
                continue
            taken, beyond = decoder.feed(piece)
            assert counter.feed(piece) == beyond
            message += taken
        assert decoder.has_ended == is_last
        rest = beyond or b""
    return message, rest, decoder.bare_newline


def check_proxy(stream: bytes, lengths: tuple[int, ...]) -> None:
    """Survey row 33: one header comes off, the same however it is cut, or none."""
    whole = _read([stream])
    assert _read(list(cut(stream, lengths))) == whole
    header, rest = whole
    if header is not None:
        assert stream.endswith(rest)
        for word in (header.source, header.destination, header.server_name):
            assert word.isprintable() and len(word) <= 255
        assert 0 <= header.source_port < 65536 and 0 <= header.destination_port < 65536
        assert not header.has_addresses or (header.source and header.destination)


def _read(pieces: list[bytes]) -> tuple[ProxyHeader | None, bytes]:
    """The header, L{None} if it is none or not whole, and what is left."""
    reader = ProxyHeaderReader()
    for number, piece in enumerate(pieces, 1):
        try:
            header = reader.feed(piece)
        except ProtocolError as error:
            assert error.reply.code == 421
            check_reply(error.reply.encoded)
            return None, b"refused"
        if header is not None:
            return header, reader.rest + b"".join(pieces[number:])
    return None, b""


def check_xclient(argument: str) -> None:
    """What one server tells another of a client comes through, or is refused."""
    for known in (XCLIENT, XFORWARD):
        if refusal((501,), parse_attributes, argument, known):
            continue
        found = parse_attributes(argument, known)
        assert found.keys() <= known.keys()
        assert all(value.isprintable() for value in found.values())
        lines = attribute_lines("X", found, frozenset(known))
        assert all(len(line) <= 510 for line in lines)
        written = b"".join(line[1:] for line in lines).decode("ascii")
        assert parse_attributes(written, known) == found
        assert written.isascii() and written.isprintable()


def _binary_headers() -> st.SearchStrategy[bytes]:
    """Headers of version 2, the lengths in which are right or nearly so."""
    values = st.lists(
        st.tuples(st.sampled_from((1, 2, 3, 4, 0x20, 0x21)), st.binary(max_size=12)),
        max_size=3,
    ).map(lambda all_: b"".join(struct.pack("!BH", t, len(v)) + v for t, v in all_))
    addresses = st.sampled_from(
        (b"\x7f\0\0\1" * 2 + b"\0\1" * 2, b"\1" * 36, b"/" * 216)
    )
    body = st.tuples(addresses, values).map(b"".join)
    commands = st.sampled_from(
        (b"\x21\x11", b"\x21\x21", b"\x20\0", b"\x21\x31", b"\0")
    )
    return st.tuples(commands, body, st.integers(-2, 2)).map(
        lambda made: (
            SIGNATURE
            + made[0]
            + struct.pack("!H", max(0, len(made[1]) + made[2]))
            + made[1]
        )
    )


_PROXY_WORDS = (
    *(
        b"PROXY ",
        b"TCP4",
        b"TCP6",
        b" ",
        b"127.0.0.1",
        b"::1",
        b"25",
        b"\r\n",
        b"UNKNOWN",
    ),
    *(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n", b"\r", b"\n", b"0", b"65536", b"%"),
    *(SIGNATURE, b"\x21\x11\0\x0c", b"EHLO x\r\n", b"x" * 100, b"\xff"),
)
_ATTRIBUTES = (
    *("NAME=", "ADDR=", "PORT=", "PROTO=", "HELO=", "LOGIN=", "DESTADDR=", "SOURCE="),
    *("mx.example", "[UNAVAILABLE]", "[TEMPUNAVAIL]", "192.0.2.1", "IPV6:::1", "25"),
    *(
        " ",
        "SMTP",
        "+20",
        "+0A",
        "+C3+BC",
        "LOCAL",
        "=",
        "a",
        "IPV6:::ffff:1.2.3.4",
        "%",
    ),
)

TARGETS: Final = (
    Target(
        ("wire.chunks",),
        st.tuples(octets(b"0", b"9" * 6, b" ", b"LAST", b"last", b"-", b"\t", most=5)),
        check_bdat,
    ),
    Target(
        ("wire.chunks",),
        st.tuples(
            st.lists(
                octets(b"\r", b"\n", b"\r\n", b".", most=6), min_size=1, max_size=4
            ),
            octets(b"QUIT\r\n", most=2),
            cuts(),
            st.booleans(),
        ),
        check_chunks,
    ),
    Target(
        ("wire.proxy", "wire.proxy_header", "wire.proxy_v2", "wire.crc32c"),
        st.tuples(
            st.one_of(
                octets(*_PROXY_WORDS, most=10),
                st.tuples(_binary_headers(), st.binary(max_size=5)).map(b"".join),
            ),
            cuts(),
        ),
        check_proxy,
    ),
    Target(("wire.xclient",), st.tuples(text(*_ATTRIBUTES, most=10)), check_xclient),
)
