"""
The lists of the C{access} plugin, made ready to be asked.

@see: Haraka row PN01
"""

from collections.abc import Iterable

import attrs
from publicsuffixlist import PublicSuffixList

from harakatw.address_grammar import GrammarError, canonical_domain, is_ip_literal
from harakatw.plugins._networks import Networks, parse_network, parse_networks
from harakatw.plugins._patterns import Patterns, compile_patterns, matches_one


@attrs.frozen
class AccessList:
    """
    A list and its list of patterns.

    @ivar file: the name of the list.
    @ivar pattern_file: the name of the list of patterns.
    """

    file: str
    pattern_file: str
    _entries: frozenset[str]
    _networks: Networks
    _patterns: Patterns

    def found_in(self, text: str) -> str:
        """
        Which file lists this address or name?

        @param text: in any case.
        @return: the file's name; C{""} for none.
        """
        if not text:
            return ""
        if text.lower() in self._entries:
            return self.file
        return self.pattern_file if matches_one(self._patterns, text) else ""

    def client_found_in(self, ip: str, host: str) -> str:
        """As L{found_in}, for a client: by its address, then by its name."""
        if self._networks and self._networks.contains(ip):
            return self.file
        return self.found_in(ip) or self.found_in(host)


def make_list(
    file: str, entries: Iterable[str], patterns: Iterable[str] = ()
) -> AccessList:
    """
    Make a list.

    @param file: its name; that of its patterns has C{_regex} behind.
    @param entries: addresses, names, or networks in CIDR notation.
    @param patterns: each for a whole address or name.
    @raise ValueError: if a pattern is no regular expression, or an entry with a slash
        and no at-sign is no network.
    """
    names = {_spelt(entry) or entry.lower() for entry in entries}
    networks = {name for name in names if is_network(name)}
    return AccessList(
        file,
        f"{file}_regex",
        frozenset(names - networks),
        parse_networks(networks),
        compile_patterns(patterns),
    )


def is_network(entry: str) -> bool:
    """
    Is this entry an address or a network, and not a name?

    @raise ValueError: if it has a slash, so must be a network, and is none.
    """
    try:
        parse_network(entry)
    except ValueError:
        if "/" in entry and "@" not in entry:
            raise
        return False
    return True


def check_entries(
    instance: object, attribute: "attrs.Attribute[tuple[str, ...]]", value: object
) -> None:
    """
    An attrs validator for the entries of a list.

    @raise ValueError: as L{make_list}.
    """
    if isinstance(value, tuple):
        make_list("", value)


@attrs.frozen
class ListPair:
    """
    Both lists of one kind.

    @ivar also_black: another list that turns away; L{None} for none.
    """

    white: AccessList
    black: AccessList
    also_black: AccessList | None = None

    def blacklisted(self, address: str) -> str:
        """Which file turns this address away? C{""} for none."""
        found = self.black.found_in(address)
        if not found and self.also_black is not None:
            found = self.also_black.found_in(address)
        return found


@attrs.frozen
class Organizations:
    """
    Organizational domains, by the Public Suffix List.

    @see: RFC 7489 section 3.2
    """

    _suffixes: PublicSuffixList = attrs.field(factory=PublicSuffixList, repr=False)

    def of(self, domain: str) -> str:
        """
        The domain below a public suffix that this one belongs to.

        @param domain: A-labels or not, in any case.
        @return: in lower case with A-labels; C{""} if there is none, as for C{com}.
        """
        try:
            name = canonical_domain(domain.rstrip("."))
        except GrammarError:
            return ""
        return self._suffixes.privatesuffix(name) or ""


@attrs.frozen
class DomainList:
    """
    C{access.domains}: what is turned away wherever it turns up.

    @ivar blocked: organizational domains and addresses.
    @ivar allowed: domains and addresses that are taken all the same.
    @ivar mistakes: entries that can match nothing, and why.
    """

    blocked: frozenset[str]
    allowed: frozenset[str]
    mistakes: tuple[str, ...]

    def blocks(self, organization: str, domain: str, address: str = "") -> bool:
        """
        Is a name or an address to be turned away?

        @param organization: the organizational domain of C{domain}.
        @param address: in lower case, if it is an address.
        """
        return not self.allows(organization, domain, address) and (
            organization in self.blocked or address in self.blocked
        )

    def allows(self, organization: str, domain: str, address: str = "") -> bool:
        """Is one of these excepted?"""
        return not self.allowed.isdisjoint((organization, domain, address))


def make_domain_list(
    entries: Iterable[str], organizations: Organizations
) -> DomainList:
    """
    Read C{access.domains}.

    @param entries: domains, which stand for their organizational domain; addresses; and
        both with a C{!} in front, which excepts them just as they are.
    """
    blocked: set[str] = set()
    allowed: set[str] = set()
    mistakes: list[str] = []
    for entry in entries:
        is_exception = entry.startswith("!")
        name = _spelt(entry.removeprefix("!").strip())
        if name and not (is_exception or "@" in name):
            name = organizations.of(name)
        if not name:
            mistakes.append(f"{entry!r} has no organizational domain")
        elif is_exception:
            allowed.add(name)
        else:
            blocked.add(name)
    return DomainList(frozenset(blocked), frozenset(allowed), tuple(mistakes))


def _spelt(name: str) -> str:
    """An address or a domain as it is compared; C{""} if it is none."""
    local, at, domain = name.rpartition("@")
    try:
        return f"{local.lower()}{at}{canonical_domain(domain.rstrip('.'))}"
    except GrammarError:
        return ""


def is_name(host: str) -> bool:
    """Is this a domain, and not an address or what stands for a missing name?"""
    return (
        bool(host)
        and host not in ("NXDOMAIN", "DNSERROR", "Unknown")
        and not is_ip_literal(host)
        and not _is_ip(host)
    )


def _is_ip(host: str) -> bool:
    try:
        parse_network(host)
    except ValueError:
        return False
    return True
