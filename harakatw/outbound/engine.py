"""
The outbound engine: takes mail, keeps it, delivers it.

@see: DESIGN sections 5 and 6; Haraka section 5
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from harakatw.errors import StoreError
from harakatw.interfaces.queue import Filter, IQueueStore, QueueItem
from harakatw.interfaces.services import IOutbound, IThreads
from harakatw.interfaces.session import IConnection
from harakatw.outbound.client.clients import NOTE, note_of
from harakatw.outbound.courier import Chains
from harakatw.outbound.demanded import restate_priority
from harakatw.outbound.dsn.report import Report
from harakatw.outbound.intake import Content, Parcel, content_of, pack
from harakatw.outbound.letter import Letter, LetterBox, LetterWriter, read_envelope
from harakatw.outbound.scheduler.core import Scheduler
from harakatw.verdict import Verdict

KEPT_OCTETS: Final = 65_536
"""The biggest message that is kept in memory until its first attempt."""


@implementer(IOutbound)
class OutboundEngine:
    """
    Queues mail and has it delivered.

    HOT: L{queue} is called once for each message. Its Deferred fires after the message
    is on disk, and only then is the client told 250.
    """

    def __init__(
        self,
        *,
        store: IQueueStore,
        threads: IThreads,
        chains: Chains,
        now: Callable[[], float],
        always_split: Callable[[], bool],
        keep_client: Callable[[], bool] = bool,
        letters: Callable[[], LetterWriter],
    ) -> None:
        """
        @param now: seconds since 1970.
        @param always_split: an item for each recipient (row OB05)?
        @param keep_client: is it kept with a message who its client was?
        @param letters: gives the one in force.
        """
        self._store = store
        self._threads = threads
        self._chains = chains
        self._now = now
        self._always_split = always_split
        self._keep_client = keep_client
        self._letters = letters
        self.scheduler: Scheduler | None = None

    # ---- mail of sessions ------------------------------------------------------------

    def queue(self, connection: IConnection) -> "Deferred[str]":
        """Queue the message of the open transaction; see L{IOutbound}."""
        chain = self._chains()["pre_send_trans_email"]
        transaction: Any = connection.transaction
        if self._keep_client():
            transaction.notes.set(NOTE, note_of(connection))
        if not chain.steps and not transaction.message.is_spooled:
            return self._keep(self._pack(transaction, None))
        return Deferred.fromCoroutine(self._prepare(connection, transaction))

    async def _prepare(self, connection: Any, transaction: Any) -> str:
        """Let plugins sign or change it, and look at what is in a file."""
        chain = self._chains()["pre_send_trans_email"]
        if chain.steps:
            outcome = chain.run(connection)
            if not isinstance(outcome, Verdict):
                await outcome
        content = None
        if transaction.message.is_spooled:
            restate_priority(transaction.mail_params, transaction.message.header)
            chunks = transaction.message.chunks()
            content = await self._threads.call(content_of, chunks)
        return await self._keep(self._pack(transaction, content))

    def _pack(self, transaction: Any, content: Content | None) -> Parcel:
        split = self._always_split() or bool(
            transaction.notes and transaction.notes.get("queue.split")
        )
        return pack(transaction, now=self._now(), split_all=split, content=content)

    def _keep(self, parcel: Parcel) -> "Deferred[str]":
        body = parcel.body
        chunks = (body,) if isinstance(body, bytes) else body
        added = self._store.add(parcel.message, parcel.items, chunks)
        kept = body if isinstance(body, bytes) and len(body) <= KEPT_OCTETS else None
        return added.addCallback(self._kept, kept)

    def _kept(self, items: tuple[QueueItem, ...], body: bytes | None) -> str:
        """
        It is on disk: have it delivered. Without a scheduler it is when there is one.
        """
        if self.scheduler is not None:
            self.scheduler.offer(items, body)
        return ""

    # ---- by hand ---------------------------------------------------------------------

    def flush(self, domain: str, *, below: bool = False) -> "Deferred[int]":
        """
        Try mail now that was tried in vain; see L{IOutbound}. What its sender wants to
        be sent later, and was not tried yet, is left alone.
        """
        if self.scheduler is None:
            return fail(StoreError("the queue is not open"))
        flushing = self.scheduler.flush(Filter(domain=domain, was_tried=True))
        if below:
            flushing.addCallback(self._flush_below, domain)
        return flushing

    def _flush_below(self, found: int, domain: str) -> "Deferred[int]":
        if self.scheduler is None:
            return succeed(found)
        which = Filter(domain=f"*.{domain}", was_tried=True)
        return self.scheduler.flush(which).addCallback(found.__add__)

    # ---- mail of our own -------------------------------------------------------------

    def send_email(
        self,
        sender: str,
        recipients: str | Iterable[str],
        contents: str | bytes | Iterable[bytes],
        notes: Mapping[str, object] | None = None,
    ) -> "Deferred[str]":
        """Send mail of a plugin's own; see L{IOutbound}."""
        paths = read_envelope(sender, recipients)
        return self.send_letter(self._letters().write(*paths, contents, notes))

    def send_report(self, report: Report) -> "Deferred[str]":
        """
        Queue a report to a sender.

        @return: as L{IOutbound.send_email}.
        """
        paths = read_envelope("", report.recipient)
        letters = self._letters()
        return self.send_letter(
            letters.write(*paths, report.octets, params=report.params)
        )

    def send_letter(self, letter: Letter) -> "Deferred[str]":
        """
        Queue a letter.

        @return: as L{IOutbound.send_email}.
        """
        box = LetterBox(letter, letter.uuid)
        sent = Deferred.fromCoroutine(self._prepare(box, letter))
        return sent.addCallback(lambda _: letter.uuid)
