"""
The address in a C{MAIL FROM} or C{RCPT TO}, and how it is read.

@see: RFC 5321 section 4.1.2, RFC 6531 section 3.3
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from harakatw.address_grammar import (
    LENIENT_PATH_OCTETS,
    MAX_LOCAL_OCTETS,
    MAX_PATH_OCTETS,
    PLAIN_MAILBOX,
    Fault,
    GrammarError,
    canonical_host,
    check_characters,
    check_user,
    is_ip_literal,
    literal_ip,
    octets,
    quoted_local,
    split_mailbox,
    strip_route,
)
from harakatw.errors import ProtocolError
from harakatw.reply import Reply, reply

__all__ = [
    "RECIPIENT_REPLIES",
    "SENDER_REPLIES",
    "Address",
    "is_ip_literal",
    "literal_ip",
    "parse_address",
    "plain_address",
]

_PLAIN = re.compile(rf"(<)?({PLAIN_MAILBOX})(?(1)>)", re.ASCII)
_MAX_PLAIN = MAX_PATH_OCTETS - len("<>")
_BLANKS = " \t"
_MAX_DETAIL = 320  # characters of a refused address that the log gets


@attrs.define(repr=False, weakref_slot=False, on_setattr=attrs.setters.NO_OP)
class Address:
    """
    One mailbox of an envelope, or the null reverse-path.

    A plugin may assign C{user} and C{host}; what is assigned, or given to the
    constructor, is checked and may raise L{GrammarError}, a L{ValueError}. Two
    addresses are equal if C{user} and C{host} are: by RFC 5321 section 2.4 the case of
    a local part matters.

    @ivar original: the path as received, without angle brackets. For the log only: it
        may hold a source route, so nothing is to be decided by it.
    @ivar original_host: the host as received.
    """

    _user: str = ""
    _host: str = ""
    original: str = attrs.field(default="", eq=False)
    original_host: str = attrs.field(default="", eq=False)

    def __attrs_post_init__(self) -> None:
        self.original_host = self.original_host or self._host
        self.user = self._user
        if self._host:
            self.host = self._host
        elif self._user and self._user.lower() != "postmaster":
            raise GrammarError(Fault.NO_DOMAIN)
        self.original = self.original or self.address

    @property
    def user(self) -> str:
        """The local part without quotes; C{postmaster} if it came without a host."""
        return self._user

    @user.setter
    def user(self, user: str) -> None:
        check_user(user)
        self._user = user

    @property
    def host(self) -> str:
        """
        The domain in lower case with A-labels, or an address literal in lower case, as
        C{[ipv6:::1]}; empty for the null path and the bare postmaster.
        """
        return self._host

    @host.setter
    def host(self, host: str) -> None:
        self._host = canonical_host(host)

    @property
    def is_null(self) -> bool:
        """Is this C{<>}, the sender of a bounce?"""
        return not self._host and not self._user

    @property
    def is_utf8(self) -> bool:
        """
        Is the local part, or was the host as received, other than ASCII?

        Whether a next hop needs SMTPUTF8 depends on C{user} alone: C{host} is ASCII.
        """
        return not (self._user.isascii() and self.original_host.isascii())

    @property
    def address(self) -> str:
        """
        C{user@host}, the local part in quotes where it needs them.

        One text is one mailbox: this is what to log, look up and compare.
        """
        if self.is_null:
            return ""
        local = quoted_local(self._user)
        return f"{local}@{self._host}" if self._host else local

    def format(self) -> str:
        """The address in angle brackets, as a command needs it; C{<>} if null."""
        return f"<{self.address}>"

    def __str__(self) -> str:
        return self.format()

    def __repr__(self) -> str:
        return f"Address({self.format()!r})"


def plain_address(original: str, user: str, host: str) -> Address | None:
    """
    Make an address of what L{PLAIN_MAILBOX} matched, without checking it again.

    Twice per message: the constructor would double the time of a C{RCPT TO}.

    @param original: the whole match.
    @param user: its first group.
    @param host: its second group.
    @return: L{None} if it is too long.
    """
    if len(user) > MAX_LOCAL_OCTETS or len(original) > _MAX_PLAIN:
        return None
    address = Address.__new__(Address)
    address._user = user
    address._host = host.lower()
    address.original = original
    address.original_host = host
    return address


def _replies(enhanced: str, what: str, unencodable: int) -> Mapping[Fault, Reply]:
    replies = {
        fault: reply(501, enhanced, f"Bad {what} address: {fault.value}")
        for fault in Fault
    }
    fault = Fault.NEEDS_SMTPUTF8
    replies[fault] = reply(unencodable, "5.6.7", f"Bad {what} address: {fault.value}")
    return MappingProxyType(replies)


SENDER_REPLIES: Final = _replies("5.1.7", "sender", unencodable=550)
"""What a client is told about a reverse-path (RFC 3463, RFC 6531 section 3.5)."""

RECIPIENT_REPLIES: Final = _replies("5.1.3", "recipient", unencodable=553)
"""What a client is told about a forward-path (RFC 3463, RFC 6531 section 3.5)."""


def parse_address(
    text: str | bytes,
    *,
    utf8: bool,
    postel: bool = False,
    null: bool = False,
    bare_postmaster: bool = False,
) -> Address:
    """
    Read one address, with or without angle brackets.

    @param text: C{<user@host>} or C{user@host}, nothing around it.
    @param utf8: take non-ASCII characters: SMTPUTF8 is in force.
    @param postel: be liberal: take blanks around the address, dots at the ends or in a
        row in the local part (which then is quoted when sent on), and 998 octets of
        path. No text that has two readings is taken.
    @param null: this is a reverse-path: C{<>} is one, and an error speaks of a sender.
    @param bare_postmaster: take C{Postmaster} in any case without a domain, which every
        server must for C{RCPT TO} (RFC 5321 section 4.1.1.3).
    @raise ProtocolError: 501 5.1.7 (sender) or 5.1.3 (recipient) if it is malformed;
        550 (sender) or 553 (recipient) 5.6.7 if it needs SMTPUTF8.
    @see: RFC 5321 section 4.1.2, RFC 6531 section 3.3 and 3.5
    """
    try:
        path = _decode(text, utf8) if isinstance(text, bytes) else text
        found = _PLAIN.fullmatch(path)
        address = plain_address(found[2], found[3], found[4]) if found else None
        if address is None:
            address = _parse_any(path, utf8, postel, null, bare_postmaster)
        return address
    except GrammarError as error:
        replies = SENDER_REPLIES if null else RECIPIENT_REPLIES
        detail = text[:_MAX_DETAIL]
        raise ProtocolError(replies[error.fault], address=detail) from None


def _decode(path: bytes, utf8: bool) -> str:
    if len(path) > LENIENT_PATH_OCTETS:
        raise GrammarError(Fault.PATH_TOO_LONG)
    try:
        return path.decode("utf-8")
    except UnicodeDecodeError:
        raise GrammarError(Fault.ENCODING) from None


def _parse_any(
    path: str, utf8: bool, postel: bool, null: bool, bare_postmaster: bool
) -> Address:
    """Read what is no plain mailbox; the parameters are those of L{parse_address}."""
    path = _unwrap(path, postel)
    check_characters(path)
    if not (utf8 or path.isascii()):
        raise GrammarError(Fault.NEEDS_SMTPUTF8)
    if not path:
        if null:
            return Address()
        raise GrammarError(Fault.NULL_PATH)
    if bare_postmaster and path.lower() == "postmaster":
        return Address("postmaster", original=path)
    user, domain = split_mailbox(strip_route(path), lenient=postel)
    address = Address(user, canonical_host(domain), path, domain)
    # Again, because A-labels may be longer than the U-labels were.
    if octets(address.format()) > MAX_PATH_OCTETS:
        raise GrammarError(Fault.PATH_TOO_LONG)
    return address


def _unwrap(path: str, postel: bool) -> str:
    """Take the brackets off, and with C{postel} the blanks in and around them."""
    if postel:
        path = path.strip(_BLANKS)
    bracketed = path.startswith("<")
    if bracketed != path.endswith(">") or path == "<":
        raise GrammarError(Fault.BRACKETS)
    if bracketed:
        path = path[1:-1].strip(_BLANKS) if postel else path[1:-1]
    elif not path:
        raise GrammarError(Fault.NO_ADDRESS)
    limit = LENIENT_PATH_OCTETS if postel else MAX_PATH_OCTETS
    if octets(path) + len("<>") > limit:
        raise GrammarError(Fault.PATH_TOO_LONG)
    return path
