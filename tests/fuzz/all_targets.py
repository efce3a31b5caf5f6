"""All targets, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from tests.fuzz import hello, logins, messages, mime, peers, proxies, settings, wire
from tests.fuzz.target import Target


def all_targets() -> Mapping[str, Target]:
    """
    The targets of all parts.

    @raise ValueError: two have one name.
    """
    found: dict[str, Target] = {}
    for part in (wire, hello, proxies, logins, peers, messages, mime, settings):
        for target in part.TARGETS:
            if target.name in found:
                raise ValueError(f"there are two targets called {target.name}")
            found[target.name] = target
    return MappingProxyType(found)
