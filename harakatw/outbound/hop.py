"""
Where mail is sent: one host, and how to talk to it.

A hop comes from the MX look-up, or is written down: in a file, by a plugin or in a
note, as a host, a URL, or an object with Haraka's keys.

@see: Haraka row OB23
"""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, get_args
from urllib.parse import unquote

import attrs

from harakatw.address_grammar import GrammarError, canonical_domain

SMTP_PORT: Final = 25
LMTP_PORT: Final = 24
SMTPS_PORT: Final = 465

TLSWish = Literal["default", "never", "may", "must", "verify", "strict", "relaxed"]
"""
What a hop asks for: what C{tls.ini} says, no TLS, TLS if offered, TLS from anybody, or
TLS from a host with the right certificate. C{strict} is that with no trust in the DNS:
an MX host has to have the certificate of the domain itself. C{relaxed} is what
C{tls.ini} says, but for C{rejectUnauthorized}.
"""

EXPECTED: Final = (
    "expected host, host:port, [IPv6]:port, smtp://user:password@host:port, "
    "smtps://..., lmtp://host:port or lmtp:/path"
)

_MAX_PORT: Final = 65535
_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:/@\s]+))(?::([0-9]{1,5}))?")
# Host names with an underscore are no mail domains, but containers have them.
_MACHINE_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?")
_PRINTABLE = re.compile(r"[!-~]{1,255}")
_MECHANISM = re.compile(r"[A-Za-z0-9_-]{1,20}")
_TRUE: Final = frozenset(("true", "yes", "on", "1"))
_FALSE: Final = frozenset(("false", "no", "off", "0", ""))


class HopError(ValueError):
    """
    What was written down is no hop; the message says why, and shows no password.
    """


def _check_host(hop: "Hop", attribute: object, host: str) -> None:
    if host and not (is_ip(host) or _MACHINE_NAME.fullmatch(host)):
        raise HopError(f"{host[:80]!r} is not the name or address of a host")


def _check_ip(hop: "Hop", attribute: "attrs.Attribute[str]", ip: str) -> None:
    if ip and not is_ip(ip):
        raise HopError(f"{attribute.name}: {ip[:80]!r} is not an IP address")


def _check_port(hop: "Hop", attribute: object, port: int) -> None:
    if not 1 <= port <= _MAX_PORT:
        raise HopError(f"{port} is not a port")


def _check_path(hop: "Hop", attribute: object, path: str) -> None:
    if path and not (path.startswith("/") and path.isprintable()):
        raise HopError("the path of a Unix socket must begin with / and be printable")


def _check_helo(hop: "Hop", attribute: object, name: str) -> None:
    if name and not _PRINTABLE.fullmatch(name):
        raise HopError(f"bind_helo: {name[:80]!r} is not a host name in ASCII")


def _check_mechanism(hop: "Hop", attribute: object, name: str) -> None:
    if name and not _MECHANISM.fullmatch(name):
        raise HopError(f"auth_type: {name[:80]!r} is not the name of a mechanism")


@attrs.frozen(kw_only=True)
class Hop:
    """
    One host. Equal hops may share a connection.

    @ivar host: a name or IP address; C{""} with C{path}. TLS asks for this name.
    @ivar ip: where to connect; C{""} to look C{host} up.
    @ivar path: of a Unix socket, instead of host and port.
    @ivar priority: the MX record's; lower ones come first.
    @ivar bind: our address to connect from, C{""} for any.
    @ivar bind_helo: our name in EHLO, C{""} for the server's.
    @ivar using_lmtp: RFC 2033 instead of SMTP.
    @ivar auth_user: C{""} if no authentication is wanted; with it, nothing is sent
        unless it succeeds.
    @ivar auth_type: the mechanism, C{""} for the best one.
    @ivar allow_clear_auth: may the password be sent over a connection without TLS?
    @ivar tls: see L{TLSWish}.
    @ivar implicit_tls: does TLS begin at once (RFC 8314), without STARTTLS?
    @ivar allow_8bit: send octets above 127 even to a host that has no 8BITMIME?
    @ivar xclient: become the message's client with XCLIENT, where that is offered?
    @ivar xforward: tell with XFORWARD whose mail it is, where that is offered?
    @ivar from_dns: the recipients' domain, where that matters for the connection.
    """

    host: str = attrs.field(default="", validator=_check_host)
    port: int = attrs.field(default=SMTP_PORT, validator=_check_port)
    ip: str = attrs.field(default="", validator=_check_ip)
    path: str = attrs.field(default="", validator=_check_path)
    priority: int = 0
    bind: str = attrs.field(default="", validator=_check_ip)
    bind_helo: str = attrs.field(default="", validator=_check_helo)
    using_lmtp: bool = False
    auth_user: str = ""
    auth_pass: str = attrs.field(default="", repr=False)
    auth_type: str = attrs.field(default="", validator=_check_mechanism)
    allow_clear_auth: bool = False
    tls: TLSWish = "default"
    implicit_tls: bool = False
    allow_8bit: bool = False
    xclient: bool = False
    xforward: bool = False
    from_dns: str = ""

    def __attrs_post_init__(self) -> None:
        if bool(self.path) == bool(self.host or self.ip):
            raise HopError("a hop has either a host or the path of a Unix socket")
        if self.auth_pass and not self.auth_user:
            raise HopError("a hop with auth_pass needs auth_user")

    @property
    def name(self) -> str:
        """What the host is called: by certificates and in bounces."""
        return self.host or self.ip or "localhost"

    def __str__(self) -> str:
        """For logs: no secrets."""
        if self.path:
            return self.path
        where = self.host or self.ip
        if self.ip and self.host and self.ip != self.host:
            where = f"{self.host}[{self.ip}]"
        return f"[{where}]:{self.port}" if is_ip6(where) else f"{where}:{self.port}"


def is_ip(text: str) -> bool:
    """Is this an IPv4 or IPv6 address, without a zone?"""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def is_ip6(text: str) -> bool:
    """Is this an IPv6 address?"""
    return ":" in text and is_ip(text)


# ---- reading -------------------------------------------------------------------------


def parse_hop(written: object) -> Hop:
    """
    Read what somebody wrote down for a hop.

    @param written: a hop, a text (see L{EXPECTED}, or a JSON object), or an object with
        Haraka's keys C{exchange}, C{port}, ... and the other fields of L{Hop}.
    @raise HopError: if it is none.
    """
    if isinstance(written, Hop):
        return written
    if isinstance(written, Mapping):
        return _from_object(written)
    if not isinstance(written, str):
        raise HopError(f"{type(written).__name__} is no hop: {EXPECTED}")
    text = written.strip()
    if text.startswith("{"):
        return _from_json(text)
    scheme, is_url, rest = text.partition(":")
    read = _SCHEMES.get(scheme.lower()) if is_url else None
    if read is not None and rest.startswith("/"):
        return read(rest)
    host, port = _host_port(text, SMTP_PORT)
    return Hop(host=host, port=port)


def _from_json(text: str) -> Hop:
    try:
        written = json.loads(text)
    except (ValueError, RecursionError):
        raise HopError("what begins with { must be JSON") from None
    return _from_object(written)


def _smtp_url(rest: str) -> Hop:
    return Hop(**_url_parts(rest, SMTP_PORT))


def _smtps_url(rest: str) -> Hop:
    return Hop(**_url_parts(rest, SMTPS_PORT), implicit_tls=True, tls="must")


def _lmtp_url(rest: str) -> Hop:
    if not rest.startswith("//"):
        return Hop(path=unquote(rest), using_lmtp=True)
    if rest.startswith("///"):
        return Hop(path=unquote(rest[2:]), using_lmtp=True)
    return Hop(**_url_parts(rest, LMTP_PORT), using_lmtp=True)


_SCHEMES: Final[Mapping[str, Callable[[str], Hop]]] = MappingProxyType(
    {"smtp": _smtp_url, "smtps": _smtps_url, "lmtp": _lmtp_url}
)


def _url_parts(rest: str, default_port: int) -> dict[str, Any]:
    """What stands after the scheme: C{//user:password@host:port/}."""
    if not rest.startswith("//"):
        raise HopError(EXPECTED)
    userinfo, is_auth, place = rest[2:].removesuffix("/").rpartition("@")
    host, port = _host_port(place, default_port)
    user, _, password = userinfo.partition(":")
    if is_auth and not user:
        raise HopError("a URL with @ needs a user name before it")
    return {
        "host": host,
        "port": port,
        "auth_user": unquote(user),
        "auth_pass": unquote(password),
    }


def _host_port(text: str, default_port: int) -> tuple[str, int]:
    if is_ip(text):
        return text, default_port
    found = _HOST_PORT.fullmatch(text)
    if found is None or (found[1] and not is_ip6(found[1])):
        shown = text.rpartition("@")[2]  # never a password
        raise HopError(f"{shown[:80]!r} is no hop: {EXPECTED}")
    host = found[1] or _host_name(found[2])
    return host, int(found[3] or default_port)


def _host_name(text: str) -> str:
    """Lower case and A-labels, where it is a domain."""
    try:
        return canonical_domain(text.removesuffix("."))
    except GrammarError:
        return text


# ---- objects -------------------------------------------------------------------------

_RENAMED: Final[Mapping[str, str]] = MappingProxyType({"exchange": "host"})


def _from_object(written: object) -> Hop:
    if not isinstance(written, Mapping):
        raise HopError("a hop in JSON must be an object")
    kinds = {field.name: field.type for field in attrs.fields(Hop)}
    values: dict[str, Any] = {}
    for key, value in written.items():
        name = _RENAMED.get(str(key), str(key))
        if name not in kinds:
            raise HopError(f"{str(key)[:80]!r} is unknown in a hop")
        if name in values:
            raise HopError(f"{name} is given twice")
        if value is not None:
            values[name] = _typed(name, kinds[name], value)
    return Hop(**_with_default_port(values))


def _with_default_port(values: dict[str, Any]) -> dict[str, Any]:
    if values.get("using_lmtp"):
        values.setdefault("port", LMTP_PORT)
    if values.get("implicit_tls"):
        values.setdefault("port", SMTPS_PORT)
        values.setdefault("tls", "must")
    if "host" in values:
        values["host"] = _host_name(values["host"])
    return values


def _typed(name: str, kind: object, value: object) -> object:
    if kind is bool:
        return _truth(name, value)
    if kind is int:
        return _number(name, value)
    if not isinstance(value, str):
        raise HopError(f"{name} must be a text")
    if kind is TLSWish and value not in get_args(TLSWish):
        raise HopError(f"{name} must be one of {', '.join(get_args(TLSWish))}")
    return value


def _truth(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word not in _TRUE | _FALSE:
        raise HopError(f"{name} must be true or false")
    return word in _TRUE


def _number(name: str, value: object) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", str(value)):
        raise HopError(f"{name} must be a whole number")
    return int(str(value))
