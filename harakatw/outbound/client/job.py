"""One message while a client sends it."""

from typing import Any

import attrs
from twisted.internet.defer import Deferred

from harakatw.outbound.client.body import BodySender
from harakatw.outbound.client.envelope import Envelope
from harakatw.outbound.client.result import DeliveryResult, Outcome
from harakatw.wire.dialogue import Dialogue


@attrs.define(eq=False)
class Job:
    """
    One message on its way.

    @ivar recipients: those that the dialogue is about, in its order.
    @ivar refused: those that could not be sent to this server at all.
    @ivar began: in seconds of the clock.
    """

    envelope: Envelope
    recipients: "tuple[Any, ...]"
    refused: tuple[Outcome, ...]
    dialogue: Dialogue
    done: "Deferred[DeliveryResult]"
    began: float
    sender: BodySender | None = None
