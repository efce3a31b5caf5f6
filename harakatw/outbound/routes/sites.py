"""
What a set of hosts is called, so that domains with the same hosts share their limits.

C{example.org} and ten thousand other domains may all be with
C{(alt1.mx|alt2.mx|mx).mail.example}: to those hosts they are one sender.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Final

MAX_NAME: Final = 255
"""Characters of the name of a site."""

_GROUP = re.compile(r"\(.*\)\.?", re.DOTALL)
_PORT = re.compile(r":[0-9]{1,5}\Z")
_DIGEST_CHARACTERS: Final = 16


def site_name(hosts: Iterable[str]) -> str:
    """
    Name a set of hosts.

    The order of the hosts does not matter, nor does their preference: limits are about
    who is being asked, not about who comes first.

    @param hosts: at least one, in lower case without the last dot.
    @return: the host, or C{(a|b).example.org}; with a digest for its end if it would be
        longer than L{MAX_NAME}.
    """
    names = sorted(set(hosts))
    if len(names) == 1:
        return _short(names[0])
    suffix = _common_suffix([name.split(".") for name in names])
    heads = names if not suffix else [name.removesuffix(f".{suffix}") for name in names]
    name = f"({'|'.join(heads)})"
    return _short(f"{name}.{suffix}" if suffix else name, f".{suffix}")


def _common_suffix(names: list[list[str]]) -> str:
    """The labels that all names end with; each name keeps one label at least."""
    shared: list[str] = []
    for labels in zip(*(reversed(name[1:]) for name in names), strict=False):
        if len(set(labels)) > 1:
            break
        shared.append(labels[0])
    return ".".join(reversed(shared))


def _short(name: str, suffix: str = "") -> str:
    if len(name) <= MAX_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    end = f"|#{digest}){suffix}"
    return name[: max(MAX_NAME - len(end), 0)] + end


def common_name(site: str) -> str:
    """
    What is the same in the names of all hosts of a site.

    @return: a host or a domain; C{""} if there is none.
    """
    return _PORT.sub("", _GROUP.sub("", site))
