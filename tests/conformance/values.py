"""What client and server of the model exchange."""

from typing import Final

import attrs

OUR_DOMAIN: Final = "here.example"
"""The server takes mail for it, and for no other."""

MAX_RECIPIENTS: Final = 100
MAX_MESSAGE_OCTETS: Final = 5000


@attrs.frozen
class Line:
    """
    What a client says, and what it is worth.

    @ivar octets: with its line end, if it has one.
    @ivar verb: in upper case, C{""} if there is none that a server knows.
    @ivar fault: the code that the form deserves, 0 if there is nothing wrong with it.
    @ivar mailbox: of MAIL and RCPT, the way a server understands it.
    @ivar is_extended: has it parameters, which only EHLO allows?
    """

    octets: bytes
    verb: str = ""
    fault: int = 0
    mailbox: str = ""
    is_extended: bool = False


@attrs.frozen
class Message:
    """A message that the server has answered 250 for."""

    sender: str
    recipients: tuple[str, ...]
    octets: bytes
