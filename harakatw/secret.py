"""A password in memory: kept out of logs, queues and tracebacks."""

import hmac
from typing import NoReturn

_MASK = "<secret>"


class Secret:
    """
    A text that shows itself to who asks for it by L{reveal}, and to nobody else.

    It cannot be written anywhere: as text it is a mask, and it refuses to be pickled or
    turned into JSON.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __eq__(self, other: object) -> bool:
        """Is it the same? Takes the same time either way."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return _MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not to be stored")
