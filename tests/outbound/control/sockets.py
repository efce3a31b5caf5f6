"""The control socket without a socket."""

import json
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from harakatw.outbound.control.server import ControlFactory
from harakatw.outbound.store.memory import MemoryStore
from tests.outbound.control.queues import QueueTestCase

OURS = 1000


class Line(StringTransport):
    """
    One end of a connection.

    @ivar uid: whose process is at the other end.
    @ivar is_aborted: was it cut off?
    """

    is_aborted = False
    producer: Any

    def __init__(self, uid: int | None = OURS) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.uid = uid

    def abortConnection(self) -> None:
        self.is_aborted = True


class SocketTestCase(QueueTestCase):
    """Has a factory for connections to a queue in memory."""

    def setUp(self) -> None:
        """Make the factory."""
        super().setUp()
        self.factory = self.make_factory()

    def make_factory(self) -> ControlFactory:
        """Make one for the tool as it is now."""
        return ControlFactory(
            self.tool, self.clock, lambda line: line.uid, frozenset((0, OURS))
        )

    def connect(self, uid: int | None = OURS) -> tuple[Any, Line]:
        """Connect."""
        protocol: Any = self.factory.buildProtocol(None)
        line = Line(uid)
        protocol.makeConnection(line)
        return protocol, line

    def when_found(self, find: Callable[[], Any]) -> None:
        """Look for items as the test says."""
        self.patch(MemoryStore, "find", lambda *args: find())

    def heard(self, line: Line) -> list[Any]:
        """What was said since this was called last."""
        octets = line.value()
        line.clear()
        self.assertTrue(octets.endswith(b"\n") or not octets)
        return [json.loads(each) for each in octets.split(b"\n")[:-1]]

    def hang_up(self, protocol: Any) -> None:
        """The other end goes."""
        protocol.connectionLost(Failure(ConnectionDone()))
