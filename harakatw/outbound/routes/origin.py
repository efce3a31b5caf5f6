"""
What notes of a message say about its way: the next hop, and who we are on it.

@see: Haraka rows OB25, OB34 and TX14
"""

from collections.abc import Mapping

import attrs

from harakatw.outbound.hop import Hop, HopError, is_ip6


@attrs.frozen
class Origin:
    """
    Who we are to the next host, where the hop does not say it.

    @ivar helo: our name in EHLO.
    @ivar ip4: our address to connect from to an IPv4 address.
    @ivar ip6: our address to connect from to an IPv6 address.
    """

    helo: str = ""
    ip4: str = ""
    ip6: str = ""

    def apply(self, hop: Hop) -> Hop:
        """A hop with what it leaves open."""
        bind = ""
        if hop.ip:
            bind = self.ip6 if is_ip6(hop.ip) else self.ip4
        return attrs.evolve(
            hop,
            bind=hop.bind or bind,
            bind_helo=hop.bind_helo or self.helo,
        )


ANYWHERE = Origin()
"""No note says anything."""


def read_origin(notes: Mapping[str, object]) -> Origin:
    """
    Read C{outbound_helo}, C{outbound_ip4} and C{outbound_ip6}; C{outbound_ip}, which
    Haraka calls deprecated, is either of these.

    @raise HopError: if one of them is no name or no address of its family.
    """
    helo = _text(notes, "outbound_helo")
    either = _text(notes, "outbound_ip")
    ip4 = _text(notes, "outbound_ip4") or ("" if is_ip6(either) else either)
    ip6 = _text(notes, "outbound_ip6") or (either if is_ip6(either) else "")
    if not (helo or ip4 or ip6):
        return ANYWHERE
    Hop(host="probe", bind=ip4, bind_helo=helo)  # its validators are the rules
    Hop(host="probe", bind=ip6)
    if is_ip6(ip4) or (ip6 and not is_ip6(ip6)):
        raise HopError("outbound_ip4 and outbound_ip6 are of the wrong family")
    return Origin(helo, ip4, ip6)


def _text(notes: Mapping[str, object], name: str) -> str:
    value = notes.get(name)
    if value is None or isinstance(value, str):
        return (value or "").strip()
    raise HopError(f"the note {name} must be a text")


def next_hop(notes: Mapping[str, object]) -> object:
    """The note C{queue.next_hop}; L{None} if there is none."""
    queue = notes.get("queue")
    return (queue.get("next_hop") or None) if isinstance(queue, Mapping) else None
