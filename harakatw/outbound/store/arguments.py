"""What every store refuses, whatever it keeps mail in."""

from collections.abc import Sequence

from harakatw.interfaces.queue import Detour, ItemState, NewItem, Retry


def check_items(items: Sequence[NewItem]) -> None:
    """
    @raise ValueError: nobody would get the message.
    """
    if not items or not all(item.recipients for item in items):
        raise ValueError("a message needs items, and an item needs recipients")


def check_retries(retries: Sequence[Retry]) -> None:
    """
    @raise ValueError: nobody is left to be tried, or the lease would go on.
    """
    for retry in retries:
        if not retry.recipients:
            raise ValueError(f"item {retry.id} has no recipients left: it is done")
        if retry.state is ItemState.LEASED:
            raise ValueError(f"item {retry.id} is to be settled, but leased")


def check_change(
    state: ItemState | None, due: float | None, detour: Detour | None = None
) -> None:
    """
    @raise ValueError: there is nothing to change, or items would be leased by nobody.
    """
    if state is None and due is None and detour is None:
        raise ValueError("there is nothing to change: give a state, a time or a way")
    if state is ItemState.LEASED:
        raise ValueError("items are leased by lease() only")
