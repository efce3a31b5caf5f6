"""Which items a L{Filter} means, as SQL and as a function."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import attrs

from harakatw.interfaces.queue import Filter, QueueItem
from harakatw.outbound.store.rows import STATE_NUMBERS, encode_ids

NULL_PATH: Final = "<>"
"""How a filter says "empty" of a sender, as an empty text says "any"."""

# CASE, since SQLite may look at the terms of AND in any order.
_RECIPIENT: Final = r"""
    CASE WHEN json_valid(items.recipients) THEN EXISTS (
        SELECT 1 FROM json_each(items.recipients) AS entry
        WHERE json_extract(items.recipients, entry.fullkey || '[0]') LIKE ? ESCAPE '\'
    ) ELSE 0 END
"""


@attrs.frozen
class Where:
    """
    A condition on C{items} joined with C{messages}.

    @ivar values: for its question marks.
    """

    sql: str
    values: tuple[Any, ...]


def where_of(which: Filter, now: float) -> Where:
    """
    A filter as SQL.

    @param now: in seconds since 1970.
    """
    terms, values = ["1"], []
    for term, value in (*_exact_terms(which, now), *_text_terms(which)):
        terms.append(term)
        values.append(value)
    return Where(" AND ".join(terms), tuple(values))


def matcher(which: Filter, now: float) -> Callable[[QueueItem], bool]:
    """
    A filter as a function that says whether it means an item.

    @param now: in seconds since 1970.
    """
    texts = [(get, _glob(text)) for get, text in _text_getters(which) if text]
    older, younger = which.older_seconds, which.younger_seconds

    def is_meant(item: QueueItem) -> bool:
        queued_at = item.message.queued_at
        return (
            (not which.ids or item.id in which.ids)
            and (which.state is None or item.state is which.state)
            and (older is None or queued_at <= now - older)
            and (younger is None or queued_at > now - younger)
            and (not which.was_tried or item.attempts > 0)
            and all(any(map(matches, get(item))) for get, matches in texts)
        )

    return is_meant


def _exact_terms(which: Filter, now: float) -> Iterator[tuple[str, Any]]:
    if which.ids:
        yield "items.id IN (SELECT value FROM json_each(?))", encode_ids(which.ids)
    if which.state is not None:  # the plus keeps to the order of ids
        yield "+items.state = ?", STATE_NUMBERS[which.state]
    if which.older_seconds is not None:
        yield "messages.queued_at <= ?", now - which.older_seconds
    if which.younger_seconds is not None:
        yield "messages.queued_at > ?", now - which.younger_seconds
    if which.was_tried:
        yield "items.attempts > ?", 0


def _text_terms(which: Filter) -> Iterator[tuple[str, str]]:
    for column, text in (
        ("messages.uuid", which.uuid),
        ("messages.sender", which.sender),
        ("items.domain", which.domain),
        ("items.site", which.site),
        ("items.last_error", which.error),
    ):
        if text:
            yield rf"{column} LIKE ? ESCAPE '\'", _like(text)
    if which.recipient:
        yield _RECIPIENT, _like(which.recipient)


def _like(text: str) -> str:
    if text == NULL_PATH:
        return ""
    return re.sub(r"[\\%_]", r"\\\g<0>", text).replace("*", "%")


def _text_getters(
    which: Filter,
) -> Iterable[tuple[Callable[[QueueItem], Iterable[str]], str]]:
    return (
        (lambda item: (item.message.uuid,), which.uuid),
        (lambda item: (item.message.sender,), which.sender),
        (lambda item: (item.domain,), which.domain),
        (lambda item: (item.site,), which.site),
        (lambda item: (item.last_error,), which.error),
        (lambda item: (each.address for each in item.recipients), which.recipient),
    )


def _glob(text: str) -> Callable[[str], bool]:
    """
    Does a whole text look like this one? Never a regular expression: with some stars
    its time could be cubic and worse (survey row 19).
    """
    first, *others = _folded("" if text == NULL_PATH else text).split(b"*")
    if not others:
        return lambda candidate: _folded(candidate) == first
    *middle, last = others

    def matches(candidate: str) -> bool:
        found = _folded(candidate)
        end = len(found) - len(last)
        if not (found.startswith(first) and found.endswith(last)):
            return False
        position = len(first)
        for part in middle:
            position = found.find(part, position, end)
            if position < 0:
                return False
            position += len(part)
        return position <= end

    return matches


def _folded(text: str) -> bytes:
    """Only ASCII letters have lower case in bytes, as in SQLite."""
    return text.encode("utf-8", "surrogatepass").lower()
