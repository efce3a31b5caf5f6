"""
Mail that can be neither delivered nor returned.

@see: RFC 5321 section 6.1; Haraka row OB48, weakness WK14
"""

from collections.abc import Iterable

import attrs

from harakatw.interfaces.queue import ItemState, QueueItem, Retry
from harakatw.outbound.dsn.recipients import ReportedRecipient
from harakatw.outbound.hmail import HMail


def is_double_bounce(item: QueueItem) -> bool:
    """
    Would a report of failure have nobody to go to? The sender is the null path, or an
    address of the queue that nobody can read any more.
    """
    return HMail(item).mail_from.is_null


def dead_letter(
    item: QueueItem, failed: Iterable[ReportedRecipient], now: float
) -> Retry:
    """
    Keep a double bounce in the queue, where the queue tools show it to the postmaster,
    who can drop it or have it tried again.

    @param item: of which nobody is left to try.
    @param failed: its recipients, at least one.
    @param now: in seconds since 1970.
    @return: what L{harakatw.interfaces.queue.IQueueStore.settle} takes.
    """
    recipients = tuple(
        attrs.evolve(each.recipient, last_reply=each.said) for each in failed
    )
    return Retry(
        id=item.id,
        recipients=recipients,
        due=now,
        attempts=item.attempts + 1,
        site=item.site,
        warned=item.warned,
        last_error=f"double bounce: {recipients[0].last_reply}",
        state=ItemState.DEAD,
    )
