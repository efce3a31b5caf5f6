"""Return an item to its sender before its time."""

from twisted.internet.defer import Deferred

from harakatw.interfaces.queue import IQueueStore, QueueItem
from harakatw.outbound.attempt import AttemptResult, Contact, Settlement, Work
from harakatw.outbound.scheduler.reports import Settled
from harakatw.outbound.scheduler.retry import everybody
from harakatw.reply import Reply


async def bounce_item(
    store: IQueueStore, settled: Settled, item: QueueItem, why: Reply
) -> bool:
    """
    Fail an item for all its recipients.

    @param settled: tells the sender, as after an attempt, and says if the item is to be
        kept.
    @param item: that nobody else is at.
    @return: is it gone? One without a sender or recipients is not.
    """
    if not item.recipients:  # what is left of a damaged record
        return False
    failed = everybody(item.recipients, why)
    result = AttemptResult(failed=failed, contact=Contact.NONE)
    settlement = Settlement(item, result, bounces=failed)
    told = settled(Work(item), settlement)
    if isinstance(told, Deferred):
        told = await told
    retry = (told or settlement).retry
    if retry is None:
        await store.settle((item.id,), ())
    else:
        await store.settle((), (retry,))
    return retry is None
