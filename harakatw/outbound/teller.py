"""
Tell of each attempt: to plugins, to the log, to the sender.

@see: Haraka rows HK33, HK34, OB45 to OB50 and OB54
"""

from collections.abc import Callable, Iterable
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from harakatw.errors import StoreError
from harakatw.hooks.chain import Chain
from harakatw.interfaces.queue import IQueueStore
from harakatw.interfaces.services import IThreads
from harakatw.observe.levels import LogSwitch
from harakatw.outbound.attempt import Settlement, Undelivered, Work
from harakatw.outbound.client.result import Peer
from harakatw.outbound.courier import Chains
from harakatw.outbound.dsn.dead_letter import dead_letter, is_double_bounce
from harakatw.outbound.dsn.outcomes import outcomes
from harakatw.outbound.dsn.recipients import Action, Kind, ReportedRecipient
from harakatw.outbound.dsn.report import Report, Reporter
from harakatw.outbound.hmail import HMail
from harakatw.verdict import CONT, Verdict

SendReport = Callable[[Report], "Deferred[Any]"]
"""Queues a report; fires when it is on disk."""


@attrs.frozen(kw_only=True)
class Delivery:
    """
    What the C{delivered} hook is told.

    @ivar recipients: addresses of those who have got it.
    @ivar host: the peer's name; C{ip} and C{port} are its address.
    @ivar mode: C{SMTP}, C{ESMTP} or C{LMTP}.
    @ivar secured: was the connection encrypted?
    @ivar authenticated: did we log in?
    @ivar delay: seconds since the message was queued.
    """

    recipients: tuple[str, ...]
    host: str
    ip: str
    port: int
    mode: str
    secured: bool
    authenticated: bool
    delay: float


@attrs.frozen(kw_only=True)
class Bounce:
    """
    What the C{bounce} hook is told.

    @ivar recipients: who will never get it, each with the reply.
    @ivar text: the first reply, in one line.
    """

    recipients: tuple[Undelivered, ...]
    text: str


class Teller:
    """Says what became of mail."""

    _log = Logger()

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

    def settled(
        self, work: Work, settlement: Settlement
    ) -> "Settlement | Deferred[Settlement | None] | None":
        """
        See L{harakatw.outbound.scheduler.core.Scheduler}: what this returns replaces
        the settlement, and the item stays until it has fired.
        """
        if settlement.result.set_aside:
            self._log.error(
                "{uuid} item {item} cannot be delivered and is kept: {why}",
                uuid=work.item.message.uuid,
                item=work.item.id,
                why=settlement.result.set_aside,
            )
        if self._switch.info:
            self._write(settlement)
        needs_report = (
            settlement.bounces
            or settlement.warnings
            or any("SUCCESS" in each.notify for each in settlement.result.delivered)
        )
        if not needs_report and not self._chains()["delivered"].steps:
            return None
        return Deferred.fromCoroutine(self._tell(work, settlement))

    async def _tell(self, work: Work, settlement: Settlement) -> Settlement | None:
        hmail, result = HMail(work.item), settlement.result
        if result.delivered and result.peer is not None:
            told = self._delivery(settlement, result.peer)
            await _ask(self._chains()["delivered"], hmail, told)
        silent = False
        if settlement.bounces:
            bounce = Bounce(
                recipients=settlement.bounces, text=settlement.bounces[0].said
            )
            verdict = await _ask(self._chains()["bounce"], hmail, bounce)
            silent = verdict is not CONT and verdict.kind is not CONT.kind
        reported = outcomes(settlement, self._now())
        await self._report(work, reported, silent)
        failed = tuple(each for each in reported if each.action is Action.FAILED)
        is_lost = failed and not silent and is_double_bounce(work.item)
        if is_lost and settlement.retry is None:
            letter = dead_letter(work.item, failed, self._now())
            return attrs.evolve(settlement, retry=letter)
        return None

    async def _report(
        self, work: Work, reported: Iterable[ReportedRecipient], silent: bool
    ) -> None:
        """Queue a report of each kind that somebody wants."""
        reported = tuple(reported)
        kinds = {each.action.kind for each in reported if each.is_asked_for}
        if silent:
            kinds.discard(Kind.FAILURE)
        if not (kinds and work.item.message.sender):
            return
        body: Any = () if work.body is None else (work.body,)
        if work.body is None:
            try:
                body = await self._store.read_body(work.item.message_id)
            except StoreError:
                body = ()  # the sender is told all the same
        for kind in sorted(kinds, key=lambda kind: kind.value):
            report = await self._threads.call(
                self._reporter().report,
                kind,
                work.item.message,
                reported,
                body,
                self._now(),
            )
            if report is not None:
                await self._send(report)

    def _delivery(self, settlement: Settlement, peer: Peer) -> Delivery:
        return Delivery(
            recipients=tuple(each.address for each in settlement.result.delivered),
            host=peer.host,
            ip=peer.ip,
            port=peer.port,
            mode=peer.mode,
            secured=peer.tls is not None,
            authenticated=bool(peer.authenticated),
            delay=self._now() - settlement.item.message.queued_at,
        )

    # ---- the log ---------------------------------------------------------------------

    def _write(self, settlement: Settlement) -> None:
        """One line for each kind of outcome of an attempt."""
        result = settlement.result
        if result.delivered:
            addresses = ",".join(f"<{each.address}>" for each in result.delivered)
            self._line(settlement, "delivered", addresses, "250", result.peer)
        bounced = {id(each) for each in settlement.bounces}
        for each in (*settlement.bounces, *result.deferred):
            is_bounce = id(each) in bounced
            if not is_bounce and settlement.retry is None:
                continue
            word = "bounced" if is_bounce else "deferred"
            bounced.discard(id(each))
            self._line(
                settlement, word, f"<{each.recipient.address}>", each.said, each.peer
            )

    def _line(
        self,
        settlement: Settlement,
        word: str,
        rcpts: str,
        said: str,
        peer: Peer | None,
    ) -> None:
        message = settlement.item.message
        tls = peer is not None and peer.tls
        self._log.info(
            "{uuid} {word} from=<{sender}> to={rcpts} domain={domain} host={host}"
            " tls={tls} attempts={attempts} delay={delay:.1f} reply={said}",
            uuid=message.uuid,
            word=word,
            sender=message.sender,
            rcpts=rcpts,
            domain=settlement.item.domain,
            host="none" if peer is None else f"{peer.host}[{peer.ip}]:{peer.port}",
            tls=tls.version if tls else "no",
            attempts=settlement.item.attempts + 1,
            delay=self._now() - message.queued_at,
            said=said,
        )


async def _ask(chain: Chain, hmail: HMail, told: object) -> Verdict:
    if not chain.steps:
        return CONT
    outcome = chain.run(hmail, told)
    return outcome if isinstance(outcome, Verdict) else await outcome
