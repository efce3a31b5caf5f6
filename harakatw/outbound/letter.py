"""
Mail that the server writes itself: reports, and what plugins send.

It has the shape of a transaction, so that C{pre_send_trans_email} can sign or change
it.

@see: Haraka rows HK29, OB51 and OB52
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

import attrs

from harakatw.address import Address, parse_address
from harakatw.hooks.chain import Watch
from harakatw.message.header import Header
from harakatw.message.received import rfc5322_date
from harakatw.message.store import Message, StoreSettings
from harakatw.message.writer import crlf_chunks
from harakatw.notes import Notes
from harakatw.results import Results
from harakatw.wire.params import EMPTY_PARAMS, Params

_UTF8: Final[Mapping[str, str | None]] = MappingProxyType({"SMTPUTF8": None})


@attrs.define(eq=False)
class Letter:
    """
    A message without a session; see L{harakatw.interfaces.session.ITransaction}.

    @ivar message: whole.
    """

    uuid: str
    mail_from: Address
    rcpt_to: list[Address]
    message: Message
    mail_params: Mapping[str, str | None] = EMPTY_PARAMS
    notes: Notes = attrs.field(factory=Notes)
    results: Results = attrs.field(factory=Results)
    relaying: bool = True

    @property
    def header(self) -> Header:
        """The header, to read and to edit."""
        return self.message.header

    @property
    def data_bytes(self) -> int:
        """Octets of the message."""
        return self.message.size

    def rcpt_params(self, recipient: Address) -> Params:
        """Nobody asked for anything."""
        return EMPTY_PARAMS

    def add_header(self, name: str, value: str) -> None:
        """Append a field to the header; C{ValueError} if it cannot stand there."""
        self.header.add_end(name, value)

    def add_leading_header(self, name: str, value: str) -> None:
        """Put a field in front of the header; otherwise as L{add_header}."""
        self.header.add(name, value)

    def remove_header(self, name: str) -> None:
        """Remove every field of this name."""
        self.header.remove(name)

    def skip_plugins(self, names: Iterable[str]) -> None:
        """There is one hook only: nothing follows that could be skipped."""


@attrs.define(eq=False)
class LetterBox:
    """
    What stands for the connection of a L{Letter} (Haraka row HK29).

    @ivar transaction: the letter.
    """

    transaction: Letter
    uuid: str
    notes: Notes = attrs.field(factory=Notes)
    results: Results = attrs.field(factory=Results)
    relaying: bool = True
    watch: Watch | None = None


@attrs.frozen
class LetterWriter:
    """
    Makes letters.

    @ivar store: where messages are kept.
    @ivar me: the server's name, for Message-IDs.
    @ivar new_id: makes ids that nobody can guess.
    @ivar now: seconds since 1970.
    @ivar product: what the trace field says of this step; C{""} for no such field.
    """

    store: StoreSettings
    me: str
    new_id: Callable[[], str]
    now: Callable[[], float]
    product: str = ""

    def write(
        self,
        sender: Address,
        recipients: Iterable[Address],
        contents: str | bytes | Iterable[bytes],
        notes: Mapping[str, object] | None = None,
        params: Params = EMPTY_PARAMS,
    ) -> Letter:
        """
        Make a letter; a missing Date or Message-ID is added (RFC 5322 section 3.6).

        @param contents: the message, header and body, with line ends of any kind.
        @param params: of its MAIL, as a client would give them.
        """
        octets = contents.encode() if isinstance(contents, str) else contents
        chunks = (octets,) if isinstance(octets, bytes) else octets
        message = Message(self.store)
        for chunk in crlf_chunks(chunks):
            message.append(chunk)
        message.finish()
        date, uuid = rfc5322_date(self.now()), self.new_id().upper()
        if not message.header.get("Date"):
            message.header.add_end("Date", date)
        if not message.header.get("Message-ID"):
            message.header.add_end("Message-ID", f"<{self.new_id()}@{self.me}>")
        if self.product:  # RFC 5321 section 4.4, from no host but ourselves
            trace = f"by {self.me} ({self.product}) id {uuid}; {date}"
            message.header.add("Received", trace)
        to = list(recipients)
        plain = all(each.address.isascii() for each in (sender, *to))
        return Letter(
            uuid=uuid,
            mail_from=sender,
            rcpt_to=to,
            message=message,
            mail_params=params if plain else {**params, **_UTF8},
            notes=Notes(notes),
        )


def read_envelope(
    sender: str, recipients: str | Iterable[str]
) -> tuple[Address, list[Address]]:
    """
    The paths of a letter, from addresses without brackets.

    @param sender: C{""} is the null path.
    @raise harakatw.errors.ProtocolError: for an address that is none.
    @raise ValueError: there is no recipient.
    """
    several = (recipients,) if isinstance(recipients, str) else recipients
    to = [parse_address(f"<{each}>", utf8=True) for each in several]
    if not to:
        raise ValueError("mail needs a recipient")
    return parse_address(f"<{sender}>", utf8=True, null=True), to
