"""
Notes: what plugins leave for each other on a connection, a transaction or the server.

A note is found by its path: C{"queue.wants"} is C{wants} in the group C{queue}. A part
that holds a dot itself, such as a domain, needs the other form, C{("seen",
"example.com")}. Names are only ever keys, never attributes, so that C{__class__} is a
name like any other.

@see: Haraka rows NT01, CO08 and TX14
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NotePath = str | Sequence[str]
"""Names joined by dots, or one by one."""


class Notes:
    """
    Values by path. Costs one pointer until something is set.

    Groups are plain dicts: what C{set("a.b", 1)} made, C{notes["a"]} returns as C{{"b":
    1}}.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        """
        @param values: the first notes, as L{as_dict} returned them; they are copied.
        """
        self._values: dict[str, Any] | None = _copy(values) if values else None

    # The values are whatever a plugin put there; Any spares every reader a cast.
    def get(self, path: NotePath, default: Any = None) -> Any:
        """
        Look a note up.

        @return: the note, or C{default} when there is none, also when a name on the way
            is no group.
        """
        found: Any = self._values
        if not found:
            return default
        if (
            type(path) is str and path and "." not in path
        ):  # nearly all, for each message
            return found.get(path, default)
        for part in _parts(path):
            if type(found) is not dict or part not in found:
                return default
            found = found[part]
        return found

    def set(
        self, path: NotePath, value: object, *, only_when_unset: bool = False
    ) -> None:
        """
        Leave a note; groups on the way are made.

        @param only_when_unset: keep a note that is there already, even if it is
            L{None}.
        @raise ValueError: if the path has an empty part, or a name on the way holds
            something that is no group.
        """
        if self._values is None:
            self._values = {}
        group = self._values
        if type(path) is str and path and "." not in path and not only_when_unset:
            group[path] = value
            return
        *groups, name = _parts(path)
        for part in groups:
            group = group.setdefault(part, {})
            if type(group) is not dict:
                raise ValueError(f"note {path!r}: {part!r} is no group")
        if not (only_when_unset and name in group):
            group[name] = value

    def as_dict(self) -> dict[str, Any]:
        """All notes; the groups are copied, the values are not. To be queued."""
        return _copy(self._values or {})

    def __getitem__(self, path: NotePath) -> Any:
        """
        Look a note up.

        @raise KeyError: if there is none.
        """
        found: Any = self._values or {}
        for part in _parts(path):
            if type(found) is not dict:
                raise KeyError(path)
            found = found[part]
        return found

    def __setitem__(self, path: NotePath, value: object) -> None:
        self.set(path, value)

    def __delitem__(self, path: NotePath) -> None:
        """
        Take a note or a whole group away.

        @raise KeyError: if there is none.
        """
        *groups, name = _parts(path)
        group = self[groups] if groups else self._values
        if type(group) is not dict:
            raise KeyError(path)
        del group[name]

    def __contains__(self, path: NotePath) -> bool:
        try:
            self[path]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        """The names at the top."""
        return iter(tuple(self._values or ()))

    def __len__(self) -> int:
        return len(self._values or ())

    def __repr__(self) -> str:
        """Names only: notes hold passwords, and what is printed ends in a log."""
        return f"<Notes {', '.join(map(ascii, self))}>"


def _parts(path: NotePath) -> Sequence[str]:
    parts = path.split(".") if isinstance(path, str) else path
    if not parts or "" in parts:
        raise ValueError(f"{path!r} is no path of a note: a name is empty")
    return parts


def _copy(group: Mapping[str, object]) -> dict[str, Any]:
    return {
        name: _copy(value) if type(value) is dict else value
        for name, value in group.items()
    }
