"""
The outbound engine of a server: its parts put together, started, changed and stopped.
"""

import os
import random
import secrets
import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from harakatw.dns.addresses import AddressLookup
from harakatw.dns.hosts import HOSTS_FILE, HostsFile
from harakatw.dns.mx import MXLookup
from harakatw.dns.records import RecordLookup
from harakatw.errors import ConfigError, StoreError
from harakatw.hooks.chain import Chain
from harakatw.interfaces.services import IThreads
from harakatw.message.store import StoreSettings
from harakatw.net.rounds import round_of
from harakatw.observe.levels import LogSwitch
from harakatw.outbound.client.connect import connect
from harakatw.outbound.client.settings import ClientSettings, client_settings
from harakatw.outbound.client.tls import ClientTLS
from harakatw.outbound.client.tls_rules import TLSPolicy, TLSRules, parse_hosts
from harakatw.outbound.control.pauses import PauseBook
from harakatw.outbound.control.server import Control, start_control
from harakatw.outbound.control.tool import QueueTool
from harakatw.outbound.courier import Courier
from harakatw.outbound.dsn.report import Reporter
from harakatw.outbound.engine import OutboundEngine
from harakatw.outbound.hop import Hop
from harakatw.outbound.letter import LetterWriter
from harakatw.outbound.login import HostLogin
from harakatw.outbound.pool import ClientPool
from harakatw.outbound.routes.guard import Guard
from harakatw.outbound.routes.own import interface_addresses
from harakatw.outbound.routes.route import RouteSettings
from harakatw.outbound.routes.router import Router
from harakatw.outbound.scheduler.core import Scheduler
from harakatw.outbound.scheduler.retry import RetryPolicy
from harakatw.outbound.scheduler.settings import SchedulerSettings
from harakatw.outbound.store.sqlite import SQLiteStore
from harakatw.outbound.store.writer import WriterThread
from harakatw.outbound.teller import Teller
from harakatw.process.session_context import make_resolver
from harakatw.process.settings import Settings
from harakatw.process.threads import PooledThreads
from harakatw.process.user import give_to


@attrs.frozen
class StoreReactor:
    """
    What the queue needs of a reactor: due times are times of day, also after a restart.

    @ivar callFromThread: the reactor's.
    @ivar seconds: since 1970.
    """

    callFromThread: Callable[..., Any]
    seconds: Callable[[], float]


class Outbound:
    """
    The engine and what it is made of.

    @ivar engine: takes mail.
    @ivar scheduler: decides what is tried when.
    @ivar store: the queue.
    """

    _log = Logger()

    def __init__(
        self,
        settings: Settings,
        directory: Path,
        *,
        name: Callable[[], str],
        chains: Callable[[], Mapping[str, Chain]],
        messages: Callable[[], StoreSettings],
        reactor: Any,
        threads: IThreads,
        log: LogSwitch,
    ) -> None:
        """
        @param directory: of the queue.
        @param name: gives the server's.
        @param chains: gives the plugins in force, by hook.
        @param messages: gives where messages are kept while they are made.
        @raise harakatw.errors.ConfigError: for keys and certificates that cannot be
            used.
        """
        self._settings = settings
        self._directory = directory
        self._name, self._messages = name, messages
        self._reactor, self._threads, self._switch = reactor, threads, log
        self._store_threads = PooledThreads(reactor, 4)
        self.store = SQLiteStore(
            directory,
            StoreReactor(self._call_from_thread, time.time),
            self._store_threads,
            make_writer=partial(WriterThread, ends=round_of(reactor)),
        )
        self._configure_client(settings)
        self._make_lookups()
        self.pool = ClientPool(self._connect, self._policy)
        self.login = HostLogin(lambda hop: self._connect(hop, self._policy(hop)))
        self._courier = Courier(
            self.store, self.pool, self._make_router(), chains, self._most
        )
        self.engine = OutboundEngine(
            store=self.store,
            threads=threads,
            chains=chains,
            now=time.time,
            always_split=lambda: self._settings.outbound.always_split,
            keep_client=lambda: self._settings.outbound.keep_client,
            letters=self._letters,
        )
        teller = Teller(
            store=self.store,
            threads=threads,
            chains=chains,
            reporter=lambda: self._reporter,
            send=self.engine.send_report,
            now=time.time,
            log=log,
        )
        self.scheduler = self._make_scheduler(teller)
        self._pauses = PauseBook(directory)
        self._tool = QueueTool(
            store=self.store,
            now=time.time,
            settled=teller.settled,
            threads=threads,
            engine=self.scheduler,
            pauses=self._pauses,
        )
        self._control: Control | None = None

    # ---- life ------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the directory, for the user that the server is about to become."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        server = self._settings.server
        give_to(self._directory, server.user, server.group)

    def start(self) -> None:
        """
        Open the queue, and deliver.

        @raise harakatw.errors.StoreError: the queue cannot be opened.
        """
        self._store_threads.start()
        try:
            self.store.open()
        except BaseException:
            self._store_threads.stop()
            raise
        self.engine.scheduler = self.scheduler
        self._pause()
        self.scheduler.start()
        try:
            self._control = start_control(self._reactor, self._directory, self._tool)
        except ConfigError as error:  # mail can flow without the queue tools
            self._log.error("{error}", error=error)

    def stop(self) -> "Deferred[None]":
        """Let what runs finish; fires when the queue is closed."""
        self.engine.scheduler = None
        stopped = succeed(None) if self._control is None else self._control.stop()
        stopped.addCallback(lambda _: self.scheduler.stop())
        stopped.addCallback(lambda _: self.pool.close())
        stopped.addCallback(lambda _: self.store.close())
        return stopped.addCallback(lambda _: self._store_threads.stop())

    def configure(self, settings: Settings) -> None:
        """
        Keep to other settings from now on.

        @raise harakatw.errors.ConfigError: for keys and certificates that cannot be
            used; all is as before then.
        """
        self._configure_client(settings)
        dns = self._settings.dns
        self._settings = settings
        if settings.dns != dns:
            self._make_lookups()
        self._replace_pool()
        self._courier.router = self._make_router()
        self.scheduler.configure(self._scheduler_settings())

    def _pause(self) -> None:
        """What somebody has paused stays so when the server starts again."""
        try:
            self._pauses.read()
        except StoreError as error:
            self._log.error("{error}", error=error)
        for target in self._pauses.targets:
            self.scheduler.pause(target)

    # ---- parts -----------------------------------------------------------------------

    def _replace_pool(self) -> None:
        """Connections that began under other rules must not be used any longer."""
        self.pool.close()
        self.pool = ClientPool(self._connect, self._policy)
        self._courier.pool = self.pool

    def _configure_client(self, settings: Settings) -> None:
        """All that does not ask C{_settings}; what may fail comes first."""
        config = settings.files.directory
        self._client: ClientSettings = client_settings(
            self._reactor,
            self._name(),
            ClientTLS(settings.client_tls, config, settings.tls),
            settings.client,
            self._threads.call,
            self._switch,
        )
        self._rules = TLSRules(settings.client_tls)
        self._reporter = Reporter(
            me=self._name(), options=settings.bounce, new_id=_new_id, pid=os.getpid()
        )
        self._site_limits = lru_cache(4096)(settings.outbound.limits_for)

    def _call_from_thread(self, function: Callable[..., Any], *args: object) -> None:
        self._reactor.callFromThread(function, *args)

    def _most(self, site: str) -> int | None:
        return self._site_limits(site).messages_per_connection

    def _connect(self, hop: Hop, policy: TLSPolicy) -> "Deferred[Any]":
        return connect(hop, self._reactor, self._client, policy)

    def _policy(self, hop: Hop) -> TLSPolicy:
        return self._rules.policy(hop, hop.from_dns)

    def _letters(self) -> LetterWriter:
        return LetterWriter(
            self._messages(),
            self._name(),
            _new_id,
            time.time,
            self._settings.outbound.received_text,
        )

    def _make_router(self) -> Router:
        settings = self._settings
        options = settings.outbound
        guard = Guard(
            names=frozenset((self._name().lower(),)),
            addresses=interface_addresses(),
            local_ok=options.local_mx_ok,
            private_ok=options.private_mx_ok,
        )
        forced = parse_hosts(settings.client_tls.force_tls_hosts)
        wanted = RouteSettings(
            guard=guard,
            prefer=options.inet_prefer,
            has_own_queue=options.has_own_queue,
            has_own_connections=forced.contain,
        )
        return Router(self._mx, self._addresses, wanted, random.Random())

    def _make_lookups(self) -> None:
        """What they remember lasts as long as the server asks DNS in the same way."""
        dns, reactor = self._settings.dns, self._reactor
        records = RecordLookup(make_resolver(dns, reactor), reactor, dns.timeout / 1000)
        hosts = HostsFile(HOSTS_FILE, reactor)
        self._mx = MXLookup(records, hosts, reactor)
        self._addresses = AddressLookup(records, hosts, reactor)

    def _make_scheduler(self, teller: Teller) -> Scheduler:
        return Scheduler(
            store=self.store,
            route=lambda work: self._courier.route(work),
            attempt=lambda work: self._courier.attempt(work),
            settled=teller.settled,
            settings=self._scheduler_settings(),
            clock=self._reactor,
            now=time.time,
            random=random.random,
        )

    def _scheduler_settings(self) -> SchedulerSettings:
        options = self._settings.outbound
        return SchedulerSettings(
            retry=RetryPolicy(
                intervals=options.intervals,
                max_lifetime=options.max_lifetime,
                delay_warning=options.delay_warning,
            ),
            limits=self._site_limits,
            concurrency_max=options.concurrency_max,
            is_disabled=options.disabled,
        )


def _new_id() -> str:
    return secrets.token_hex(16)
