"""
LMTP: a session in which each recipient has a reply of its own to the message.

Everything else is SMTP with extensions: the same handlers, plugins and limits.

@see: RFC 2033
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from harakatw.address import Address
from harakatw.errors import ProtocolError
from harakatw.reply import Reply, reply
from harakatw.smtp.commands import COMMANDS, Handler
from harakatw.smtp.helo import lhlo
from harakatw.smtp.mail import mail
from harakatw.smtp.protocol import SMTPProtocol
from harakatw.smtp.session import Session
from harakatw.verdict import Decision, Verdict

NOT_SMTP: Final = reply(500, "5.5.1", "This is LMTP: send LHLO")

NO_RECIPIENT: Final = reply(503, "5.5.1", "No valid recipients")
"""RFC 2033 section 4.2 wants 503, where SMTP has 554."""


def _not_smtp(session: Session, argument: bytes) -> None:
    """HELO and EHLO are not to be taken (RFC 2033 section 4.1)."""
    raise ProtocolError(NOT_SMTP)


def _mail(session: Session, argument: bytes) -> None:
    """As in SMTP, and the recipients are counted anew."""
    if isinstance(session, LMTPProtocol):
        session.recipients = []
        session.in_chunks = False
    mail(session, argument)


LMTP_COMMANDS: Final[Mapping[bytes, Handler]] = MappingProxyType(
    {
        **COMMANDS,
        b"HELO": _not_smtp,
        b"EHLO": _not_smtp,
        b"LHLO": lhlo,
        b"MAIL": _mail,
    }
)


class LMTPProtocol(SMTPProtocol):
    """
    The Twisted protocol of one LMTP client.

    @ivar recipients: for which the client awaits a reply, in the order of RCPT. What
        plugins make of the transaction's recipients does not change that.
    """

    lmtp = True
    commands = LMTP_COMMANDS
    no_recipient = NO_RECIPIENT
    recipients: list[Address]  # there is one from the first MAIL on

    def took(self, recipient: Address) -> None:
        """A recipient was accepted."""
        self.recipients.append(recipient)

    def answer_message(
        self, decision: Decision, each: Mapping[str, Verdict] | None = None
    ) -> None:
        """
        Answer the end of a message, once for each recipient.

        @see: RFC 2033 section 4.2 (DATA), section 4.3 (BDAT)
        """
        if self.in_chunks or decision.reply is None or not self.recipients:
            self.obey(decision)
            return
        answers = [
            self._answer_for(recipient, decision.reply, each or {})
            for recipient in self.recipients
        ]
        self.recipients = []
        for answer in answers[:-1]:
            self.reply(answer)
        self.obey(Decision(decision.refused, answers[-1], decision.then))

    def _answer_for(
        self, recipient: Address, answer: Reply, each: Mapping[str, Verdict]
    ) -> Reply:
        verdict = each.get(recipient.address)
        if verdict is None or not verdict.denies:
            return answer
        return self.decide("queue", verdict).reply or answer
