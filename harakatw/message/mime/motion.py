"""
What plugins asked to be done with the structure of one message, and the doing of it.

Nothing of this exists for a message as long as no plugin asks.

@see: Haraka rows TX03 and TX09 to TX12
"""

import re
from collections.abc import Callable
from typing import Final

import attrs
from twisted.internet.defer import Deferred

from harakatw.interfaces.mime import AttachmentStart, FilterFunction, IBody
from harakatw.message.mime.banner import Banner, make_banner
from harakatw.message.mime.body import Body
from harakatw.message.mime.edits import BodyFilter, Edits
from harakatw.message.mime.limits import MIMELimits
from harakatw.message.mime.reader import Reader
from harakatw.message.mime.rewriter import Rewriter
from harakatw.message.mime.streams import Flow
from harakatw.message.store import Message

PIECE_OCTETS: Final = 1 << 16
"""Of a body that is looked at again, before the reactor does something else."""


@attrs.define(eq=False)
class Motion:
    """
    The wishes for one message.

    @ivar parse_body: is the tree of its parts wanted?
    @ivar discard_data: may its octets be forgotten?
    @ivar starts: who wants its attachments.
    @ivar filters: what changes its parts.
    @ivar banner: what is added to its text.
    @ivar reader: reads it while it comes; L{None} if nobody wants that.
    """

    limits: MIMELimits
    parse_body: bool = False
    discard_data: bool = False
    starts: list[AttachmentStart] = attrs.field(factory=list)
    filters: list[BodyFilter] = attrs.field(factory=list)
    banner: Banner | None = None
    reader: Reader | None = None
    has_begun: bool = False
    _late: Reader | None = None

    def begin(self) -> None:
        """The message is about to come."""
        self.has_begun = True
        if self.parse_body or self.starts:
            self.reader = Reader(self.limits, tuple(self.starts))

    def attachment_hooks(self, start: AttachmentStart) -> None:
        """
        See L{ITransaction.attachment_hooks}.

        @raise ValueError: if the message comes already.
        """
        if self.has_begun:
            raise ValueError("attachment_hooks comes too late: call it in hook_data")
        self.parse_body = True
        self.starts.append(start)

    def add_body_filter(
        self, match: "str | re.Pattern[str]", function: FilterFunction
    ) -> None:
        """See L{ITransaction.add_body_filter}."""
        self.filters.append(BodyFilter(match, function))

    def set_banner(self, text: str, markup: str | None = None) -> None:
        """See L{ITransaction.set_banner}."""
        self.banner = make_banner(text, markup) if text or markup else None

    def receive(self, message: Message, octets: bytes) -> None:
        """Octets of the message came; C{message} has them already."""
        if self.reader is not None:
            self.reader.walker.feed(octets)
        if self.discard_data:
            message.drop_body()

    def finish(self) -> None:
        """The message is whole."""
        if self.reader is not None:
            self.reader.walker.finish()

    @property
    def flow(self) -> Flow | None:
        """What plugins hold while they need time; L{None} if none is to be read."""
        return None if self.reader is None else self.reader.flow

    @property
    def is_held(self) -> bool:
        """Does a plugin need time for an attachment?"""
        return self.reader is not None and self.reader.flow.is_held

    @property
    def has_failed(self) -> bool:
        """Did a plugin not take an attachment?"""
        return self.reader is not None and self.reader.flow.failed

    @property
    def has_too_many_parts(self) -> bool:
        """Were there more parts than are looked at?"""
        return self.reader is not None and self.reader.has_too_many_parts

    @property
    def changes(self) -> bool:
        """Is the message to be changed?"""
        return bool(self.filters or self.banner)

    @property
    def body(self) -> Body | None:
        """The tree of the parts, as far as they have come."""
        reader = self.reader or self._late
        return None if reader is None else reader.body

    @property
    def part_count(self) -> int:
        """Parts that came."""
        reader = self.reader or self._late
        return 0 if reader is None else reader.part_count

    async def read(self, message: Message) -> IBody:
        """
        The tree of a message that came without being read.

        @param message: whole.
        @raise StoreError: if it cannot be read.
        """
        if self.body is None:
            reader = Reader(self.limits, header=message.header)
            await pour(message, reader.walker.feed)
            reader.walker.finish()
            self._late = reader
        assert self.body is not None  # a walk begins with the message
        return self.body

    async def rewrite(self, message: Message) -> None:
        """
        Change a message as asked for.

        @param message: whole; it has its new body when this is done.
        @raise StoreError: if it cannot be read, or the disk does not take it.
        """
        edits = Edits(tuple(self.filters), self.banner)
        rewriter = Rewriter(edits, self.limits, message.header)
        body = message.new_body()

        def take(octets: bytes) -> "Deferred[None] | None":
            rewriter.walker.feed(octets)
            body.append(rewriter.take())
            return body.spool() if body.needs_spool else None

        try:
            await pour(message, take)
            rewriter.walker.finish()
            body.append(rewriter.take())
            if body.needs_spool:
                await body.spool()
            body.finish()
            message.take_body(body)
        except BaseException:
            body.destroy()
            raise


async def pour(
    message: Message, take: "Callable[[bytes], Deferred[None] | None]"
) -> None:
    """
    Hand the body of a message over a piece at a time, and let the reactor do other
    things between.

    @param message: whole.
    @param take: may return a Deferred, which is waited for.
    @raise StoreError: if the message is gone or cannot be read.
    """
    in_thread = message.settings.in_thread
    chunks = message.body_chunks()
    while True:
        if message.is_spooled:
            chunk = await in_thread(next, chunks, None)
        else:
            chunk = next(chunks, None)
        if chunk is None:
            return
        for at in range(0, len(chunk), PIECE_OCTETS):
            if at:
                await in_thread(int)  # others have their turn meanwhile
            pending = take(chunk[at : at + PIECE_OCTETS])
            if pending is not None:
                await pending
