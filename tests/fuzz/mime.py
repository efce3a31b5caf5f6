"""What messages are made of: C{harakatw.message.mime}."""

from typing import Final

from harakatw.message.header import Header
from harakatw.message.mime.banner import make_banner
from harakatw.message.mime.body import make_body
from harakatw.message.mime.decoding import decode_all, make_decoder
from harakatw.message.mime.edits import Edits
from harakatw.message.mime.encoding import encode_all, fitting_encoding, make_encoder
from harakatw.message.mime.limits import MIMELimits
from harakatw.message.mime.rewriter import Rewriter
from harakatw.wire.data import repair_newlines
from tests.fuzz.target import Target, cut, cuts, octets, text
from tests.message.mime.walks import walk
from tests.properties import st

LIMITS: Final = MIMELimits(max_depth=4, max_parts=9, max_header_octets=300)
"""So low that they are met."""


def check_walk(message: bytes, lengths: tuple[int, ...]) -> None:
    """
    Survey row 13: the parts are the same however the message is cut, no octet is lost,
    and there are no more of them, nor deeper, than allowed.
    """
    whole, walked = walk([message], LIMITS)
    noted, _ = walk(cut(message, lengths), LIMITS)
    assert noted.events == whole.events and whole.octets == message
    assert sorted(whole.ended) == list(range(walked.part_count))
    assert walked.part_count <= LIMITS.max_parts
    for part in whole.parts:
        body = make_body(part)
        assert len(body.walk()) == 1 and "\0" not in body.filename
        assert _depth(part) <= LIMITS.max_depth + 1


def _depth(part: object) -> int:
    depth = 0
    while part is not None:
        part, depth = getattr(part, "parent", None), depth + 1
    return depth


def check_coding(content: bytes, lengths: tuple[int, ...], encoding: str) -> None:
    """
    What is encoded comes back; what is decoded does not depend on the cut, and is no
    longer than what came.
    """
    text_content = repair_newlines(content)
    for plain in (content, text_content):
        fitting = fitting_encoding(plain, encoding)
        encoded = encode_all(plain, fitting)
        if fitting == "base64" or plain is text_content:
            assert decode_all(encoded, fitting) == plain
        assert max(map(len, encoded.split(b"\r\n"))) <= 998
    encoder, decoder = make_encoder(encoding), make_decoder(encoding)
    pieces = list(cut(content, lengths))
    encoded = b"".join(map(encoder.feed, pieces)) + encoder.finish()
    assert decode_all(encoded, encoding) == decode_all(
        encode_all(content, encoding), encoding
    )
    decoded = b"".join(map(decoder.feed, pieces)) + decoder.finish()
    assert decoded == decode_all(content, encoding)
    assert len(decoded) <= len(content) + 2


def check_rewriter(body: bytes, content_type: str, banner: str) -> None:
    """Without an edit a message leaves as it came; with a banner nothing fails."""
    header = Header(f"Content-Type: {content_type}\r\n".encode("utf-8", "replace"))
    before = bytes(header)
    assert _rewritten(body, header, Edits()) == body
    assert bytes(header) == before
    try:
        edits = Edits(banner=make_banner(banner))
    except ValueError:
        return
    changed = _rewritten(body, header, edits)
    assert len(changed) >= len(body) or not header.get("Content-Type")
    assert len(changed) <= 4 * len(body) + 99 * (len(banner) + 99) * LIMITS.max_parts


def _rewritten(body: bytes, header: Header, edits: Edits) -> bytes:
    rewriter = Rewriter(edits, LIMITS, header)
    rewriter.walker.feed(body)
    rewriter.walker.finish()
    return rewriter.take()


_PIECES = octets(
    *(b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: text/html\r\n"),
    *(
        b"Content-Type: message/rfc822\r\n",
        b"boundary=",
        b"\r\n--b\r\n",
        b"\r\n--b--\r\n",
    ),
    *(b"Content-Type: multipart/digest; boundary=bb\r\n", b"--bb\r\n", b"--b", b"\r\n"),
    *(
        b"Content-Transfer-Encoding: base64\r\n",
        b"\r\n\r\n",
        b"Subject: x\r\n",
        b" ",
        b"-",
    ),
    *(b"Content-Disposition: attachment; filename*=utf-8''%00\r\n", b"\xff", b"x" * 99),
    b"Content-Type: text/plain; charset=utf-16\r\n",
)
_CODED = octets(
    *(
        b"=",
        b"=3D",
        b"=\r\n",
        b"=0",
        b"QUJD",
        b"Q",
        b"==",
        b"\r",
        b"\n",
        b"\r\n",
        b" \r\n",
    ),
    *(b"\t", b"\xff", b"\0", b"x" * 80, b"-", b"=C3=BC"),
)
_TYPES = text(
    *(
        "text/plain",
        "text/html",
        "; charset=",
        "utf-8",
        "us-ascii",
        "utf-16",
        "hz",
        '"',
    ),
    *("multipart/mixed; boundary=b", ";", "ü", " "),
    most=4,
)
_ENCODINGS = ("7bit", "8bit", "binary", "base64", "quoted-printable", "x-unknown")

TARGETS: Final = (
    Target(
        tuple(
            f"message.mime.{name}"
            for name in ("walker", "delimiters", "part", "body", "limits")
        ),
        st.tuples(_PIECES, cuts()),
        check_walk,
    ),
    Target(
        ("message.mime.decoding", "message.mime.encoding"),
        st.tuples(_CODED, cuts(), st.sampled_from(_ENCODINGS)),
        check_coding,
    ),
    Target(
        tuple(f"message.mime.{name}" for name in ("rewriter", "edits", "banner")),
        st.tuples(_PIECES, _TYPES, text("bücher", "\n", "\u2028", "a" * 99, most=4)),
        check_rewriter,
    ),
)
