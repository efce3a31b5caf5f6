"""
The trace field that we put in front of each message.

@see: RFC 5321 section 4.4 (form), RFC 3848 and RFC 6531 section 4.3 (the C{with}
    keyword), Haraka row VB21
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

import attrs

MAX_NAME_CHARACTERS: Final = 255
"""
Of a host's name (RFC 5321 section 4.5.3.1.2); more of what a client says is cut off.
"""

_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9._:\[\]-]")
_NOT_PLAIN = re.compile(r"[^ -~]|[()\\]")
_NOT_ASCII_TEXT = re.compile("[^ -~]")
_NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SPECIAL = re.compile(r"[()\\]")
_MAX_ADDRESS_CHARACTERS = 400  # a path has 256 octets, quoting not counted


def rfc5322_date(seconds: float) -> str:
    """
    A date as in C{Date:}, in UTC.

    @param seconds: since 1970.
    """
    return format_datetime(datetime.fromtimestamp(int(seconds), UTC))


@attrs.define(eq=False)
class DateStamp:
    """The date of the current second, written once however many messages come in it."""

    _second: int = attrs.field(default=-1, init=False)
    _text: str = attrs.field(default="", init=False)

    def at(self, seconds: float) -> str:
        """
        As L{rfc5322_date}.

        @param seconds: since 1970.
        """
        second = int(seconds)
        if second != self._second:
            self._second, self._text = second, rfc5322_date(second)
        return self._text


def from_clause(helo: str, rdns: str, ip: str) -> str:
    """
    Who the client said to be, and who it is; the same for all messages of a session.

    @param helo: the argument of HELO or EHLO, whatever it was.
    @param rdns: the client's name by DNS, C{""} if unknown.
    @param ip: its address, C{""} for a socket of this host.
    @return: printable ASCII without a blank or parenthesis of the client's making.
    """
    if not ip:
        return f"{_host(helo) or 'localhost'} (local)"
    literal = f"[{'IPv6:' if ':' in ip else ''}{_host(ip)}]"
    known = f"{_host(rdns)} {literal}" if rdns else literal
    return f"{_host(helo) or literal} ({known})"


def tls_comment(version: str, cipher: str, *, verified: bool) -> str:
    """
    How the session is encrypted; the same for all its messages.

    @param version: such as C{TLSv1.3}.
    @param cipher: its name.
    @param verified: did the client show a certificate that we trust?
    """
    result = "OK" if verified else "NO"
    return f"(version={_host(version)} cipher={_host(cipher)} verify={result})"


def with_keyword(
    *,
    extended: bool,
    encrypted: bool,
    authenticated: bool,
    utf8: bool = False,
    lmtp: bool = False,
) -> str:
    """
    The registered name of how the message came, such as C{ESMTPSA}.

    @param extended: did the client say EHLO?
    @param utf8: did it say SMTPUTF8?
    @param lmtp: does it speak LMTP? That has no plain and no extended form.
    """
    if lmtp:
        name = "UTF8LMTP" if utf8 else "LMTP"
    else:
        name = "UTF8SMTP" if utf8 else "ESMTP" if extended else "SMTP"
    return f"{name}{'S' if encrypted else ''}{'A' if authenticated else ''}"


@attrs.frozen
class ReceivedTemplate:
    """
    What is the same in every trace field of a server.

    @ivar me: the server's name.
    @ivar product: the software, for a comment; C{""} to keep it to ourselves.
    """

    me: str
    product: str = ""
    _by: str = attrs.field(init=False)
    _stamp: DateStamp = attrs.field(factory=DateStamp, init=False, eq=False)

    def __attrs_post_init__(self) -> None:
        product = f" ({_comment(self.product, utf8=False)})" if self.product else ""
        object.__setattr__(self, "_by", f"\tby {_host(self.me)}{product} with ")

    def line(
        self,
        *,
        client: str,
        protocol: str,
        uuid: str,
        mail_from: str,
        seconds: float,
        recipient: str = "",
        tls: str = "",
    ) -> bytes:
        """
        Write the trace field of one message.

        @param client: what L{from_clause} made.
        @param protocol: what L{with_keyword} made. C{UTF8...} keeps addresses in UTF-8;
            otherwise what is not ASCII becomes C{?}.
        @param uuid: the transaction's.
        @param mail_from: the reverse-path without its brackets.
        @param seconds: when the message came, since 1970.
        @param recipient: the only recipient, without brackets. C{""} if there are
            several: to name them would show blind copies (RFC 5321 section 7.2).
        @param tls: what L{tls_comment} made, or C{""}.
        @return: the field with its CRLF; no line longer than 998 octets.
        """
        if _NOT_PLAIN.search(mail_from) or len(mail_from) > _MAX_ADDRESS_CHARACTERS:
            mail_from = _comment(mail_from, utf8=protocol.startswith("UTF8"))
        if tls:
            tls = f"\r\n\t{tls}"
        if recipient:
            recipient = f"\r\n\tfor <{_path(recipient, protocol)}>"
        return (
            f"Received: from {client}\r\n"
            f"{self._by}{protocol} id {uuid}\r\n"
            f"\t(envelope-from <{mail_from}>){tls}{recipient};\r\n"
            f"\t{self._stamp.at(seconds)}\r\n"
        ).encode()


def _host(name: str) -> str:
    """A name that cannot be taken for more than a name."""
    return _NOT_IN_NAME.sub("?", name[:MAX_NAME_CHARACTERS])


def _comment(text: str, *, utf8: bool) -> str:
    """Text that cannot end the comment which it stands in."""
    text = text[:_MAX_ADDRESS_CHARACTERS]
    text = (_NOT_TEXT if utf8 else _NOT_ASCII_TEXT).sub("?", text)
    return _SPECIAL.sub(r"\\\g<0>", text)


def _path(address: str, protocol: str) -> str:
    """
    An address, valid as it is: parsed from a path. In doubt it is spoilt, not trusted.
    """
    utf8 = protocol.startswith("UTF8")
    address = address[:_MAX_ADDRESS_CHARACTERS]
    return (_NOT_TEXT if utf8 else _NOT_ASCII_TEXT).sub("?", address)
