"""
What is asked of a queue, in JSON: one object on a line.

C{{"verb": "hold", "filter": ["sender=a@example.org"]}}
"""

import enum
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from harakatw.errors import HarakaError
from harakatw.interfaces.queue import Detour, Filter
from harakatw.outbound.control.grammar import parse_filter
from harakatw.outbound.hop import HopError, parse_hop
from harakatw.outbound.routes.sites import site_name
from harakatw.outbound.scheduler.core import Target
from harakatw.reply import Reply, reply

USUAL_WAY: Final = "mx"
"""Where items are rerouted to that are to take their usual way again."""

MAX_REASON: Final = 400


class RequestError(HarakaError):
    """A request makes no sense; the text says why."""


class Verb(enum.Enum):
    """What may be asked for."""

    LIST = "list"
    SHOW = "show"
    CAT = "cat"
    HOLD = "hold"
    RELEASE = "release"
    RETRY = "retry"
    REROUTE = "reroute"
    DROP = "drop"
    BOUNCE = "bounce"
    PAUSE = "pause"
    RESUME = "resume"
    STAT = "stat"
    QSHAPE = "qshape"


CHANGES: Final = frozenset(
    (Verb.HOLD, Verb.RELEASE, Verb.RETRY, Verb.REROUTE, Verb.DROP, Verb.BOUNCE)
)
"""Those that change the queue."""

PAUSES: Final = frozenset((Verb.PAUSE, Verb.RESUME))
"""Those that are about a site, a sender or everything, and not about items."""

MUST_NAME: Final = CHANGES | PAUSES | {Verb.SHOW, Verb.CAT}
"""Those that mean nothing without a filter."""


_EVERYTHING: Final = Filter()
EVERYTHING: Final = Target()
_NO_DETOUR: Final = Detour("")
_RETURNED: Final = reply(554, "5.0.0", "Returned by the postmaster")


class Mode(enum.Enum):
    """What to do about items that are to be changed."""

    DO = "do"
    LIST = "list"
    COUNT = "count"


@attrs.frozen(kw_only=True)
class Request:
    """
    What is wanted.

    @ivar which: which items are meant.
    @ivar mode: other than C{DO}: only tell what would be changed.
    @ivar detour: where to, for C{REROUTE}.
    @ivar why: what senders are told, for C{BOUNCE}.
    @ivar target: what is meant, for C{PAUSE} and C{RESUME}.
    """

    verb: Verb
    which: Filter = _EVERYTHING
    mode: Mode = Mode.DO
    detour: Detour = _NO_DETOUR
    why: Reply = _RETURNED
    target: Target = EVERYTHING


def parse_request(line: bytes) -> Request:
    """
    Read a request.

    @raise HarakaError: if it is none, or makes no sense.
    """
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        raise RequestError("a request must be JSON") from None
    if not isinstance(asked, dict):
        raise RequestError("a request must be a JSON object")
    unknown = asked.keys() - _FIELDS.keys()
    if unknown:
        raise RequestError(f"{_shown(min(unknown))} is unknown in a request")
    for name, value in asked.items():
        if not isinstance(value, _FIELDS[name]):
            raise RequestError(f"{name} must be a JSON {_NAMES[_FIELDS[name]]}")
    return _read(asked)


_FIELDS: Final[Mapping[str, type]] = {
    "verb": str,
    "filter": list,
    "all": bool,
    "mode": str,
    "to": str,
    "reason": str,
}
_NAMES: Final[Mapping[type, str]] = {str: "string", list: "array", bool: "boolean"}


def _read(asked: Mapping[str, Any]) -> Request:
    verb = _one_of(Verb, "verb", asked.get("verb", ""))
    if asked.get("mode") is not None and verb not in CHANGES:
        raise RequestError(f"mode is not for {verb.value}")
    _check_owner(verb, asked)
    which = _which(verb, asked.get("filter", ()), asked.get("all", False))
    return Request(
        verb=verb,
        which=which,
        target=_target(which) if verb in PAUSES else EVERYTHING,
        mode=_one_of(Mode, "mode", asked.get("mode", Mode.DO.value)),
        detour=_detour(asked.get("to", "")) if verb is Verb.REROUTE else _NO_DETOUR,
        why=_why(asked["reason"]) if "reason" in asked else _RETURNED,
    )


def _check_owner(verb: Verb, asked: Mapping[str, object]) -> None:
    """
    @raise RequestError: there is something that only another verb has.
    """
    for name, owner in (("to", Verb.REROUTE), ("reason", Verb.BOUNCE)):
        if name in asked and verb is not owner:
            raise RequestError(f"{name} is for {owner.value} only")


def _which(verb: Verb, words: Sequence[object], is_all: bool) -> Filter:
    texts = [word for word in words if isinstance(word, str)]
    if len(texts) != len(words):
        raise RequestError("filter must be an array of strings")
    if verb is Verb.STAT and (texts or is_all):
        raise RequestError("stat is about the whole queue: it takes no filter")
    if texts and is_all:
        raise RequestError("either all items or those of a filter, not both")
    if verb in MUST_NAME and not (texts or is_all):
        raise RequestError(f"{verb.value}: which items? name them, or say all")
    return parse_filter(texts)


def _target(which: Filter) -> Target:
    """
    What a filter of sites and senders means.

    @raise RequestError: something else is named, or several at once.
    """
    named = which.site or which.sender
    if which != Filter(site=which.site, sender=which.sender) or "*" in named:
        raise RequestError("a site, a sender or all can be paused, and no patterns")
    if which.site and which.sender:
        raise RequestError("pause a site or a sender, one after the other")
    is_path = which.site.startswith("/")
    site = which.site if is_path else which.site.lower()
    return Target(site=site, sender=which.sender.lower())


def _detour(written: str) -> Detour:
    if written == USUAL_WAY:
        return Detour("")
    if not written:
        raise RequestError(f"where to? say a host, host:port, a URL or {USUAL_WAY}")
    try:
        hop = parse_hop(written)
    except HopError as error:
        raise RequestError(str(error)) from None
    return Detour(written, site_name([str(hop)]))


def _why(reason: str) -> Reply:
    is_line = reason.isascii() and reason.isprintable() and reason.strip()
    if not is_line or len(reason) > MAX_REASON:
        raise RequestError(f"reason must be a line of up to {MAX_REASON} of ASCII")
    return reply(554, "5.0.0", reason)


def _one_of(kind: Any, name: str, value: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(each.value for each in kind)
        raise RequestError(f"{name} must be one of {known}") from None


def _shown(text: str) -> str:
    return ascii(text[:80])
