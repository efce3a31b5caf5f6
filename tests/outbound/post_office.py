"""The whole outbound engine in memory, and in virtual time."""

import random
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.dns.addresses import AddressLookup
from harakatw.dns.hosts import HostsFile
from harakatw.dns.mx import MXLookup
from harakatw.dns.records import RecordLookup
from harakatw.hooks.declared import declared_hooks
from harakatw.hooks.loader import LoadedPlugin
from harakatw.hooks.registry import make_chains
from harakatw.interfaces.queue import Filter, ItemState, QueueItem
from harakatw.message.store import StoreSettings
from harakatw.observe.levels import LogSwitch
from harakatw.outbound.client.timeouts import ClientOptions
from harakatw.outbound.courier import Courier
from harakatw.outbound.dsn.options import BounceOptions
from harakatw.outbound.dsn.report import Reporter
from harakatw.outbound.engine import OutboundEngine
from harakatw.outbound.letter import LetterWriter
from harakatw.outbound.pool import ClientPool
from harakatw.outbound.routes.guard import Guard
from harakatw.outbound.routes.route import RouteSettings
from harakatw.outbound.routes.router import Router
from harakatw.outbound.scheduler.core import Scheduler
from harakatw.outbound.scheduler.retry import RetryPolicy
from harakatw.outbound.scheduler.settings import SchedulerSettings
from harakatw.outbound.teller import Teller
from harakatw.testing.threads import NoThreads
from tests.dns.zones import FakeResolver, Zone, a, mx
from tests.outbound.hosts import Host, Net
from tests.outbound.stores import HeldStore

EPOCH: Final = 1_700_000_000.0
ME: Final = "me.example"
ALICE: Final = "alice@client.example"
BOB: Final = "bob@far.example"
MESSAGE: Final = b"Subject: hello\r\n\r\nHello, Bob.\r\n"

FIRST: Final = "192.0.2.1"
SECOND: Final = "192.0.2.2"
HOME: Final = "192.0.2.100"

ZONE: Final[Zone] = {
    "far.example": (mx(10, "mx1.far.example"), mx(20, "mx2.far.example")),
    "mx1.far.example": (a(FIRST, 86400),),
    "mx2.far.example": (a(SECOND, 86400),),
    "other.example": (mx(10, "mx.other.example"),),
    "mx.other.example": (a("192.0.2.50"),),
    "client.example": (mx(10, "mx.client.example"),),
    "mx.client.example": (a(HOME, 86400),),
}
"""C{far.example} has two hosts; reports go to C{client.example}."""


class PostOffice:
    """
    An engine with everything around it.

    @ivar clock: the time, of day and for time-outs.
    @ivar store: the queue.
    @ivar net: hosts; all of L{ZONE} are there unless a test takes them away.
    @ivar first: the first host of C{far.example}.
    @ivar second: the other one.
    @ivar home: where reports arrive.
    @ivar resolver: the DNS.
    """

    def __init__(
        self,
        *plugins: object,
        directory: str,
        threads: Any = None,
        zone: Zone = ZONE,
        intervals: tuple[float, ...] = (60.0, 300.0, 900.0),
        client: ClientOptions | None = None,
        always_split: bool = False,
        keep_client: bool = False,
        delay_warning: float = 4 * 3600.0,
        max_lifetime: float = 5 * 86400.0,
        stop_seconds: float = 30.0,
        hosts_file: str = "",
    ) -> None:
        """
        @param plugins: in order; each is asked under the name of its class.
        @param directory: for a file; must not be there.
        """
        self.clock = Clock()
        self.clock.advance(EPOCH)
        self.net = Net(self.clock, client)
        for ip in (FIRST, SECOND, HOME, "192.0.2.50"):
            self.net.host(ip)
        self.first, self.second = self.net.hosts[FIRST], self.net.hosts[SECOND]
        self.home: Host = self.net.hosts[HOME]
        self.store = HeldStore(self.clock)
        self.threads: Any = threads or NoThreads()
        self.chains = make_chains(map(_loaded, plugins), self.clock)
        self.resolver = FakeResolver(zone)
        self.pool = ClientPool(self.net.connect, self.net.policy_for)
        self.router = self._make_router(directory, hosts_file)
        self.courier = Courier(
            self.store, self.pool, self.router, lambda: self.chains, lambda site: None
        )
        self.engine = OutboundEngine(
            store=self.store,
            threads=self.threads,
            chains=lambda: self.chains,
            now=self.clock.seconds,
            always_split=lambda: always_split,
            keep_client=lambda: keep_client,
            letters=self._letters,
        )
        self.teller = self._make_teller()
        policy = RetryPolicy(
            intervals=intervals,
            jitter=0.0,
            delay_warning=delay_warning,
            max_lifetime=max_lifetime,
        )
        settings = SchedulerSettings(retry=policy, stop_seconds=stop_seconds)
        self.scheduler = self._make_scheduler(settings)
        self.engine.scheduler = self.scheduler
        self.scheduler.start()

    # ---- parts -----------------------------------------------------------------------

    def _make_router(self, directory: str, hosts_file: str) -> Router:
        records = RecordLookup(self.resolver, self.clock, 5.0)
        path = Path(directory)
        path.write_text(hosts_file)
        known = HostsFile(path, self.clock)
        settings = RouteSettings(guard=Guard(names=frozenset((ME,))))
        return Router(
            MXLookup(records, known, self.clock),
            AddressLookup(records, known, self.clock),
            settings,
            random.Random(7),
        )

    def _make_teller(self) -> Teller:
        reporter = Reporter(
            me=ME, options=BounceOptions(), new_id=self._new_id, pid=4711
        )
        return Teller(
            store=self.store,
            threads=self.threads,
            chains=lambda: self.chains,
            reporter=lambda: reporter,
            send=lambda report: self.engine.send_report(report),
            now=self.clock.seconds,
            log=LogSwitch(),
        )

    def _make_scheduler(self, settings: SchedulerSettings) -> Scheduler:
        return Scheduler(
            store=self.store,
            route=self.courier.route,
            attempt=self.courier.attempt,
            settled=self.teller.settled,
            settings=settings,
            clock=self.clock,
            now=self.clock.seconds,
            random=lambda: 0.5,
        )

    def _letters(self) -> LetterWriter:
        return LetterWriter(self.messages, ME, self._new_id, self.clock.seconds)

    @property
    def messages(self) -> StoreSettings:
        """How messages are kept while they are made."""
        return StoreSettings(
            in_thread=self.threads.call, spool_dir="", spool_after=1 << 20
        )

    def _new_id(self) -> str:
        self._ids = getattr(self, "_ids", 0) + 1
        return f"id{self._ids}"

    # ---- what a test does ------------------------------------------------------------

    def send(
        self,
        *recipients: str,
        sender: str = ALICE,
        contents: bytes = MESSAGE,
        **more: Any,
    ) -> str:
        """
        Queue a message, to Bob unless others are named, and return its uuid.

        @raise AssertionError: it was not queued at once.
        """
        uuids: list[str] = []
        sent: Deferred[str] = self.engine.send_email(
            sender, recipients or (BOB,), contents, **more
        )
        sent.addCallback(uuids.append)
        assert uuids, "the message was not queued"
        return uuids[0]

    def run(self, seconds: float = 5.0) -> None:
        """Let time pass, each call at its time."""
        clock, end = self.clock, self.clock.seconds() + seconds
        while True:
            calls = clock.getDelayedCalls()
            first = min((call.getTime() for call in calls), default=end + 1)
            if first > end:
                break
            clock.rightNow = max(first, clock.rightNow)
            clock.advance(0)
        clock.rightNow = end

    def items(self, state: ItemState | None = None) -> tuple[QueueItem, ...]:
        """What is in the queue."""
        found: list[tuple[QueueItem, ...]] = []
        self.store.find(Filter(state=state), 1000).addCallback(found.append)
        return found[0]

    def reports(self) -> list[bytes]:
        """The messages that Alice has got from the null path, without dots."""
        return [taken.octets for taken in self.home.taken if not taken.sender]


class PostOfficeTestCase(SynchronousTestCase):
    """A test with an engine."""

    def office(self, *plugins: object, **more: Any) -> PostOffice:
        """An engine; see L{PostOffice}."""
        return PostOffice(*plugins, directory=self.mktemp(), **more)


def _loaded(plugin: object) -> LoadedPlugin:
    name = type(plugin).__name__
    hooks = declared_hooks(name, type(plugin))
    return LoadedPlugin(name, plugin, hooks, 30.0, frozenset(), "", ())
