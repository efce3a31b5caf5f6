"""Tests of C{harakatw.message.mime.rewriter}, C{edits} and C{banner}."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.mime import walker
from harakatw.message.mime.banner import HELD_OCTETS, make_banner
from harakatw.message.mime.edits import BodyFilter, Edits
from harakatw.message.mime.limits import MIMELimits
from harakatw.message.mime.rewriter import Rewriter
from tests.message.mime.test_reader import IMAGE, read
from tests.message.mime.walks import LIMITS, multipart, samples
from tests.message.specimens import cuts, testdata, whole_message

HTML = b"Content-Type: text/html\r\n\r\n<html><body><p>x</p></BODY></html>"


def rewrite(
    octets: bytes,
    *filters: tuple[object, "Callable[..., object]"],
    text: str = "",
    markup: str | None = None,
    limits: MIMELimits = LIMITS,
    chunks: list[bytes] | None = None,
) -> bytes:
    """The message, changed."""
    message = whole_message(octets)
    body = b"".join(message.body_chunks())
    edits = Edits(
        tuple(BodyFilter(*each) for each in filters),  # type: ignore[arg-type]
        make_banner(text, markup) if text else None,
    )
    rewriter = Rewriter(edits, limits, message.header)
    made = []
    for chunk in [body] if chunks is None else chunks:
        rewriter.walker.feed(chunk)
        made.append(rewriter.take())
    rewriter.walker.finish()
    return bytes(message.header) + b"\r\n" + b"".join(made) + rewriter.take()


def body_of(octets: bytes) -> bytes:
    """What stands behind the first blank line."""
    return octets.partition(b"\r\n\r\n")[2]


def same(ct: str, charset: str, octets: bytes) -> bytes:
    """A filter that changes nothing."""
    return octets


class BannerTests(SynchronousTestCase):
    """Where a banner goes, and how it is written (row TX10)."""

    def test_plain(self) -> None:
        """It stands at the end of text, and nothing else changes."""
        octets = b"Subject: x\r\n\r\nHello\r\n"
        self.assertEqual(
            rewrite(octets, text="one\ntwo"), octets + b"\r\none\r\ntwo\r\n"
        )

    def test_html(self) -> None:
        """In HTML it stands before the end of the body, or of the document, or last."""
        for before, after in (
            (b"<body>x</BODY >y", b"<body>x\r\na<br/>\r\nb &lt;c&gt;\r\n</BODY >y"),
            (b"</body>x</body>", b"</body>x\r\na<br/>\r\nb &lt;c&gt;\r\n</body>"),
            (b"<html>x</html>", b"<html>x\r\na<br/>\r\nb &lt;c&gt;\r\n</html>"),
            (b"x</bodywork>", b"x</bodywork>\r\na<br/>\r\nb &lt;c&gt;\r\n"),
        ):
            head = b"Content-Type: text/html\r\n\r\n"
            self.assertEqual(body_of(rewrite(head + before, text="a\nb <c>")), after)

    def test_own_html(self) -> None:
        """HTML may be given."""
        made = rewrite(HTML, text="x", markup="<hr>Grüße")
        self.assertIn(b"\r\n<hr>Gr&#252;&#223;e\r\n</BODY>", made)

    def test_long_html(self) -> None:
        """In a long document the end is found without keeping all of it."""
        page = b"</body>" + b"<p>x</p>\r\n" * 20_000 + b"</body></html>\r\n"
        self.assertGreater(len(page), 2 * HELD_OCTETS)
        made = rewrite(b"Content-Type: text/html\r\n\r\n" + page, text="!")
        expected = page[:-16] + b"\r\n!\r\n</body></html>\r\n"
        self.assertEqual(body_of(made), expected)

    def test_multipart(self) -> None:
        """Each text that is not attached gets it; all else keeps its octets."""
        attached = b"Content-Disposition: attachment\r\n\r\ntext"
        named = b"Content-Type: text/plain; name=x.txt\r\n\r\ntext"
        report = b"Content-Type: text/calendar\r\n\r\nBEGIN:"
        inner = b"Content-Type: message/rfc822\r\n\r\n\r\nforwarded"
        alternative = multipart(b"\r\none", HTML, boundary="i", subtype="alternative")
        octets = multipart(alternative, IMAGE, attached, named, report, inner)
        made = rewrite(octets, text="!")
        expected = octets.replace(b"\r\none", b"\r\none\r\n!\r\n").replace(
            b"</BODY>", b"\r\n!\r\n</BODY>"
        )
        self.assertEqual(made, expected)

    def test_signed(self) -> None:
        """A part that its sender signed or encrypted stays whole (RFC 1847)."""
        for subtype in "signed", "encrypted":
            signed = multipart(b"\r\none", IMAGE, subtype=subtype)
            self.assertEqual(rewrite(signed, text="!"), signed)
            around = multipart(multipart(b"\r\nx", subtype=subtype, boundary="s"))
            self.assertEqual(rewrite(around, text="!"), around)

    def test_transfer_encodings(self) -> None:
        """It is written in the transfer encoding of the part."""
        head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
        quoted = head + b"quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n"
        self.assertEqual(rewrite(quoted, text="ü="), quoted + b"\r\n=C3=BC=3D\r\n")
        encoded = head + b"base64\r\n\r\n" + b64encode(b"Hello, world!!") + b"\r\n"
        made = rewrite(encoded, text="ü" * 60)
        self.assertTrue(made.endswith(b"\r\n"))
        self.assertLessEqual(max(map(len, body_of(made).split(b"\r\n"))), 76)
        self.assertEqual(
            b64decode(body_of(made)).decode(), "Hello, world!!\r\n" + "ü" * 60 + "\r\n"
        )
        plain = head + b"8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"
        self.assertEqual(rewrite(plain, text="ü"), plain + b"\r\n\xc3\xbc\r\n")

    def test_charsets(self) -> None:
        """It is written in the charset of the part, as well as that can be."""
        for charset, expected in (
            ("iso-8859-1", "Grüße ? ?"),
            ("utf-16", "Grüße — ✓"),
            ("utf-32", "Grüße — ✓"),
            ("koi8-r", "Gru?e ? ?"),
            ("gb2312", "Grüße — ✓"),
            ("iso-2022-jp", "Gru?e ? ?"),
        ):
            head = f"Content-Type: text/plain; charset={charset}\r\n"
            coded = "Content-Transfer-Encoding: base64\r\n\r\n"
            text = b64encode("hello".encode(charset))
            made = rewrite((head + coded).encode() + text, text="Grüße — ✓")
            decoded = read(made).bodytext
            self.assertEqual(decoded, f"hello\r\n{expected}\r\n", charset)

    def test_utf_16(self) -> None:
        """Of UTF-16 the order of octets is heeded, which its beginning tells."""
        for order in "le", "be":
            text = ("\ufeff" + "hello").encode(f"utf-16-{order}")
            head = b"Content-Type: text/plain; charset=utf-16\r\n"
            coded = b"Content-Transfer-Encoding: base64\r\n\r\n" + b64encode(text)
            self.assertEqual(
                read(rewrite(head + coded, text="✓")).bodytext, "hello\r\n✓\r\n"
            )

    def test_ascii(self) -> None:
        """A text in ASCII becomes UTF-8 if the banner needs it, and says so."""
        for head in (
            b"",
            b"Content-Type: text/plain; charset=US-ASCII; format=flowed\r\n",
        ):
            made = rewrite(head + b"Subject: x\r\n\r\nHello\r\n", text="✓ = ok")
            body = read(made)
            self.assertEqual(body.bodytext, "Hello\r\n\r\n✓ = ok\r\n")
            self.assertEqual(body.parameters["charset"], "utf-8")
            self.assertEqual(body.part.encoding, "quoted-printable")
            self.assertEqual(body.header.get("MIME-Version"), "1.0")
            self.assertEqual("format" in body.parameters, bool(head))
            self.assertTrue(made.isascii())

    def test_ascii_in_multipart(self) -> None:
        """Likewise in a part, whose header is in the body."""
        made = rewrite(multipart(b"\r\none", b"X: y\r\n\r\ntwo", IMAGE), text="✓")
        texts = [each.bodytext for each in read(made).children]
        self.assertEqual(texts, ["one\r\n✓\r\n", "two\r\n✓\r\n", ""])
        self.assertIn(b"\r\n--b\r\nX: y\r\nContent-Type", made)
        self.assertIn(IMAGE, made)

    def test_unknown_encoding(self) -> None:
        """A part whose encoding nobody knows stays as it is."""
        octets = b"Content-Transfer-Encoding: x-mine\r\n\r\nxyz\r\n"
        self.assertEqual(rewrite(octets, text="!"), octets)

    def test_bad_banner(self) -> None:
        """A banner that could not stand in a message is refused when it is set."""
        for text in "a\0b", "\x1b[0m", "x" * 901, "ü" * 451, "\ud800":
            self.assertRaises(ValueError, make_banner, text)
            self.assertRaises(ValueError, make_banner, "x", text)
        self.assertEqual(make_banner("a\rb\r\nc\n\td").text, "a\r\nb\r\nc\r\n\td")


class FilterTests(SynchronousTestCase):
    """How plugins change the content of parts (row TX11)."""

    def test_calls(self) -> None:
        """A filter is given type, charset and decoded content of each part it wants."""
        calls = []

        def note(*call: object) -> None:
            calls.append(call)

        octets = multipart(
            b"\r\none",
            b"Content-Type: TEXT/html; charset=latin1\r\n"
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=FC",
            IMAGE,
        )
        made = rewrite(octets, ("text/", note), (re.compile("png|gif"), note))
        self.assertEqual(
            calls,
            [
                ("text/plain", "us-ascii", b"one"),
                ("TEXT/html; charset=latin1", "latin1", b"\xfc"),
                ("image/png; name=a.png", "us-ascii", b"picture"),
            ],
        )
        self.assertEqual(made, octets)

    def test_changed(self) -> None:
        """What a filter returns is in the part, in its encoding; others stay."""
        octets = multipart(b"\r\none", IMAGE, HTML)
        made = rewrite(octets, ("image/", lambda *call: call[2].upper() * 30))
        self.assertEqual(
            made.replace(b"\r\n", b""),
            octets.replace(b64encode(b"picture"), b64encode(b"PICTURE" * 30)).replace(
                b"\r\n", b""
            ),
        )
        self.assertIn(HTML, made)

    def test_same_octets(self) -> None:
        """A part that a filter returns unchanged keeps its very octets."""
        octets = (
            b"Content-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\r\n"
            b"aGV\r\n\r\nsbG8\r\n"
        )
        self.assertEqual(rewrite(octets, ("", same)), octets)

    def test_two_filters_and_banner(self) -> None:
        """Filters work one after the other, then the banner is added."""
        made = rewrite(
            b"Subject: x\r\n\r\nabc\r\n",
            ("text/plain", lambda *call: call[2].upper()),
            ("TEXT/Plain", lambda *call: call[2].replace(b"B", b"-")),
            text="banner",
        )
        self.assertEqual(body_of(made), b"A-C\r\n\r\nbanner\r\n")

    def test_other_encoding(self) -> None:
        """Content that does not fit the encoding of the part gets another one."""
        for content, encoding in (
            (b"\xfc", "quoted-printable"),
            (b"a\nb\0", "base64"),
            (b"x" * 1000, "quoted-printable"),
        ):
            made = rewrite(multipart(b"\r\nx"), ("text/", lambda *_, c=content: c))
            (part,) = read(made).children
            self.assertEqual(part.part.encoding, encoding)
            self.assertEqual(part.size, len(content))

    def test_failures(self) -> None:
        """A filter that fails or returns nonsense is logged; the part stays."""
        octets = b"Subject: x\r\n\r\nabc\r\n"
        for result in ValueError("no"), "text", 7:

            def fail(*_: object, result: object = result) -> object:
                if isinstance(result, Exception):
                    raise result
                return result

            with capturedLogs() as logs:
                self.assertEqual(rewrite(octets, ("text/", fail)), octets)
            self.assertEqual(len(logs), 1)
            self.flushLoggedErrors(ValueError)

    def test_too_big(self) -> None:
        """A part that is too big to be held in memory goes on as it is; logged."""
        octets = multipart(b"\r\n" + b"x" * 100, b"\r\nsmall")
        limits = MIMELimits(max_collected_octets=50)
        upper = ("text/", lambda *call: call[2].upper())
        with capturedLogs() as logs:
            chunks = [bytes([each]) for each in body_of(octets)]
            self.patch(walker, "STEP_OCTETS", 1)
            made = rewrite(octets, upper, limits=limits, chunks=chunks)
        self.assertEqual(made, octets.replace(b"small", b"SMALL"))
        self.assertEqual(len(logs), 1)

    def test_long_header(self) -> None:
        """A part whose header is too long to be read is left alone."""
        octets = multipart(b"A: " + b"x" * 100 + b"\r\n\r\nx")
        limits = MIMELimits(max_header_octets=50)
        self.assertEqual(
            rewrite(octets, ("", lambda *_: b"!"), text="!", limits=limits), octets
        )


class SampleTests(SynchronousTestCase):
    """Mail of other projects passes through filters and banner."""

    if not testdata().is_dir():
        skip = "the sample messages are not here"

    def test_untouched(self) -> None:
        """A filter that changes nothing changes no octet of any message."""
        for name, octets in samples():
            message = whole_message(octets)
            expected = b"".join(message.chunks())
            self.assertEqual(rewrite(octets, ("", same)), expected, name)

    def test_banner(self) -> None:
        """
        A banner gets into each text that people read, and no part is lost; parts
        without it keep their octets.
        """
        for name, octets in samples():
            before, after = (
                read(octets).walk(),
                read(rewrite(octets, text="BaNnEr")).walk(),
            )
            self.assertEqual(len(before), len(after), name)
            for old, new in zip(before, after, strict=True):
                self.assertEqual(old.content_type, new.content_type)
                if "BaNnEr" not in new.bodytext:
                    self.assertEqual(old.bodytext, new.bodytext, name)
                    self.assertEqual(old.size, new.size, name)
            top = after[0].part
            if top.is_text and top.encoding in ("7bit", "8bit") and not top.filename:
                with_banner = top.content_type in ("text/plain", "text/html")
                self.assertEqual("BaNnEr" in after[0].bodytext, with_banner, name)

    def test_cuts(self) -> None:
        """However a message is cut, the same goes out."""
        self.patch(walker, "STEP_OCTETS", 1)
        small = [octets for _, octets in samples() if len(octets) < 700]
        self.assertGreater(len(small), 5)
        for octets in small:
            body = b"".join(whole_message(octets).body_chunks())
            expected = rewrite(octets, text="BaNnEr")
            for chunks in cuts(body):
                made = rewrite(octets, text="BaNnEr", chunks=chunks)
                self.assertEqual(made, expected)
