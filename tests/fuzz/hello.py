"""What TLS clients say first: C{harakatw.wire.client_hello}."""

import struct
from typing import Final

from harakatw.wire.client_hello import MAX_OCTETS, NotTLS, looks_like_tls, server_name
from tests.fuzz.target import Target, cut, cuts, octets
from tests.properties import st


def check_client_hello(stream: bytes, lengths: tuple[int, ...]) -> None:
    """A name is found, however it is cut, as soon as it has come; or there is none."""
    whole = _found(stream)
    so_far = b""
    for piece in cut(stream, lengths):
        so_far += piece
        found = _found(so_far)
        assert found in (None, whole), (found, whole)
        if found is not None:
            break
    if whole not in (None, NotTLS):
        assert looks_like_tls(stream)


def _found(stream: bytes) -> object:
    """The name, C{None} while it has not come, L{NotTLS} if it never will."""
    try:
        name = server_name(stream)
    except NotTLS:
        return NotTLS
    if name is not None:
        assert name.isascii() and name == name.lower() and len(name) < MAX_OCTETS
        assert name.isprintable()
    return name


def _sized(size_octets: int, content: bytes) -> bytes:
    return len(content).to_bytes(size_octets, "big") + content


def _hello(names: list[tuple[int, bytes]], others: bytes) -> bytes:
    """A client's first message, without the header of a record."""
    listed = b"".join(bytes((kind,)) + _sized(2, name) for kind, name in names)
    extension = struct.pack("!H", 0) + _sized(2, _sized(2, listed))
    rest = struct.pack("!H", 16) + _sized(2, others)
    body = (
        b"\3\3" + b"r" * 32 + _sized(1, b"id") + _sized(2, b"\x13\1") + _sized(1, b"\0")
    )
    return b"\1" + _sized(3, body + _sized(2, rest + extension))


def _records(message: bytes, lengths: tuple[int, ...], spoilt: int, by: int) -> bytes:
    """The message in records, one octet of them changed."""
    made = b"".join(b"\x16\3\1" + _sized(2, each) for each in cut(message, lengths))
    at = spoilt % len(made)
    return made[:at] + bytes((made[at] ^ by,)) + made[at + 1 :]


_NAMES = st.lists(
    st.tuples(st.sampled_from((0, 0, 1)), octets(b"MX.", b"here.example", b".", b"/")),
    max_size=3,
)
_MADE = st.builds(
    _records,
    st.builds(_hello, _NAMES, st.binary(max_size=20)),
    cuts(),
    st.integers(0, 400),
    st.sampled_from((0, 0, 0, 1, 3, 255)),
)

TARGETS: Final = (
    Target(
        ("wire.client_hello",),
        st.tuples(
            st.one_of(_MADE, octets(b"\x16\3\1", b"\0", b"\1", b"EHLO x\r\n")), cuts()
        ),
        check_client_hello,
    ),
)
