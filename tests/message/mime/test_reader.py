"""Tests of C{harakatw.message.mime.reader}, C{body} and C{streams}."""

from base64 import b64encode
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.interfaces.mime import IAttachmentStream, IBody
from harakatw.message.mime.body import Body
from harakatw.message.mime.limits import MIMELimits
from harakatw.message.mime.reader import Reader
from tests.message.mime.walks import LIMITS, multipart, samples
from tests.message.specimens import testdata

IMAGE = (
    b"Content-Type: image/png; name=a.png\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + b64encode(b"picture")
)


def read(octets: bytes, *starts: "Callable[..., None]", **limits: int) -> Body:
    """The tree of a message."""
    reader = Reader(MIMELimits(**limits) if limits else LIMITS, starts)
    reader.walker.feed(octets)
    reader.walker.finish()
    assert reader.body is not None
    return reader.body


class TreeTests(SynchronousTestCase):
    """What plugins read of a message's parts (row HB02)."""

    def test_interface(self) -> None:
        """A part has all that plugins are promised."""
        verifyObject(IBody, read(b"\r\nx"))

    def test_plain(self) -> None:
        """A message without structure is one part with its text."""
        body = read(b"Subject: hello\r\n\r\nHi\r\n")
        self.assertEqual((body.bodytext, body.ct, body.state), ("Hi\r\n", "", "end"))
        self.assertEqual(body.header.get("subject"), "hello")
        self.assertEqual((body.children, body.size), ([], 4))

    def test_decoded(self) -> None:
        """Text is decoded from transfer encoding and charset."""
        body = read(
            b"Content-Type: text/html; charset=ISO-8859-1\r\n"
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n<b>gr=FC=\r\n=DF</b>"
        )
        self.assertEqual(body.bodytext, "<b>grüß</b>")
        self.assertEqual(body.body_encoding, "ISO-8859-1")
        self.assertTrue(body.is_html)
        self.assertEqual(body.size, 11)

    def test_charsets(self) -> None:
        """Text without a charset, or with one that does not exist, is UTF-8."""
        for parameter in b"", b"; charset=punycode", b"; charset=no-such":
            head = b"Content-Type: text/plain" + parameter + b"\r\n\r\n"
            self.assertEqual(read(head + "ü".encode()).bodytext, "ü")
            self.assertEqual(read(head + b"\xff").bodytext, "\ufffd")

    def test_children(self) -> None:
        """A multipart has its parts, and for text what stands before them."""
        octets = multipart(
            multipart(b"\r\none", b"\r\ntwo", boundary="i", subtype="alternative"),
            IMAGE,
        ).replace(b"\r\n\r\n--b", b"\r\n\r\nMIME!\r\n--b", 1)
        body = read(octets)
        self.assertEqual(body.bodytext, "MIME!")
        self.assertEqual(
            [each.bodytext for each in body.children[0].children], ["one", "two"]
        )
        image = body.children[1]
        self.assertEqual((image.filename, image.bodytext), ("a.png", ""))
        self.assertEqual((image.is_attachment, image.size), (True, 7))
        self.assertEqual(image.parameters, {"name": "a.png"})
        self.assertEqual(
            [each.content_type for each in body.walk()],
            [
                "multipart/mixed",
                "multipart/alternative",
                "text/plain",
                "text/plain",
                "image/png",
            ],
        )

    def test_message(self) -> None:
        """A message within is a child with a child."""
        inner = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nhidden"
        body = read(multipart(inner))
        within = body.children[0].children[0]
        self.assertEqual(within.header.get("Subject"), "in")
        self.assertEqual(within.bodytext, "hidden")

    def test_encoded_message(self) -> None:
        """A message in base64 is an attachment, and is read all the same."""
        inner = multipart(b"\r\nhidden", IMAGE, boundary="i")
        for coding, octets in (
            (b"base64", b64encode(inner)),
            (b"quoted-printable", inner.replace(b"=", b"=3D")),
        ):
            part = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: "
            taker = Taker()
            body = read(multipart(part + coding + b"\r\n\r\n" + octets), taker)
            message = body.children[0]
            self.assertTrue(message.is_attachment)
            texts = [each.bodytext for each in message.children[0].children]
            self.assertEqual(texts, ["hidden", ""])
            self.assertEqual(
                taker.given[2:],
                ["image/png; name=a.png", "a.png", b"picture", "end", inner, "end"],
            )

    def test_encoded_levels(self) -> None:
        """Encoded messages in each other count as parts, and are not read for ever."""
        octets = b"\r\nx"
        for _ in range(20):
            octets = (
                b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: "
                b"base64\r\n\r\n" + b64encode(octets)
            )
        reader = Reader(LIMITS)
        reader.walker.feed(octets)
        reader.walker.finish()
        self.assertEqual(reader.part_count, 4)

    def test_too_many_in_encoded(self) -> None:
        """Parts in an encoded message count like others."""
        inner = b64encode(multipart(*[b"\r\nx"] * 50, boundary="i"))
        part = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64"
        octets = multipart(b"\r\nx", part + b"\r\n\r\n" + inner)
        for most, too_many in (53, True), (54, False):
            reader = Reader(MIMELimits(max_parts=most))
            reader.walker.feed(octets)
            reader.walker.finish()
            self.assertEqual(reader.has_too_many_parts, too_many, most)

    def test_too_much_text(self) -> None:
        """Of all text together no more is kept than is allowed."""
        text = b"\r\n" + b"x" * 60
        body = read(multipart(text, text), max_text_octets=100)
        self.assertEqual([len(each.bodytext) for each in body.children], [60, 40])
        self.assertEqual([each.is_truncated for each in body.children], [False, True])
        self.assertEqual([each.size for each in body.children], [60, 60])

    def test_too_much_preamble(self) -> None:
        """What stands before the parts does not use up the room for text."""
        octets = multipart(b"\r\ntext").replace(
            b"\r\n\r\n--b", b"\r\n\r\n" + b"x" * 200_000 + b"\r\n--b", 1
        )
        body = read(octets, max_text_octets=100_000)
        self.assertEqual(len(body.bodytext), 65_536)
        self.assertTrue(body.is_truncated)
        self.assertEqual(body.children[0].bodytext, "text")

    def test_samples(self) -> None:
        """All sample messages are read without a complaint."""
        for name, octets in samples():
            for body in read(octets).walk():
                self.assertEqual(body.state, "end", name)

    if not testdata().is_dir():
        test_samples.skip = "the samples are not here"  # type: ignore[attr-defined]


class Taker:
    """
    A plugin that takes attachments.

    @ivar given: what it was told and given.
    @ivar answer: makes what it answers to content.
    """

    def __init__(self, answer: "Callable[[], object]" = lambda: None) -> None:
        self.given: list[object] = []
        self.answer = answer

    def __call__(
        self, ct: str, filename: str, body: IBody, stream: IAttachmentStream
    ) -> None:
        """An attachment begins."""
        self.given += [ct, filename]
        self.stream = stream
        stream.on_data(self.data)  # type: ignore[arg-type]  # any answer, to test that
        stream.on_end(lambda: self.given.append("end"))

    def data(self, octets: bytes) -> object:
        """Some of it came."""
        self.given.append(octets)
        return self.answer()


class StreamTests(SynchronousTestCase):
    """How plugins are given attachments (row TX09)."""

    def begin(self, *takers: Taker, piece: int = 4, octets: bytes = b"") -> Reader:
        """Feed a message with one attachment, of which the end has not come."""
        reader = Reader(MIMELimits(stream_octets=piece), takers)
        reader.walker.feed(octets or multipart(b"\r\ntext", IMAGE))
        return reader

    def test_interface(self) -> None:
        """A stream has all that plugins are promised."""
        taker = Taker()
        self.begin(taker).walker.finish()
        verifyObject(IAttachmentStream, taker.stream)

    def test_pieces(self) -> None:
        """An attachment comes decoded, in pieces of the size that is set."""
        one, two = Taker(), Taker()
        self.begin(one, two).walker.finish()
        expected = [
            "image/png; name=a.png",
            "a.png",
            b"pict",
            b"ure",
            "end",
        ]
        self.assertEqual(one.given, expected)
        self.assertEqual(two.given, expected)
        self.assertEqual(one.stream.size, 7)

    def test_text_is_none(self) -> None:
        """Text is an attachment only if its sender says so."""
        taker = Taker()
        attached = b"Content-Disposition: attachment; filename=x\r\n\r\ntext"
        self.begin(taker, octets=multipart(b"\r\na", attached)).walker.finish()
        self.assertEqual(taker.given, ["text/plain", "x", b"text", "end"])

    def test_wait(self) -> None:
        """While a plugin is busy nothing more comes, and the message is held."""
        busy: list[Deferred[None]] = []

        def answer() -> Deferred[None]:
            busy.append(Deferred())
            return busy[-1]

        taker = Taker(answer)
        reader = self.begin(taker)
        reader.walker.finish()
        self.assertEqual(taker.given[2:], [b"pict"])
        self.assertTrue(reader.flow.is_held)
        free = reader.flow.when_free()
        busy.pop().callback(None)
        self.assertEqual(taker.given[2:], [b"pict", b"ure"])
        self.assertNoResult(free)
        busy.pop().callback(None)
        self.assertEqual(taker.given[4:], ["end"])
        self.successResultOf(free)
        self.assertFalse(reader.flow.is_held)

    def test_done_already(self) -> None:
        """An answer that is there at once holds nothing up."""
        done: Deferred[None] = Deferred()
        done.callback(None)
        taker = Taker(lambda: done)
        reader = self.begin(taker)
        reader.walker.finish()
        self.assertFalse(reader.flow.is_held)
        self.assertEqual(taker.given[2:], [b"pict", b"ure", "end"])

    def test_coroutines(self) -> None:
        """All callbacks may be coroutines; what follows waits for them."""
        ready: Deferred[None] = Deferred()
        given: list[object] = []

        async def data(octets: bytes) -> None:
            given.append(octets)

        async def end() -> None:
            given.append("end")

        async def start(
            ct: str, name: str, body: IBody, stream: IAttachmentStream
        ) -> None:
            stream.on_data(data)
            stream.on_end(end)
            await ready

        reader = Reader(MIMELimits(stream_octets=4), [start])
        reader.walker.feed(multipart(IMAGE))
        reader.walker.finish()
        self.assertEqual(given, [])
        self.assertTrue(reader.flow.is_held)
        ready.callback(None)
        self.assertEqual(given, [b"pict", b"ure", "end"])
        self.assertFalse(reader.flow.is_held)

    def test_pause(self) -> None:
        """A plugin may pause at the beginning and say later what it wants."""
        streams: list[IAttachmentStream] = []
        got: list[bytes] = []

        def start(ct: str, name: str, body: IBody, stream: IAttachmentStream) -> None:
            stream.pause()
            streams.append(stream)

        reader = Reader(MIMELimits(stream_octets=4), [start])
        reader.walker.feed(multipart(IMAGE))
        reader.walker.finish()
        self.assertTrue(reader.flow.is_held)
        streams[0].on_data(got.append)
        streams[0].on_end(lambda: got.append(b"end"))
        self.assertEqual(got, [])
        streams[0].resume()
        self.assertEqual(got, [b"pict", b"ure", b"end"])
        self.assertFalse(reader.flow.is_held)

    def test_not_wanted(self) -> None:
        """What a plugin does not ask for is dropped."""
        reader = Reader(LIMITS, [lambda *_: None])
        reader.walker.feed(multipart(IMAGE))
        reader.walker.finish()
        self.assertFalse(reader.flow.is_held or reader.flow.failed)

    def test_failures(self) -> None:
        """
        A plugin that fails gets no more, is logged, and the message is not taken as if
        it had been looked at.
        """

        def bad_start(*_: object) -> None:
            raise ValueError("start")

        def bad_answer() -> None:
            raise ValueError("data")

        late: Deferred[None] = Deferred()
        for start in bad_start, Taker(bad_answer), Taker(lambda: late):
            with capturedLogs() as logs:
                reader = Reader(MIMELimits(stream_octets=4), [start])
                reader.walker.feed(multipart(IMAGE))
                reader.walker.finish()
                if isinstance(start, Taker) and reader.flow.is_held:
                    late.errback(ValueError("later"))
            self.assertTrue(reader.flow.failed)
            self.assertFalse(reader.flow.is_held)
            self.assertEqual(len(logs), 1)
            self.flushLoggedErrors(ValueError)
            if isinstance(start, Taker):
                self.assertEqual(start.given[2:], [b"pict"])
