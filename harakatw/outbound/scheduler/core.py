"""
The scheduler: what of the queue is tried, and when.

An item comes from whoever has just queued it, or is leased from the store; it is
routed, waits for its turn, is tried, and its lease ends when the outcome is on disk.

@see: Haraka rows OB12 to OB19, weaknesses WK07, WK10 and WK11
"""

from collections.abc import Callable, Iterable
from typing import Final

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from harakatw.interfaces.queue import Filter, IQueueStore, ItemState, QueueItem
from harakatw.outbound.attempt import (
    AttemptResult,
    Contact,
    Routed,
    Settlement,
    Stage,
    Work,
)
from harakatw.outbound.scheduler.again import Again
from harakatw.outbound.scheduler.desk import Answer, Route, RoutingDesk
from harakatw.outbound.scheduler.dispatcher import Dispatcher
from harakatw.outbound.scheduler.feeder import Appetite, Feeder
from harakatw.outbound.scheduler.ledger import Batch, Ledger
from harakatw.outbound.scheduler.reports import Reports, Settled
from harakatw.outbound.scheduler.retry import Moment, decide, everybody, unchanged
from harakatw.outbound.scheduler.settings import SchedulerSettings
from harakatw.outbound.scheduler.site import Site
from harakatw.outbound.scheduler.snapshot import Snapshot, site_snapshot
from harakatw.outbound.scheduler.steady import SteadyTime

POSTPONED_SECONDS: Final = 300.0
"""How long mail of a paused sender stays in the store before it is looked at again."""
