"""
Reads a message while it comes: the tree of its parts, and attachments for plugins.
"""

from collections.abc import Sequence

from twisted.logger import Logger

from harakatw.interfaces.mime import AttachmentStart
from harakatw.message.header import Header
from harakatw.message.mime.body import Body, make_body
from harakatw.message.mime.decoding import Decoder, Identity, make_decoder
from harakatw.message.mime.limits import MIMELimits
from harakatw.message.mime.part import Kind, Part
from harakatw.message.mime.streams import AttachmentStream, Flow
from harakatw.message.mime.walker import Walker


class Reader:
    """
    Takes the parts of one walk; see L{harakatw.message.mime.walker.PartSink}.

    @ivar body: the message itself, L{None} until its header has come.
    @ivar walker: to be fed.
    @ivar flow: is held while a plugin needs time for an attachment.
    """

    _log = Logger()

    def __init__(
        self,
        limits: MIMELimits,
        starts: Sequence[AttachmentStart] = (),
        header: Header | None = None,
    ) -> None:
        """
        @param starts: who wants attachments.
        @param header: the message's, if only its body will be fed.
        """
        self.body: Body | None = None
        self.flow = Flow()
        self._limits = limits
        self._starts = starts
        self._open: list[Body] = []  # the last is what content is of
        self._decoder: Decoder = Identity()
        self._streams: list[AttachmentStream] = []
        self._text_octets = limits.max_text_octets
        self.walker = Walker(self, limits, header)

    def begin(self, part: Part, head: bytes) -> None:
        """As L{PartSink.begin}."""
        body = make_body(part)
        if self._open:
            self._open[-1].children.append(body)
        else:
            self.body = body
        self._open.append(body)
        if part.kind is not Kind.LEAF:
            return
        self._decoder = make_decoder(part.encoding)
        if part.is_attachment:
            self._streams = [self._announce(start, body) for start in self._starts]

    def content(self, part: Part, octets: bytes) -> None:
        """As L{PartSink.content}."""
        body = self._open[-1]
        if part.kind is Kind.LEAF:
            octets = self._decoder.feed(octets)
            body.size += len(octets)
        self._take(body, octets)

    def between(self, octets: bytes) -> None:
        """As L{PartSink.between}: nothing to read."""

    def end(self, part: Part) -> None:
        """As L{PartSink.end}."""
        body = self._open.pop()
        if part.kind is Kind.LEAF:
            rest = self._decoder.finish()
            body.size += len(rest)
            self._take(body, rest)
            for stream in self._streams:
                stream.finish()
            self._streams = []
        body.ended()

    def _take(self, body: Body, octets: bytes) -> None:
        if body.is_attachment:
            for stream in self._streams:
                stream.feed(octets)
            return
        if len(octets) > self._text_octets:
            octets = octets[: self._text_octets]
            body.is_truncated = True
        if octets:
            self._text_octets -= len(octets)
            body.add_text(octets)

    def _announce(self, start: AttachmentStart, body: Body) -> AttachmentStream:
        stream = AttachmentStream(self.flow, self._limits.stream_octets)
        try:
            start(body.ct or body.content_type, body.filename, body, stream)
        except Exception:
            self._log.failure("{start} failed", start=start)
            self.flow.fail()
        return stream
