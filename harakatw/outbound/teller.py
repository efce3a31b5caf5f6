"""
Tell of each attempt: to plugins, to the log, to the sender.

@see: Haraka rows HK33, HK34, OB45 to OB50 and OB54
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

import attrs
from twisted.internet.defer import Deferred

from harakatw.errors import StoreError
from harakatw.hooks.chain import Chain
from harakatw.interfaces.queue import IQueueStore, ItemState, NewItem, Retry
from harakatw.interfaces.services import IThreads
from harakatw.observe.levels import LogSwitch
from harakatw.outbound.attempt import Settlement, Work
from harakatw.outbound.attempt_log import AttemptLog, response_of
from harakatw.outbound.client.result import Peer
from harakatw.outbound.courier import Chains
from harakatw.outbound.dsn.dead_letter import dead_letter, is_double_bounce
from harakatw.outbound.dsn.outcomes import outcomes
from harakatw.outbound.dsn.recipients import Action, Kind, ReportedRecipient
from harakatw.outbound.dsn.report import Report, Reporter
from harakatw.outbound.hmail import HMail
from harakatw.outbound.told import Bounce, Delivery
from harakatw.verdict import CONT, Verdict
from harakatw.verdict import Kind as VerdictKind

SendReport = Callable[[Report], "Deferred[Any]"]
"""Queues a report; fires when it is on disk."""

_LEASE_SECONDS: Final = 3600.0


@attrs.define(eq=False)
class _Telling:
    """
    How far the telling of one attempt has come. When the disk fails it is done again
    later, and then what was done is not.

    @ivar reported: all that there is to report.
    @ivar is_silent: does a plugin want no report of failure?
    @ivar sent: the reports that are queued.
    @ivar dead: what keeps a part of the item as dead, once the part is queued.
    """

    reported: tuple[ReportedRecipient, ...]
    is_silent: bool
    sent: set[Kind] = attrs.field(factory=set)
    dead: Retry | None = None

    @property
    def failed(self) -> tuple[ReportedRecipient, ...]:
        """Those who will never get it."""
        return tuple(each for each in self.reported if each.action is Action.FAILED)


class Teller:
    """Says what became of mail."""

    def __init__(
        self,
        *,
        store: IQueueStore,
        threads: IThreads,
        chains: Chains,
        reporter: Callable[[], Reporter],
        send: SendReport,
        now: Callable[[], float],
        log: LogSwitch,
    ) -> None:
        """
        @param reporter: gives the one in force.
        @param send: queues a report.
        @param now: seconds since 1970.
        """
        self._store = store
        self._threads = threads
        self._chains = chains
        self._reporter = reporter
        self._send = send
        self._now = now
        self._switch = log
        self._attempts = AttemptLog(now)
        self._begun: dict[Work, _Telling] = {}

    def settled(
        self, work: Work, settlement: Settlement
    ) -> "Settlement | Deferred[Settlement | None] | None":
        """
        See L{harakatw.outbound.scheduler.core.Scheduler}: what this returns replaces
        the settlement, and the item stays until it has fired.
        """
        retry = settlement.retry
        if work not in self._begun:
            if self._switch.info:
                self._attempts.write(settlement)
            if retry is not None and retry.state is ItemState.DEAD:
                self._attempts.kept_dead(settlement, retry.last_error)
        needs_report = (
            settlement.bounces
            or settlement.warnings
            or any("SUCCESS" in each.notify for each in settlement.result.delivered)
            or settlement.item.message.demands.is_traced
        )
        if not needs_report and not self._chains()["delivered"].steps:
            return None
        return Deferred.fromCoroutine(self._tell(work, settlement))

    async def _tell(self, work: Work, settlement: Settlement) -> Settlement | None:
        telling = self._begun.get(work)
        if telling is None:
            telling = await self._tell_plugins(work, settlement)
            self._begun[work] = telling
        await self._report(work, telling)
        instead = None
        if telling.failed and not telling.is_silent and is_double_bounce(work.item):
            instead = await self._keep_dead(work, settlement, telling)
        del self._begun[work]
        return instead

    # ---- plugins ---------------------------------------------------------------------

    async def _tell_plugins(self, work: Work, settlement: Settlement) -> _Telling:
        hmail, result = work.hmail, settlement.result
        if result.delivered and result.peer is not None:
            told = self._delivery(settlement, result.peer)
            await _ask(self._chains()["delivered"], hmail, told)
        verdict = CONT
        if settlement.bounces:
            bounce = Bounce(
                recipients=settlement.bounces, text=settlement.bounces[0].said
            )
            verdict = await _ask(self._chains()["bounce"], hmail, bounce)
        is_silent = verdict.kind is not VerdictKind.CONT
        return _Telling(outcomes(settlement, self._now()), is_silent)

    def _delivery(self, settlement: Settlement, peer: Peer) -> Delivery:
        return Delivery(
            recipients=tuple(each.address for each in settlement.result.delivered),
            host=peer.host,
            ip=peer.ip,
            port=peer.port,
            mode=peer.mode,
            response=response_of(settlement),
            secured=peer.tls is not None,
            authenticated=bool(peer.authenticated),
            delay=self._now() - settlement.item.message.queued_at,
        )

    # ---- reports ---------------------------------------------------------------------

    async def _report(self, work: Work, telling: _Telling) -> None:
        """Queue a report of each kind that somebody wants."""
        if is_double_bounce(work.item):
            return
        kinds = {each.action.kind for each in telling.reported if each.is_asked_for}
        if telling.is_silent:
            kinds.discard(Kind.FAILURE)
        for kind in sorted(kinds - telling.sent, key=lambda kind: kind.value):
            report = await self._written(kind, work, telling.reported)
            if report is not None:
                await self._send(report)
            telling.sent.add(kind)

    async def _written(
        self, kind: Kind, work: Work, reported: Iterable[ReportedRecipient]
    ) -> Report | None:
        """A report; without the message if that cannot be read any more."""
        message = work.item.message
        write = partial(self._reporter().report, kind, message, reported)
        try:
            body = await self._body(work)
            return await self._threads.call(write, body, self._now())
        except StoreError:
            return await self._threads.call(write, (), self._now())

    async def _body(self, work: Work) -> Iterable[bytes]:
        if work.body is not None:
            return (work.body,)
        return await self._store.read_body(work.item.message_id)

    # ---- double bounces --------------------------------------------------------------

    async def _keep_dead(
        self, work: Work, settlement: Settlement, telling: _Telling
    ) -> Settlement | None:
        """
        Nobody can be told: keep those who failed for the postmaster (RFC 5321 section
        6.1).

        @return: what is to become of the item instead of C{settlement}.
        """
        retry = settlement.retry
        dead = dead_letter(work.item, telling.failed, self._now())
        if retry is None:
            self._attempts.kept_dead(settlement, dead.last_error)
            return attrs.evolve(settlement, retry=dead)
        if telling.dead is None and retry.state is not ItemState.DEAD:
            telling.dead = await self._split_off(work, dead)
        if telling.dead is None:
            together = (*dead.recipients, *retry.recipients)
            whole = attrs.evolve(retry, recipients=together, state=ItemState.DEAD)
            return attrs.evolve(settlement, retry=whole)
        await self._store.settle((), (telling.dead,))
        self._attempts.kept_dead(settlement, dead.last_error)
        return None

    async def _split_off(self, work: Work, dead: Retry) -> Retry | None:
        """
        Queue a part of an item by itself, since the rest is tried again.

        @return: what keeps the new item as dead; L{None} if the message cannot be read,
            and so nobody could try the rest either.
        """
        item, message = work.item, work.item.message
        try:
            body = await self._threads.call(b"".join, await self._body(work))
        except StoreError:
            return None
        part = NewItem(domain=item.domain, recipients=dead.recipients, site=item.site)
        seconds = self._now() - message.queued_at + _LEASE_SECONDS
        (added,) = await self._store.add(message, (part,), (body,), seconds)
        return attrs.evolve(dead, id=added.id)


async def _ask(chain: Chain, hmail: HMail, told: object) -> Verdict:
    if not chain.steps:
        return CONT
    outcome = chain.run(hmail, told)
    return outcome if isinstance(outcome, Verdict) else await outcome
