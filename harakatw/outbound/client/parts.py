"""
A message for more recipients than a host takes at once: in several transactions.

@see: RFC 9422 section 5 (RCPTMAX), RFC 5321 section 4.5.3.1.10
"""

from typing import Final, Protocol

import attrs
from twisted.internet.defer import Deferred

from harakatw.outbound.client.envelope import Envelope
from harakatw.outbound.client.result import DeliveryResult, Outcome
from harakatw.wire.answer import our_answer
from harakatw.wire.dialogue import Said, Stage

LATER: Final = Said(
    our_answer(452, "4.5.3", "The host takes no more recipients for now"),
    Stage.RCPT,
    True,
)


class Client(Protocol):
    """As much of a client as is needed here."""

    @property
    def is_free(self) -> bool:
        """May it be given another message?"""

    def deliver(self, envelope: Envelope) -> "Deferred[DeliveryResult]":
        """Send a message."""


async def deliver_in_parts(
    client: Client, envelope: Envelope, most: int
) -> DeliveryResult:
    """
    Send a message once for each part of its recipients, over one connection.

    @param most: recipients that the host takes at once.
    @return: what became of all of them, as of one message. If the connection ends
        before that, another host or another time is for those who are left.
    """
    recipients = envelope.recipients
    part = recipients[:most]
    result = await client.deliver(attrs.evolve(envelope, recipients=part))
    for start in range(most, len(recipients), most):
        part = recipients[start : start + most]
        if not client.is_free:
            left = tuple(Outcome(each, LATER) for each in part)
            result = attrs.evolve(result, outcomes=result.outcomes + left)
            continue
        more = await client.deliver(attrs.evolve(envelope, recipients=part))
        result = attrs.evolve(
            more,
            outcomes=result.outcomes + more.outcomes,
            seconds=result.seconds + more.seconds,
            untried=False,
        )
    return result
