"""
How the octets of a message go out, whatever chunks they come in.

Nothing that leaves holds a bare CR or LF: what a plugin let in is put right here,
before dots are stuffed, so that no peer can be made to see the end of the message early
(survey row 2).

@see: RFC 5321 section 2.3.8 (line ends), section 4.5.2 (dots)
"""

from collections.abc import Iterable, Iterator

from harakatw.wire.data import find_leading_dot, has_bare_newline, repair_newlines

_DOT = 0x2E


def crlf_chunks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """
    Make every line end CRLF, also the last one.

    @return: the message in chunks none of which is empty or begins or ends amid a CRLF.
    """
    held = ended = b""
    for chunk in chunks:
        if held:
            chunk, held = held + chunk, b""
        if chunk.endswith(b"\r"):  # its LF may be the next octet
            chunk, held = chunk[:-1], b"\r"
        if not chunk:
            continue
        ended = chunk[-1:]
        yield repair_newlines(chunk) if has_bare_newline(chunk) else chunk
    if held or ended not in (b"", b"\n"):
        yield b"\r\n"


def stuffed_chunks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """
    The message as it stands after DATA, all but the final dot and its CRLF.

    @return: chunks without a bare CR or LF; every dot that begins a line is doubled;
        the last octets are CRLF, unless the message is empty.
    """
    at_line_start = True
    for chunk in crlf_chunks(chunks):
        begins_with_dot = at_line_start and chunk[0] == _DOT
        at_line_start = chunk.endswith(b"\n")
        if find_leading_dot(chunk) >= 0:
            chunk = chunk.replace(b"\n.", b"\n..")
        yield b"." + chunk if begins_with_dot else chunk


def converted_chunks(chunks: Iterable[bytes], line_end: bytes) -> Iterator[bytes]:
    """
    The message with other line ends, for a file or a program.

    @param line_end: C{b"\\r\\n"} or C{b"\\n"}.
    """
    for chunk in crlf_chunks(chunks):
        yield chunk if line_end == b"\r\n" else chunk.replace(b"\r\n", line_end)
