"""What was used last, by name."""

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """A bounded dictionary: what was used longest ago makes room."""

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._entries: OrderedDict[str, T] = OrderedDict()

    def get(self, name: str) -> T | None:
        """What is kept under a name; L{None} if nothing is."""
        found = self._entries.get(name)
        if found is not None:
            self._entries.move_to_end(name)
        return found

    def keep(self, name: str, entry: T) -> None:
        """Keep something, instead of what had the name before."""
        self._entries[name] = entry
        self._entries.move_to_end(name)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def __len__(self) -> int:
        """How much is kept."""
        return len(self._entries)
