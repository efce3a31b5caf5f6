"""
The domains that are ours: what plugins that use C{config/host_list} have in common.

@see: Haraka rows PB21 and CF37 to CF39
"""

import attrs

from harakatw.address_grammar import GrammarError, canonical_host
from harakatw.config.options import list_file, value_file
from harakatw.plugins._patterns import Patterns, compile_pattern, matches_one


@attrs.frozen(kw_only=True)
class HostListOptions:
    """Files that say which domains are ours."""

    host_list: tuple[str, ...] = attrs.field(
        default=(),
        metadata=list_file("host_list", "Domains that mail is accepted for."),
    )
    host_list_regex: tuple[str, ...] = attrs.field(
        default=(),
        metadata=list_file(
            "host_list_regex",
            "Patterns of such domains; each stands for the whole name, in any case.",
        ),
    )
    anti_spoof: bool = attrs.field(
        default=False,
        metadata=value_file(
            "host_list.anti_spoof",
            "Refuse senders of these domains from clients that may not relay.",
        ),
    )


@attrs.frozen
class HostList:
    """
    Domains, and patterns of domains.

    @ivar names: in the spelling of L{harakatw.address.Address.host}.
    @ivar patterns: for whole names.
    @ivar mistakes: what the lists hold that can match nothing, and why.
    """

    names: frozenset[str] = frozenset()
    patterns: Patterns = ()
    mistakes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.names or self.patterns)

    def contains(self, host: str) -> bool:
        """
        Is this domain ours? Hot: once or twice per message.

        @param host: as of an L{harakatw.address.Address}.
        """
        if host in self.names:
            return True
        return bool(self.patterns) and bool(host) and matches_one(self.patterns, host)


def make_host_list(options: HostListOptions) -> HostList:
    """
    Read the lists.

    One bad line must not take the others along, since mail for a domain that is in no
    list is refused for good: it is left out, and is among the L{HostList.mistakes}.
    """
    names: set[str] = set()
    patterns = []
    mistakes = []
    for entry in options.host_list:
        try:
            names.add(canonical_host(entry))
        except GrammarError as error:
            mistakes.append(f"host_list: {entry!r} is no domain: {error}")
    for entry in options.host_list_regex:
        try:
            patterns.append(compile_pattern(entry))
        except ValueError as error:
            mistakes.append(f"host_list_regex: {error}")
    return HostList(frozenset(names), tuple(patterns), tuple(mistakes))
