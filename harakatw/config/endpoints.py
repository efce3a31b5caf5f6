"""Where a server listens: C{127.0.0.1:25, [::1]:2525, /run/haraka.sock:660}."""

import ipaddress
import re

import attrs

DEFAULT_HOST = "::"
"""Every address of both families, where the system has IPv6 sockets that take both."""

_SOCKET = re.compile(r"(/.*?)(?::([0-7]{3}))?", re.DOTALL)
_BRACKETED = re.compile(r"\[([^\]]*)\](?::(.*))?")


@attrs.frozen
class ListenAddress:
    """
    One address: an IP address with a port, or the path of a Unix socket.

    @ivar host: an IP address in its short form, without brackets; C{""} for a socket.
    @ivar port: 0 to 65535; 0 lets the system choose.
    @ivar path: of a Unix socket, absolute; C{""} for an IP address.
    @ivar mode: of that socket's file, such as C{0o660}; L{None} to leave it.
    """

    host: str = ""
    port: int = 0
    path: str = ""
    mode: int | None = None

    def __str__(self) -> str:
        if self.path:
            return self.path if self.mode is None else f"{self.path}:{self.mode:03o}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_addresses(text: str, default_port: int) -> tuple[ListenAddress, ...]:
    """
    Read a comma list; empty items are left out.

    @param default_port: for an IP address without one.
    @raise ValueError: for an item that is no address, with what was expected, and for
        one that stands there twice.
    """
    items = [item.strip() for item in text.split(",")]
    found = [parse_address(item, default_port) for item in items if item]
    for address in found:
        if found.count(address) > 1 and address.port + len(address.path) > 0:
            raise ValueError(f"{address} is listed twice")
    return tuple(found)


def parse_address(text: str, default_port: int) -> ListenAddress:
    """
    Read one address: C{1.2.3.4:25}, C{[::1]:25}, C{::1}, C{25} or C{/path:660}.

    @param default_port: for an IP address without one.
    @raise ValueError: if it is none.
    """
    socket = _SOCKET.fullmatch(text)
    if socket:
        mode = None if socket[2] is None else int(socket[2], 8)
        return ListenAddress(path=socket[1], mode=mode)
    host, port = _split(text)
    return ListenAddress(_host(host, text), _port(port, default_port, text))


def _split(text: str) -> tuple[str, str | None]:
    """Cut into host and port; either may be left out."""
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed:
        return bracketed[1], bracketed[2]
    if text.isascii() and text.isdigit():
        return DEFAULT_HOST, text
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, None


def _host(host: str, text: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        wanted = "an IP address with a port ([::1]:25) or the path of a socket"
        raise ValueError(f"{text!r} is not {wanted}") from None


def _port(port: str | None, default_port: int, text: str) -> int:
    if port is None:
        return default_port
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise ValueError(f"{text!r} has no port between 0 and 65535")
    return int(port)
