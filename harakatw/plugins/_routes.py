"""
What C{config/relay_dest_domains.ini} says: per domain, may mail go there, and how.

@see: Haraka row PN23
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Final, Literal, cast, get_args

import attrs

from harakatw.address_grammar import GrammarError, canonical_domain

Action = Literal["accept", "continue", "deny"]

ANY: Final = "any"
"""The entry for domains without one of their own; C{*} is another way to write it."""

_EXPECTED_HOP: Final = (
    "host, host:port, [IPv6]:port, smtp://host:port or lmtp://host:port"
)
# Host names with an underscore are no mail domains, but containers have them.
_HOP = re.compile(
    r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_][A-Za-z0-9_.-]*))(?::([0-9]{1,5}))?"
)


@attrs.frozen
class Route:
    """
    One entry.

    @ivar action: whether mail may go to the domain; L{None} if the entry does not say.
    @ivar next_hop: the host that takes it, as written; C{""} to ask DNS.
    """

    action: Action | None = None
    next_hop: str = ""


def parse_routes(entries: Mapping[str, str]) -> Mapping[str, Route]:
    """
    Read the whole section.

    @param entries: JSON objects by domain.
    @return: routes by domain, in lower case with A-labels, and by L{ANY}.
    @raise ValueError: for the first entry that is wrong; the message names it.
    """
    routes: dict[str, Route] = {}
    for key, text in entries.items():
        try:
            domain = ANY if key in (ANY, "*") else canonical_domain(key)
            route = parse_route(text)
        except GrammarError as error:
            raise ValueError(f"{key!r} is no domain: {error}") from None
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
        if domain in routes:
            raise ValueError(f"{key}: there is another entry for {domain}")
        routes[domain] = route
    return routes


def parse_route(text: str) -> Route:
    """
    Read one entry, such as C{{"action": "continue", "nexthop": "192.0.2.1:25"}}.

    @raise ValueError: if it is no JSON object, has other keys, or a wrong value.
    """
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{_without_password(text)} is not JSON: {error}") from None
    if not isinstance(entry, dict):
        raise ValueError('expected an object such as {"action": "continue"}')
    others = sorted(entry.keys() - {"action", "nexthop"})
    if others:
        raise ValueError(f"{others[0]!r} is unknown: use action and nexthop")
    return Route(_action(entry.get("action")), _next_hop(entry.get("nexthop", "")))


def _action(value: object) -> Action | None:
    if value is None or value in get_args(Action):
        return cast(Action | None, value)
    raise ValueError(f"action {value!r} is not one of {', '.join(get_args(Action))}")


def _next_hop(value: object) -> str:
    if value == "":
        return ""
    if not isinstance(value, str):
        raise ValueError(f"expected a text as nexthop: {_EXPECTED_HOP}")
    if not _is_next_hop(value):
        raise ValueError(f"nexthop {_without_password(value)} is not {_EXPECTED_HOP}")
    return value


def _without_password(text: str) -> str:
    """The end of a text that is wrong, in quotes: what may be shown of it."""
    return repr(text.rpartition("@")[2][:80])


def _is_next_hop(value: str) -> bool:
    scheme, is_url, rest = value.partition("://")
    if is_url:
        if scheme.lower() not in ("smtp", "lmtp"):
            return False
        value = rest.removesuffix("/").rpartition("@")[2]
    found = _HOP.fullmatch(value)
    if found is None or not 1 <= int(found[3] or 25) <= 65535:
        return False
    return found[1] is None or _is_ip(found[1])


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def check_routes(
    instance: object, attribute: "attrs.Attribute[Mapping[str, str]]", value: object
) -> None:
    """
    An attrs validator for the section.

    @raise ValueError: as L{parse_routes}.
    """
    if isinstance(value, Mapping):
        parse_routes(value)
