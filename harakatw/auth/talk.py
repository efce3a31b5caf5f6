"""
One exchange of SASL over SMTP: challenges out, responses in.

@see: RFC 4954 section 4
"""

from typing import Final

import attrs

from harakatw.errors import HarakaError
from harakatw.interfaces.session import IConnection
from harakatw.wire.sasl.text import SASLError, decode_base64, encode_base64

_CANCEL: Final = b"*"
_EMPTY: Final = "="


class CancelledByClient(HarakaError):
    """The client broke the exchange off."""


@attrs.define(eq=False)
class Talk:
    """
    @ivar connection: with whom.
    @ivar initial: what came with the command, L{None} if nothing did.
    @ivar announced: the mechanisms that the client could have chosen.
    """

    connection: IConnection
    initial: str | None
    announced: frozenset[str]

    async def first(self, prompt: bytes = b"") -> bytes:
        """
        The client's first message: from the command, or else asked for.

        @raise SASLError: if it is not base64.
        @raise CancelledByClient: if it wants no more.
        @raise ProtocolError: if the line is too long or malformed.
        """
        if self.initial is None:
            return await self.ask(prompt)
        initial, self.initial = self.initial, None
        return b"" if initial == _EMPTY else decode_base64(initial.encode("utf-8"))

    async def ask(self, challenge: bytes) -> bytes:
        """The client's answer to a challenge; raises as L{first} does."""
        line = await self.connection.challenge(encode_base64(challenge))
        if line == _CANCEL:
            raise CancelledByClient("the client cancelled the exchange")
        return decode_base64(line)

    def no_first(self) -> None:
        """
        In this mechanism the server speaks first.

        @raise SASLError: if the client did.
        """
        if self.initial is not None:
            raise SASLError("this mechanism has no initial response")
