"""Messages and items as rows of the database, and back."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

from harakatw.interfaces.queue import (
    NO_DEMANDS,
    Demands,
    ItemState,
    NewItem,
    QueuedMessage,
    QueuedRecipient,
    QueueItem,
)
from harakatw.outbound.demanded import demands_as_json, demands_of_json
from harakatw.outbound.store.bodies import BodyFile

Row = tuple[Any, ...]

READY: Final = 0
LEASED: Final = 1
HELD: Final = 2
DEAD: Final = 3

STATE_NUMBERS: Mapping[ItemState, int] = MappingProxyType(
    {
        ItemState.READY: READY,
        ItemState.LEASED: LEASED,
        ItemState.HELD: HELD,
        ItemState.DEAD: DEAD,
    }
)
STATES: Final = tuple(STATE_NUMBERS)

ITEM_COLUMNS: Final = """
    items.id, items.message_id, items.domain, items.site, items.recipients,
    items.attempts, items.due, items.state, items.warned, items.last_error,
    messages.uuid, messages.sender, messages.size, messages.queued_at,
    messages.envid, messages.ret, messages.flags, messages.notes, items.next_hop
"""
"""What L{item_of} reads, from items with the message that belongs to each."""

_IS_8BIT, _IS_UTF8, _IS_BINARY = 1, 2, 4
_NO_NOTES = "{}"
_encode = json.JSONEncoder(separators=(",", ":")).encode


class DamagedRow(Exception):
    """A row holds something that nobody wrote there."""

    def __init__(self, why: str) -> None:
        super().__init__(f"damaged: {why}")


def message_row(
    number: int, items: int, message: QueuedMessage, body: bytes | BodyFile
) -> Row:
    """
    A row of C{messages}.

    @param items: how many items it has, numbered from C{number} on.
    @raise TypeError: a note is no JSON value, likewise ValueError and RecursionError.
    """
    if isinstance(body, BodyFile):
        where: Row = (body.name, body.octets, body.crc, None)
    else:
        where = (None, len(body), None, body)
    return (
        number,
        items,
        message.uuid,
        message.sender,
        message.size,
        message.queued_at,
        message.envid,
        message.ret,
        message.is_8bit * _IS_8BIT
        | message.is_utf8 * _IS_UTF8
        | message.is_binary * _IS_BINARY,
        _notes_column(message),
        *where,
    )


def _notes_column(message: QueuedMessage) -> str:
    """
    The notes as an object, or in a list with what hardly any message has besides.
    """
    if message.demands is not NO_DEMANDS:
        return _encode([dict(message.notes), demands_as_json(message.demands)])
    return _encode(dict(message.notes)) if message.notes else _NO_NOTES


def item_row(
    number: int, message_id: int, item: NewItem, lease_end: float, priority: int
) -> Row:
    """A row of C{items}, leased."""
    return (
        number,
        message_id,
        item.domain,
        item.site or item.domain,
        encode_recipients(item.recipients),
        0,
        item.due,
        lease_end,
        LEASED,
        0,
        "",
        "",
        priority,
    )


def leased_item(
    number: int, message_id: int, message: QueuedMessage, item: NewItem
) -> QueueItem:
    """What L{item_row} stores, as a value."""
    return QueueItem(
        id=number,
        message_id=message_id,
        message=message,
        domain=item.domain,
        site=item.site or item.domain,
        recipients=item.recipients,
        due=item.due,
        state=ItemState.LEASED,
    )


def encode_recipients(recipients: Sequence[QueuedRecipient]) -> str:
    """The recipients of an item as one text."""
    return _encode(
        [
            (each.address, each.notify, each.orcpt, each.last_reply)
            for each in recipients
        ]
    )


def storable(text: str) -> str:
    """
    A text as UTF-8 can hold it: lone surrogates, which a peer's reply may have left,
    become question marks rather than a reason not to store what happened.
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def encode_ids(ids: Iterable[int]) -> str:
    """Numbers for C{json_each}, which makes one statement do for any number of them."""
    return f"[{','.join(map(str, ids))}]"


def item_of(row: Row) -> QueueItem:
    """
    The item of a row of L{ITEM_COLUMNS}.

    @raise DamagedRow: it cannot be understood.
    """
    if row[10] is None:
        raise DamagedRow("its message is missing")
    _check_types(row)
    try:
        recipients = _recipients(json.loads(row[4]))
        notes, demands = _notes_and_demands(json.loads(row[17]))
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedRow(str(error)) from error
    if not 0 <= row[7] < len(STATES):
        raise DamagedRow("its state is unknown")
    return _item(row, recipients, STATES[row[7]], row[9], notes, demands)


def remains_of(row: Row, damage: DamagedRow) -> QueueItem:
    """
    What can be shown of a row that L{item_of} does not understand: a dead item, with
    the damage as its error.
    """
    texts = {
        number: value if isinstance(value, str) else ""
        for number, value in enumerate(row)
    }
    numbers = {
        number: value if isinstance(value, int | float) else 0
        for number, value in enumerate(row)
    }
    plain = tuple(
        texts[number] if kind is str else numbers[number]
        for number, kind in enumerate(_COLUMN_TYPES)
    )
    try:
        recipients = _recipients(json.loads(texts[4]))
    except (ValueError, TypeError, RecursionError):
        recipients = ()
    return _item(plain, recipients, ItemState.DEAD, str(damage), {}, NO_DEMANDS)


_COLUMN_TYPES: Final[Sequence[type]] = (
    *(int, int, str, str, str, int, float, int, int, str),
    *(str, str, int, float, str, str, int, str, str),
)


def _check_types(row: Row) -> None:
    for number, (value, kind) in enumerate(zip(row, _COLUMN_TYPES, strict=True)):
        if type(value) is not kind:
            raise DamagedRow(f"column {number} holds a {type(value).__name__}")


def _notes_and_demands(column: Any) -> tuple[Mapping[str, object], Demands]:
    """
    @raise ValueError: it is neither of what L{_notes_column} writes.
    """
    demands = NO_DEMANDS
    if isinstance(column, list) and len(column) == 2:
        column, demands = column[0], demands_of_json(column[1])
    if not isinstance(column, dict):
        raise ValueError("its notes are no object")
    return column, demands


def _recipients(entries: Any) -> tuple[QueuedRecipient, ...]:
    """
    @raise ValueError: C{entries} are no recipients, likewise TypeError.
    """
    recipients = tuple(QueuedRecipient(*entry) for entry in entries)
    texts = chain.from_iterable(entries)
    if not recipients or not all(type(text) is str for text in texts):
        raise ValueError("its recipients are no texts")
    return recipients


def _item(
    row: Row,
    recipients: tuple[QueuedRecipient, ...],
    state: ItemState,
    last_error: str,
    notes: Mapping[str, object],
    demands: Demands,
) -> QueueItem:
    flags = int(row[16])
    return QueueItem(
        id=row[0],
        message_id=row[1],
        message=QueuedMessage(
            uuid=row[10],
            sender=row[11],
            size=row[12],
            queued_at=row[13],
            envid=row[14],
            ret=row[15],
            is_8bit=bool(flags & _IS_8BIT),
            is_utf8=bool(flags & _IS_UTF8),
            is_binary=bool(flags & _IS_BINARY),
            demands=demands,
            notes=notes,
        ),
        domain=row[2],
        site=row[3],
        recipients=recipients,
        attempts=row[5],
        due=row[6],
        state=state,
        warned=bool(row[8]),
        last_error=last_error,
        next_hop=row[18],
    )
