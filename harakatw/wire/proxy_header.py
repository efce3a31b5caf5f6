"""What a PROXY header says, whichever version it is of."""

from typing import Final

import attrs

from harakatw.reply import reply

BAD_HEADER: Final = reply(421, "4.5.2", "The PROXY header cannot be read")

MAX_DETAIL: Final = 40
"""Octets of a refused header that the log gets."""

IP_PROTOCOLS: Final = frozenset(("TCP4", "TCP6", "UDP4", "UDP6"))
"""Those that tell addresses of the Internet."""


@attrs.frozen
class ProxyTLS:
    """
    What a proxy that ends TLS itself says of it: to be noted, not to be built on.

    @ivar enabled: did the client speak TLS?
    @ivar verified: did it show a certificate that the proxy trusts?
    @ivar version: such as C{TLSv1.3}.
    @ivar cipher: its name.
    @ivar common_name: of the client's certificate.
    """

    enabled: bool = False
    verified: bool = False
    version: str = ""
    cipher: str = ""
    common_name: str = ""


@attrs.frozen
class ProxyHeader:
    """
    Whose connection a proxy passes on.

    @ivar version: of the header, 1 or 2.
    @ivar protocol: C{TCP4}, C{TCP6}, C{UDP4}, C{UDP6}, C{UNIX}, C{UNKNOWN} when the
        proxy does not tell, and C{LOCAL} when it connects for itself, to see whether we
        are well.
    @ivar source: the client's IP address, or the path of its socket.
    @ivar source_port: 0 if unknown.
    @ivar destination: where the client connected to, likewise.
    @ivar tls: the client's encryption up to the proxy, if the proxy tells.
    @ivar server_name: which host the client asked the proxy for, if it tells.
    """

    version: int
    protocol: str
    source: str = ""
    source_port: int = 0
    destination: str = ""
    destination_port: int = 0
    tls: ProxyTLS | None = None
    server_name: str = ""

    @property
    def has_addresses(self) -> bool:
        """
        Does it name IP addresses? Otherwise those of the proxy's connection stand.
        """
        return self.protocol in IP_PROTOCOLS
