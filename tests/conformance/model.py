"""
RFC 5321 as a program: what a server answers, and what it then has in hand.

It works on lines of which somebody has said what they are worth, and so knows nothing
of octets, cuts, plugins and time. Where the RFC leaves a choice, the comment says so.
"""

from collections.abc import Sequence
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


@attrs.define
class Model:
    """
    One session.

    @ivar max_errors: how many mistakes end it.
    @ivar hello: C{""}, C{"HELO"} or C{"EHLO"}.
    @ivar sender: of the open transaction, L{None} if there is none.
    @ivar recipients: that were accepted.
    @ivar is_reading: is a message coming?
    @ivar is_closed: does the server say nothing any more?
    @ivar messages: that were taken.
    """

    max_errors: int
    hello: str = ""
    sender: str | None = None
    recipients: list[str] = attrs.field(factory=list)
    is_reading: bool = False
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
        """
        Take a line that came together with more, none of which counts.

        Whoever does not wait for the answer to DATA is not understood (RFC 2920
        section 3.1), and it is not safe to guess.
        """
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
        if line.verb in ("RCPT", "DATA") and self.sender is None:
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
        is_bare = any(b"\r" in line or b"\n" in line for line in lines)
        ended = b"\r\n".join(plain)
        size = len(ended) + sum(line.count(b"\r") for line in lines)
        size += sum(line.count(b"\n") for line in lines)
        sender, recipients = self.sender, tuple(self.recipients)
        self._drop()
        if size > MAX_MESSAGE_OCTETS:
            return 552  # RFC 1870 section 6.3
        if is_bare or sender is None:
            return 554  # section 2.3.8
        self.messages.append(Message(sender, recipients, ended))
        return 250

    def _drop(self) -> None:
        self.sender = None
        self.recipients = []
        self.is_reading = False
        self._tried = 0
