"""
Ten looks at the header of a message.

@see: Haraka row PN14; RFC 5322 section 3.6
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import attrs

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


@implementer(IDataPostHook)
@attrs.frozen
class Headers:
    """Runs the checks that are on, in the order of the manual."""

    options: HeadersOptions
    name: str
    now: Callable[[], float]
    organizations: Organizations = attrs.field(factory=Organizations, init=False)
    brands: Brands = attrs.field(init=False, repr=False)
    _checks: tuple[Callable[[IConnection], Verdict], ...] = attrs.field(
        init=False, repr=False
    )

    @brands.default
    def _read_brands(self) -> Brands:
        return make_brands(self.options.phish_targets, self.options.phish_domains)

    @_checks.default
    def _choose_checks(self) -> tuple[Callable[[IConnection], Verdict], ...]:
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
        for check in self._checks:
            verdict = check(connection)
            if verdict is not CONT:
                return verdict
        return CONT

    # ---- form ------------------------------------------------------------------------

    def duplicate_singular(self, connection: IConnection) -> Verdict:
        """No field that may be there once is there twice."""
        header, results = header_of(connection), transaction_of(connection).results
        twice = [n for n in self.options.singular if len(header.fields(n)) > 1]
        if not twice:
            results.add(self, passed="duplicate")
            return CONT
        results.add(self, fail=[f"duplicate:{name}" for name in twice])
        why = f"Only one {twice[0]} header allowed. See RFC 5322, Section 3.6"
        return _refuse(self.options.reject_duplicate_singular, why)

    def missing_required(self, connection: IConnection) -> Verdict:
        """Every field that must be there is."""
        header, results = header_of(connection), transaction_of(connection).results
        missing = [n for n in self.options.required if not header.fields(n)]
        if not missing:
            results.add(self, passed="missing")
            return CONT
        results.add(self, fail=[f"missing:{name}" for name in missing])
        why = f"Required header '{missing[0]}' missing"
        return _refuse(self.options.reject_missing_required, why)

    def invalid_return_path(self, connection: IConnection) -> Verdict:
        """
        Nobody but the last server writes Return-Path (RFC 5321 section 4.4): what comes
        in with one loses it.
        """
        transaction = transaction_of(connection)
        if header_of(connection).fields("Return-Path"):
            if connection.relaying:
                transaction.results.add(self, fail="Return-Path", emit=True)
                why = "Outgoing mail must not have a Return-Path header (RFC 5321)"
                return _refuse(self.options.reject_invalid_return_path, why)
            transaction.remove_header("Return-Path")
        transaction.results.add(self, passed="Return-Path")
        return CONT

    def invalid_date(self, connection: IConnection) -> Verdict:
        """The message was written not long ago."""
        dates = header_of(connection).get_all("Date")
        if not dates:
            return CONT
        complaint, why = self._date_complaint(dates[0])
        results = transaction_of(connection).results
        if not complaint:
            results.add(self, passed="invalid_date")
            return CONT
        results.add(self, fail=f"invalid_date({complaint})")
        return _refuse(self.options.reject_invalid_date, why)

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

    def user_agent(self, connection: IConnection) -> Verdict:
        """Which program wrote it? Most that people use say so."""
        header, results = header_of(connection), transaction_of(connection).results
        found = [value for name in AGENTS for value in header.get_all(name)[:1]]
        if found:
            results.add(
                self, passed=[f"UA({each[:_AGENT_CHARACTERS]})" for each in found]
            )
        else:
            results.add(self, fail="UA")
        return CONT

    def direct_to_mx(self, connection: IConnection) -> Verdict:
        """Mail of people comes past a server of theirs, so it has two trace fields."""
        results = transaction_of(connection).results
        if connection.notes.get("auth_user"):
            results.add(self, skip="direct-to-mx(auth)")
            return CONT
        hops = message_of(connection).received_count + 1  # ours
        if hops < 2:
            results.add(self, fail=f"direct-to-mx(too few Received({hops}))")
        else:
            results.add(self, passed=f"direct-to-mx({hops})")
        return CONT

    def mailing_list(self, connection: IConnection) -> Verdict:
        """Did a mailing list send it?"""
        header, results = header_of(connection), transaction_of(connection).results
        found = dict.fromkeys(
            program
            for name, programs in LISTS.items()
            for value in header.get_all(name)[:1]
            for program, pattern in programs
            if re.search(pattern, value, re.IGNORECASE)
        )
        if found:
            results.add(self, passed=[f"MLM({program})" for program in found])
        else:
            results.add(self, msg="not MLM")
        return CONT

    def delivered_to(self, connection: IConnection) -> Verdict:
        """No recipient has had it already: the message would go round in circles."""
        transaction = transaction_of(connection)
        there = {
            value.lower() for value in header_of(connection).get_all("Delivered-To")
        }
        if not there:
            return CONT
        if all(each.address.lower() not in there for each in transaction.rcpt_to):
            return CONT
        transaction.results.add(self, fail="delivered_to", emit=True)
        why = "Invalid Delivered-To header content"
        return _refuse(self.options.reject_delivered_to, why)

    # ---- author ----------------------------------------------------------------------

    def from_match(self, connection: IConnection) -> Verdict:
        """
        Is the author the sender? Of several authors, however hidden, each must be.
        """
        transaction = transaction_of(connection)
        sender, results = transaction.mail_from, transaction.results
        if sender.is_null:
            results.add(self, fail="from_match(null)")
            return CONT
        header = header_of(connection)
        found = authors(header)
        if not found:
            reason = "unparsable" if header.fields("From") else "missing"
            results.add(self, fail=f"from_match({reason})")
            return CONT
        if all(address == sender.address.lower() for address, _ in found):
            results.add(self, passed="from_match")
            return CONT
        wanted = self.organizations.of(sender.host)
        others = [
            d for _, d in found if not wanted or self.organizations.of(d) != wanted
        ]
        if others:
            other = self.organizations.of(others[0]) or others[0]
            results.add(self, fail=f"from_match({wanted} / {other})", emit=True)
        else:
            agreeing = ",".join(("domain", *self._agreeing(connection, wanted)))
            results.add(self, passed=f"from_match({agreeing})")
        return CONT

    def _agreeing(self, connection: IConnection, domain: str) -> Iterator[str]:
        """What else is of that organization: the client's names."""
        for plugin, value, word in (
            ("fcrdns", "fcrdns", "fcrdns"),
            ("helo.checks", "helo_host", "helo"),
        ):
            names = _texts(connection.results.get(plugin).get(value))
            if any(self.organizations.of(name) == domain for name in names):
                yield word

    def from_phish(self, connection: IConnection) -> Verdict:
        """
        Who uses a well-known name is who has it, or proved to be.
        """
        header, transaction = header_of(connection), transaction_of(connection)
        if not header.fields("From"):
            transaction.results.add(self, skip="from_phish(missing)")
            return CONT
        domains = {self.organizations.of(domain) for _, domain in authors(header)}
        if not domains:
            transaction.results.add(self, fail="from_phish(unparseable)")
            return CONT
        for brand in self.brands.named_in(from_texts(header)):
            owners = self.brands.domains[brand]
            if domains <= owners or self._is_proved(connection, owners):
                continue
            return self._phish(transaction, brand, domains, owners)
        transaction.results.add(self, passed="from_phish")
        return CONT

    def _phish(
        self,
        transaction: ITransaction,
        brand: str,
        domains: Iterable[str],
        owners: Iterable[str],
    ) -> Verdict:
        owner = " or ".join(sorted(owners))
        found = ", ".join(sorted(domains))
        why = f"'{brand}' found when domain is '{found}' instead of '{owner}'"
        transaction.results.add(self, fail=f"from_phish({brand})", msg=why)
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
