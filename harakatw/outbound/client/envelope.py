"""
A message as a client sends it: its envelope, what a server must be able to do for it,
and its commands.

@see: RFC 1870 (SIZE), RFC 3030 (BINARYMIME), RFC 3461 (DSN), RFC 6152 (8BITMIME), RFC
    6531 (SMTPUTF8)
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import attrs

from harakatw.interfaces.queue import (
    NO_DEMANDS,
    Demands,
    QueuedRecipient,
    QueueItem,
)
from harakatw.outbound.client.result import Outcome
from harakatw.wire.answer import our_answer
from harakatw.wire.capabilities import Capabilities
from harakatw.wire.dialogue import Said, Stage

TOO_BIG: Final = Said(
    our_answer(552, "5.3.4", "The message is larger than the host takes"),
    Stage.MAIL,
    True,
)
NO_8BIT: Final = Said(
    our_answer(554, "5.6.3", "The message is 8bit and the host has no 8BITMIME"),
    Stage.MAIL,
    True,
)
NO_BINARY: Final = Said(
    our_answer(554, "5.6.3", "The message is binary and the host has no BINARYMIME"),
    Stage.MAIL,
    True,
)
NO_UTF8: Final = Said(
    our_answer(553, "5.6.7", "The message needs SMTPUTF8, which the host has not"),
    Stage.MAIL,
    True,
)
BAD_SENDER: Final = Said(
    our_answer(553, "5.1.7", "The sender's address cannot be sent"), Stage.MAIL, False
)
BAD_RECIPIENT: Final = Said(
    our_answer(553, "5.1.3", "The address cannot be sent"), Stage.RCPT, False
)

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DSN_VALUE = re.compile(r"[!-~]{1,500}")  # RFC 3461 section 4.4: ORCPT up to 500
_DSN_UTF8_VALUE = re.compile(r"[!-~\xa0-\U0010ffff]{1,500}")  # RFC 6533 section 3


@attrs.frozen(kw_only=True)
class Envelope:
    """
    One message for some recipients.

    @ivar sender: the reverse-path without brackets; C{""} is the null path.
    @ivar recipients: at least one.
    @ivar size: octets of the message with CRLF line ends.
    @ivar body: the message, not dot-stuffed, cut anywhere. What is neither C{bytes}
        nor a C{tuple} or C{list} of them may read a file, and is read in a thread. A
        host that refuses the message may have read it: who gives the same envelope to
        another host needs a body that can be iterated again, not an iterator.
    @ivar is_8bit: is there an octet above 127 in it?
    @ivar is_utf8: does it need SMTPUTF8?
    @ivar is_binary: may any octets be in it (RFC 3030), so that it needs BINARYMIME?
    @ivar demands: what else the sender asked for.
    @ivar ret: RFC 3461 RET, or C{""}.
    @ivar envid: RFC 3461 ENVID as it came, or C{""}.
    @ivar uuid: of the transaction, for the log.
    @ivar notes: of the message, which may say who its client was.
    """

    sender: str
    recipients: tuple[QueuedRecipient, ...]
    size: int
    body: bytes | Iterable[bytes]
    is_8bit: bool = False
    is_utf8: bool = False
    is_binary: bool = False
    demands: Demands = NO_DEMANDS
    ret: str = ""
    envid: str = ""
    uuid: str = ""
    notes: Mapping[str, object] = MappingProxyType({})


def envelope_of(item: QueueItem, body: bytes | Iterable[bytes]) -> Envelope:
    """
    The envelope of a queued item.

    @param body: from L{harakatw.interfaces.queue.IQueueStore.read_body}.
    """
    message = item.message
    return Envelope(
        sender=message.sender,
        recipients=item.recipients,
        size=message.size,
        body=body,
        is_8bit=message.is_8bit,
        is_utf8=message.is_utf8,
        is_binary=message.is_binary,
        demands=message.demands,
        ret=message.ret,
        envid=message.envid,
        uuid=message.uuid,
        notes=message.notes,
    )


def unsuitable(
    envelope: Envelope, capabilities: Capabilities, allow_8bit: bool
) -> Said | None:
    """
    Why a server cannot take a message, from what it offers; L{None} if it may.

    @param allow_8bit: send octets above 127 to a server without 8BITMIME?
    @see: RFC 1870 section 5, RFC 3030 section 3, RFC 6152 section 3, RFC 6531 section
        3.5
    """
    if capabilities.max_size and envelope.size > capabilities.max_size:
        return TOO_BIG
    is_utf8 = envelope.is_utf8 or not envelope.sender.isascii()
    if is_utf8 and not capabilities.smtputf8:
        return NO_UTF8
    if envelope.is_binary:
        if not capabilities.binary:
            return NO_BINARY
    elif envelope.is_8bit and not (capabilities.eight_bit or allow_8bit):
        return NO_8BIT
    if _CONTROL.search(envelope.sender):
        return BAD_SENDER
    return None


def mail_command(
    envelope: Envelope, capabilities: Capabilities, demanded: str = ""
) -> bytes:
    """
    The MAIL command with what the server understands of its parameters.

    @param demanded: more of them, see L{harakatw.outbound.client.demands}.
    """
    command = f"MAIL FROM:<{envelope.sender}>"
    if capabilities.max_size is not None:
        command += f" SIZE={envelope.size}"
    if envelope.is_binary:
        command += " BODY=BINARYMIME"
    elif envelope.is_8bit and capabilities.eight_bit:
        command += " BODY=8BITMIME"
    if capabilities.smtputf8 and _needs_utf8(envelope):
        command += " SMTPUTF8"
    if capabilities.dsn:
        if envelope.ret in ("FULL", "HDRS"):
            command += f" RET={envelope.ret}"
        if _DSN_VALUE.fullmatch(envelope.envid):
            command += f" ENVID={envelope.envid}"
    return (command + demanded).encode() + b"\r\n"


def _needs_utf8(envelope: Envelope) -> bool:
    if envelope.is_utf8 or not envelope.sender.isascii():
        return True
    return any(not each.address.isascii() for each in envelope.recipients)


def rcpt_command(recipient: QueuedRecipient, capabilities: Capabilities) -> bytes:
    """The RCPT command with what the server understands of its parameters."""
    command = f"RCPT TO:<{recipient.address}>"
    if capabilities.dsn:
        if recipient.notify:
            command += f" NOTIFY={recipient.notify}"
        if recipient.orcpt and _orcpt_pattern(capabilities).fullmatch(recipient.orcpt):
            command += f" ORCPT={recipient.orcpt}"
    return command.encode() + b"\r\n"


def _orcpt_pattern(capabilities: Capabilities) -> "re.Pattern[str]":
    return _DSN_UTF8_VALUE if capabilities.smtputf8 else _DSN_VALUE


def refused_recipients(
    recipients: Sequence[QueuedRecipient], capabilities: Capabilities
) -> tuple[Outcome, ...]:
    """The recipients that must or can not be sent to the server; hardly ever any."""
    return tuple(
        Outcome(each, said)
        for each in recipients
        if (said := _unsendable(each, capabilities)) is not None
    )


def _unsendable(recipient: QueuedRecipient, capabilities: Capabilities) -> Said | None:
    # What was queued is clean. But one line end in here would be another command.
    if _CONTROL.search(recipient.address) or _CONTROL.search(recipient.notify):
        return BAD_RECIPIENT
    if not (recipient.address.isascii() or capabilities.smtputf8):
        return NO_UTF8
    return None
