"""
The server: wires all objects together, starts them, reloads and stops them.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, Logger

from harakatw.config.watch import ConfigWatcher
from harakatw.errors import ConfigError, HarakaError
from harakatw.observe.levels import LogSwitch
from harakatw.observe.writer import LogWriter
from harakatw.process.certificates import Certificates
from harakatw.process.doors import Doors
from harakatw.process.instance import Instance
from harakatw.process.listeners import Listeners
from harakatw.process.outbound import Outbound
from harakatw.process.plugin_host import PluginHost
from harakatw.process.server import LogRecord, Server
from harakatw.process.session_context import make_context
from harakatw.process.settings import Settings, own_name, read_settings
from harakatw.process.threads import PooledThreads
from harakatw.process.user import become
from harakatw.smtp.deadlines import Sweep
from harakatw.verdict import CONT, Verdict

_T = TypeVar("_T")


class HarakaService(Service):
    """
    One server on one instance directory. Two of them in one process do not meet.

    @ivar settings: what the core's files say.
    @ivar context: for sessions that begin now, but for their listener.
    @ivar certificates: what sessions are encrypted with.
    @ivar doors: what sessions of each listener begin with.
    """

    _log = Logger()

    def __init__(
        self, directory: Path, reactor: Any, writer: LogWriter | None = None
    ) -> None:
        """
        @param directory: the instance; C{config/} and C{plugins/} are in it.
        @param reactor: TCP, time, threads and file descriptors.
        @param writer: what writes the log, to be told of changes in C{log.ini}.
        """
        self.instance = Instance(directory)
        self._reactor = reactor
        self._writer = writer
        self._log_switch = LogSwitch()
        self.settings = self._read()
        self._threads = PooledThreads(reactor)
        self.server = Server(own_name(self.settings), str(self.instance.directory))
        services: dict[str, object] = {
            "clock": reactor,
            "reactor": reactor,
            "now": time.time,
            "threads": self._threads,
            "server": self.server,
        }
        self.outbound = Outbound(
            self.settings,
            self.instance.queue(self.settings.server.queue_dir),
            name=lambda: self.server.name,
            chains=lambda: self._plugins.registry.chains,
            messages=lambda: self.context.store,
            reactor=reactor,
            threads=self._threads,
            log=self._log_switch,
        )
        services["outbound"] = self.outbound.engine
        services["host_login"] = self.outbound.login
        self._plugins = PluginHost(self.instance, services, reactor)
        self.sweep = Sweep(reactor)
        self.certificates = Certificates(
            reactor,
            time.time,
            lambda: self._change(self.outbound.configure, self.settings),
        )
        self.doors = Doors(self.sweep)
        self.listeners = Listeners(reactor, self.doors.door)
        self._watchers = (
            ConfigWatcher(reactor, self.instance.config, self._config_changed),
            ConfigWatcher(reactor, self.instance.plugins, self._plugins_changed),
        )

    # ---- start -----------------------------------------------------------------------

    def privilegedStartService(self) -> None:
        """
        Load plugins and open the ports, then become C{smtp.ini}'s user.

        @raise HarakaError: if the server cannot start; it says what to mend.
        """
        for watcher in self._watchers:
            watcher.start()
        try:
            self._plugins.load(self.settings)
            self.certificates.load(self.settings)
            self._renew_context()
            self.listeners.listen(self.settings.server.addresses)
            self.outbound.prepare()
            become(self.settings.server.user, self.settings.server.group)
        except HarakaError:
            self._stop_watching()
            self.listeners.stop()
            raise

    def startService(self) -> None:
        """Run C{init_master}, and serve."""
        super().startService()  # type: ignore[no-untyped-call]  # Twisted's
        self.certificates.start()
        self._threads.start()
        self._start_outbound()
        outcome = self.context.chains["init_master"].run(self.server)
        if isinstance(outcome, Verdict):
            self._initialised(outcome)
        else:
            outcome.addCallback(self._initialised)

    def _start_outbound(self) -> None:
        """
        A queue that cannot be opened ends the server: mail would have nowhere to go.
        """
        try:
            self.outbound.start()
        except HarakaError as error:
            self._log.critical("{error}", error=error)
            self._reactor.callLater(0, self._reactor.stop)

    def _initialised(self, verdict: Verdict) -> None:
        if verdict.denies and self.running:
            self._log.critical("a plugin's init_master says {text}", text=verdict.text)
            self._reactor.callLater(0, self._reactor.stop)

    def _read(self, before: Settings | None = None) -> Settings:
        settings = read_settings(self.instance.config, before)
        for problem in settings.problems:
            if problem.severity == "error":
                self._log.error("{problem}", problem=str(problem))
            else:
                self._log.info("{problem}", problem=str(problem))
        self._log_switch.set_level(settings.log.level)
        if self._writer is not None:
            self._writer.obey(settings.log)
        if settings.server.nodes != "0" and before is None:
            self._log.warn(
                "nodes: one process only for now, worker processes come later"
            )
        return settings

    def _renew_context(self) -> None:
        """Sessions that begin from now on are bound to what holds now."""
        self.context = make_context(
            self.settings,
            self.server.name,
            self._plugins.registry.chains,
            reactor=self._reactor,
            threads=self._threads,
            log=self._log_switch,
            outbound=self.outbound.engine,
            tls=self.certificates.tls,
        )
        self.doors.renew(self.context, self.settings.profiles)

    # ---- reload ----------------------------------------------------------------------

    def _config_changed(self, names: frozenset[str]) -> None:
        """Files in C{config/} changed: new sessions get what they say now."""
        self._log.info("changed: {names}", names=", ".join(sorted(names)))
        self.settings = self._read(self.settings)
        self.server.name = own_name(self.settings)
        self._plugins.reload(self.settings, names, frozenset())
        self.certificates.configure(self.settings)
        self._renew_context()
        self._change(self.outbound.configure, self.settings)
        self._change(self.listeners.listen, self.settings.server.addresses)

    def _change(self, change: Callable[[_T], None], wanted: _T) -> None:
        """Leave a part as it is if it cannot be as the files say."""
        try:
            change(wanted)
        except ConfigError as error:
            self._log.error("{error}", error=error)

    def _plugins_changed(self, names: frozenset[str]) -> None:
        """Files in C{plugins/} changed."""
        if any(name.endswith(".py") for name in names):
            self._plugins.reload(self.settings, frozenset(), names)
            self._renew_context()

    # ---- stop ------------------------------------------------------------------------

    def stopService(self) -> "Deferred[None]":
        """
        Close ports, then sessions; fires when the last thread has ended.

        With C{graceful_shutdown} sessions may end by themselves for a while. What is
        just being queued may end in any case.
        """
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted's
        self._stop_watching()
        self.certificates.stop()
        options = self.settings.server
        seconds = options.force_shutdown_timeout if options.graceful_shutdown else 0.0
        stopped = self.listeners.stop()
        stopped.addCallback(lambda _: self.sweep.drain(seconds))
        stopped.addCallback(lambda _: self.outbound.stop())
        return stopped.addCallback(self._stopped)

    def _stopped(self, _: object) -> None:
        self._plugins.registry.shut_down()
        self._threads.stop()

    def _stop_watching(self) -> None:
        for watcher in self._watchers:
            watcher.stop()

    def show_to_plugins(self, event: LogEvent) -> bool:
        """
        Run the C{log} hook.

        @return: is the event to be written as usual?
        """
        context = getattr(self, "context", None)
        if context is None:
            return True
        outcome = context.chains["log"].run(LogRecord(event))
        return outcome is CONT or not isinstance(outcome, Verdict)
