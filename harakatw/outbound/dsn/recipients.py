"""
What is to be said of a recipient, and whether the sender wants to know.

@see: RFC 3461 section 4.1 and section 5.2 (when to report), RFC 3464 section 2.3
"""

import enum
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from harakatw.address_grammar import is_ip_literal
from harakatw.interfaces.queue import QueuedRecipient
from harakatw.outbound.dsn.text import clean_line
from harakatw.reply import Reply

MAX_REPLY_CHARACTERS: Final = 1000
"""Of a peer's reply that goes into a report."""

_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")
_HOST_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9_])?+")


class Kind(enum.Enum):
    """What a report is about; the values are RFC 3461's words in NOTIFY."""

    FAILURE = "FAILURE"
    DELAY = "DELAY"
    SUCCESS = "SUCCESS"


class Action(enum.Enum):
    """
    What was done about a recipient, in the words of RFC 3464 section 2.3.3.

    C{RELAYED} is given to a host that reports no success; C{EXPANDED} is sent to
    several others, of whom there are no reports.
    """

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"

    @property
    def kind(self) -> Kind:
        """What the report is about that tells of this."""
        return _KINDS.get(self, Kind.SUCCESS)


_KINDS: Final[Mapping[Action, Kind]] = MappingProxyType(
    {Action.FAILED: Kind.FAILURE, Action.DELAYED: Kind.DELAY}
)
_STATUS_CLASSES: Final[Mapping[Kind, str]] = MappingProxyType(
    # The first stands where the reply's own does not fit. Mail that was tried for too
    # long has failed with the last 4xx.
    {Kind.FAILURE: "54", Kind.DELAY: "4", Kind.SUCCESS: "2"}
)
_WITHOUT_NOTIFY: Final = frozenset(("FAILURE", "DELAY"))


@attrs.frozen
class RemoteMTA:
    """
    The host that said what is reported.

    @ivar host: its name, by which it was asked for.
    @ivar ip: C{""} for a Unix socket, as is C{port} 0 then.
    """

    host: str
    ip: str = ""
    port: int = 0

    @property
    def name(self) -> str:
        """A host name or address literal; C{""} if there is none."""
        if _HOST_NAME.fullmatch(self.host) or is_ip_literal(self.host):
            return self.host
        literal = f"[{'IPv6:' if ':' in self.ip else ''}{self.ip}]"
        return literal if is_ip_literal(literal) else ""

    @property
    def text(self) -> str:
        """Name, address and port, for people."""
        where = f"[{self.ip}]:{self.port}" if self.ip else ""
        name = "" if where and self.name.startswith("[") else self.name
        return clean_line(f"{name} {where}".strip() or "the next host")


@attrs.frozen(kw_only=True)
class ReportedRecipient:
    """
    What became of one recipient.

    @ivar recipient: as it was queued.
    @ivar action: what was done.
    @ivar reply: why, or how it went: a peer's answer or our own words.
    @ivar remote: who said that; L{None} if we did.
    @ivar last_attempt: in seconds since 1970, L{None} if there was none.
    @ivar retry_until: for how long it is tried, in seconds since 1970; L{None} if it
        is over.
    @ivar is_traced: is it to be reported unless nothing at all is (RFC 2852)?
    """

    recipient: QueuedRecipient
    action: Action
    reply: Reply
    remote: RemoteMTA | None = None
    last_attempt: float | None = None
    retry_until: float | None = None
    is_traced: bool = False

    @property
    def status(self) -> str:
        """The enhanced status code, of the class that goes with the action."""
        classes = _STATUS_CLASSES[self.action.kind]
        enhanced, own_class = self.reply.enhanced, str(self.reply.code)[0]
        if _STATUS.fullmatch(enhanced) and enhanced[0] in classes:
            return enhanced
        return f"{own_class if own_class in classes else classes[0]}.0.0"

    @property
    def said(self) -> str:
        """The reply in one line of ASCII: code, enhanced status code and text."""
        code, enhanced = self.reply.code, self.reply.enhanced
        status = f"{enhanced} " if enhanced else ""
        text = f"{code} {status}{self.reply.text}"
        return clean_line(text, MAX_REPLY_CHARACTERS)

    @property
    def is_asked_for(self) -> bool:
        """
        Does the sender want to know? Without NOTIFY, of failure and delay.

        @see: RFC 3461 section 4.1
        """
        notify = self.recipient.notify
        if self.is_traced:
            return notify != "NEVER"
        words = frozenset(notify.split(",")) if notify else _WITHOUT_NOTIFY
        return self.action.kind.value in words


def success_action(*, is_final: bool, peer_takes_dsn: bool) -> Action | None:
    """
    What to report of a recipient whom a host has taken.

    @param is_final: is it the one that puts mail into mailboxes, as with LMTP?
    @param peer_takes_dsn: was C{NOTIFY} sent on?
    @return: L{None} if it is the host that will report.
    @see: RFC 3461 section 5.2.1 and section 5.2.2
    """
    if peer_takes_dsn:
        return None
    return Action.DELIVERED if is_final else Action.RELAYED
