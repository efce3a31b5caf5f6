"""
Give mail for one address to others, or drop it.

@see: Haraka row PN02; RFC 5321 section 3.9.1 (aliases), RFC 3461 section 5.2.7
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Final

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from harakatw.config.problems import Problem
from harakatw.plugin import (
    CONT,
    OK,
    Address,
    Answer,
    IConnection,
    IOutbound,
    IQueueHook,
    IQueueOkHook,
    IQueueOutboundHook,
    IRcptHook,
    IRcptOkHook,
    ITransaction,
    Params,
    Verdict,
    deny_soft,
    implementer,
    json_file,
    on_hook,
)
from harakatw.plugins._alias_table import Alias, AliasTable, Target, make_alias_table
from harakatw.plugins._host_list import HostList, HostListOptions, make_host_list
from harakatw.plugins._outbound_queue import OutboundParts
from harakatw.plugins._transaction import transaction_of

FILE: Final = "aliases.json"
OLD_FILE: Final = "aliases"

MAX_RECIPIENTS: Final = 5000
"""Of one message once aliases are resolved; the rest is asked to come in another."""

TOO_MANY: Final = deny_soft("Too many recipients", code=452, enhanced="4.5.3")

NOTE: Final = "aliases"
"""The note that holds the L{Resolved} of a transaction."""

_SHAPE: Final = (
    'For each of "user", "@host", "user@host" and "*": {"action": "drop"} or'
    ' {"action": "alias", "to": "user@host"}; "to" may be a list.'
)


@attrs.frozen(kw_only=True, slots=False)  # cached_property needs a place
class AliasesOptions(HostListOptions):
    """C{aliases.json}, and the domains that are ours."""

    entries: Mapping[str, object] = attrs.field(
        factory=dict, metadata=json_file(FILE, _SHAPE)
    )
    old_entries: Mapping[str, object] = attrs.field(
        factory=dict, metadata=json_file(OLD_FILE, f"As {FILE}, which goes before it.")
    )

    @cached_property
    def table(self) -> AliasTable:
        """The entries that are right."""
        if self.entries or not self.old_entries:
            return make_alias_table(self.entries, f"config/{FILE}")
        return make_alias_table(self.old_entries, f"config/{OLD_FILE}")

    @property
    def mistakes(self) -> tuple[Problem, ...]:
        """The entries that are not."""
        return self.table.mistakes


@attrs.define(eq=False)
class Pending:
    """
    A recipient with an alias that the plugins are being asked about.

    @ivar recipient: with the first target in its place already.
    @ivar host: its own, as it came.
    @ivar is_ours: may it get mail though nobody knows the target?
    @ivar is_forwarded: does nobody know the target?
    """

    recipient: Address
    alias: Alias
    host: str
    is_ours: bool
    is_forwarded: bool = False


@attrs.define(eq=False)
class Resolved:
    """
    What became of the recipients of a transaction.

    @ivar dropped: recipients who get nothing.
    @ivar forwarded: recipients elsewhere.
    @ivar added: besides the first target of each alias.
    """

    pending: Pending | None = None
    dropped: list[Address] = attrs.field(factory=list)
    forwarded: list[Address] = attrs.field(factory=list)
    added: set[tuple[str, str]] = attrs.field(factory=set)


@implementer(IRcptHook, IRcptOkHook, IQueueHook, IQueueOutboundHook, IQueueOkHook)
@attrs.frozen
class Aliases:
    """
    Puts the first target in the place of a recipient, so that the plugins after this
    one rule on it, and adds the others once the recipient is accepted.

    A target is not looked up again: aliases cannot go round in circles. What nobody
    here takes mail for is forwarded by the outbound queue, if the recipient was ours.
    """

    _log = Logger()

    options: AliasesOptions
    name: str
    outbound: IOutbound
    table: AliasTable = attrs.field(init=False, repr=False)
    hosts: HostList = attrs.field(init=False, repr=False)
    parts: OutboundParts = attrs.field(init=False, repr=False)

    @table.default
    def _read_table(self) -> AliasTable:
        return self.options.table

    @hosts.default
    def _read_hosts(self) -> HostList:
        return make_host_list(self.options)

    @parts.default
    def _make_parts(self) -> OutboundParts:
        return OutboundParts(self.name, self.outbound)

    # ---- recipients ------------------------------------------------------------------

    def hook_rcpt(
        self, connection: IConnection, recipient: Address, params: Params
    ) -> Verdict:
        alias = self.table.find(recipient)
        if alias is None:
            return CONT
        transaction = transaction_of(connection)
        others = len(transaction.rcpt_to) - 1  # the alias is one of them
        if others + len(alias.targets) > MAX_RECIPIENTS:
            added = _resolved(transaction).added
            new = [t for t in alias.targets[1:] if _mailbox(t, recipient) not in added]
            if others + 1 + len(new) > MAX_RECIPIENTS:
                return TOO_MANY
        host = recipient.host
        is_ours = alias.names_domain or self.hosts.contains(host)
        _resolved(transaction).pending = Pending(recipient, alias, host, is_ours)
        if alias.targets:
            first = alias.targets[0]
            recipient.user = first.user
            recipient.host = first.host or host
        return CONT

    @on_hook(IRcptHook, priority=100)
    def vouch(
        self, connection: IConnection, recipient: Address, params: Params
    ) -> Verdict:
        """Nobody knows the recipient: it is to be forwarded or dropped, or unknown."""
        pending = _pending(transaction_of(connection), recipient)
        if pending is None or connection.relaying or not pending.is_ours:
            return CONT
        if pending.alias.targets and recipient.host == pending.host:
            return CONT
        pending.is_forwarded = bool(pending.alias.targets)
        return OK

    @on_hook(IRcptOkHook, priority=100)
    def hook_rcpt_ok(self, connection: IConnection, recipient: Address) -> Verdict:
        """The recipient stands: so do the targets behind the first."""
        transaction = transaction_of(connection)
        pending = _pending(transaction, recipient)
        if pending is None:
            return CONT
        resolved = _resolved(transaction)
        resolved.pending = None
        if pending.alias.targets:
            self._add(transaction, pending, resolved)
        else:
            resolved.dropped.append(recipient)
        self._tell(transaction, pending)
        return CONT

    def _add(
        self, transaction: ITransaction, pending: Pending, resolved: Resolved
    ) -> None:
        first = pending.recipient
        transaction.notes.set("forward", True)  # as in Haraka
        if pending.is_forwarded:
            resolved.forwarded.append(first)
        params = transaction.rcpt_params(first)
        for target in pending.alias.targets[1:]:
            mailbox = (target.user, target.host or pending.host)
            if mailbox in resolved.added:
                continue
            resolved.added.add(mailbox)
            address = Address(*mailbox)
            transaction.rcpt_to.append(address)
            transaction.set_rcpt_params(address, params)
            if not self._stays(address, pending):
                resolved.forwarded.append(address)

    def _stays(self, target: Address, pending: Pending) -> bool:
        """Does a queue plugin here take mail for the domain of a target?"""
        if target.host == pending.recipient.host and not pending.is_forwarded:
            return True
        is_named = pending.alias.names_domain and target.host == pending.host
        return is_named or self.hosts.contains(target.host)

    def _tell(self, transaction: ITransaction, pending: Pending) -> None:
        alias = pending.alias
        action = "alias" if alias.targets else "drop"
        transaction.results.add(self, msg=f"{action}({alias.key})")
        self._log.info(
            "{uuid} {action} {key}: {original} {targets}",
            uuid=transaction.uuid,
            action=action,
            key=alias.key,
            original=pending.recipient.original,
            targets=" ".join(_shown(each, pending.host) for each in alias.targets),
            plugin=self.name,
        )

    # ---- the message -----------------------------------------------------------------

    def hook_queue_outbound(self, connection: IConnection) -> Verdict:
        transaction = transaction_of(connection)
        resolved = transaction.notes.get(NOTE) if transaction.notes else None
        return CONT if resolved is None else _without_dropped(transaction, resolved)

    def hook_queue(self, connection: IConnection) -> "Verdict | Deferred[Answer]":
        verdict = self.hook_queue_outbound(connection)
        transaction = transaction_of(connection)
        if verdict is not CONT or not transaction.notes:
            return verdict
        resolved = transaction.notes.get(NOTE)
        if resolved is None or not resolved.forwarded:
            return CONT
        elsewhere = frozenset(map(id, resolved.forwarded))
        away = [each for each in transaction.rcpt_to if id(each) in elsewhere]
        return self.parts.queue(connection, away)

    def hook_queue_ok(self, connection: IConnection, text: str) -> None:
        self.parts.done(connection)


def _resolved(transaction: ITransaction) -> Resolved:
    resolved: Resolved | None = transaction.notes.get(NOTE)
    if resolved is None:
        resolved = Resolved()
        transaction.notes.set(NOTE, resolved)
    return resolved


def _pending(transaction: ITransaction, recipient: Address) -> Pending | None:
    """What waits for a ruling on this very recipient."""
    resolved: Resolved | None = (
        transaction.notes.get(NOTE) if transaction.notes else None
    )
    pending = None if resolved is None else resolved.pending
    return pending if pending and pending.recipient is recipient else None


def _without_dropped(transaction: ITransaction, resolved: Resolved) -> Verdict:
    """Take out who gets nothing; if nobody is left the message is done with."""
    if not resolved.dropped:
        return CONT
    gone = frozenset(map(id, resolved.dropped))
    kept = [each for each in transaction.rcpt_to if id(each) not in gone]
    if not kept:
        return OK
    transaction.rcpt_to = kept
    return CONT


def _mailbox(target: Target, recipient: Address) -> tuple[str, str]:
    return target.user, target.host or recipient.host


def _shown(target: Target, host: str) -> str:
    return f"-> {Address(target.user, target.host or host).format()}"
