"""What plugins see of a mail transaction (rows TX01 to TX17)."""

import re
from collections.abc import Iterable
from typing import Protocol

import attrs
from twisted.internet.defer import Deferred
from zope.interface import implementer

from harakatw.address import Address
from harakatw.interfaces.mime import AttachmentStart, FilterFunction, IBody
from harakatw.interfaces.session import ITransaction
from harakatw.message.header import Header
from harakatw.message.mime.body import Body
from harakatw.message.mime.motion import Motion
from harakatw.message.store import Message, StoreSettings
from harakatw.notes import Notes
from harakatw.results import Results
from harakatw.wire.chunks import ChunkDecoder
from harakatw.wire.params import EMPTY_PARAMS, Params


class ConnectionControl(Protocol):
    """The connection, as its transaction knows it."""

    def new_results(self) -> Results:
        """An empty store of results."""

    def skip_plugins(self, names: Iterable[str]) -> None:
        """Do not call these plugins for the rest of the transaction."""


@implementer(ITransaction)
@attrs.define(eq=False)
class Transaction:
    """
    One mail transaction, from MAIL to the reply to the final dot.

    @ivar rcpt_tried: how many RCPT commands there were.
    @ivar store_failed: did the disk not take the message?
    @ivar chunks: counts the octets of BDAT; L{None} before the first.
    @ivar deadline: when it must be over, in seconds of the reactor's clock.
    @ivar motion: what plugins want done with the message's structure, if anything.
    """

    uuid: str
    mail_from: Address
    mail_params: Params
    relaying: bool
    deadline: float
    _store: StoreSettings
    _connection: ConnectionControl
    rcpt_to: list[Address] = attrs.field(factory=list)
    rcpt_tried: int = 0
    store_failed: bool = False
    chunks: ChunkDecoder | None = None
    motion: Motion | None = None
    _rcpt_params: dict[int, tuple[Address, Params]] | None = None
    _message: Message | None = None
    _notes: Notes | None = None
    _results: Results | None = None

    @property
    def notes(self) -> Notes:
        """For plugins; queued with the message."""
        if self._notes is None:
            self._notes = Notes()
        return self._notes

    @property
    def results(self) -> Results:
        """What plugins found out about this message."""
        if self._results is None:
            self._results = self._connection.new_results()
        return self._results

    @property
    def message(self) -> Message:
        """The octets of the message; empty before DATA."""
        if self._message is None:
            self._message = Message(self._store)
        return self._message

    @property
    def header(self) -> Header:
        """The header, which is looked at only when somebody asks."""
        return self.message.header

    @property
    def data_bytes(self) -> int:
        """Octets of the message received so far."""
        return 0 if self._message is None else self._message.size

    def rcpt_params(self, recipient: Address) -> Params:
        """
        What the RCPT of a recipient carried besides, such as C{NOTIFY}.

        @param recipient: the very object, since C{rcpt_to} may hold equal ones.
        """
        known = self._rcpt_params and self._rcpt_params.get(id(recipient))
        return known[1] if known else EMPTY_PARAMS

    def set_rcpt_params(self, recipient: Address, params: Params) -> None:
        """
        Give a recipient parameters: those of the one that it takes the place of.

        @param params: checked; none to forget those that it had.
        """
        if params:
            # The address is kept along, so that no other one can get its id.
            self._rcpt_params = self._rcpt_params or {}
            self._rcpt_params[id(recipient)] = (recipient, params)
        elif self._rcpt_params:
            self._rcpt_params.pop(id(recipient), None)

    def add_header(self, name: str, value: str) -> None:
        """
        Append a field to the header.

        @raise ValueError: if the name or the value cannot stand in a header.
        """
        self.header.add_end(name, value)

    def add_leading_header(self, name: str, value: str) -> None:
        """Put a field in front of the header; otherwise as L{add_header}."""
        self.header.add(name, value)

    def remove_header(self, name: str) -> None:
        """Remove every field of this name, in whatever case."""
        self.header.remove(name)

    def replace_header(self, name: str, value: str, number: int = 0) -> None:
        """Put a field in the place of one; see L{Header.replace}."""
        self.header.replace(name, value, number)

    # ---- the message's structure -----------------------------------------------------

    def _wishes(self) -> Motion:
        if self.motion is None:
            self.motion = Motion(self._store.mime, has_begun=self.data_bytes > 0)
        return self.motion

    @property
    def parse_body(self) -> bool:
        """Is the tree of the message's parts wanted?"""
        return self.motion is not None and self.motion.parse_body

    @parse_body.setter
    def parse_body(self, wanted: bool) -> None:
        self._wishes().parse_body = bool(wanted)

    @property
    def discard_data(self) -> bool:
        """May the body be forgotten once it was looked at?"""
        return self.motion is not None and self.motion.discard_data

    @discard_data.setter
    def discard_data(self, wanted: bool) -> None:
        self._wishes().discard_data = bool(wanted)

    @property
    def body(self) -> Body | None:
        """The tree of the message's parts; L{None} if nobody asked for it in time."""
        return None if self.motion is None else self.motion.body

    @property
    def mime_part_count(self) -> int:
        """Parts that came; 0 if nobody looks at them."""
        return 0 if self.motion is None else self.motion.part_count

    def read_body(self) -> "Deferred[IBody]":
        """The tree, also if nobody asked for it in time; see L{ITransaction}."""
        return Deferred.fromCoroutine(self._wishes().read(self.message))

    def attachment_hooks(self, start: AttachmentStart) -> None:
        """Have attachments given to a plugin; see L{ITransaction}."""
        self._wishes().attachment_hooks(start)

    def add_body_filter(
        self, ct_match: "str | re.Pattern[str]", body_filter: FilterFunction
    ) -> None:
        """Have the content of parts changed; see L{ITransaction}."""
        self._wishes().add_body_filter(ct_match, body_filter)

    def set_banner(self, text: str, html: str | None = None) -> None:
        """Have a text added to the message; see L{ITransaction}."""
        self._wishes().set_banner(text, html)

    def skip_plugins(self, names: Iterable[str]) -> None:
        """Do not call these plugins for the rest of the transaction."""
        self._connection.skip_plugins(names)

    def destroy(self) -> None:
        """Give the spool file up."""
        if self._message is not None:
            self._message.destroy()
