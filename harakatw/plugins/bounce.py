"""
Tell reports about our own mail from what spammers send from the null path.

@see: Haraka row PN05; RFC 5321 section 4.5.5, RFC 3834
"""

from collections.abc import Callable
from typing import Final

import attrs
from twisted.python.failure import Failure

from harakatw.errors import StoreError
from harakatw.plugin import (
    CONT,
    OK,
    Address,
    Answer,
    IConnection,
    IDataHook,
    IDataPostHook,
    IMailHook,
    IRcptOkHook,
    IThreads,
    ITransaction,
    Params,
    Ruling,
    Verdict,
    deny,
    deny_soft,
    implementer,
    on_hook,
)
from harakatw.plugins._authors import authors
from harakatw.plugins._bounce_mark import (
    FIELD,
    Marker,
    Original,
    find_original,
    is_listed,
    original_of,
)
from harakatw.plugins._bounce_options import BounceOptions
from harakatw.plugins._host_list import HostList, make_host_list
from harakatw.plugins._transaction import header_of, message_of, transaction_of

DAY_SECONDS: Final = 86400.0

NOTE: Final = "bounce_recipients"
"""The note how many recipients of a bounce were accepted, before aliases."""

UNREADABLE: Final = deny_soft(
    "The message could not be read, try again later", code=451, enhanced="4.3.0"
)
INVALID: Final = "This is no report about mail from here"


@implementer(IMailHook, IRcptOkHook, IDataHook, IDataPostHook)
@attrs.frozen
class Bounce:
    """
    Looks at mail from the null path to our own recipients, and marks what leaves.
    """

    options: BounceOptions
    name: str
    threads: IThreads
    now: Callable[[], float]
    marker: Marker | None = attrs.field(init=False, repr=False)
    hosts: HostList = attrs.field(init=False, repr=False)
    bad_recipients: frozenset[str] = attrs.field(init=False, repr=False)

    @marker.default
    def _make_marker(self) -> Marker | None:
        if not self.options.is_marking:
            return None
        return Marker(self.options.secret.encode(), self.options.hash_algorithm)

    @hosts.default
    def _read_hosts(self) -> HostList:
        return make_host_list(self.options)

    @bad_recipients.default
    def _read_bad_recipients(self) -> frozenset[str]:
        return frozenset(entry.lower() for entry in self.options.bad_rcpt)

    # ---- envelope --------------------------------------------------------------------

    def hook_mail(
        self, connection: IConnection, sender: Address, params: Params
    ) -> Verdict:
        if not sender.is_null or connection.relaying:
            return CONT
        results = transaction_of(connection).results
        results.add(self, isa=True)
        if not (self.options.all_bounces or self.options.old_reject_all):
            return CONT
        why = "Bounces not accepted here"
        results.add(self, fail="bounces_accepted", msg=why, emit=True)
        return deny(why, code=550, enhanced="5.7.1")

    def hook_rcpt_ok(self, connection: IConnection, recipient: Address) -> Verdict:
        transaction = transaction_of(connection)
        if not transaction.mail_from.is_null or connection.relaying:
            return CONT
        transaction.notes.set(NOTE, transaction.notes.get(NOTE, 0) + 1)
        if not self.options.reject_bad_rcpt:
            return CONT
        address = recipient.address
        if address.lower() not in self.bad_recipients:
            transaction.results.add(self, passed="bad_rcpt")
            return CONT
        why = "rcpt does not accept bounces"
        transaction.results.add(self, fail="bad_rcpt", msg=why, emit=True)
        return deny(f"{address} does not accept bounces", code=550, enhanced="5.7.1")

    def hook_data(self, connection: IConnection) -> Verdict:
        """A report is for the one who sent what it is about; aliases may add others."""
        transaction = transaction_of(connection)
        if not self.options.single_recipient or not _is_bounce(connection):
            return CONT
        if min(len(transaction.rcpt_to), transaction.notes.get(NOTE, 1)) <= 1:
            transaction.results.add(self, passed="single_recipient", emit=True)
            return CONT
        self._fail(transaction, "single_recipient", "too many recipients")
        why = "This bounce message has too many recipients"
        return _refuse(self.options.reject_single_recipient, why, "5.5.3")

    # ---- message ---------------------------------------------------------------------

    @on_hook(IDataPostHook, priority=-5)
    def empty_return_path(self, connection: IConnection) -> Verdict:
        """Before the C{headers} plugin removes the field."""
        options = self.options
        is_wanted = options.empty_return_path or options.reject_empty_return_path
        if not is_wanted or not _is_bounce(connection):
            return CONT
        transaction = transaction_of(connection)
        if header_of(connection).get("Return-Path") in ("", "<>"):
            transaction.results.add(self, passed="empty_return_path")
            return CONT
        why = "bounce with non-empty Return-Path"
        self._fail(transaction, "empty_return_path", why)
        return _refuse(options.reject_empty_return_path, f"{why} (RFC 3834)", "5.7.1")

    def hook_data_post(self, connection: IConnection) -> Ruling:
        transaction = transaction_of(connection)
        if connection.relaying:
            if self.marker is not None and not transaction.mail_from.is_null:
                self._mark(connection, self.marker)
            return CONT
        if not transaction.mail_from.is_null or not self._looks_inside:
            return CONT
        message = message_of(connection)
        finding = self.threads.call(
            find_original, message.raw_header, message.body_chunks()
        )
        return finding.addCallbacks(self._found, _not_read, callbackArgs=(connection,))

    @property
    def _looks_inside(self) -> bool:
        return self.marker is not None or self._compares_ids

    @property
    def _compares_ids(self) -> bool:
        return self.options.non_local_msgid or self.options.reject_non_local_msgid

    def _mark(self, connection: IConnection, marker: Marker) -> None:
        original = original_of(header_of(connection))
        if original.is_whole:
            transaction = transaction_of(connection)
            transaction.remove_header(FIELD)
            transaction.add_header(FIELD, marker.mark(original))

    def _found(self, original: Original, connection: IConnection) -> Answer:
        if self.marker is not None:
            verdict = self._validate(original, connection, self.marker)
            if verdict is not CONT:
                return verdict
        return self._compare_id(original, connection) if self._compares_ids else CONT

    def _validate(
        self, original: Original, connection: IConnection, marker: Marker
    ) -> Verdict:
        """Is it about a message of ours, and one of these days?"""
        transaction = transaction_of(connection)
        if not original.mark:
            return self._unmarked(original, connection)
        if not original.is_whole:
            return self._invalid(transaction, "missing headers")
        if not marker.knows(original):
            return self._invalid(transaction, "hash does not match")
        if self.options.hash_date or self.options.reject_hash_date:
            complaint = self._age_complaint(original)
            if complaint:
                self._fail(transaction, "bounce_date", complaint)
                return _refuse(self.options.reject_hash_date, INVALID, "5.7.1")
        transaction.results.add(self, passed="validate_bounce")
        return OK if self.options.remaining_plugins else CONT

    def _unmarked(self, original: Original, connection: IConnection) -> Verdict:
        transaction = transaction_of(connection)
        if not original.is_whole:
            why = "missing all headers"
        elif self._may_be_unmarked(connection):
            why = "whitelisted"
        else:
            return self._invalid(transaction, "missing validation hash")
        transaction.results.add(self, skip="validate_bounce", msg=why)
        return CONT

    def _may_be_unmarked(self, connection: IConnection) -> bool:
        """Do all recipients take such mail from each of its authors?"""
        found = [address for address, _ in authors(header_of(connection))]
        recipients = [r.address.lower() for r in transaction_of(connection).rcpt_to]
        pairs = [(one, author) for one in recipients for author in found]
        listed = self.options.listed
        return bool(pairs) and all(is_listed(listed, *pair) for pair in pairs)

    def _age_complaint(self, original: Original) -> str:
        sent_at = original.sent_at
        if sent_at is None:
            return "invalid date header"
        age_days = (self.now() - sent_at) / DAY_SECONDS
        return "hash is too old" if age_days > self.options.max_hash_age_days else ""

    def _compare_id(self, original: Original, connection: IConnection) -> Verdict:
        """Is it about a message with an identifier of our own?"""
        transaction = transaction_of(connection)
        domain = original.id_domain
        if domain and self._is_ours(domain):
            transaction.results.add(self, passed="non_local_msgid")
            return CONT
        found = f"with non-local Message-ID ({domain})" if domain else "no Message-ID"
        self._fail(transaction, "non_local_msgid", found)
        return _refuse(self.options.reject_non_local_msgid, INVALID, "5.7.1")

    def _is_ours(self, domain: str) -> bool:
        """Is a domain, or one above it, in the list? Identifiers have host names."""
        parts = domain.split(".")
        return any(
            self.hosts.contains(".".join(parts[start:]))
            for start in range(min(len(parts), 8))
        )

    def _invalid(self, transaction: ITransaction, why: str) -> Verdict:
        self._fail(transaction, "validate_bounce", why)
        return _refuse(self.options.reject_hash_validation, INVALID, "5.7.1")

    def _fail(self, transaction: ITransaction, what: str, why: str) -> None:
        transaction.results.add(self, fail=what, msg=why, emit=True)


def _is_bounce(connection: IConnection) -> bool:
    """From the null path, and not from a client of ours."""
    return transaction_of(connection).mail_from.is_null and not connection.relaying


def _refuse(is_wanted: bool, why: str, enhanced: str) -> Verdict:
    return deny(why, code=550, enhanced=enhanced) if is_wanted else CONT


def _not_read(failure: Failure) -> "Answer":
    """The spool file is gone: who knows what the message was."""
    failure.trap(StoreError)
    return UNREADABLE
