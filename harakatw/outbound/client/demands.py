"""
What a message asks of the host that it is given to, and what the host is told of it.

@see: RFC 2852 section 4.1.4, RFC 6710 section 4.2, RFC 8689 section 4.2
"""

import re
from typing import Final

from harakatw.interfaces.queue import Demands
from harakatw.outbound.client.envelope import Envelope
from harakatw.wire.answer import our_answer
from harakatw.wire.capabilities import Capabilities
from harakatw.wire.dialogue import Said, Stage

NO_REQUIRETLS: Final = Said(
    our_answer(550, "5.7.30", "REQUIRETLS support required, which the host has not"),
    Stage.MAIL,
    True,
)
NO_DELIVERBY: Final = Said(
    our_answer(554, "5.4.7", "Not in time for certain: the host has no DELIVERBY"),
    Stage.MAIL,
    True,
)
TOO_LATE: Final = Said(
    our_answer(554, "5.4.7", "The message cannot be delivered in time"),
    Stage.MAIL,
    True,
)

OVER: Final = Said(
    our_answer(451, "4.4.7", "The time for the message is over"), Stage.MAIL, False
)
"""Whoever keeps the queue knows what the last attempt was told, and says that."""

_SECONDS = re.compile(r"[0-9]{1,9}+", re.ASCII)
_MOST_SECONDS: Final = 999_999_999


def unmet(
    envelope: Envelope, capabilities: Capabilities, now: float, is_final: bool
) -> Said | None:
    """
    Why a message must not be given to a host; L{None} if it may.

    @param now: seconds since 1970.
    @param is_final: does the host put mail into mailboxes at once, as with LMTP?
    """
    offered, demands = capabilities.keywords, envelope.demands
    # A report is sent to a host without REQUIRETLS, too.
    is_secret = demands.requires_tls and bool(envelope.sender) and not is_final
    if is_secret and "REQUIRETLS" not in offered:
        return NO_REQUIRETLS
    if not demands.returns_late:
        return None
    left = demands.deliver_by - now
    if left <= 0:
        return OVER
    if "DELIVERBY" not in offered:
        return None if is_final else NO_DELIVERBY
    least = offered["DELIVERBY"]
    is_too_late = _SECONDS.fullmatch(least) is not None and left < int(least)
    return TOO_LATE if is_too_late or left < 1 else None


def mail_parameters(demands: Demands, capabilities: Capabilities, now: float) -> str:
    """
    What stands after MAIL and its path of all this, each with a blank before it.

    @param now: seconds since 1970.
    """
    offered = capabilities.keywords
    parameters = ""
    if demands.requires_tls and "REQUIRETLS" in offered:
        parameters += " REQUIRETLS"
    if demands.priority and "MT-PRIORITY" in offered:
        parameters += f" MT-PRIORITY={demands.priority}"
    if demands.deliver_by and "DELIVERBY" in offered:
        left = int(demands.deliver_by - now)
        left = max(-_MOST_SECONDS, min(_MOST_SECONDS, left))
        mode = "R" if demands.returns_late else "N"
        parameters += f" BY={left};{mode}{'T' * demands.is_traced}"
    return parameters
