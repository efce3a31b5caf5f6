"""
Where each item is asked where it goes.

Most routes are known at once. Those that are looked up are bounded in number; one
domain whose name servers are down has a part of them only, and so has mail that has
been waiting anyway.
"""

from collections import OrderedDict, deque
from collections.abc import Callable

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from harakatw.outbound.attempt import AttemptResult, Routed, Stage, Work
from harakatw.outbound.scheduler.troubles import result_of

Answer = Routed | AttemptResult
Route = Callable[[Work], "Answer | Deferred[Answer]"]
_Lanes = OrderedDict[str, deque[Work]]  # by domain, in the order of their turns

_SHARE_OF_DOMAIN = 4  # one of so many
_SHARE_OF_BACKLOG = 2


@attrs.define(eq=False)
class RoutingDesk:
    """
    Asks for routes.

    @ivar routing_max: look-ups at the same time.
    """

    routing_max: int
    _route: Route
    _answered: Callable[[Work, Answer], None]
    _pending: dict[Work, "Deferred[Answer]"] = attrs.field(factory=dict)
    _domains: dict[str, int] = attrs.field(factory=dict)  # look-ups for each
    _backlog: int = 0  # look-ups for items from the store
    _fresh_lanes: _Lanes = attrs.field(factory=OrderedDict)
    _backlog_lanes: _Lanes = attrs.field(factory=OrderedDict)
    _is_busy: bool = False
    _log = Logger()

    @property
    def pending(self) -> int:
        """How many look-ups there are."""
        return len(self._pending)

    @property
    def waiting(self) -> int:
        """How many items wait for a look-up."""
        lanes = (*self._fresh_lanes.values(), *self._backlog_lanes.values())
        return sum(map(len, lanes))

    def submit(self, work: Work) -> None:
        """Find the route of an item: now, or when others are through."""
        if not self._pending or self._is_free(work):
            self._ask(work)
            return
        lanes = self._backlog_lanes if work.queue else self._fresh_lanes
        lanes.setdefault(work.item.domain, deque()).append(work)

    def give_up(self, work: Work) -> bool:
        """
        Wait no longer for the route of an item: it is answered as a failure.

        @return: is its route being looked up at all?
        """
        pending = self._pending.get(work)
        if pending is None:
            return False
        pending.cancel()
        return True

    def clear(self) -> tuple[Work, ...]:
        """
        Stop.

        @return: the items that nobody has a route for yet, and will not have.
        """
        left = list(self._pending)
        for lanes in (self._fresh_lanes, self._backlog_lanes):
            left += [work for lane in lanes.values() for work in lane]
            lanes.clear()
        pending, self._pending = self._pending, {}
        for each in pending.values():
            each.cancel()
        return tuple(work for work in left if work.stage is Stage.ROUTING)

    def _ask(self, work: Work) -> None:
        try:
            answer = self._route(work)
        except Exception:
            answer = result_of(Failure(), work.item, self._log)
        if not isinstance(answer, Deferred):
            self._answered(work, answer)
            return
        self._count(work, 1)
        self._pending[work] = answer
        answer.addCallbacks(
            self._found, self._failed, callbackArgs=(work,), errbackArgs=(work,)
        )

    def _found(self, answer: Answer, work: Work) -> None:
        if self._pending.pop(work, None) is None:
            return  # cleared
        self._count(work, -1)
        self._answered(work, answer)
        self._next()

    def _failed(self, failure: Failure, work: Work) -> None:
        if work in self._pending:
            self._found(result_of(failure, work.item, self._log), work)

    def _is_free(self, work: Work) -> bool:
        most = self.routing_max
        if len(self._pending) >= most or (work.queue and self._is_backlog_full()):
            return False
        of_domain = self._domains.get(work.item.domain, 0)
        return of_domain < max(1, most // _SHARE_OF_DOMAIN)

    def _is_backlog_full(self) -> bool:
        return self._backlog >= max(1, self.routing_max // _SHARE_OF_BACKLOG)

    def _count(self, work: Work, one: int) -> None:
        self._backlog += one if work.queue else 0
        domain = work.item.domain
        count = self._domains.get(domain, 0) + one
        if count:
            self._domains[domain] = count
        else:
            del self._domains[domain]

    def _next(self) -> None:
        """Go on with those who wait: new mail first, each domain in turn."""
        if self._is_busy:
            return  # an answer came at once: the loop below is still at it
        self._is_busy = True
        try:
            self._serve_all(self._fresh_lanes)
            if not self._is_backlog_full():
                self._serve_all(self._backlog_lanes)
        finally:
            self._is_busy = False

    def _serve_all(self, lanes: _Lanes) -> None:
        passed_over = 0
        while passed_over < len(lanes) and len(self._pending) < self.routing_max:
            domain, lane = lanes.popitem(last=False)
            served = self._serve(lane)
            passed_over = 0 if served else passed_over + 1
            if lane:
                lanes[domain] = lane

    def _serve(self, lane: deque[Work]) -> bool:
        """Ask for the first of a lane, if it may be asked for. Has the lane changed?"""
        if lane[0].stage is not Stage.ROUTING:
            lane.popleft()  # it went back to the store
            return True
        if not self._is_free(lane[0]):
            return False
        self._ask(lane.popleft())
        return True
