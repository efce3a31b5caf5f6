"""
The grammar of a mailbox in an SMTP envelope, as functions over text.

Every function refuses with a L{GrammarError} that names one L{Fault}; which reply
that becomes is for L{harakatw.address} to say: it differs for senders and recipients.

The patterns take time in proportion to what a stranger sends: a character class is
repeated possessively, and a repeated group can begin and end in one way only. The
groups are not possessive: when a round of such a group fails, Python before 3.11.5 goes
on from where it failed, and would take C{a.@b} for a mailbox (gh-106052).

@see: RFC 5321 section 4.1.2 and 4.1.3, RFC 6531 section 3.3
"""

import enum
import ipaddress
import re
import unicodedata
from typing import Final

import idna

from harakatw.errors import HarakaError

MAX_LOCAL_OCTETS: Final = 64
"""RFC 5321 section 4.5.3.1.1; quotes and backslashes count."""

MAX_DOMAIN_OCTETS: Final = 255
"""RFC 5321 section 4.5.3.1.2."""

MAX_LABEL_OCTETS: Final = 63
"""RFC 1035 section 2.3.4."""

MAX_PATH_OCTETS: Final = 256
"""RFC 5321 section 4.5.3.1.3; the angle brackets count."""

LENIENT_PATH_OCTETS: Final = 998
"""What C{main.postel} makes of that, as in Haraka: room for long source routes."""

_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
_ATOM = rf"[{_ATEXT}]++"
_LABEL = r"[A-Za-z0-9][A-Za-z0-9-]{0,62}+(?<!-)"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"

PLAIN_MAILBOX: Final = rf"({_ATOM}(?:\.{_ATOM})*)@({_DOMAIN})"
"""
The form that nearly every command has, an ASCII dot-string and a domain, as a pattern
with two groups. It does not look at the lengths of the local part and of the whole.
"""

_FOREIGN_ATOM = rf"[{_ATEXT}\x80-\U0010ffff]++"  # RFC 6531 section 3.3
_DOT_STRING = re.compile(rf"{_FOREIGN_ATOM}(?:\.{_FOREIGN_ATOM})*")
_LENIENT_DOT_STRING = re.compile(rf"[{_ATEXT}.\x80-\U0010ffff]++")
_QUOTED_MAILBOX = re.compile(r'("([^"\\]*+(?:\\[ -~][^"\\]*+)*)")@(.*+)', re.DOTALL)
_HOST_NAME = re.compile(_DOMAIN, re.ASCII)
_GENERAL_LITERAL = re.compile(r"[A-Za-z0-9-]++(?<!-):[!#-'*+\-./0-9:=?A-Z^-~]++")
_TO_ESCAPE = re.compile(r'(["\\])')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_DELIMITER = re.compile(r'[ "(),.:;<>@\[\\\]\u3002]')
_UNPRINTABLE_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


class Fault(enum.Enum):
    """What is wrong with an address; the value is text for the client."""

    NO_ADDRESS = "there is none"
    NULL_PATH = "<> is no recipient"
    BRACKETS = "unbalanced angle brackets"
    TRAILING = "a blank must follow the address"
    NO_DOMAIN = "no @ and domain"
    LOCAL_PART = "bad character, dot or quote in the local part"
    LOCAL_TOO_LONG = f"local part longer than {MAX_LOCAL_OCTETS} octets"
    DOMAIN = "bad domain"
    DOMAIN_TOO_LONG = f"domain longer than {MAX_DOMAIN_OCTETS} octets"
    LABEL_TOO_LONG = f"domain label longer than {MAX_LABEL_OCTETS} octets"
    PATH_TOO_LONG = "too long"
    LITERAL = "bad address literal"
    ROUTE = "bad source route"
    CONTROL = "control character"
    ENCODING = "not valid UTF-8"
    LOOKALIKE = "a character that can be mistaken for a delimiter"
    INTERNATIONAL_DOMAIN = "bad internationalized domain name"
    NEEDS_SMTPUTF8 = "non-ASCII characters need SMTPUTF8"


class GrammarError(HarakaError, ValueError):
    """
    Text is no part of an address.

    @ivar fault: what is wrong with it.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"bad address: {fault.value}")
        self.fault = fault


def octets(text: str) -> int:
    """How many octets the text takes on the wire."""
    return len(text.encode("utf-8", "surrogatepass"))


def check_characters(text: str) -> None:
    """
    Refuse what must not stand in any address, whatever the quotes around it.

    That is control characters, line ends beyond ASCII, and characters that another
    program may fold into a delimiter: a full-width at-sign or an ideographic full stop
    is data to us, but the next mail server may cut the address there.

    @raise GrammarError: C{CONTROL} or C{LOOKALIKE}.
    """
    if text.isascii():
        if not text.isprintable():
            raise GrammarError(Fault.CONTROL)
        return
    if any(unicodedata.category(char) in _UNPRINTABLE_CATEGORIES for char in text):
        raise GrammarError(Fault.CONTROL)
    foreign = "".join(char for char in text if char > "\x7f")
    if _DELIMITER.search(unicodedata.normalize("NFKC", foreign)):
        raise GrammarError(Fault.LOOKALIKE)


def strip_route(path: str) -> str:
    """
    Drop a source route, which must be accepted and should be ignored.

    @return: the mailbox alone.
    @raise GrammarError: C{ROUTE}, or what L{canonical_domain} raises.
    @see: RFC 5321 section 4.1.2 (A-d-l) and appendix C
    """
    if not path.startswith("@"):
        return path
    route, colon, mailbox = path.partition(":")
    if not colon:
        raise GrammarError(Fault.ROUTE)
    for hop in route.split(","):
        if not hop.startswith("@"):
            raise GrammarError(Fault.ROUTE)
        canonical_domain(hop[1:])
    return mailbox


def split_mailbox(mailbox: str, lenient: bool) -> tuple[str, str]:
    """
    Take a mailbox apart at the only C{@} that can be meant.

    @param mailbox: text that L{check_characters} has passed.
    @param lenient: take dots at the ends or in a row in a local part without quotes.
    @return: the local part without quotes, and the domain as it stands, unchecked.
    @raise GrammarError: C{NO_DOMAIN}, C{LOCAL_PART} or C{LOCAL_TOO_LONG}.
    """
    if mailbox.startswith('"'):
        found = _QUOTED_MAILBOX.fullmatch(mailbox)
        if not found:
            raise GrammarError(Fault.LOCAL_PART)
        local, quoted, domain = found.groups()
        user = _ESCAPED.sub(r"\1", quoted)
    else:
        local, at, domain = mailbox.partition("@")
        if not at:
            raise GrammarError(Fault.NO_DOMAIN)
        if not (_LENIENT_DOT_STRING if lenient else _DOT_STRING).fullmatch(local):
            raise GrammarError(Fault.LOCAL_PART)
        user = local
    if octets(local) > MAX_LOCAL_OCTETS:
        raise GrammarError(Fault.LOCAL_TOO_LONG)
    return user, domain


def quoted_local(user: str) -> str:
    """
    The shortest spelling of a local part, with quotes where it needs them.

    @see: RFC 5321 section 4.1.2: a quoted local part equals the unquoted one
    """
    if _DOT_STRING.fullmatch(user):
        return user
    return '"' + _TO_ESCAPE.sub(r"\\\1", user) + '"'


def check_user(user: str) -> None:
    """
    Can this stand left of the C{@}, with quotes if need be?

    @param user: a local part without quotes.
    @raise GrammarError: C{CONTROL}, C{LOOKALIKE} or C{LOCAL_TOO_LONG}.
    """
    check_characters(user)
    if octets(quoted_local(user)) > MAX_LOCAL_OCTETS:
        raise GrammarError(Fault.LOCAL_TOO_LONG)


def canonical_host(host: str) -> str:
    """
    The one spelling under which a host is compared and looked up.

    @param host: a domain, with U-labels or A-labels, or an address literal in C{[]}.
    @return: lower case, A-labels only.
    @raise GrammarError: C{LITERAL}, or what L{canonical_domain} raises.
    """
    if not host.startswith("["):
        return canonical_domain(host)
    if len(host) > MAX_DOMAIN_OCTETS:
        raise GrammarError(Fault.DOMAIN_TOO_LONG)
    if is_ip_literal(host) or (host[-1] == "]" and _is_general_literal(host[1:-1])):
        return host.lower()
    raise GrammarError(Fault.LITERAL)


def canonical_domain(domain: str) -> str:
    """
    Check a domain and spell it in lower case with A-labels.

    @raise GrammarError: C{DOMAIN}, C{DOMAIN_TOO_LONG}, C{LABEL_TOO_LONG},
        C{INTERNATIONAL_DOMAIN}, C{CONTROL} or C{LOOKALIKE}.
    @see: RFC 5321 section 2.3.5, RFC 5890 section 2.3.2.1, UTS 46
    """
    if octets(domain) > MAX_DOMAIN_OCTETS:
        raise GrammarError(Fault.DOMAIN_TOO_LONG)
    if not domain.isascii():
        check_characters(domain)  # before IDNA, which takes U+3002 for a dot
        domain = _to_a_labels(domain)
    if _HOST_NAME.fullmatch(domain):
        return domain.lower()
    if any(len(label) > MAX_LABEL_OCTETS for label in domain.split(".")):
        raise GrammarError(Fault.LABEL_TOO_LONG)
    raise GrammarError(Fault.DOMAIN)


def literal_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """
    The IP address in an address literal, or L{None} for a name or another literal.

    IPv4 octets with leading zeros are refused: some software reads them as octal. A
    C{::} may stand for one group of zeros, which RFC 4291 section 2.2 allows.

    @param host: such as C{[192.0.2.1]} or C{[IPv6:2001:db8::1]}.
    @see: RFC 5321 section 4.1.3
    """
    if not (host.startswith("[") and host.endswith("]")):
        return None
    content = host[1:-1]
    try:
        if content[:5].lower() != "ipv6:":
            return ipaddress.IPv4Address(content)
        if "%" in content:  # a zone means nothing to anybody else
            return None
        return ipaddress.IPv6Address(content[5:])
    except ValueError:
        return None


def is_ip_literal(host: str) -> bool:
    """Is this an IPv4 or IPv6 address in square brackets?"""
    return literal_ip(host) is not None


def _is_general_literal(content: str) -> bool:
    """
    Is this C{tag:content} with a tag other than C{IPv6}?

    Nobody can route such a literal, so characters that could end a path or a quote in
    another program's parser are refused though RFC 5321 section 4.1.3 has them.
    """
    if content[:5].lower() == "ipv6:":
        return False
    return _GENERAL_LITERAL.fullmatch(content) is not None


def _to_a_labels(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:  # the parent of every error of idna
        raise GrammarError(Fault.INTERNATIONAL_DOMAIN) from None
