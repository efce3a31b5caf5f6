"""What an exception means for the item that was being worked on."""

from typing import Final

from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure

from harakatw.errors import PermanentFailure, TemporaryFailure
from harakatw.interfaces.queue import QueueItem
from harakatw.outbound.attempt import AttemptResult, Contact
from harakatw.outbound.scheduler.retry import everybody
from harakatw.reply import Reply, reply

OUR_FAULT: Final = reply(451, "4.3.0", "Local error, to be tried again")
TOOK_TOO_LONG: Final = reply(451, "4.4.7", "The attempt took too long")


def result_of(failure: Failure, item: QueueItem, log: Logger) -> AttemptResult:
    """
    What became of an item when routing or delivering it failed as a whole.

    An error that nobody foresaw is ours: it is logged, and the item is tried again.
    """
    error = failure.value
    if isinstance(error, PermanentFailure):
        failed = everybody(item.recipients, error.reply)
        return AttemptResult(failed=failed, contact=Contact.NONE)
    if isinstance(error, TemporaryFailure):
        return _deferred(item, error.reply)
    if isinstance(error, CancelledError):
        return _deferred(item, TOOK_TOO_LONG)
    log.failure("{uuid} was not delivered", failure, uuid=item.message.uuid)
    return _deferred(item, OUR_FAULT)


def _deferred(item: QueueItem, why: Reply) -> AttemptResult:
    deferred = everybody(item.recipients, why)
    return AttemptResult(deferred=deferred, contact=Contact.NONE)
