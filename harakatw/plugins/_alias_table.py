"""
What C{config/aliases.json} says, ready to be looked up.

@see: Haraka row PN02
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

import attrs

from harakatw.address import Address, parse_address
from harakatw.address_grammar import canonical_host
from harakatw.config.problems import Problem
from harakatw.errors import ProtocolError

MAX_TARGETS: Final = 1000
"""Of one alias; more are for a list manager."""

ANY: Final = "*"
"""The key for recipients that no other key is for."""

_Key = TypeVar("_Key", str, tuple[str, str])

_SUBADDRESS = re.compile("[+-]")
_EXPECTED: Final = (
    'expected {"action": "drop"} or {"action": "alias", "to": "user@host"}'
)


@attrs.frozen
class Target:
    """
    Who gets the mail instead.

    @ivar host: C{""} for the recipient's own.
    """

    user: str
    host: str = ""


@attrs.frozen
class Alias:
    """
    One entry.

    @ivar key: as it is written.
    @ivar targets: each once, those in the recipient's own domain first, otherwise in
        the order of the file; none to drop the mail.
    @ivar names_domain: does the key say for which domain it is?
    """

    key: str
    targets: tuple[Target, ...] = ()
    names_domain: bool = False


@attrs.define
class AliasTable:
    """
    All entries, by what their keys name; texts in lower case.

    @ivar mistakes: entries or parts of them that are of no use, and why.
    """

    by_address: dict[tuple[str, str], Alias] = attrs.field(factory=dict)
    by_user: dict[str, Alias] = attrs.field(factory=dict)
    by_domain: dict[str, Alias] = attrs.field(factory=dict)
    any: Alias | None = None
    mistakes: tuple[Problem, ...] = ()

    def find(self, recipient: Address) -> Alias | None:
        """
        The entry for a recipient, the most specific one. Hot: a few look-ups.

        C{user-more} and C{user+more} are C{user} unless they have an entry.
        """
        user, host = recipient.user.lower(), recipient.host
        found = self.by_address.get((user, host)) or self.by_user.get(user)
        if found is None and ("-" in user or "+" in user):
            base = _SUBADDRESS.split(user, maxsplit=1)[0]
            found = self.by_address.get((base, host)) or self.by_user.get(base)
        return found or self.by_domain.get(host) or self.any


def make_alias_table(entries: Mapping[str, object], file: str) -> AliasTable:
    """
    Read the file. Whatever is wrong is left out, and told in C{mistakes}.

    @param entries: what it holds.
    @param file: as problems name it.
    """
    table = AliasTable()
    mistakes = []
    for key, value in entries.items():
        try:
            for complaint in _put(table, key, value):
                mistakes.append(Problem(file, 0, "", key, complaint))
        except ValueError as error:
            why = f"{key}: {error}; mail for it is not aliased"
            mistakes.append(Problem(file, 0, "", key, why))
    table.mistakes = tuple(mistakes)
    return table


def _put(table: AliasTable, key: str, value: object) -> Iterator[str]:
    """
    Add one entry, then complain of what it says in vain.

    @raise ValueError: if it cannot be used at all.
    """
    if not isinstance(value, Mapping):
        raise ValueError(_EXPECTED)
    names_domain = "@" in key
    alias = Alias(key, _targets(value), names_domain)
    if key == ANY:
        table.any = alias
    elif key.startswith("@"):
        _keep(table.by_domain, _domain(key[1:]), alias)
    elif names_domain:
        address = _address(key)
        _keep(table.by_address, (address.user.lower(), address.host), alias)
    else:
        _keep(table.by_user, _address(f"{key}@user.invalid").user.lower(), alias)
    for name in value.keys() - {"action", "to"}:
        yield f"{key}: {name!r} is unknown, and ignored: use action and to"


def _keep(entries: dict[_Key, Alias], name: _Key, alias: Alias) -> None:
    other = entries.setdefault(name, alias)
    if other is not alias:
        raise ValueError(f"{other.key!r} is an entry for the same already")


def _targets(value: Mapping[object, object]) -> tuple[Target, ...]:
    action = value.get("action")
    word = action.lower() if isinstance(action, str) else action
    if word == "drop":
        return ()
    if word != "alias":
        raise ValueError(f"the action {action!r} is unknown: {_EXPECTED}")
    written = value.get("to")
    several = written if isinstance(written, list) else [written]
    if not several or not all(isinstance(each, str) and each for each in several):
        raise ValueError(f'"to" must be an address or a list of them: {_EXPECTED}')
    if len(several) > MAX_TARGETS:
        raise ValueError(f"{len(several)} addresses are more than {MAX_TARGETS}")
    targets = dict.fromkeys(map(_target, several))
    # The plugins rule on the first. If that were in another domain than the recipient,
    # nobody would have been asked whether the recipient's domain is ours.
    return tuple(sorted(targets, key=lambda target: bool(target.host)))


def _target(text: str) -> Target:
    if "@" not in text:
        return Target(_address(f"{text}@user.invalid").user)
    address = _address(text)
    return Target(address.user, address.host)


def _address(text: str) -> Address:
    try:
        return parse_address(text, utf8=True)
    except ProtocolError as error:
        shown = text.removesuffix("@user.invalid")
        raise ValueError(f"{shown!r} is no address: {error}") from None


def _domain(text: str) -> str:
    try:
        return canonical_host(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no domain: {error}") from None
