"""The users of C{auth_flat_file.ini}, read once."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from harakatw.auth.passwords import (
    PlainPassword,
    ScramPassword,
    StoredPassword,
    check_api_key,
    parse_password,
)
from harakatw.config.problems import Severity
from harakatw.wire.sasl.scram_keys import ITERATIONS
from harakatw.wire.sasl.text import SASLError, saslprep

_PASSWORD: Final = frozenset(("PLAIN", "LOGIN"))
_CRAM: Final = frozenset(("CRAM-MD5",))
_SCRAM: Final = frozenset(("SCRAM-SHA-256",))


@attrs.frozen
class Mistake:
    """What is wrong with an entry; never shows what it holds."""

    section: str
    user: str
    what: str
    severity: Severity = "error"


@attrs.frozen
class Users:
    """
    @ivar passwords: by user.
    @ivar keys: hashes of API keys, by program.
    @ivar decoy: one of the slow passwords that are most common: what is checked for
        users that there are not; L{None} if all are quick.
    @ivar iterations: of SCRAM, likewise.
    @ivar secret: of which made-up salts are made: nobody else knows it, and it is the
        same in every process until the users change.
    @ivar has_plain: is the password of any user there as it is?
    @ivar some_methods: the mechanisms by which any user or program can log in.
    @ivar every_method: those by which all can: a client takes the best that is offered,
        and fails if it is no good for its user.
    @ivar mistakes: entries that cannot be used, and those that should be better.
    """

    passwords: Mapping[str, StoredPassword] = attrs.field(repr=False)
    keys: Mapping[str, str] = attrs.field(repr=False)
    decoy: StoredPassword | None = attrs.field(repr=False)
    iterations: int
    secret: bytes = attrs.field(repr=False)
    has_plain: bool
    some_methods: frozenset[str]
    every_method: frozenset[str]
    mistakes: tuple[Mistake, ...]


def methods_of(stored: StoredPassword) -> frozenset[str]:
    """The mechanisms by which who has this password can log in."""
    if isinstance(stored, PlainPassword):
        return _PASSWORD | _CRAM | _SCRAM
    return _PASSWORD | _SCRAM if isinstance(stored, ScramPassword) else _PASSWORD


def read_users(users: Mapping[str, str], api_keys: Mapping[str, str]) -> Users:
    """Read both sections; an entry that is wrong counts as not there."""
    mistakes: list[Mistake] = []
    passwords = dict(_passwords(users, mistakes))
    keys = dict(_keys(api_keys, mistakes))
    slow = [stored for stored in passwords.values() if stored.is_slow]
    methods = [*map(methods_of, passwords.values()), *[_PASSWORD] * bool(keys)]
    entries = "\0".join(map("\0".join, sorted({**users, **api_keys}.items())))
    return Users(
        passwords=passwords,
        keys=keys,
        decoy=_most_common(slow),
        iterations=_iterations(slow),
        secret=hashlib.sha256(entries.encode("utf-8", "surrogateescape")).digest(),
        has_plain=any(isinstance(p, PlainPassword) for p in passwords.values()),
        some_methods=frozenset[str]().union(*methods),
        every_method=methods[0].intersection(*methods) if methods else frozenset(),
        mistakes=tuple(mistakes),
    )


def _passwords(
    users: Mapping[str, str], mistakes: list[Mistake]
) -> Iterator[tuple[str, StoredPassword]]:
    for user, text in users.items():
        try:
            stored = parse_password(text)
            name = saslprep(user)
        except (ValueError, SASLError) as error:
            mistakes.append(Mistake("users", user, str(error)))
            continue
        if isinstance(stored, PlainPassword):
            why = "the password is not hashed: see `haraka hash`"
            mistakes.append(Mistake("users", user, why, "notice"))
        yield name, stored


def _keys(
    api_keys: Mapping[str, str], mistakes: list[Mistake]
) -> Iterator[tuple[str, str]]:
    for program, text in api_keys.items():
        try:
            check_api_key(text)
            yield saslprep(program), text
        except (ValueError, SASLError) as error:
            mistakes.append(Mistake("api_keys", program, str(error)))


def _most_common(slow: list[StoredPassword]) -> StoredPassword | None:
    if not slow:
        return None
    (kind, _), *_rest = Counter(map(type, slow)).most_common(1)
    return next(stored for stored in slow if type(stored) is kind)


def _iterations(slow: list[StoredPassword]) -> int:
    counts = Counter(
        stored.keys.iterations for stored in slow if isinstance(stored, ScramPassword)
    )
    return counts.most_common(1)[0][0] if counts else ITERATIONS
