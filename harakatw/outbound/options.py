"""
The options of the outbound engine: C{outbound.ini}.

Names and defaults are Haraka's unless a comment says otherwise. C{[limits]} is for
every site; a section with any other name is for one site, see L{SiteOptions}. What
concerns a single connection stands in L{harakatw.outbound.client.timeouts}.

@see: Haraka rows CF50 to CF59
"""

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

import attrs
from attrs.validators import ge, le, optional

from harakatw.address_grammar import GrammarError, canonical_host
from harakatw.config.options import doc, other_sections
from harakatw.outbound.intervals import (
    MAX_INTERVALS,
    doubling_intervals,
    parse_intervals,
)
from harakatw.outbound.rates import Rate, parse_rate
from harakatw.outbound.routes.sites import common_name

NO_RECEIVED: Final = "disabled"
"""What C{received_header} says when none is wanted."""

_LIMITS: Final = "limits"


def _are_intervals(
    instance: object, attribute: "attrs.Attribute[str]", value: str
) -> None:
    if value.strip():
        parse_intervals(value)


def _is_rate(instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    parse_rate(value)


def _is_one_line(
    instance: object, attribute: "attrs.Attribute[str]", value: str
) -> None:
    if not (value.isascii() and value.isprintable() and "(" not in value):
        raise ValueError(f"{value[:80]!r} must be printable ASCII without parentheses")


@attrs.frozen(kw_only=True)
class SiteOptions:
    """
    What differs for one site.

    A section that is named after a host, or after a domain above hosts, is for sites
    whose hosts all are that host or below that domain. One that is named after a
    recipient domain gives this domain a queue of its own, with limits of its own.
    """

    connections: int | None = attrs.field(
        default=None,
        validator=optional(ge(1)),
        metadata=doc(
            "Messages that are on their way to the site at the same time.",
            unit="connections",
        ),
    )
    messages_per_connection: int | None = attrs.field(
        default=None,
        validator=optional(ge(1)),
        metadata=doc(
            "How many messages are sent over one connection.", unit="messages"
        ),
    )
    rate: str | None = attrs.field(
        default=None,
        validator=optional(_is_rate),
        metadata=doc(
            "Attempts in a time, such as 10/s, 100/min, 5000/h or 20000/day; none for"
            " no limit."
        ),
    )


@attrs.frozen(kw_only=True)
class SiteLimits:
    """
    The limits of one site.

    @ivar connections: at the same time.
    @ivar messages_per_connection: L{None} for what holds for all.
    @ivar rate: of attempts, L{None} for no limit.
    """

    connections: int
    messages_per_connection: int | None = None
    rate: Rate | None = None


@attrs.frozen(kw_only=True)
class OutboundOptions:
    """When and where mail is delivered, and how much at the same time."""

    config_file: ClassVar[str] = "outbound.ini"

    disabled: bool = attrs.field(
        default=False,
        metadata=doc("Queue mail, and deliver none for now?"),
    )
    concurrency_max: int = attrs.field(
        default=500,  # Haraka: 10000, its manual: 100; half of the usual 1024 files
        validator=ge(1),
        metadata=doc(
            "Messages that each worker delivers at the same time.", unit="messages"
        ),
    )
    max_temp_failures: int = attrs.field(
        default=13,
        validator=[ge(1), le(MAX_INTERVALS)],
        metadata=doc(
            "Attempts before a message bounces, the intervals being 64 seconds and"
            " then twice as long each time. Has no effect with temp_fail_intervals.",
            unit="attempts",
            key="maxTempFailures",
        ),
    )
    temp_fail_intervals: str = attrs.field(
        default="",
        validator=_are_intervals,
        metadata=doc(
            "How long to wait after each attempt: 1m,5m*2,1h*3 is one minute, twice"
            " five minutes and three times an hour; then the message bounces. none"
            " bounces it after the first."
        ),
    )
    keep_client: bool = attrs.field(
        default=False,  # ours
        metadata=doc(
            "Keep with each message who its client was, for hops with xclient or "
            "xforward?"
        ),
    )
    always_split: bool = attrs.field(
        default=False,
        metadata=doc("Deliver to each recipient by itself?"),
    )
    received_header: str = attrs.field(
        default="Haraka outbound",
        validator=_is_one_line,
        metadata=doc(
            "What the Received header of mail that was queued here says of this step;"
            f" {NO_RECEIVED} for no such header."
        ),
    )
    local_mx_ok: bool = attrs.field(
        default=False,
        metadata=doc(
            "May the DNS send mail to this machine? If not, loops and attacks on local"
            " services are avoided. Hops that a plugin or a file names may be local."
        ),
    )
    private_mx_ok: bool = attrs.field(
        default=True,  # ours
        metadata=doc(
            "May the DNS send mail to private addresses, such as 10.0.0.1 or fd00::1?"
        ),
    )
    inet_prefer: Literal["default", "v4", "v6"] = attrs.field(
        default="default",
        metadata=doc(
            "Which addresses of a host are tried first; default is IPv6, as v6."
        ),
    )
    max_lifetime: float = attrs.field(
        default=5 * 86400,  # ours; RFC 5321 section 4.5.4.1: at least 4-5 days
        validator=ge(60),
        metadata=doc(
            "How long after it was queued a message bounces, whatever attempts are"
            " left.",
            unit="seconds",
        ),
    )
    delay_warning: float = attrs.field(
        default=4 * 3600,  # ours
        validator=ge(0),
        metadata=doc(
            "How long after it was queued a message's sender is told that it is late;"
            " 0 for never.",
            unit="seconds",
        ),
    )
    connections: int = attrs.field(
        default=20,  # ours
        validator=ge(1),
        metadata=doc(
            "Messages that are on their way to one site at the same time, where its"
            " own section says nothing. A site is all domains with the same MX hosts.",
            unit="connections",
            section=_LIMITS,
        ),
    )
    rate: str = attrs.field(
        default="",  # ours
        validator=_is_rate,
        metadata=doc(
            "Attempts for one site in a time, such as 10/s, 100/min, 5000/h or"
            " 20000/day, where its own section says nothing; empty for no limit.",
            section=_LIMITS,
        ),
    )
    sites: Mapping[str, SiteOptions] = attrs.field(
        factory=dict,
        metadata=other_sections(
            "One section for each host or domain that has limits of its own."
        ),
    )
    _by_name: Mapping[str, SiteOptions] = attrs.field(init=False, repr=False)

    @_by_name.default
    def _canonical_sites(self) -> Mapping[str, SiteOptions]:
        return {_canonical(name): site for name, site in self.sites.items()}

    @property
    def intervals(self) -> tuple[int, ...]:
        """Seconds to wait after each attempt but the last."""
        if self.temp_fail_intervals.strip():
            return parse_intervals(self.temp_fail_intervals)
        return doubling_intervals(self.max_temp_failures)

    @property
    def received_text(self) -> str:
        """What the Received header says; C{""} if there is to be none."""
        text = self.received_header.strip()
        return "" if text.lower() == NO_RECEIVED else text

    def has_own_queue(self, domain: str) -> bool:
        """
        Does a recipient domain have a section of its own?

        @param domain: A-labels in lower case.
        """
        return domain in self._by_name

    def limits_for(self, site: str) -> SiteLimits:
        """
        The limits of a site: those of the section with its name, or else of the longest
        name that all of its hosts have or are below of.

        @param site: as L{harakatw.outbound.routes.sites.site_name} makes it, or a
            recipient domain with a queue of its own.
        """
        own = self._by_name.get(site) or self._above(site) or SiteOptions()
        return SiteLimits(
            connections=own.connections or self.connections,
            messages_per_connection=own.messages_per_connection,
            rate=parse_rate(self.rate if own.rate is None else own.rate),
        )

    def _above(self, site: str) -> SiteOptions | None:
        name = common_name(site)
        while name:
            if name in self._by_name:
                return self._by_name[name]
            name = name.partition(".")[2]
        return None


def _canonical(name: str) -> str:
    try:
        return canonical_host(name.removesuffix("."))
    except GrammarError:  # the name of a site, such as (a|b).example.org
        return name.lower()
