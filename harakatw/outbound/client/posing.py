"""
A session as another client's: XCLIENT before a message, and then from EHLO on again.

@see: Postfix's C{XCLIENT_README}
"""

from typing import Final

from harakatw.errors import DeliveryError
from harakatw.outbound.client.clients import NOBODY, xforward_of
from harakatw.outbound.client.envelope import Envelope
from harakatw.outbound.client.opening import Link, Opening
from harakatw.wire.answer import our_answer
from harakatw.wire.capabilities import Capabilities
from harakatw.wire.dialogue import Said, Stage
from harakatw.wire.xclient import Attributes, attribute_lines

_NO_WAY_BACK: Final = Said(
    our_answer(451, "4.4.2", "The connection was another client's"), Stage.MAIL, True
)


def lines_for(
    capabilities: Capabilities, verb: str, attributes: Attributes
) -> tuple[bytes, ...]:
    """
    The commands that tell a server of a client; none if it does not want to know.

    @param verb: C{XCLIENT} or C{XFORWARD}.
    """
    announced = capabilities.keywords.get(verb, "").upper().split()
    return attribute_lines(verb, attributes, frozenset(announced))


def forwarded(envelope: Envelope, capabilities: Capabilities) -> tuple[bytes, ...]:
    """
    The commands with their CRLF that say whose mail it is, if the server wants to know.
    """
    told = xforward_of(envelope.notes, envelope.uuid)
    return tuple(line + b"\r\n" for line in lines_for(capabilities, "XFORWARD", told))


class Pose:
    """
    Whose the session is.

    @ivar client: as XCLIENT said it last; nobody while it is our own.
    """

    def __init__(self, link: Link, opening: Opening, seconds: float) -> None:
        """
        @param opening: that of the connection, which knows what the server offers.
        @param seconds: for each command.
        """
        self._link = link
        self._opening = opening
        self._seconds = seconds
        self.client: Attributes = NOBODY

    @property
    def capabilities(self) -> Capabilities:
        """What the server offers whom the session is."""
        return self._opening.capabilities

    def is_due(self, client: Attributes) -> bool:
        """Must the session become this client's first, and can it?"""
        offered = "XCLIENT" in self.capabilities.keywords
        return offered and client != self.client

    async def become(self, client: Attributes) -> Said | None:
        """
        Begin the session again as this client's.

        @return: L{None} if it is; else why no message can be sent over the connection
            any more.
        """
        if not client:
            return _NO_WAY_BACK
        try:
            for line in lines_for(self.capabilities, "XCLIENT", client):
                answer = await self._link.ask(line, self._seconds)
                if answer.code >= 300:
                    return Said(answer, Stage.MAIL, answer.code < 500)
            await self._opening.again()
        except DeliveryError as error:
            answer = our_answer(451, "4.4.2", f"As another client: {error}")
            return Said(answer, Stage.MAIL, True)
        self.client = client
        return None
