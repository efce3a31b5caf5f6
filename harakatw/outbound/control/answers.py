"""
What a queue answers, in JSON: objects with one key each, which says what it is; the
last has C{done}, or C{error} with a text.
"""

import base64
from collections.abc import AsyncIterator, Mapping
from typing import Final

import attrs

from harakatw.errors import HarakaError
from harakatw.interfaces.queue import Demands, Filter, QueuedRecipient, QueueItem
from harakatw.outbound.control.pauses import paused_object
from harakatw.outbound.control.requests import (
    CHANGES,
    Mode,
    Request,
    RequestError,
    Verb,
    parse_request,
)
from harakatw.outbound.control.shape import AGE_MINUTES, ShapeRow
from harakatw.outbound.control.tool import Changed, QueueTool, scopes
from harakatw.outbound.demanded import demands_as_json
from harakatw.outbound.hop import HopError, parse_hop
from harakatw.outbound.scheduler.snapshot import SiteSnapshot, Snapshot

Frame = Mapping[str, object]
"""One object of an answer."""

SITES: Final = 1000
"""Sites that C{stat} tells of, each from what is due and from what is going on."""

SHAPE_DOMAINS: Final = 50
CHUNK_OCTETS: Final = 24_576
"""Of a message in one object: 32 KiB as base64."""


async def answer(tool: QueueTool, line: bytes) -> AsyncIterator[Frame]:
    """
    Answer a request.

    @param line: see L{harakatw.outbound.control.requests}; anything else is answered
        with an error.
    """
    try:
        request = parse_request(line)
        async for frame in _answer(tool, request):
            yield frame
    except HarakaError as error:
        yield {"error": str(error)}


def _answer(tool: QueueTool, request: Request) -> AsyncIterator[Frame]:
    match request.verb:
        case Verb.LIST | Verb.SHOW:
            return _items(tool, (request.which,))
        case Verb.CAT:
            return _body(tool, request.which)
        case Verb.STAT:
            return _stat(tool)
        case Verb.QSHAPE:
            return _shape(tool, request.which)
        case Verb.PAUSE | Verb.RESUME:
            return _paused(tool, request)
    meant = scopes(request.verb, request.which)
    match request.mode:
        case Mode.LIST:
            return _items(tool, meant)
        case Mode.COUNT:
            return _count(tool, meant)
    return _changed(tool, request)


# ---- looking -------------------------------------------------------------------------


async def _items(tool: QueueTool, meant: tuple[Filter, ...]) -> AsyncIterator[Frame]:
    number = 0
    for which in meant:
        async for page in tool.pages(which):
            number += len(page)
            for item in page:
                yield {"item": item_object(item)}
    yield {"done": {"items": number}}


async def _count(tool: QueueTool, meant: tuple[Filter, ...]) -> AsyncIterator[Frame]:
    yield {"done": {"items": sum([await tool.number(which) for which in meant])}}


async def _body(tool: QueueTool, which: Filter) -> AsyncIterator[Frame]:
    octets = 0
    async for chunk in tool.chunks(await _only_message(tool, which)):
        for start in range(0, len(chunk), CHUNK_OCTETS):
            part = chunk[start : start + CHUNK_OCTETS]
            octets += len(part)
            yield {"data": base64.b64encode(part).decode()}
    yield {"done": {"octets": octets}}


async def _only_message(tool: QueueTool, which: Filter) -> QueueItem:
    """
    An item of the one message that is meant.

    @raise RequestError: it is none, or more than one.
    """
    found: dict[int, QueueItem] = {}
    async for page in tool.pages(which):
        found.update((item.message_id, item) for item in page)
        if len(found) > 1:
            raise RequestError("these items are of several messages: name one of them")
    if not found:
        raise RequestError("there is no such item")
    return next(iter(found.values()))


async def _stat(tool: QueueTool) -> AsyncIterator[Frame]:
    counts = {state.value: items for state, items in (await tool.counts()).items()}
    snapshot = tool.snapshot()
    engine = None if snapshot is None else _engine_object(snapshot)
    paused = paused_object(tool.pauses.targets)
    total = sum(counts.values())
    yield {"stat": {"items": total, **counts, "paused": paused, "engine": engine}}
    sites = await _site_objects(tool, snapshot)
    for site in sites:
        yield {"site": site}
    yield {"done": {"sites": len(sites)}}


async def _site_objects(
    tool: QueueTool, snapshot: Snapshot | None
) -> list[dict[str, object]]:
    """Sites that have something to do, the busiest first."""
    due = {count.site: count for count in await tool.due_sites(SITES)}
    live = {site.name: site for site in snapshot.sites} if snapshot else {}
    now, rows = tool.now(), []
    for name in {**due, **live}:
        count, site = due.get(name), live.get(name)
        late = 0.0 if count is None else max(0.0, now - count.earliest_due)
        row: dict[str, object] = {
            "site": name,
            "due": 0 if count is None else count.ready,
            "late_seconds": round(late, 1),
        }
        rows.append({**row, **(_live_object(site) if site else {})})
    rows.sort(key=_by_load)
    return rows[:SITES]


def _by_load(row: Mapping[str, object]) -> tuple[int, str]:
    load = sum(int(str(row.get(key, 0))) for key in ("due", "ready", "running"))
    return -load, str(row["site"])


def _live_object(site: SiteSnapshot) -> dict[str, object]:
    return {
        "ready": site.ready,
        "running": site.running,
        "connections": site.connections,
        "health": site.health.value,
        "paused": site.is_paused,
        "rate_limited": site.is_rate_limited,
        "failures": site.failures,
        "asked_in_seconds": round(site.asked_in, 1),
        "why": site.why,
    }


def _engine_object(snapshot: Snapshot) -> dict[str, object]:
    shown = attrs.asdict(snapshot, recurse=False)
    del shown["sites"]
    for name in ("paused", "disabled"):
        shown[name] = shown.pop(f"is_{name}")
    for name in ("paused_sites", "paused_senders"):
        shown[name] = sorted(shown[name])
    return shown


async def _shape(tool: QueueTool, which: Filter) -> AsyncIterator[Frame]:
    rows = tuple((await tool.shape(which)).rows(SHAPE_DOMAINS))
    for row in rows:
        yield {"row": row_object(row)}
    yield {"done": {"rows": len(rows)}}


# ---- changing ------------------------------------------------------------------------


async def _changed(tool: QueueTool, request: Request) -> AsyncIterator[Frame]:
    yield {"done": attrs.asdict(await _change(tool, request))}


async def _paused(tool: QueueTool, request: Request) -> AsyncIterator[Frame]:
    change = tool.pause if request.verb is Verb.PAUSE else tool.resume
    changed = await change(request.target)
    yield {"done": {"changed": changed, "paused": paused_object(tool.pauses.targets)}}


async def _change(tool: QueueTool, request: Request) -> Changed:
    which = request.which
    match request.verb:
        case Verb.HOLD:
            return await tool.hold(which)
        case Verb.RELEASE:
            return await tool.release(which)
        case Verb.RETRY:
            return await tool.retry(which)
        case Verb.REROUTE:
            return await tool.reroute(which, request.detour)
        case Verb.DROP:
            return await tool.drop(which)
        case Verb.BOUNCE:
            return await tool.bounce(which, request.why)
    raise AssertionError(f"{request.verb} is not in {CHANGES}")


# ---- values --------------------------------------------------------------------------


def item_object(item: QueueItem) -> dict[str, object]:
    """An item for all to read: times in seconds since 1970, no passwords."""
    message = item.message
    return {
        "id": item.id,
        "state": item.state.value,
        "message_id": item.message_id,
        "uuid": message.uuid,
        "sender": message.sender,
        "domain": item.domain,
        "recipients": [_recipient_object(each) for each in item.recipients],
        "size": message.size,
        "queued_at": message.queued_at,
        "due": item.due,
        "attempts": item.attempts,
        "warned": item.warned,
        "site": item.site,
        "next_hop": _hop_shown(item.next_hop),
        "last_error": item.last_error,
        **_demands_object(message.demands),
    }


def _demands_object(demands: Demands) -> dict[str, object]:
    """What few senders ask for; nothing of what is not asked for."""
    asked = demands_as_json(demands)
    return {"demands": asked} if asked else {}


def _recipient_object(recipient: QueuedRecipient) -> dict[str, object]:
    values = attrs.asdict(recipient)
    return {name: value for name, value in values.items() if value}


def _hop_shown(next_hop: str) -> str:
    """Where mail is rerouted to, without the password."""
    try:
        return str(parse_hop(next_hop)) if next_hop else ""
    except HopError:
        return "(not to be understood)"


def row_object(row: ShapeRow) -> dict[str, object]:
    """A row of the histogram; the keys of C{minutes} are where the columns end."""
    edges = (*map(str, AGE_MINUTES), "older")
    ages = dict(zip(edges, row.ages, strict=True))
    return {"domain": row.domain, "items": row.items, "minutes": ages}
