"""What outbound hooks see of a queued message (Haraka rows HK30 to HK34)."""

from functools import cached_property

import attrs
from zope.interface import implementer

from harakatw.address import Address, parse_address
from harakatw.errors import ProtocolError
from harakatw.hooks.chain import Watch
from harakatw.interfaces.outbound_hooks import IHMail
from harakatw.interfaces.queue import QueueItem
from harakatw.notes import Notes


@implementer(IHMail)
@attrs.define(eq=False, slots=False)  # cached_property needs a place
class HMail:
    """
    A queued message and the recipients of one attempt.

    @ivar item: as it is in the store.
    @ivar watch: nobody watches outbound hooks yet.
    """

    item: QueueItem
    watch: Watch | None = None

    @property
    def uuid(self) -> str:
        """The transaction's, followed by the number of the part."""
        return f"{self.item.message.uuid}.{self.item.id}"

    @property
    def domain(self) -> str:
        """The recipients' domain."""
        return self.item.domain

    @cached_property
    def mail_from(self) -> Address:
        """The reverse-path."""
        return _address(self.item.message.sender, is_sender=True)

    @cached_property
    def rcpt_to(self) -> list[Address]:
        """The recipients of this attempt."""
        return [
            _address(each.address, is_sender=False) for each in self.item.recipients
        ]

    @cached_property
    def notes(self) -> Notes:
        """
        The transaction's notes, as they were queued. What a plugin notes here is there
        on the later hooks of the same attempt; it is not queued.
        """
        return Notes(self.item.message.notes)


def _address(text: str, is_sender: bool) -> Address:
    """An address of the queue: it was parsed before, by this release or by another."""
    try:
        return parse_address(f"<{text}>", utf8=True, null=is_sender)
    except ProtocolError:
        return Address("", "", text, "")
