"""
The part of a report that programs read.

It is ASCII whatever the addresses are, so that it passes every host on its way.

@see: RFC 3464 section 2, RFC 6533 section 3 (the type C{utf-8}) and section 4
"""

from collections.abc import Iterable, Iterator
from typing import Final

from harakatw.errors import ProtocolError
from harakatw.interfaces.queue import QueuedMessage
from harakatw.message.received import rfc5322_date
from harakatw.outbound.dsn.recipients import Kind, ReportedRecipient
from harakatw.outbound.dsn.text import MAX_WORD_OCTETS, folded_field, plain_field
from harakatw.wire.dsn import UTF8, encode_foreign, parse_envid, parse_orcpt

OUR_WORDS: Final = "x-harakatw"
"""The type of a diagnostic that no peer said (RFC 3464 section 2.1.2)."""


def status_body(
    message: QueuedMessage, recipients: Iterable[ReportedRecipient], me: str
) -> bytes:
    """
    Write the body of C{message/delivery-status}.

    @param me: the server's name.
    @return: a block of fields for the message and one for each recipient.
    """
    blocks = [_message_fields(message, me), *map(_recipient_fields, recipients)]
    return b"\r\n".join(b"".join(block) for block in blocks)


def _message_fields(message: QueuedMessage, me: str) -> Iterator[bytes]:
    envid = _envelope_id(message.envid)
    if envid:
        yield plain_field("Original-Envelope-Id", envid)
    yield plain_field("Reporting-MTA", f"dns; {me}")
    yield plain_field("Arrival-Date", rfc5322_date(message.queued_at))
    if message.demands.deliver_by:  # RFC 2852 section 5
        yield plain_field("Deliver-By-Date", rfc5322_date(message.demands.deliver_by))


def _recipient_fields(told: ReportedRecipient) -> Iterator[bytes]:
    original = _original_recipient(told.recipient.orcpt)
    if original:
        yield plain_field("Original-Recipient", original)
    yield plain_field("Final-Recipient", _typed_address(told.recipient.address))
    yield plain_field("Action", told.action.value)
    yield plain_field("Status", told.status)
    if told.remote is not None and told.remote.name:
        yield plain_field("Remote-MTA", f"dns; {told.remote.name}")
    if told.action.kind is not Kind.SUCCESS:
        source = OUR_WORDS if told.remote is None else "smtp"
        yield folded_field("Diagnostic-Code", f"{source}; {told.said}")
    if told.last_attempt is not None:
        yield plain_field("Last-Attempt-Date", rfc5322_date(told.last_attempt))
    if told.retry_until is not None:
        yield plain_field("Will-Retry-Until", rfc5322_date(told.retry_until))


def _envelope_id(envid: str) -> str:
    """ENVID decoded, C{""} if there is none, or it is spoilt."""
    try:
        return parse_envid(envid).strip(" ") if envid else ""
    except ProtocolError:
        return ""


def _original_recipient(orcpt: str) -> str:
    """ORCPT as a typed address, C{""} if there is none, or it is spoilt."""
    try:
        original = parse_orcpt(orcpt, utf8=True) if orcpt else None
    except ProtocolError:
        return ""
    if original is None or not original.address.strip(" "):
        return ""
    if original.type == UTF8:
        return _short(f"{UTF8}; {encode_foreign(original.address)}")
    return _short(f"{original.type}; {original.address}")


def _typed_address(address: str) -> str:
    if address.isascii() and address.isprintable():
        return _short(f"rfc822; {address}") or "rfc822; (too long)"
    return _short(f"{UTF8}; {encode_foreign(address)}") or f"{UTF8}; (too long)"


def _short(value: str) -> str:
    """What does not fit a line is no address; C{""} instead."""
    return value if len(value) <= MAX_WORD_OCTETS else ""
