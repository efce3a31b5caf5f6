"""
Delivery status notifications: what a sender asks for with MAIL and RCPT.

The parsers say what a value means; what is queued and sent on is the value as it came.

@see: RFC 3461 section 4 (the parameters), RFC 6533 section 3 (addresses in UTF-8)
"""

import re
from typing import Final, Literal

import attrs

from harakatw.errors import ProtocolError
from harakatw.reply import reply
from harakatw.wire.params import Params, decode_xtext

MAX_ENVID_CHARACTERS: Final = 100
"""Of ENVID as it comes, in xtext (RFC 3461 section 4.4)."""

MAX_ORCPT_CHARACTERS: Final = 500
"""Of ORCPT as it comes, address type and all (RFC 3461 section 4.2)."""

UTF8: Final = "utf-8"
"""The address type of RFC 6533, in lower case."""

BAD_NOTIFY: Final = reply(
    501, "5.5.4", "NOTIFY must be NEVER, or some of SUCCESS,FAILURE,DELAY"
)
BAD_RET: Final = reply(501, "5.5.4", "RET must be FULL or HDRS")
BAD_ENVID: Final = reply(
    501, "5.5.4", f"ENVID must be xtext of at most {MAX_ENVID_CHARACTERS} characters"
)
BAD_ORCPT: Final = reply(
    501,
    "5.5.4",
    f"ORCPT must be type;xtext of at most {MAX_ORCPT_CHARACTERS} characters",
)

_NOTIFY_WORDS: Final = frozenset(("SUCCESS", "FAILURE", "DELAY"))
_NEVER: Final = frozenset(("NEVER",))
_MAX_DETAIL = 80  # characters of a refused value that the log gets

_ORCPT = re.compile(r"([!#-'*/0-9?A-Z^-~-]{1,40}+);(.++)")
_FOREIGN_XTEXT = re.compile(
    r"(?:[!-*,-<>-\[\]-~\x80-\U0010ffff]|\+[2-7][0-9A-Fa-f]|\\x\{[0-9A-Fa-f]{2,6}\})++"
)
_EMBEDDED = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}|\+([2-7][0-9A-Fa-f])")
_TO_EMBED = re.compile(r"[^!-*,-<>-\[\]-~]")


@attrs.frozen
class OriginalRecipient:
    """
    For whom the message was when it was first sent.

    @ivar type: of the address, in lower case, such as C{rfc822}.
    @ivar address: decoded, printable.
    """

    type: str
    address: str


def parse_notify(value: str | None) -> frozenset[str]:
    """
    Read NOTIFY.

    @param value: what stood after C{NOTIFY=}, in any case.
    @return: C{NEVER} alone, or some of C{SUCCESS}, C{FAILURE} and C{DELAY}.
    @raise ProtocolError: 501 5.5.4 if it is anything else.
    @see: RFC 3461 section 4.1
    """
    words = frozenset((value or "").upper().split(","))
    if words != _NEVER and not words <= _NOTIFY_WORDS:
        raise ProtocolError(BAD_NOTIFY, value=_shortened(value))
    return words


def parse_ret(value: str | None) -> Literal["FULL", "HDRS"]:
    """
    Read RET: how much of the message shall come back with a report of failure?

    @param value: what stood after C{RET=}, in any case.
    @raise ProtocolError: 501 5.5.4 if it is neither.
    @see: RFC 3461 section 4.3
    """
    match (value or "").upper():
        case "FULL":
            return "FULL"
        case "HDRS":
            return "HDRS"
    raise ProtocolError(BAD_RET, value=_shortened(value))


def parse_envid(value: str | None) -> str:
    """
    Read ENVID, by which the sender knows the message again.

    @param value: what stood after C{ENVID=}, undecoded.
    @return: printable ASCII.
    @raise ProtocolError: 501 5.5.4 if it is no xtext, too long, or hides a control
        character.
    @see: RFC 3461 section 4.4
    """
    if len(value or "") > MAX_ENVID_CHARACTERS:
        raise ProtocolError(BAD_ENVID, value=_shortened(value))
    try:
        return decode_xtext(value)
    except ProtocolError as error:
        raise ProtocolError(BAD_ENVID, **error.detail) from None


def parse_orcpt(value: str | None, *, utf8: bool) -> OriginalRecipient:
    """
    Read ORCPT.

    Whether there is such an address is no matter: it belongs to whoever sent the
    message first, and goes into reports as it is.

    @param value: what stood after C{ORCPT=}, undecoded.
    @param utf8: may characters other than ASCII stand in it as they are? That is, has
        the transaction SMTPUTF8? Encoded ones may in any case, if the type is C{utf-8}.
    @raise ProtocolError: 501 5.5.4 if it has no type, is no xtext, is too long, or
        hides a control character.
    @see: RFC 3461 section 4.2, RFC 6533 section 3
    """
    found = _ORCPT.fullmatch(value or "")
    if not found or len(found[0]) > MAX_ORCPT_CHARACTERS:
        raise ProtocolError(BAD_ORCPT, value=_shortened(value))
    address_type = found[1].lower()
    try:
        if address_type == UTF8:
            return OriginalRecipient(UTF8, _decode_foreign(found[2], utf8))
        return OriginalRecipient(address_type, decode_xtext(found[2]))
    except ProtocolError as error:
        raise ProtocolError(BAD_ORCPT, **error.detail) from None


def message_dsn(params: Params) -> tuple[str, str]:
    """
    What is queued with a message, and sent on to a peer that takes DSN.

    @param params: of its C{MAIL}, checked.
    @return: RET in upper case and ENVID as it came, C{""} for what was not given.
    """
    return (params.get("RET") or "").upper(), params.get("ENVID") or ""


def recipient_dsn(params: Params) -> tuple[str, str]:
    """
    What is queued with a recipient, and sent on to a peer that takes DSN.

    @param params: of its C{RCPT}, checked.
    @return: NOTIFY in upper case and ORCPT as it came, C{""} for what was not given.
    """
    return (params.get("NOTIFY") or "").upper(), params.get("ORCPT") or ""


def encode_foreign(address: str) -> str:
    """
    Write an address of type C{utf-8} in ASCII: C{\\x{FC}} stands for a character.

    @see: RFC 6533 section 3 (utf-8-addr-xtext)
    """
    return _TO_EMBED.sub(lambda found: f"\\x{{{ord(found[0]):02X}}}", address)


def _decode_foreign(text: str, utf8: bool) -> str:
    """
    Read an address of type C{utf-8}; ASCII that is encoded as xtext is taken too.
    """
    if not (_FOREIGN_XTEXT.fullmatch(text) and (utf8 or text.isascii())):
        raise ProtocolError(BAD_ORCPT, value=_shortened(text))
    codes = [int(one or other, 16) for one, other in _EMBEDDED.findall(text)]
    if any(code > 0x10FFFF for code in codes):
        raise ProtocolError(BAD_ORCPT, value=_shortened(text))
    address = _EMBEDDED.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
    if not address.isprintable():
        raise ProtocolError(BAD_ORCPT, value=_shortened(text))
    return address


def _shortened(value: str | None) -> str:
    return (value or "")[:_MAX_DETAIL]
