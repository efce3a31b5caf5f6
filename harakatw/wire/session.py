"""
The order of commands, as a table.

@see: RFC 5321 section 4.1.4
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from harakatw.reply import Reply, reply


class Phase(enum.Enum):
    """Where a session stands. The value is what a log or a diagram says."""

    __hash__ = object.__hash__  # by identity: Enum's own is a Python call a command

    CONNECTING = "no greeting yet"
    START = "no HELO or EHLO yet"
    READY = "greeted, no transaction"
    MAIL = "a sender, no recipient"
    RCPT = "at least one recipient"
    DATA = "the message is coming"
    CHUNKS = "the message is coming in chunks"
    REFUSED = "refused; waits for QUIT"
    CLOSED = "nothing is read any more"


HELLO_FIRST: Final = reply(503, "5.5.1", "Send HELO or EHLO first")
NESTED_MAIL: Final = reply(
    503, "5.5.1", "A transaction is open already: send RSET first"
)
MAIL_FIRST: Final = reply(503, "5.5.1", "Send MAIL first")
RCPT_FIRST: Final = reply(503, "5.5.1", "Send RCPT first")
NO_RECIPIENT: Final = reply(554, "5.5.1", "No valid recipients")
CHUNKS_BEGUN: Final = reply(503, "5.5.1", "The message has begun with BDAT")

_RULES: Final[tuple[tuple[bytes, tuple[Phase, ...], Reply], ...]] = (
    (b"MAIL", (Phase.START,), HELLO_FIRST),
    (b"MAIL", (Phase.MAIL, Phase.RCPT, Phase.CHUNKS), NESTED_MAIL),
    (b"RCPT", (Phase.START,), HELLO_FIRST),
    (b"ETRN", (Phase.START,), HELLO_FIRST),
    (b"RCPT", (Phase.READY,), MAIL_FIRST),
    (b"RCPT", (Phase.CHUNKS,), CHUNKS_BEGUN),
    (b"DATA", (Phase.START,), HELLO_FIRST),
    (b"DATA", (Phase.READY,), MAIL_FIRST),
    (b"DATA", (Phase.CHUNKS,), CHUNKS_BEGUN),  # RFC 3030 section 2
)

REFUSALS: Final[Mapping[Phase, Mapping[bytes, Reply]]] = MappingProxyType(
    {
        phase: MappingProxyType(
            {verb: answer for verb, phases, answer in _RULES if phase in phases}
        )
        for phase in Phase
    }
)
"""
What a verb is answered that may not come in a phase; a verb that is not there may.
"""


MUST_END_GROUP: Final = frozenset((b"DATA",))
"""
Verbs after which a client has to wait for the reply (RFC 2920 section 3.1), and for
which input that came with them breaks the session: it is not the message, and might be
another's command.
"""

SHOULD_END_GROUP: Final = frozenset(
    (b"EHLO", b"HELO", b"QUIT", b"VRFY", b"EXPN", b"NOOP")
)
"""Verbs after which a client should have waited: it is noted as an early talker."""
