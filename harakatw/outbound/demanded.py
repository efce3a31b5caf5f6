"""
What senders asked for with MAIL or in the header, as it is queued, and what follows for
the hosts that a message may go to.

@see: RFC 2852, RFC 4865, RFC 6710 with RFC 6758, RFC 8689
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import attrs

from harakatw.errors import ProtocolError
from harakatw.interfaces.queue import NO_DEMANDS, Demands
from harakatw.message.header import Header
from harakatw.outbound.hop import Hop
from harakatw.reply import Reply, reply
from harakatw.wire.demands import (
    parse_by,
    parse_hold_for,
    parse_hold_until,
    parse_priority,
)
from harakatw.wire.params import Params

PRIORITY_FIELD: Final = "MT-Priority"

_PARAMS: Final = frozenset(("REQUIRETLS", "MT-PRIORITY", "HOLDFOR", "HOLDUNTIL", "BY"))
_FIELDS: Final = (b"tls-required:", b"mt-priority:")
_NO_TLS: Final = frozenset(("4.7.4", "4.7.5"))
_DEFAULTS: Final = attrs.asdict(NO_DEMANDS)


def has_demands(params: Params, raw_header: bytes) -> bool:
    """
    Is there anything to be read by L{read_demands}? Hot: once for each message.

    @param raw_header: the header's octets.
    """
    if params and not _PARAMS.isdisjoint(params):
        return True
    header = raw_header.lower()
    return any(field in header for field in _FIELDS)


def read_demands(params: Params, header: Header, now: float) -> Demands:
    """
    What a sender asks for.

    @param params: of MAIL, checked.
    @param now: in seconds since 1970: what is asked for is counted from here.
    """
    requires_tls = "REQUIRETLS" in params
    by = parse_by(params["BY"]) if "BY" in params else None
    return Demands(
        requires_tls=requires_tls,
        tls_is_optional=not requires_tls and _is_no(header.get_all("TLS-Required")),
        priority=_priority(params, header),
        released_at=_released_at(params, now),
        deliver_by=now + by.seconds if by else 0.0,
        returns_late=by is not None and by.returns,
        is_traced=by is not None and by.is_traced,
    )


def _is_no(values: tuple[str, ...] | list[str]) -> bool:
    """RFC 8689 section 3: the field has one value, and stands there once."""
    return [value.strip().lower() for value in values] == ["no"]


def _priority(params: Params, header: Header) -> int:
    """The parameter goes before the field (RFC 6758 section 3.1)."""
    values = header.get_all(PRIORITY_FIELD)
    value = params["MT-PRIORITY"] if "MT-PRIORITY" in params else values and values[0]
    try:
        return parse_priority(value.strip()) if value else 0
    except ProtocolError:
        return 0


def _released_at(params: Params, now: float) -> float:
    if "HOLDFOR" in params:
        return now + parse_hold_for(params["HOLDFOR"])
    if "HOLDUNTIL" in params:
        return parse_hold_until(params["HOLDUNTIL"])
    return 0.0


def restate_priority(params: Params, header: Header) -> None:
    """
    Say in the header what the priority is, for hosts that do not know MT-PRIORITY; once
    more changes nothing.

    @param params: of MAIL, checked.
    @see: RFC 6758 section 3.3
    """
    fields = header.get_all(PRIORITY_FIELD)
    if "MT-PRIORITY" in params or fields:
        priority = _priority(params, header)
        header.remove(PRIORITY_FIELD)
        header.add(PRIORITY_FIELD, str(priority))


# ---- in the store --------------------------------------------------------------------


def demands_as_json(demands: Demands) -> Mapping[str, object]:
    """What differs from C{NO_DEMANDS}, as a JSON object."""
    return {
        name: value
        for name, value in attrs.asdict(demands).items()
        if value != _DEFAULTS[name]
    }


def demands_of_json(values: Any) -> Demands:
    """
    The inverse of L{demands_as_json}.

    @raise ValueError: it is no such object.
    """
    if not isinstance(values, dict):
        raise ValueError(f"its demands are no object: {json.dumps(values)[:80]}")
    for name, value in values.items():
        kind = type(_DEFAULTS.get(name))
        if type(value) is not kind:
            raise ValueError(f"its demands have a wrong {name[:80]}")
    return Demands(**values)


# ---- hosts ---------------------------------------------------------------------------


def as_demanded(hop: Hop, demands: Demands, sender: str) -> Hop:
    """
    A hop with the encryption that a message needs. A report must get through, so that
    for one nothing is needed (RFC 8689 section 5).
    """
    if demands.requires_tls and sender and not hop.path:
        return attrs.evolve(hop, tls="strict")
    if demands.tls_is_optional and hop.tls == "default":
        return attrs.evolve(hop, tls="relaxed")
    return hop


def without_tls(why: Reply) -> Reply | None:
    """
    What to say of a host that a message may not go to, since encryption failed.

    @param why: the host could not be used.
    @return: L{None} if that was for another reason.
    @see: RFC 8689 section 4.2.1
    """
    if why.enhanced not in _NO_TLS:
        return None
    return reply(550, "5.7.10", f"REQUIRETLS: {why.text}")
