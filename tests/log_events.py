"""What the server logs while a test runs."""

import attrs
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer


@implementer(ILogObserver)
@attrs.define(eq=False)
class LogCollector:
    """
    Keeps log events.

    @ivar events: in order.
    """

    events: list[LogEvent] = attrs.field(factory=list)

    def __call__(self, event: LogEvent) -> None:
        self.events.append(event)


def collect_log(test: SynchronousTestCase) -> list[LogEvent]:
    """
    Collect what is logged from now on.

    @param test: at its end it is over.
    @return: grows as it goes on.
    """
    collector = LogCollector()
    globalLogPublisher.addObserver(collector)
    test.addCleanup(globalLogPublisher.removeObserver, collector)
    return collector.events
