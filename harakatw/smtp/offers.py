"""
What EHLO announces to whom.

@see: RFC 5321 section 4.1.1.1
"""

from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from harakatw.config.connection import ConnectionOptions
from harakatw.config.extensions import ExtensionOptions
from harakatw.reply import reply
from harakatw.wire.extensions import Offer, Terms, make_offer

_MOST_EDITED: Final = 64
"""Lists of plugins that are remembered: nearly always there are one or two."""


@attrs.define(eq=False)
class Offers:
    """
    The offers of one listener: made when first asked for, and then kept.

    @ivar hidden: keywords that are never announced, in upper case.
    """

    _limits: ConnectionOptions
    _extensions: ExtensionOptions
    hidden: frozenset[str] = frozenset()
    _offers: dict[bool, Offer] = attrs.field(factory=dict, init=False)
    _edited: dict[tuple[str, ...], Offer] = attrs.field(factory=dict, init=False)

    def offer(self, *, encrypted: bool) -> Offer:
        """
        What is announced before plugins are asked.

        @param encrypted: is the session?
        """
        offer = self._offers.get(encrypted)
        if offer is None:
            lines = self._announced(self._lines())
            offer = self._offers[encrypted] = make_offer(lines, self._terms)
        return offer

    def edited(self, offer: Offer, lines: Sequence[object]) -> Offer:
        """
        What is announced after that.

        @param lines: what plugins made of C{offer}: anything may be in it.
        """
        told = tuple(map(str, lines))
        if told == offer.lines:
            return offer
        edited = self._edited.get(told)
        if edited is None:
            clean = reply(250, "", told or "HELP").lines
            edited = make_offer(self._announced(clean), self._terms)
            if len(self._edited) >= _MOST_EDITED:
                self._edited.clear()
            self._edited[told] = edited
        return edited

    @property
    def _terms(self) -> Terms:
        return Terms(max_bytes=self._limits.max_bytes)

    def _lines(self) -> Iterable[str]:
        yield from ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES")
        if self._limits.smtputf8:
            yield "SMTPUTF8"
        if self._extensions.dsn:
            yield "DSN"
        if self._extensions.chunking:
            yield "CHUNKING"
            if self._extensions.binarymime:
                yield "BINARYMIME"
        yield f"SIZE {self._limits.max_bytes}"

    def _announced(self, lines: Iterable[str]) -> Iterable[str]:
        by_line = {line: line.partition(" ")[0].upper() for line in lines}
        hidden = self.hidden
        if "CHUNKING" in hidden or "CHUNKING" not in by_line.values():
            hidden |= {"BINARYMIME"}  # RFC 3030 section 3: not without CHUNKING
        return (line for line, keyword in by_line.items() if keyword not in hidden)
