"""
The argument of C{MAIL} and C{RCPT}: keyword, path and parameters.

How strict it is: with C{main.strict_rfc1869} a C{<} must follow the colon at once, as
in RFC 5321 section 4.1.1.2. Without, as in Haraka, blanks may stand there, the angle
brackets may be missing (the path then ends at the first blank outside quotes), and
C{MAIL FROM:} alone is the null path. C{main.postel} is about the address inside: see
L{parse_address}.

@see: RFC 5321 section 4.1.1.2 and 4.1.1.3
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from harakatw.address import (
    RECIPIENT_REPLIES,
    SENDER_REPLIES,
    Address,
    parse_address,
    plain_address,
)
from harakatw.address_grammar import PLAIN_MAILBOX, Fault
from harakatw.errors import ProtocolError
from harakatw.reply import Reply, reply
from harakatw.wire.params import EMPTY_PARAMS, Params, parse_params

FROM: Final = b"FROM:"
TO: Final = b"TO:"

MAIL_SYNTAX: Final = reply(501, "5.5.4", "Syntax: MAIL FROM:<address> [parameters]")
RCPT_SYNTAX: Final = reply(501, "5.5.4", "Syntax: RCPT TO:<address> [parameters]")


def _plain(keyword: str) -> re.Pattern[str]:
    """The form that nearly every command has; the last group holds the parameters."""
    return re.compile(
        rf"(?i:{keyword})<({PLAIN_MAILBOX})>(?:[ \t]++(.*+))?", re.ASCII | re.DOTALL
    )


_PLAIN: Final[Mapping[bytes, re.Pattern[str]]] = MappingProxyType(
    {FROM: _plain("FROM:"), TO: _plain("TO:")}
)
_QUOTED = rb'"[^"\\]*+(?:\\.[^"\\]*+)*"'
_BRACKETED_PATH = re.compile(rb'<[^"<>]*+(?:%b[^"<>]*+)*>' % _QUOTED, re.DOTALL)
_BARE_PATH = re.compile(rb'[^"<> \t]*+(?:%b[^"<> \t]*+)*' % _QUOTED, re.DOTALL)
_BLANKS = b" \t"


def parse_path(
    argument: bytes, keyword: bytes, *, utf8: bool, strict: bool, postel: bool
) -> tuple[Address, Params]:
    """
    Read what follows C{MAIL} or C{RCPT}.

    @param argument: undecoded, without the CRLF.
    @param keyword: L{FROM} or L{TO}.
    @param utf8: may addresses and values be other than ASCII? For C{MAIL}: is SMTPUTF8
        on offer; then the address may be only if this command has that parameter. For
        C{RCPT}: did the transaction's C{MAIL} have it?
    @param strict: C{main.strict_rfc1869}.
    @param postel: C{main.postel}.
    @return: the address, which for L{FROM} may be null, and the parameters, whose names
        are still to be checked against what is on offer.
    @raise ProtocolError: 501 5.5.4 if the command is malformed, or what
        L{parse_address} and L{parse_params} raise.
    """
    found = _PLAIN[keyword].fullmatch(argument.decode("latin-1"))
    if found:
        original, user, host, params = found.groups()
        address = plain_address(original, user, host)
        if address is not None:
            if not params:
                return address, EMPTY_PARAMS
            return address, parse_params(params.encode("latin-1"), utf8=utf8)
    return _parse_any(argument, keyword, utf8, strict, postel)


def _parse_any(
    argument: bytes, keyword: bytes, utf8: bool, strict: bool, postel: bool
) -> tuple[Address, Params]:
    """Read what is not the plain form; the parameters are those of L{parse_path}."""
    is_sender = keyword == FROM
    if argument[: len(keyword)].upper() != keyword:
        raise ProtocolError(_syntax(is_sender))
    rest = argument[len(keyword) :].rstrip(_BLANKS)
    if strict and rest[:1] != b"<":
        raise ProtocolError(_syntax(is_sender))
    rest = rest.lstrip(_BLANKS)
    if not rest and is_sender:
        return Address(), EMPTY_PARAMS
    path, tail = _cut(rest, is_sender)
    params = parse_params(tail, utf8=utf8) if tail else EMPTY_PARAMS
    address = parse_address(
        path,
        utf8=utf8 and (not is_sender or "SMTPUTF8" in params),
        postel=postel,
        null=is_sender,
        bare_postmaster=not is_sender,
    )
    return address, params


def _cut(rest: bytes, is_sender: bool) -> tuple[bytes, bytes]:
    """Cut after the path, which may hold blanks and brackets in quotes."""
    pattern = _BRACKETED_PATH if rest.startswith(b"<") else _BARE_PATH
    found = pattern.match(rest)
    replies = SENDER_REPLIES if is_sender else RECIPIENT_REPLIES
    if not found:
        raise ProtocolError(replies[Fault.BRACKETS])
    tail = rest[found.end() :]
    if tail and tail[:1] not in (b" ", b"\t"):
        raise ProtocolError(replies[Fault.TRAILING])
    return found[0], tail


def _syntax(is_sender: bool) -> Reply:
    return MAIL_SYNTAX if is_sender else RCPT_SYNTAX
