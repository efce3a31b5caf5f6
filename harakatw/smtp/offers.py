"""
What EHLO announces to whom.

@see: RFC 5321 section 4.1.1.1
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import attrs

from harakatw.config.connection import ConnectionOptions
from harakatw.config.extensions import ExtensionOptions
from harakatw.reply import reply
from harakatw.wire.demands import date_time
from harakatw.wire.extensions import Offer, Terms, make_offer

_FRESH_SECONDS: Final = 3600.0
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
    _now: Callable[[], float] = float
    _has_queue: bool = False
    _offers: dict[tuple[bool, bool], Offer] = attrs.field(factory=dict, init=False)
    _edited: dict[tuple[str, ...], Offer] = attrs.field(factory=dict, init=False)
    _stale_at: float = attrs.field(default=0.0, init=False)

    def offer(self, *, encrypted: bool, authorised: bool = False) -> Offer:
        """
        What is announced before plugins are asked.

        @param encrypted: is the session?
        @param authorised: may the client send mail to anywhere, or has it come where
            all that do so log in?
        """
        if authorised and self._now() >= self._stale_at:
            self._offers.clear()  # a point in time is announced: it has to be renewed
            self._stale_at = self._now() + _FRESH_SECONDS
        offer = self._offers.get((encrypted, authorised))
        if offer is None:
            lines = self._announced(self._lines(encrypted, authorised))
            offer = make_offer(lines, self._terms)
            self._offers[encrypted, authorised] = offer
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
        hold = self._extensions.future_release_max
        max_bytes = self._limits.max_bytes
        return Terms(max_bytes=max_bytes, max_hold_seconds=hold, now=self._now)

    def _lines(self, encrypted: bool, authorised: bool) -> Iterable[str]:
        yield from ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES")
        if self._limits.smtputf8:
            yield "SMTPUTF8"
        if self._extensions.dsn:
            yield "DSN"
        if self._extensions.chunking:
            yield "CHUNKING"
            if self._extensions.binarymime:
                yield "BINARYMIME"
        if self._extensions.limits:
            yield self._limits_line()
        if encrypted and self._extensions.requiretls:
            yield "REQUIRETLS"
        if authorised and self._has_queue:
            yield from self._queue_lines()
        yield f"SIZE {self._limits.max_bytes}"

    def _limits_line(self) -> str:
        """RFC 9422: what makes us answer 452 and 421."""
        limits = self._limits
        messages = f" MAILMAX={limits.max_messages}" if limits.max_messages else ""
        return f"LIMITS{messages} RCPTMAX={limits.max_recipients}"

    def _queue_lines(self) -> Iterable[str]:
        """What the outbound queue can do for those whose mail it takes."""
        extensions = self._extensions
        if extensions.futurerelease:
            hold = extensions.future_release_max
            yield f"FUTURERELEASE {hold:.0f} {date_time(self._now() + hold)}"
        if extensions.deliverby:
            yield "DELIVERBY"
        if extensions.mt_priority:
            yield "MT-PRIORITY"
        if extensions.etrn:
            yield "ETRN"

    def _announced(self, lines: Iterable[str]) -> Iterable[str]:
        by_line = {line: line.partition(" ")[0].upper() for line in lines}
        hidden = self.hidden
        if "CHUNKING" in hidden or "CHUNKING" not in by_line.values():
            hidden |= {"BINARYMIME"}  # RFC 3030 section 3: not without CHUNKING
        return (line for line, keyword in by_line.items() if keyword not in hidden)
