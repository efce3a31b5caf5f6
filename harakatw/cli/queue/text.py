"""A queue for people to read."""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from harakatw.outbound.control.shape import AGE_MINUTES

_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_ERROR_CHARACTERS: Final = 60
_ITEM: Final = "{:>8} {:<6} {:>6} {:>6} {:>5} {:>6}  {}"

HEADINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "list": _ITEM.format(
            "id", "state", "age", "size", "tries", "due", "from > to: last error"
        ),
        "stat": f"{'due':>6} {'ready':>6} {'runs':>9}  site",
        "qshape": " ".join(
            (
                *(f"{title:>6}" for title in ("items", *map(str, AGE_MINUTES))),
                f"{AGE_MINUTES[-1]:>5}+  domain",
            )
        ),
    }
)
"""The first line, by verb; the numbers of C{qshape} are minutes."""


def one_line(text: object) -> str:
    """Text that cannot act on a terminal, whoever wrote it."""
    return "".join(
        each if each.isprintable() else f"\\x{ord(each):02x}" for each in str(text)
    )


def span(seconds: float) -> str:
    """A time such as C{45s}, C{1h20m} or C{2d3h}; C{now} if it is over."""
    if not math.isfinite(seconds):
        return "?"  # a damaged record
    left = int(seconds)
    if left <= 0:
        return "now"
    for position, (size, unit) in enumerate(_UNITS):
        if left >= size:
            text = f"{left // size}{unit}"
            smaller = _UNITS[position + 1 : position + 2]
            rest = "".join(
                f"{left % size // each}{name}"
                for each, name in smaller
                if left % size >= each
            )
            return text + rest if unit in ("d", "h") else text
    raise AssertionError("a second is the smallest")


def octets(number: int) -> str:
    """A size such as C{512}, C{5.2K} or C{12M}."""
    if number < 1000:
        return str(number)
    size = float(number)
    units = iter("KMGT")
    unit = ""
    while size >= 1000 and unit != "T":
        size /= 1024
        unit = next(units)
    return f"{size:.1f}{unit}" if size < 10 else f"{size:.0f}{unit}"


def item_line(item: Mapping[str, Any], now: float) -> str:
    """One line of C{list}."""
    others = len(item["recipients"]) - 1
    to = item["recipients"][0]["address"] if item["recipients"] else item["domain"]
    more = f" and {others} more" if others > 0 else ""
    error = one_line(item["last_error"])
    if len(error) > _ERROR_CHARACTERS:
        error = error[:_ERROR_CHARACTERS] + "..."
    route = f"<{one_line(item['sender'])}> > <{one_line(to)}>{more}"
    if item["next_hop"]:
        route += f" by {one_line(item['next_hop'])}"
    return _ITEM.format(
        item["id"],
        item["state"],
        span(now - item["queued_at"]),
        octets(item["size"]),
        item["attempts"],
        span(item["due"] - now) if item["state"] == "ready" else "-",
        f"{route}: {error}" if error else route,
    )


def item_block(item: Mapping[str, Any], now: float) -> str:
    """The lines of C{show}."""
    return "\n".join((f"item {item['id']}", *_details(item, now))) + "\n"


def _details(item: Mapping[str, Any], now: float) -> Iterator[str]:
    waits = item["state"] == "ready"
    for name, value in (
        ("state", item["state"]),
        ("message", f"{item['uuid']}, {octets(item['size'])}"),
        ("queued", _moment(item["queued_at"], now)),
        ("next try", _moment(item["due"], now) if waits else ""),
        ("attempts", item["attempts"]),
        ("warned", "the sender knows of the delay" if item["warned"] else ""),
        ("site", item["site"]),
        ("rerouted", item["next_hop"]),
        ("demands", _demands(item.get("demands", {}), now)),
        ("error", item["last_error"]),
        ("from", f"<{item['sender']}>"),
    ):
        if value != "":
            yield f"  {name:<10}{one_line(value)}"
    for recipient in item["recipients"]:
        said = recipient.get("last_reply", "")
        to = f"<{recipient['address']}>{': ' if said else ''}{said}"
        yield f"  {'to':<10}{one_line(to)}"


def _demands(demands: Mapping[str, Any], now: float) -> str:
    """What the sender asked for, a point in time so that it can be read."""
    shown = {
        name: _moment(value, now) if name in ("released_at", "deliver_by") else value
        for name, value in demands.items()
    }
    words = (
        name if value is True else f"{name}={value}" for name, value in shown.items()
    )
    return ", ".join(words)


def _moment(seconds: float, now: float) -> str:
    try:
        stamp = datetime.fromtimestamp(seconds, UTC).isoformat(" ", "seconds")
    except (ValueError, OverflowError, OSError):
        return "at no time that there is"  # a damaged record
    past = now - seconds
    return f"{stamp} ({_later(-past) if past < 1 else f'{span(past)} ago'})"


def _later(seconds: float) -> str:
    return f"in {span(seconds)}" if seconds >= 1 else "now"


def totals_lines(stat: Mapping[str, Any]) -> str:
    """What C{stat} says of the whole."""
    states = ", ".join(f"{stat[name]} {name}" for name in _STATES)
    engine = stat["engine"]
    lines = [f"{stat['items']} items: {states}"]
    if engine is None:
        lines.append("no server runs")
    else:
        lines.append(
            f"{engine['held']} in memory, {engine['running']} of at most"
            f" {engine['concurrency_max']} attempts, {engine['routing']} look-ups"
        )
        if engine["disabled"]:
            lines.append("outbound.ini says disabled: nothing is delivered")
    return "\n".join((*lines, *paused_lines(stat["paused"])))


def paused_lines(paused: Mapping[str, Any]) -> Iterator[str]:
    """What somebody has paused; nothing if nobody has."""
    if paused["all"]:
        yield "all delivery is paused"
    for name in ("sites", "senders"):
        shown = ", ".join(map(one_line, paused[name]))
        if shown:
            yield f"paused {name}: {shown}"


_STATES: Final = ("ready", "leased", "held", "dead")


def site_line(site: Mapping[str, Any]) -> str:
    """One line of C{stat}."""
    runs = f"{site['running']}/{site['connections']}" if "running" in site else "-"
    notes = [
        "paused" if site.get("paused") else "",
        "waits for its rate" if site.get("rate_limited") else "",
        _trouble(site) if site.get("failures") else "",
    ]
    note = "; ".join(filter(None, notes))
    line = f"{site['due']:>6} {site.get('ready', '-'):>6} {runs:>9}  "
    return line + one_line(site["site"]) + (f": {note}" if note else "")


def _trouble(site: Mapping[str, Any]) -> str:
    again = _later(site["asked_in_seconds"])
    count = f"{site['failures']} failures, asked again {again}"
    return f"{count}: {one_line(site['why'])}"


def shape_line(row: Mapping[str, Any]) -> str:
    """One line of C{qshape}."""
    numbers = " ".join(f"{count:>6}" for count in row["minutes"].values())
    return f"{row['items']:>6} {numbers}  {one_line(row['domain'])}"


LINES: Final[Mapping[str, Callable[[Mapping[str, Any], float], str]]] = (
    MappingProxyType(
        {
            "item": item_line,
            "stat": lambda stat, now: totals_lines(stat),
            "site": lambda site, now: site_line(site),
            "row": lambda row, now: shape_line(row),
        }
    )
)
"""How the parts of an answer are printed, by their key."""
