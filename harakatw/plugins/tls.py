"""
STARTTLS: offer it, and begin it when a client asks.

Certificates, ciphers and the handshake are the core's: a listener that speaks TLS from
the first octet on needs no plugin.

@see: RFC 3207; Haraka row PB27
"""

from typing import Final

import attrs

from harakatw.plugin import (
    CONT,
    ICapabilitiesHook,
    IConnection,
    IUnrecognizedCommandHook,
    Verdict,
    deny,
    deny_soft,
    implementer,
    ok,
)

GO_AHEAD: Final = ok("Ready to start TLS", code=220, enhanced="2.0.0")
NO_ARGUMENT: Final = deny("STARTTLS takes no argument", code=501, enhanced="5.5.4")
ON_ALREADY: Final = deny("TLS is on already", code=503, enhanced="5.5.1")
EHLO_FIRST: Final = deny("Send EHLO first", code=503, enhanced="5.5.1")
_EXTENDED: Final = frozenset(("EHLO", "LHLO"))

NOT_NOW: Final = deny_soft("TLS is not available now", code=454, enhanced="4.7.0")


@implementer(ICapabilitiesHook, IUnrecognizedCommandHook)
@attrs.frozen
class TLS:
    """Offers STARTTLS where the core says that it can be."""

    def hook_capabilities(self, connection: IConnection) -> Verdict:
        """Add it to what EHLO announces."""
        if connection.can_start_tls:
            connection.capabilities.append("STARTTLS")
        return CONT

    def hook_unrecognized_command(
        self, connection: IConnection, verb: str, argument: str
    ) -> Verdict:
        """Answer STARTTLS."""
        if verb != "STARTTLS":
            return CONT
        if connection.tls.enabled:
            return ON_ALREADY
        if argument:
            return NO_ARGUMENT
        if connection.hello.verb not in _EXTENDED:
            return EHLO_FIRST
        if not connection.can_start_tls:
            return NOT_NOW
        connection.start_tls()
        return GO_AHEAD
