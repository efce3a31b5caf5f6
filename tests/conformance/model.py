"""
RFC 5321 as a program: what a server answers, and what it then has in hand.

It works on lines of which somebody has said what they are worth, and so knows nothing
of octets, cuts, plugins and time. Where the RFC leaves a choice, the comment says so.
"""

from collections.abc import Sequence

import attrs

from tests.conformance.values import (
    MAX_MESSAGE_OCTETS,
    MAX_RECIPIENTS,
    OUR_DOMAIN,
    Line,
    Message,
)


@attrs.define
class Model:
    """
    One session.

    @ivar max_errors: how many mistakes end it.
    @ivar hello: C{""}, C{"HELO"} or C{"EHLO"}.
    @ivar sender: of the open transaction, L{None} if there is none.
    @ivar recipients: that were accepted.
    @ivar is_reading: is a message coming?
    @ivar chunks: what has come of one by BDAT, L{None} if none has.
    @ivar is_closed: does the server say nothing any more?
    @ivar messages: that were taken.
    """

    max_errors: int
    hello: str = ""
    sender: str | None = None
    recipients: list[str] = attrs.field(factory=list)
    is_reading: bool = False
    chunks: bytes | None = None
    is_closed: bool = False
    messages: list[Message] = attrs.field(factory=list)
    _tried: int = 0
    _errors: int = 0

    def hear(self, lines: Sequence[Line]) -> list[int]:
        """
        Take lines that come without the message behind them.

        @return: the codes of the answers, in order (RFC 2920 section 3.2).
        """
        return [code for line in lines for code in self._answers(line)]

    def _answers(self, line: Line) -> list[int]:
        if self.is_closed:
            return []
        code = self._misplaced(line)
        is_mistake = code > 0
        if not is_mistake:
            is_mistake, code = self._obey(line)
        self._errors += is_mistake
        if is_mistake and self._errors >= self.max_errors:
            self.is_closed = True
            return [code, 421]  # section 4.3.2: any command may be answered so
        return [code]

    def hear_impatient(self, line: Line) -> list[int]:
        """Take a DATA that came with more, which RFC 2920 section 3.1 forbids."""
        if self.is_closed:
            return []
        if line.verb != "DATA" or self._misplaced(line):
            raise ValueError("only a DATA that may come now")
        self.is_closed = True
        return [554]

    def _misplaced(self, line: Line) -> int:
        """
        Section 4.1.4: 503 if the command may not come now.

        The RFC does not say whether place or form counts first; here it is the place.
        """
        if line.verb in ("MAIL", "RCPT", "DATA") and not self.hello:
            return 503
        if line.verb == "MAIL" and self.sender is not None:
            return 503
        if line.verb in ("RCPT", "DATA") and (
            self.sender is None or self.chunks is not None  # RFC 3030 section 2
        ):
            return 503
        return 0

    def _obey(self, line: Line) -> tuple[bool, int]:
        """Is it a mistake, and what is the answer?"""
        if not line.verb:
            return True, line.fault or 500  # section 4.2.4
        if line.is_extended and self.hello != "EHLO":
            return True, 555  # section 4.1.1.11
        if line.fault:
            return True, line.fault
        match line.verb:
            case "HELO" | "EHLO":
                self.hello = line.verb
                self._drop()  # section 4.1.4
            case "MAIL":
                self.sender = line.mailbox
            case "RCPT":
                return False, self._rcpt(line.mailbox)
            case "DATA":
                return self._data()
            case "RSET":
                self._drop()
            case "VRFY":
                return False, 252  # section 3.5.3
            case "EXPN":
                return False, 502  # section 4.2.4: known, not implemented
            case "HELP":
                return False, 214
            case "QUIT":
                self.is_closed = True
                return False, 221
        return False, 250

    def _rcpt(self, mailbox: str) -> int:
        self._tried += 1
        if self._tried > MAX_RECIPIENTS:
            return 452  # section 4.5.3.1.10
        if not mailbox.endswith(f"@{OUR_DOMAIN}"):
            return 550  # section 3.6.2: no relay for strangers
        self.recipients.append(mailbox)
        return 250

    def _data(self) -> tuple[bool, int]:
        if self.recipients:
            self.is_reading = True
            return False, 354
        # Section 3.3 allows both codes; 554 tells a client that had hopes.
        return True, 554 if self._tried else 503

    def take(self, octets: bytes) -> int:
        """
        Take a message.

        @param octets: as they are sent, up to the dot that ends it, which is cut off.
        @return: the code of the answer.
        """
        lines = octets.split(b"\r\n")
        plain = [line.removeprefix(b".") for line in lines]  # section 4.5.2
        return self._finish(b"\r\n".join(plain), _alone(octets) > 0)

    def take_chunk(self, octets: bytes, is_last: bool) -> list[int]:
        """
        Take a BDAT with all of its octets, which are never commands (RFC 3030).

        @return: the codes of the answers: one, or none if nobody listens.
        """
        if self.is_closed:
            return []
        if self.hello != "EHLO":
            return [502]  # not offered
        if self.sender is None or not (self.recipients or self._tried):
            return [503]
        if not self.recipients:
            return [554]
        begun = self.chunks or b""
        if len(begun) + len(octets) > MAX_MESSAGE_OCTETS:
            self._drop()
            return [552]
        self.chunks = begun + octets
        if not is_last:
            return [250]
        ended = self.chunks
        if not ended.endswith(b"\r\n"):
            ended += b"\n" if ended.endswith(b"\r") else b"\r\n"
        return [self._finish(ended, _alone(self.chunks) > 0)]

    def _finish(self, octets: bytes, is_bare: bool) -> int:
        sender, recipients = self.sender, tuple(self.recipients)
        self._drop()
        if len(octets) + _alone(octets) > MAX_MESSAGE_OCTETS:
            return 552  # RFC 1870 section 6.3
        if is_bare or sender is None:
            return 554  # section 2.3.8
        self.messages.append(Message(sender, recipients, octets))
        return 250

    def _drop(self) -> None:
        self.sender = None
        self.recipients = []
        self.is_reading = False
        self.chunks = None
        self._tried = 0


def _alone(octets: bytes) -> int:
    """How many CR and LF stand alone?"""
    rest = octets.replace(b"\r\n", b"")
    return rest.count(b"\r") + rest.count(b"\n")
