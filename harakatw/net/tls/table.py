"""
Which context is for which name.

@see: RFC 6066 section 3 (SNI)
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import attrs
from OpenSSL import SSL

from harakatw.config.problems import BadFile, Problem
from harakatw.net.tls.certificates import KeyPair
from harakatw.net.tls.context import Wanted, server_context
from harakatw.net.tls.trust import Trusted

_DAY: Final = 86400.0
SOON_DAYS: Final = 14
"""So many days before a certificate ends it is worth a word."""


@attrs.frozen(eq=False, kw_only=True)
class Profile:
    """
    How to treat those who ask for one name.

    @ivar section: of C{tls.ini}, where it comes from.
    @ivar trusted: who may have signed a client's certificate.
    @ivar must_verify: is a client without a good one refused?
    """

    section: str = "main"
    wanted: Wanted
    trusted: Trusted
    must_verify: bool = False


Recipe: TypeAlias = tuple[tuple[KeyPair, ...], Profile]
"""What a context is made from: a pair for each kind of key."""


@attrs.frozen(eq=False)
class Entry:
    """A context, and how those are treated who get it."""

    context: SSL.Context
    profile: Profile


@attrs.frozen(eq=False)
class ContextTable:
    """
    The contexts of a server.

    @ivar default: for clients that name nobody, or somebody we do not know.
    @ivar recipes: by name, C{""} for the default.
    """

    default: Entry
    recipes: Mapping[str, Recipe]
    _by_name: Mapping[str, Entry]

    def find(self, name: str) -> Entry:
        """
        Choose the context for whom a client asks.

        @param name: in lower case; C{""} if it asks for nobody.
        """
        found = self._by_name.get(name)
        if found is None and name:
            found = self._by_name.get("*." + name.partition(".")[2])
        return self.default if found is None else found

    @property
    def pairs(self) -> tuple[KeyPair, ...]:
        """Every certificate that may be shown, once."""
        every = (pair for pairs, _ in self.recipes.values() for pair in pairs)
        return tuple({id(pair): pair for pair in every}.values())

    def renewed(self) -> "ContextTable":
        """
        The same with new keys for tickets, which should not live long (RFC 9325 section
        3.4). Who asks for certificates gives out no tickets, and stays as it is.
        """
        lasting = {
            name: recipe for name, recipe in self.recipes.items() if _asks(recipe)
        }
        before = ContextTable(self.default, lasting, self._by_name)
        table, _ = make_table(self.recipes, before)
        return self if table is None else table

    def contexts(self) -> "dict[_Key, SSL.Context]":
        """The contexts by what they were made from."""
        return {
            _key(recipe): (self.find(name) if name else self.default).context
            for name, recipe in self.recipes.items()
            if not recipe[1].wanted.dhparam  # a file, which may say another thing now
        }


def make_table(
    recipes: Mapping[str, Recipe], before: ContextTable | None = None
) -> tuple[ContextTable | None, tuple[Problem, ...]]:
    """
    Make all contexts; what is for several names is made once.

    @param recipes: by name, C{""} for the default.
    @param before: what stands in for a context that cannot be made.
    @return: L{None} without a default, and what is wrong.
    """
    problems: list[Problem] = []
    made: dict[tuple[int, ...], Entry | None] = {}
    known = {} if before is None else before.contexts()
    by_name: dict[str, Entry] = {}
    used = dict(recipes)
    for name, (pairs, profile) in recipes.items():
        key = (*map(id, pairs), id(profile))
        if key not in made:
            made[key] = _make_entry((pairs, profile), known, problems)
        entry = made[key]
        if entry is None and before is not None and name in before.recipes:
            entry, used[name] = before.find(name), before.recipes[name]
        if entry is None:
            del used[name]
        else:
            by_name[name] = entry
    default = by_name.pop("", None)
    table = None if default is None else ContextTable(default, used, by_name)
    return table, tuple(problems)


def _make_entry(
    recipe: Recipe, known: "Mapping[_Key, SSL.Context]", problems: list[Problem]
) -> Entry | None:
    pairs, profile = recipe
    try:
        context = known.get(_key(recipe))
        if context is None:
            context = server_context(pairs, profile.wanted)
        return Entry(context, profile)
    except BadFile as error:
        where = profile.section
        problems.append(Problem("config/tls.ini", 0, where, "", error.message))
        return None


_Key: TypeAlias = tuple[tuple[int, ...], Wanted]


def _key(recipe: Recipe) -> _Key:
    """
    What a context depends on. Pairs go by identity: whoever keeps the key has to keep
    them too.
    """
    pairs, profile = recipe
    return tuple(map(id, pairs)), profile.wanted


def _asks(recipe: Recipe) -> bool:
    return recipe[1].wanted.asks


def best_pairs(pairs: Iterable[KeyPair]) -> tuple[KeyPair, ...]:
    """One pair for each kind of key: the one that ends last."""
    best: dict[str, KeyPair] = {}
    for pair in pairs:
        rival = best.get(pair.kind)
        if rival is None or rival.ends < pair.ends:
            best[pair.kind] = pair
    return tuple(best.values())


def by_names(pairs: Iterable[KeyPair]) -> dict[str, tuple[KeyPair, ...]]:
    """The best pairs for each name that a certificate has."""
    found: dict[str, list[KeyPair]] = {}
    for pair in pairs:
        for name in pair.names:
            found.setdefault(name, []).append(pair)
    chosen = {name: best_pairs(several) for name, several in found.items()}
    # Tuples of the same pairs shall be one object: a context is made for each.
    same = {tuple(map(id, each)): each for each in chosen.values()}
    return {name: same[tuple(map(id, each))] for name, each in chosen.items()}


def validity_problems(pairs: Iterable[KeyPair], now: float) -> Iterator[Problem]:
    """
    Find certificates that clients will not like.

    @param now: seconds since 1970.
    @return: errors for those that are not valid now, notices for those that end soon.
    """
    for pair in pairs:
        names = ", ".join(sorted(pair.names)) or "nobody"
        ends = f"{pair.certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        if now >= pair.ends:
            yield _told(pair, f"the certificate of {names} expired on {ends}")
        elif now < pair.starts:
            starts = f"{pair.certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
            yield _told(pair, f"the certificate of {names} is not valid until {starts}")
        elif pair.ends - now < SOON_DAYS * _DAY:
            days = int((pair.ends - now) / _DAY)
            why = f"the certificate of {names} expires in {days} days, on {ends}"
            yield attrs.evolve(_told(pair, why), severity="notice")


def _told(pair: KeyPair, why: str) -> Problem:
    return Problem(pair.place, 0, "", "", why)
