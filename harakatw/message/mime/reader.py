"""
Reads a message while it comes: the tree of its parts, and attachments for plugins.
"""

from collections.abc import Sequence
from typing import Final

import attrs

from harakatw.interfaces.mime import AttachmentStart
from harakatw.message.header import Header
from harakatw.message.mime.body import Body, make_body
from harakatw.message.mime.decoding import Decoder, Identity, make_decoder
from harakatw.message.mime.limits import MIMELimits
from harakatw.message.mime.part import Kind, Part
from harakatw.message.mime.streams import AttachmentStream, Flow
from harakatw.message.mime.walker import Walker

MAX_PREAMBLE_OCTETS: Final = 1 << 16
"""
Of all that stands before the parts of multiparts. No mail program shows it, so it shall
not use up what is meant for text.
"""

MAX_ENCODED_LEVELS: Final = 3
"""Encoded messages within each other that are read; each is a walk of its own."""


class Reader:
    """
    Takes the parts of one walk; see L{harakatw.message.mime.walker.PartSink}.

    @ivar body: the message itself, L{None} until its header has come.
    @ivar walker: to be fed.
    @ivar flow: is held while a plugin needs time for an attachment.
    """

    def __init__(
        self,
        limits: MIMELimits,
        starts: Sequence[AttachmentStart] = (),
        header: Header | None = None,
        outer: "Reader | None" = None,
    ) -> None:
        """
        @param starts: who wants attachments.
        @param header: the message's, if only its body will be fed.
        @param outer: who reads the message that this one is in.
        """
        self.body: Body | None = None
        self.flow: Flow = Flow() if outer is None else outer.flow
        self._level: int = 0 if outer is None else outer._level + 1
        self._inner: Reader | None = None  # reads a message that is encoded
        self._inner_parts = 0
        self._has_too_many_within = False
        self._limits = limits
        self._starts = starts
        self._open: list[Body] = []  # the last is what content is of
        self._decoder: Decoder = Identity()
        self._streams: list[AttachmentStream] = []
        self._text_octets = limits.max_text_octets
        self._preamble_octets = MAX_PREAMBLE_OCTETS
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
        if part.is_encoded_message and self._level < MAX_ENCODED_LEVELS:
            self._inner = Reader(self._limits_within(part), self._starts, outer=self)
        if part.is_attachment:
            self._streams = [self._announce(start, body) for start in self._starts]

    def content(self, part: Part, octets: bytes) -> None:
        """As L{PartSink.content}."""
        body = self._open[-1]
        if part.kind is Kind.LEAF:
            octets = self._decoder.feed(octets)
            body.size += len(octets)
            if self._inner is not None:
                self._inner.walker.feed(octets)
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
            self._end_inner(body, rest)
            for stream in self._streams:
                stream.finish()
            self._streams = []
        body.ended()

    @property
    def part_count(self) -> int:
        """Parts begun, those in encoded messages too."""
        return self.walker.part_count + self._inner_parts

    @property
    def has_too_many_parts(self) -> bool:
        """Was something passed over, for the number of parts?"""
        return self.walker.has_too_many_parts or self._has_too_many_within

    def _limits_within(self, part: Part) -> MIMELimits:
        """What is left for a message in the message."""
        limits = self._limits
        return attrs.evolve(
            limits,
            max_depth=max(1, limits.max_depth - part.depth),
            max_parts=max(1, limits.max_parts - self.part_count),
            max_text_octets=self._text_octets,
        )

    def _end_inner(self, body: Body, rest: bytes) -> None:
        inner, self._inner = self._inner, None
        if inner is None:
            return
        inner.walker.feed(rest)
        inner.walker.finish()
        self._inner_parts += inner.part_count
        self._has_too_many_within |= inner.has_too_many_parts
        self._text_octets = inner._text_octets
        if inner.body is not None:
            body.children.append(inner.body)

    def _take(self, body: Body, octets: bytes) -> None:
        if body.is_attachment:
            for stream in self._streams:
                stream.feed(octets)
            return
        room = self._text_octets
        if body.part.kind is not Kind.LEAF:
            room = min(room, self._preamble_octets)
            self._preamble_octets -= min(room, len(octets))
        if len(octets) > room:
            octets = octets[:room]
            body.is_truncated = True
        if octets:
            self._text_octets -= len(octets)
            body.add_text(octets)

    def _announce(self, start: AttachmentStart, body: Body) -> AttachmentStream:
        stream = AttachmentStream(self.flow, self._limits.stream_octets)
        stream.begin(start, body)
        return stream
