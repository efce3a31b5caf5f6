"""Servers in memory with plugins that know users, and what clients say to them."""

import base64
from typing import Any

from harakatw.smtp.connection import TLS
from tests.sessions import Site, make_site

PUBLIC = "11.22.33.44"
"""An address that is routed on the Internet."""


def auth_site(
    *plugins: object, tls: bool = True, ip: str = PUBLIC, **more: Any
) -> Site:
    """A server with these plugins, and a client that has said EHLO."""
    site = make_site(*plugins, ip=ip, **more)
    site.connection.tls = TLS(enabled=tls)
    site.greet()
    return site


def offered(site: Site) -> list[str]:
    """The mechanisms that EHLO tells of."""
    for line in site.client.ask("EHLO client.example").splitlines():
        if line[4:].startswith("AUTH "):
            return line[4:].split()[1:]
    return []


def b64(text: str | bytes) -> str:
    """As it stands in a line."""
    octets = text.encode() if isinstance(text, str) else text
    return base64.b64encode(octets).decode()


def unb64(line: str) -> bytes:
    """What a 334 says."""
    assert line.startswith("334 "), line
    return base64.b64decode(line[4:].strip())


def plain(user: str, password: str, authzid: str = "") -> str:
    """An AUTH PLAIN command."""
    return "AUTH PLAIN " + b64(f"{authzid}\0{user}\0{password}")


def say(site: Site, *lines: str | bytes) -> str:
    """Say lines, let time pass until failed logins are answered, return the answers."""
    site.client.hear()
    site.client.say(*lines)
    site.server.clock.pump([1.0] * 20)
    return site.client.hear()
