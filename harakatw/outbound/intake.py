"""
From a transaction to what is queued.

@see: Haraka rows OB04, OB05 and OB52, weaknesses WK02 and WK41
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from harakatw.address import Address
from harakatw.interfaces.queue import (
    NO_DEMANDS,
    Demands,
    NewItem,
    QueuedMessage,
    QueuedRecipient,
)
from harakatw.message.parameters import parse_parameters
from harakatw.outbound.demanded import has_demands, read_demands, restate_priority
from harakatw.wire.params import Params

_NOT_QUEUED: Final = frozenset(
    ("auth_passwd", "auth_password", "password", "skip_plugins")
)
_NOWHERE: Final = "localhost"
"""Where a recipient without a domain is: C{<Postmaster>} (RFC 5321 section 4.5.1)."""


@attrs.frozen
class Content:
    """
    What is in a message.

    @ivar octets: how many.
    @ivar is_8bit: is one of them above 127?
    """

    octets: int
    is_8bit: bool


def content_of(chunks: Iterable[bytes]) -> Content:
    """Look through a message; in a thread if it is in a file."""
    octets, is_8bit = 0, False
    for chunk in chunks:
        octets += len(chunk)
        is_8bit = is_8bit or not chunk.isascii()
    return Content(octets, is_8bit)


@attrs.frozen
class Parcel:
    """
    A message, ready for the store.

    @ivar body: its octets, not dot-stuffed; to be iterated once if it is not C{bytes}.
    """

    message: QueuedMessage
    items: tuple[NewItem, ...]
    body: bytes | Iterable[bytes]


def pack(
    transaction: Any, *, now: float, split_all: bool, content: Content | None = None
) -> Parcel:
    """
    Say what is to be queued for the open transaction of a connection.

    @param transaction: L{harakatw.interfaces.session.ITransaction}, its message whole.
    @param now: seconds since 1970.
    @param split_all: an item for each recipient, instead of one for each domain.
    @param content: what is in the message; L{None} to look, which is for messages in
        memory.
    """
    stored = transaction.message
    params = transaction.mail_params
    demands = NO_DEMANDS
    if has_demands(params, stored.raw_header):
        demands = read_demands(params, stored.header, now)
        restate_priority(params, stored.header)
    body: bytes | Iterable[bytes]
    if content is not None:
        body = stored.chunks()
        size, is_8bit = content.octets, content.is_8bit
    else:
        body = b"".join(stored.chunks())
        size, is_8bit = len(body), not body.isascii()
    recipients = [_queued(transaction, each) for each in transaction.rcpt_to]
    message = QueuedMessage(
        uuid=transaction.uuid,
        sender=transaction.mail_from.address,
        size=size,
        queued_at=now,
        envid=params.get("ENVID") or "",
        ret=_ret(params, demands),
        is_8bit=is_8bit,
        is_utf8="SMTPUTF8" in params and _needs_utf8(transaction, is_8bit),
        is_binary=stored.is_binary,
        demands=demands,
        notes=plain_notes(transaction.notes.as_dict()) if transaction.notes else {},
    )
    items = _items(recipients, split_all, demands.released_at)
    return Parcel(message, tuple(items), body)


def _needs_utf8(transaction: Any, is_8bit: bool) -> bool:
    """
    Does a message with SMTPUTF8 need it? Many clients give it to whatever they send,
    which need not keep it from hosts without. Recipients are looked at each by itself.

    @see: RFC 6531 section 3.6, RFC 6532 section 3.2 (fields of parts may be UTF-8, too)
    """
    header = transaction.message.header
    if not (transaction.mail_from.address.isascii() and bytes(header).isascii()):
        return True
    kind, _ = parse_parameters(header.get("Content-Type") or "")
    return is_8bit and kind.startswith(("multipart/", "message/"))


def _ret(params: Params, demands: Demands) -> str:
    """What is secret does not come back as a whole (RFC 8689 section 5)."""
    ret = (params.get("RET") or "").upper()
    return "HDRS" if demands.requires_tls and ret else ret


def _queued(transaction: Any, recipient: Address) -> tuple[str, QueuedRecipient]:
    params = transaction.rcpt_params(recipient)
    queued = QueuedRecipient(
        recipient.address,
        (params.get("NOTIFY") or "").upper() if params else "",
        params.get("ORCPT") or "" if params else "",
    )
    return recipient.host or _NOWHERE, queued


def _items(
    recipients: list[tuple[str, QueuedRecipient]], split_all: bool, due: float
) -> Iterable[NewItem]:
    """The recipients by domain, each of them once."""
    if len(recipients) == 1:
        domain, recipient = recipients[0]
        yield NewItem(domain=domain, recipients=(recipient,), due=due)
        return
    by_domain: dict[str, dict[str, QueuedRecipient]] = {}
    for domain, recipient in recipients:
        by_domain.setdefault(domain, {})[recipient.address] = recipient
    for domain, by_address in by_domain.items():
        together = tuple(by_address.values())
        parts = [(each,) for each in together] if split_all else [together]
        for part in parts:
            yield NewItem(domain=domain, recipients=part, due=due)


def plain_notes(notes: Mapping[str, object]) -> dict[str, object]:
    """
    The notes that are queued: JSON values, and no passwords (weakness WK41).
    """
    kept: dict[str, object] = {}
    for name, value in notes.items():
        if name in _NOT_QUEUED or not isinstance(name, str):
            continue
        if type(value) is dict:
            kept[name] = plain_notes(value)
        elif _is_plain(value):
            kept[name] = value
    return kept


def _is_plain(value: object) -> bool:
    """Or is it a plugin's object, which means nothing in another process?"""
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
