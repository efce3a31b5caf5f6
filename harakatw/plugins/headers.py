"""
Ten looks at the header of a message.

@see: Haraka row PN14; RFC 5322 section 3.6
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import attrs

from harakatw.message.header import Header
from harakatw.plugin import (
    CONT,
    IConnection,
    IDataPostHook,
    ITransaction,
    Verdict,
    deny,
    implementer,
)
from harakatw.plugins._access_lists import Organizations
from harakatw.plugins._authors import authors, from_texts
from harakatw.plugins._dates import parse_date
from harakatw.plugins._headers_options import HeadersOptions
from harakatw.plugins._phishing import Brands, make_brands
from harakatw.plugins._transaction import header_of, message_of, transaction_of

DAY_SECONDS: Final = 86400.0

AGENTS: Final = (
    "User-Agent",
    "X-Mailer",
    "X-MUA",
    "X-Yahoo-Newman-Property",
    "X-MS-Has-Attach",
)
_AGENT_CHARACTERS: Final = 12

LISTS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        "Mailing-List": (
            ("ezmlm", "ezmlm"),
            ("yahoogroups", "yahoogroups"),
            ("googlegroups", "googlegroups"),
        ),
        "Sender": (("majordomo", "^owner-"),),
        "X-Mailman-Version": (("mailman", ""),),
        "X-Majordomo-Version": (("majordomo", ""),),
        "X-Google-Loop": (("googlegroups", ""),),
        "List-Id": (("list-id", ""),),
    }
)
"""Which program sent it, by a field and a pattern of its value; C{""} for any."""

_DOMAIN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")


@attrs.define(eq=False)
class Look:
    """
    One message, looked at by all checks. What they find is stored in one go.

    @ivar counts: how many fields there are, by their names in lower case.
    """

    connection: IConnection
    transaction: ITransaction
    header: Header
    counts: Mapping[str, int]
    passed: list[str] = attrs.field(factory=list)
    fail: list[str] = attrs.field(factory=list)
    msg: list[str] = attrs.field(factory=list)
    skip: list[str] = attrs.field(factory=list)
    emit: bool = False
    _authors: tuple[tuple[str, str], ...] | None = None

    @property
    def authors(self) -> tuple[tuple[str, str], ...]:
        """All addresses in C{From}; see L{authors}."""
        if self._authors is None:
            self._authors = authors(self.header)
        return self._authors

    def first(self, name: str) -> Iterator[str]:
        """The value of the first field of a name, if there is one."""
        if name.lower() in self.counts:
            yield self.header.get_all(name)[0]


@implementer(IDataPostHook)
@attrs.frozen
class Headers:
    """Runs the checks that are on, in the order of the manual."""

    options: HeadersOptions
    name: str
    now: Callable[[], float]
    organizations: Organizations = attrs.field(factory=Organizations, init=False)
    brands: Brands = attrs.field(init=False, repr=False)
    _checks: tuple[Callable[[Look], Verdict], ...] = attrs.field(init=False, repr=False)

    @brands.default
    def _read_brands(self) -> Brands:
        return make_brands(self.options.phish_targets, self.options.phish_domains)

    @_checks.default
    def _choose_checks(self) -> tuple[Callable[[Look], Verdict], ...]:
        known = (
            self.duplicate_singular,
            self.missing_required,
            self.invalid_return_path,
            self.invalid_date,
            self.user_agent,
            self.direct_to_mx,
            self.from_match,
            self.delivered_to,
            self.mailing_list,
            self.from_phish,
        )
        return tuple(each for each in known if getattr(self.options, each.__name__))

    def hook_data_post(self, connection: IConnection) -> Verdict:
        transaction, header = transaction_of(connection), header_of(connection)
        counts = Counter(map(str.lower, header.names()))
        look = Look(connection, transaction, header, counts)
        verdict = self._run(look)
        transaction.results.add(
            self,
            passed=look.passed,
            fail=look.fail,
            msg=look.msg,
            skip=look.skip,
            emit=look.emit,
        )
        return verdict

    def _run(self, look: Look) -> Verdict:
        for check in self._checks:
            verdict = check(look)
            if verdict is not CONT:
                return verdict
        return CONT

    # ---- form ------------------------------------------------------------------------

    def duplicate_singular(self, look: Look) -> Verdict:
        """No field that may be there once is there twice."""
        counts = look.counts
        twice = [n for n in self.options.singular if counts.get(n.lower(), 0) > 1]
        if not twice:
            look.passed.append("duplicate")
            return CONT
        look.fail += (f"duplicate:{name}" for name in twice)
        why = f"Only one {twice[0]} header allowed. See RFC 5322, Section 3.6"
        return _refuse(self.options.reject_duplicate_singular, why)

    def missing_required(self, look: Look) -> Verdict:
        """Every field that must be there is."""
        missing = [n for n in self.options.required if n.lower() not in look.counts]
        if not missing:
            look.passed.append("missing")
            return CONT
        look.fail += (f"missing:{name}" for name in missing)
        why = f"Required header '{missing[0]}' missing"
        return _refuse(self.options.reject_missing_required, why)

    def invalid_return_path(self, look: Look) -> Verdict:
        """
        Nobody but the last server writes Return-Path (RFC 5321 section 4.4): what comes
        in with one loses it.
        """
        if "return-path" in look.counts:
            if look.connection.relaying:
                look.fail.append("Return-Path")
                look.emit = True
                why = "Outgoing mail must not have a Return-Path header (RFC 5321)"
                return _refuse(self.options.reject_invalid_return_path, why)
            look.transaction.remove_header("Return-Path")
        look.passed.append("Return-Path")
        return CONT

    def invalid_date(self, look: Look) -> Verdict:
        """The message was written not long ago."""
        for date in look.first("Date"):
            complaint, why = self._date_complaint(date)
            if complaint:
                look.fail.append(f"invalid_date({complaint})")
                return _refuse(self.options.reject_invalid_date, why)
            look.passed.append("invalid_date")
        return CONT

    def _date_complaint(self, text: str) -> tuple[str, str]:
        """What is wrong with a Date, and how the client is told."""
        written = parse_date(text)
        if written is None:
            return "unparseable", "The Date header could not be parsed"
        ahead = (written - self.now()) / DAY_SECONDS
        if 0 < self.options.date_future_days < ahead:
            return "future", "The Date header is too far in the future"
        if 0 < self.options.date_past_days < -ahead:
            return "past", "The Date header is too old"
        return "", ""

    # ---- way -------------------------------------------------------------------------

    def user_agent(self, look: Look) -> Verdict:
        """Which program wrote it? Most that people use say so."""
        found = [value for name in AGENTS for value in look.first(name)]
        if found:
            look.passed += (f"UA({each[:_AGENT_CHARACTERS]})" for each in found)
        else:
            look.fail.append("UA")
        return CONT

    def direct_to_mx(self, look: Look) -> Verdict:
        """Mail of people comes past a server of theirs, so it has two trace fields."""
        if look.connection.notes.get("auth_user"):
            look.skip.append("direct-to-mx(auth)")
            return CONT
        hops = message_of(look.connection).received_count + 1  # ours
        if hops < 2:
            look.fail.append(f"direct-to-mx(too few Received({hops}))")
        else:
            look.passed.append(f"direct-to-mx({hops})")
        return CONT

    def mailing_list(self, look: Look) -> Verdict:
        """Did a mailing list send it?"""
        found = dict.fromkeys(
            program
            for name, programs in LISTS.items()
            for value in look.first(name)
            for program, pattern in programs
            if re.search(pattern, value, re.IGNORECASE)
        )
        if found:
            look.passed += (f"MLM({program})" for program in found)
        else:
            look.msg.append("not MLM")
        return CONT

    def delivered_to(self, look: Look) -> Verdict:
        """No recipient has had it already: the message would go round in circles."""
        if "delivered-to" not in look.counts:
            return CONT
        values = look.header.get_all("Delivered-To")
        there = frozenset(value.lower() for value in values)
        if all(each.address.lower() not in there for each in look.transaction.rcpt_to):
            return CONT
        look.fail.append("delivered_to")
        look.emit = True
        why = "Invalid Delivered-To header content"
        return _refuse(self.options.reject_delivered_to, why)

    # ---- author ----------------------------------------------------------------------

    def from_match(self, look: Look) -> Verdict:
        """
        Is the author the sender? Of several authors, however hidden, each must be.
        """
        sender = look.transaction.mail_from
        if sender.is_null:
            look.fail.append("from_match(null)")
        elif "from" not in look.counts:
            look.fail.append("from_match(missing)")
        elif not look.authors:
            look.fail.append("from_match(unparsable)")
        elif all(address == sender.address.lower() for address, _ in look.authors):
            look.passed.append("from_match")
        else:
            self._compare_domains(look, self.organizations.of(sender.host))
        return CONT

    def _compare_domains(self, look: Look, wanted: str) -> None:
        for _, domain in look.authors:
            if self.organizations.of(domain) != (wanted or None):
                other = self.organizations.of(domain) or domain
                look.fail.append(f"from_match({wanted} / {other})")
                look.emit = True
                return
        agreeing = ",".join(("domain", *self._agreeing(look.connection, wanted)))
        look.passed.append(f"from_match({agreeing})")

    def _agreeing(self, connection: IConnection, domain: str) -> Iterator[str]:
        """What else is of that organization: the client's names."""
        for plugin, value, word in (
            ("fcrdns", "fcrdns", "fcrdns"),
            ("helo.checks", "helo_host", "helo"),
        ):
            names = _texts(connection.results.get(plugin).get(value))
            if any(self.organizations.of(name) == domain for name in names):
                yield word

    def from_phish(self, look: Look) -> Verdict:
        """
        Who uses a well-known name is who has it, or proved to be.
        """
        if "from" not in look.counts:
            look.skip.append("from_phish(missing)")
            return CONT
        if not look.authors:
            look.fail.append("from_phish(unparseable)")
            return CONT
        names = self.brands.named_in(from_texts(look.header))
        domains = {self.organizations.of(d) for _, d in look.authors} if names else ()
        for brand in names:
            owners = self.brands.domains[brand]
            if owners.issuperset(domains) or self._is_proved(look.connection, owners):
                continue
            return self._phish(look, brand, domains, owners)
        look.passed.append("from_phish")
        return CONT

    def _phish(
        self, look: Look, brand: str, domains: Iterable[str], owners: Iterable[str]
    ) -> Verdict:
        owner = " or ".join(sorted(owners))
        found = ", ".join(sorted(domains))
        look.fail.append(f"from_phish({brand})")
        look.msg.append(
            f"'{brand}' found when domain is '{found}' instead of '{owner}'"
        )
        return _refuse(
            self.options.reject_from_phish,
            f"Phishing message appears to impersonate {owner}",
        )

    def _is_proved(self, connection: IConnection, owners: frozenset[str]) -> bool:
        """Did SPF, DKIM, DMARC or the client's name speak for one of the domains?"""
        proved = _proved_domains(connection, transaction_of(connection))
        return any(self.organizations.of(each) in owners for each in proved)


def _proved_domains(
    connection: IConnection, transaction: ITransaction
) -> Iterator[str]:
    for plugin in "spf", "dkim", "dmarc":
        for text in _texts(transaction.results.get(plugin)["pass"]):
            yield from _DOMAIN.findall(text)
    for result in transaction.notes.get("dkim_results") or ():
        if isinstance(result, Mapping) and result.get("result") == "pass":
            yield str(result.get("domain", ""))
    yield from _texts(connection.results.get("fcrdns").get("fcrdns"))


def _texts(value: object) -> Iterator[str]:
    """A value of a result, which may be one or several."""
    several = value if isinstance(value, list | tuple) else (value,)
    return (each for each in several if isinstance(each, str))


def _refuse(is_wanted: bool, why: str) -> Verdict:
    return deny(why, code=550, enhanced="5.7.1") if is_wanted else CONT
