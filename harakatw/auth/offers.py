"""
Which plugin offers which mechanisms to a client.

What EHLO announces is what is accepted: a plugin that takes a mechanism off C{AUTH} in
C{connection.capabilities} has taken it away.
"""

from collections.abc import Iterable
from typing import Final

import attrs

from harakatw.auth.mechanisms import MECHANISMS, Checker
from harakatw.interfaces.session import IConnection

_OFFERS: Final = "auth_offers"
_ALLOWED: Final = "allowed_auth_methods"
_AUTH: Final = "AUTH"


@attrs.frozen
class Offer:
    """
    What one plugin offers to a client.

    @ivar methods: of L{MECHANISMS}.
    @ivar hidden: is the connection one on which the plugin does not say so?
    """

    plugin: Checker
    methods: frozenset[str]
    hidden: bool


def announce(connection: IConnection, offer: Offer) -> None:
    """
    Put what a plugin offers on the list of EHLO, with what others do.
    """
    others = tuple(o for o in offers_of(connection) if o.plugin is not offer.plugin)
    connection.notes.set(_OFFERS, (*others, offer))
    if offer.hidden or not offer.methods:
        return
    known = announced(connection)
    ours = sorted(known | offer.methods, key=_rank)
    lines = connection.capabilities
    lines[:] = [line for line in lines if not _is_auth(line)]
    lines.append(" ".join((_AUTH, *ours)))
    connection.notes.set(_ALLOWED, tuple(ours))


def offers_of(connection: IConnection) -> tuple[Offer, ...]:
    """What plugins offer, in the order in which they are to be asked."""
    offers: tuple[Offer, ...] = connection.notes.get(_OFFERS, ())
    return offers


def announced(connection: IConnection) -> frozenset[str]:
    """The mechanisms that EHLO told of."""
    return frozenset(
        word.upper()
        for line in connection.capabilities
        if _is_auth(line)
        for word in str(line).split()[1:]
    )


def plugins_for(
    offers: Iterable[Offer], method: str, *, hidden: bool = False
) -> tuple[Checker, ...]:
    """Who is to be asked."""
    return tuple(
        offer.plugin
        for offer in offers
        if method in offer.methods and offer.hidden is hidden
    )


def _is_auth(line: object) -> bool:
    return str(line).upper().startswith(f"{_AUTH} ")


def _rank(method: str) -> int:
    names = list(MECHANISMS)
    return names.index(method) if method in names else len(names)
