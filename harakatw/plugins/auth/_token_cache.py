"""Whose a token was a moment ago."""

import hashlib
from collections import OrderedDict
from typing import Final

import attrs

MAX_TOKENS: Final = 10_000


@attrs.define(eq=False)
class TokenCache:
    """
    Users by token, of which only a hash is kept.

    @ivar max_tokens: the oldest goes when there are more.
    """

    max_tokens: int = MAX_TOKENS
    _users: "OrderedDict[bytes, tuple[str, float]]" = attrs.field(
        factory=OrderedDict, init=False, repr=False
    )

    def get(self, token: str, now: float) -> str | None:
        """The user, if that is still believed."""
        key = _key(token)
        user, until = self._users.get(key, ("", 0.0))
        if now < until:
            return user
        self._users.pop(key, None)
        return None

    def put(self, token: str, user: str, until: float) -> None:
        """
        Believe it for a while.

        @param until: in seconds, as C{now} of L{get}.
        """
        key = _key(token)
        self._users.pop(key, None)
        self._users[key] = user, until
        if len(self._users) > self.max_tokens:
            self._users.popitem(last=False)

    def __len__(self) -> int:
        return len(self._users)


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
