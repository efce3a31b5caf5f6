"""
Names of well-known senders in C{From}, also in disguise.

@see: Haraka row PN14
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import attrs

_DIGITS: Final = str.maketrans("0134578|$", "oieastbls")
_DISGUISE = re.compile(r"[0134578|$]")
_ONE_IS_L: Final = str.maketrans("1", "l")

# Letters of other scripts that look like Latin ones in nearly every font.
_LOOKALIKES: Final = str.maketrans(
    "асԁеһіјӏорԛѕтухуαεικονρτυχ",
    "acdehijlopqstyxyaeikovptux",
)


@attrs.frozen
class Brands:
    """
    @ivar domains: by the name, in lower case, those that may use it.
    """

    domains: Mapping[str, frozenset[str]] = MappingProxyType({})
    _pattern: re.Pattern[str] | None = attrs.field(init=False, repr=False)

    @_pattern.default
    def _compile(self) -> re.Pattern[str] | None:
        if not self.domains:
            return None
        names = sorted(self.domains, key=len, reverse=True)
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)")

    def named_in(self, texts: Iterable[str]) -> tuple[str, ...]:
        """
        Which names stand in these texts, as they are or with other letters for some?
        """
        if self._pattern is None:
            return ()
        forms = (form for text in texts for form in _readings(text))
        return tuple(
            dict.fromkeys(
                name for form in forms for name in self._pattern.findall(form)
            )
        )


def make_brands(targets: Mapping[str, str], domains: Mapping[str, str]) -> Brands:
    """
    Read the sections.

    @param targets: domains by name; several are parted by commas or blanks.
    @param domains: names that are domains; what stands behind them does not matter.
    """
    found = {
        name.lower(): frozenset(re.split(r"[\s,;]+", value.lower().strip()))
        for name, value in targets.items()
        if name and value.strip()
    }
    for domain in filter(None, domains):
        found.setdefault(domain.lower(), frozenset((domain.lower(),)))
    return Brands(found)


def _readings(text: str) -> Iterable[str]:
    """How a text may look to somebody who wants to see a name in it."""
    plain = text.lower()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKC", text).lower()
        yield plain
        plain = plain.translate(_LOOKALIKES)
    yield plain
    if _DISGUISE.search(plain):
        yield plain.translate(_DIGITS)
        yield plain.translate(_ONE_IS_L).translate(_DIGITS)
