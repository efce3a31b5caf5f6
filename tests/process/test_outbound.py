"""The outbound engine of a server, from its files to its connections."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from harakatw.errors import ConfigError, StoreError
from harakatw.hooks.registry import make_chains
from harakatw.interfaces.queue import Filter, ItemState, QueueItem
from harakatw.message.store import StoreSettings
from harakatw.net.rounds import Round
from harakatw.observe.levels import LogSwitch
from harakatw.outbound.hop import Hop
from harakatw.outbound.store.writer import RunBatch
from harakatw.process import outbound as process_outbound
from harakatw.process import session_context
from harakatw.process.outbound import Outbound
from harakatw.process.settings import Settings, read_settings
from harakatw.testing.threads import NoThreads
from tests.config.folders import ConfigTestCase
from tests.outbound.store.fakes import NowWriter

ALICE, BOB = "alice@client.example", "bob@far.example"
STOP_TICKS = 1000
RELAY = {"queue": {"next_hop": "192.0.2.9:2525"}}


class NowReactor(MemoryReactorClock):
    """A reactor in memory without threads: what they hand over is called at once."""

    def callFromThread(
        self, function: Callable[..., object], *args: object, **named: object
    ) -> None:
        """Make a call."""
        function(*args, **named)


def _now_writer(run: RunBatch, finish: Callable[[], None], ends: Round) -> NowWriter:
    """In place of the queue's thread."""
    return NowWriter(run, finish)


class NoPool(NoThreads):
    """In place of the threads of the queue."""

    def __init__(self, reactor: object, most: int) -> None:
        """Nothing is kept."""

    def start(self) -> None:
        """There is nothing to start."""

    def stop(self) -> None:
        """There is nothing to wait for."""


class OutboundTestCase(ConfigTestCase):
    """
    A test with the engine of an instance.

    @ivar reactor: all engines have the same.
    @ivar running: those that were started and not stopped.
    """

    def setUp(self) -> None:
        """There is a name server, which nobody asks."""
        super().setUp()
        self.patch(session_context, "name_servers", lambda path: (("192.0.2.53", 53),))
        self.patch(process_outbound, "PooledThreads", NoPool)
        self.patch(process_outbound, "WriterThread", _now_writer)
        self.reactor = NowReactor()
        self.running: list[Outbound] = []
        self.addCleanup(self.stop_all)
        self.queue_directory = Path(self.mktemp())

    def settings(self, before: Settings | None = None, **files: str) -> Settings:
        """
        What an instance with these files says.

        @param files: by name, C{_} being a dot.
        """
        for name, text in files.items():
            self.write(name.replace("_", "."), text)
        return read_settings(self.directory, before)

    def engine(self, settings: Settings | None = None) -> Outbound:
        """An engine that is not started."""
        threads = NoThreads()
        chains = make_chains((), self.reactor)
        return Outbound(
            settings or self.settings(),
            self.queue_directory,
            name=lambda: "me.example",
            chains=lambda: chains,
            messages=lambda: StoreSettings(
                in_thread=threads.call, spool_dir="", spool_after=-1
            ),
            reactor=self.reactor,
            threads=threads,
            log=LogSwitch(),
        )

    def start(self, settings: Settings | None = None) -> Outbound:
        """An engine that runs."""
        outbound = self.engine(settings)
        outbound.prepare()
        outbound.start()
        self.running.append(outbound)
        return outbound

    def stop(self, outbound: Outbound) -> None:
        """Stop it, and wait for that."""
        if outbound in self.running:
            self.running.remove(outbound)
        done: list[object] = []
        outbound.stop().addBoth(done.append)
        for _ in range(STOP_TICKS):
            if done:
                break
            self.reactor.advance(0.1)
        self.assertEqual(done, [None])

    def stop_all(self) -> None:
        """The test is over."""
        for outbound in tuple(self.running):
            self.stop(outbound)

    def wait(self, pending: "Deferred[Any]") -> Any:
        """The result of something that is done by now."""
        return self.successResultOf(pending)

    def send(self, outbound: Outbound, *to: str, contents: str = "Hello") -> str:
        """Queue a message."""
        sent = outbound.engine.send_email(ALICE, to or (BOB,), contents, RELAY)
        uuid = self.wait(sent)
        assert isinstance(uuid, str), uuid
        return uuid

    def items(self, outbound: Outbound) -> tuple[QueueItem, ...]:
        """What is in the queue."""
        found: tuple[QueueItem, ...] = self.wait(outbound.store.find(Filter(), 100))
        return found

    @property
    def connections(self) -> list[tuple[str, int]]:
        """Where connections were wanted to."""
        return [(host, port) for host, port, *_ in self.reactor.tcpClients]

    def host(self, number: int = -1) -> "TalkingHost":
        """The host takes a connection."""
        factory = self.reactor.tcpClients[number][2]
        return TalkingHost(self.reactor, factory.buildProtocol(None))


class Line(StringTransport):
    """
    What the engine writes to.

    @ivar aborted: has it dropped the connection?
    """

    def __init__(self, reactor: NowReactor, protocol: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self._reactor, self._protocol = reactor, protocol
        self.aborted = False

    def abortConnection(self) -> None:
        """The engine drops it."""
        self.aborted = True
        self.loseConnection()

    def loseConnection(self) -> None:
        """It is closed, of which the engine hears a little later."""
        if not self.disconnecting:
            super().loseConnection()  # type: ignore[no-untyped-call]
            why = Failure(ConnectionDone())
            self._reactor.callLater(0, self._protocol.connectionLost, why)


class TalkingHost:
    """
    One connection to a host that takes everything.

    @ivar line: what it hears.
    """

    def __init__(self, reactor: NowReactor, protocol: Any) -> None:
        self.line = Line(reactor, protocol)
        self._protocol = protocol
        protocol.makeConnection(self.line)

    def say(self, *lines: str) -> str:
        """Say something; returns what is heard then."""
        self.line.clear()
        for line in lines:
            self._protocol.dataReceived(f"{line}\r\n".encode())
        heard: bytes = self.line.value()
        return heard.decode()

    def take(self) -> str:
        """Take a message; returns what was said of it, the greeting apart."""
        self.say("220 hi")
        heard = self.say("250-hi", "250 PIPELINING")
        heard += self.say("250 ok", "250 ok", "354 go")
        self.say("250 taken")
        return heard


class LifeTests(OutboundTestCase):
    """From the start to the end."""

    def test_deliver(self) -> None:
        """Mail that is queued is delivered, and is gone then."""
        outbound = self.start()
        self.send(outbound)
        self.assertEqual(self.connections, [("192.0.2.9", 2525)])
        heard = self.host().take()
        self.assertIn(f"MAIL FROM:<{ALICE}>\r\nRCPT TO:<{BOB}>\r\n", heard)
        self.assertIn("\r\n\r\nHello\r\n.\r\n", heard)
        self.assertEqual(self.items(outbound), ())

    def test_directory(self) -> None:
        """The queue is for its owner's eyes only."""
        outbound = self.engine()
        outbound.prepare()
        self.assertEqual(self.queue_directory.stat().st_mode & 0o777, 0o700)
        outbound.prepare()

    def test_restart(self) -> None:
        """What waits when the server stops is delivered by the next one."""
        outbound = self.start(self.settings(outbound_ini="disabled=true\n"))
        self.send(outbound)
        self.stop(outbound)
        self.assertEqual(self.connections, [])
        self.start(self.settings(outbound_ini=""))
        self.reactor.advance(1.0)
        self.assertEqual(len(self.connections), 1)
        self.assertIn(BOB, self.host().take())

    def test_stop_while_sending(self) -> None:
        """
        A message that is on its way when the server stops is in the queue afterwards,
        and no other host is tried.
        """
        outbound = self.start()
        self.send(outbound)
        host = self.host()
        host.say("220 hi")
        self.stop(outbound)
        self.assertTrue(host.line.aborted)
        self.assertEqual(len(self.connections), 1)
        again = self.start(self.settings(outbound_ini="disabled=true\n"))
        (item,) = self.items(again)
        self.assertIs(item.state, ItemState.READY)

    def test_stop_closes_connections(self) -> None:
        """Connections that wait for another message are closed politely."""
        outbound = self.start()
        self.send(outbound)
        host = self.host()
        host.take()
        host.line.clear()
        self.stop(outbound)
        self.assertEqual(host.line.value(), b"QUIT\r\n")

    def test_in_use(self) -> None:
        """
        Two servers cannot have one queue: the second does not start, can be stopped all
        the same, and does not harm the first.
        """
        first = self.start(self.settings(outbound_ini="disabled=true\n"))
        second = self.engine()
        second.prepare()
        self.assertRaises(StoreError, second.start)
        self.stop(second)
        self.send(first)
        self.assertEqual(len(self.items(first)), 1)

    def test_not_started(self) -> None:
        """An engine that was never started can be stopped."""
        self.stop(self.engine())


class SettingsTests(OutboundTestCase):
    """What the files say is heeded, and so is what they say later."""

    def change(self, outbound: Outbound, before: Settings, **files: str) -> Settings:
        """Have the files say something else."""
        settings = self.settings(before, **files)
        self.assertEqual(settings.problems, ())
        outbound.configure(settings)
        return settings

    def test_disabled(self) -> None:
        """C{disabled} queues mail, and delivers it when it is taken back."""
        before = self.settings(outbound_ini="disabled=true\n")
        outbound = self.start(before)
        self.send(outbound)
        self.assertEqual(self.connections, [])
        before = self.change(outbound, before, outbound_ini="disabled=false\n")
        self.assertEqual(len(self.connections), 1)
        self.change(outbound, before, outbound_ini="disabled=true\n")
        self.send(outbound, "carol@far.example")
        self.assertEqual(len(self.connections), 1)

    def test_connect_timeout(self) -> None:
        """C{connect_timeout} is how long a host may take to answer."""
        before = self.settings(outbound_ini="connect_timeout=7\n")
        outbound = self.start(before)
        self.send(outbound)
        self.change(outbound, before, outbound_ini="connect_timeout=9\n")
        self.send(outbound)
        seconds = [timeout for _, _, _, timeout, _ in self.reactor.tcpClients]
        self.assertEqual(seconds, [7, 9])

    def test_always_split(self) -> None:
        """C{always_split} makes an item of each recipient, from now on."""
        before = self.settings(outbound_ini="disabled=true\n")
        outbound = self.start(before)
        self.send(outbound, BOB, "carol@far.example")
        self.assertEqual(len(self.items(outbound)), 1)
        text = "disabled=true\nalways_split=true\n"
        self.change(outbound, before, outbound_ini=text)
        self.send(outbound, BOB, "carol@far.example")
        self.assertEqual(len(self.items(outbound)), 3)

    def test_received_header(self) -> None:
        """C{received_header} is in the trace field of our own mail, if there is one."""
        before = self.settings(outbound_ini="disabled=true\n")
        outbound = self.start(before)
        for text, expected in (
            ("", "(Haraka outbound)"),
            ("received_header=Our relay\n", "(Our relay)"),
            ("received_header=disabled\n", ""),
        ):
            ini = f"disabled=true\n{text}"
            before = self.change(outbound, before, outbound_ini=ini)
            self.send(outbound)
            last = self.items(outbound)[-1]
            body = self.wait(outbound.store.read_body(last.message_id))
            octets = b"".join(body).decode()
            self.assertEqual("Received: by me.example" in octets, bool(expected))
            self.assertIn(expected, octets)

    def test_limits(self) -> None:
        """
        The limits of a site are those of its section: one connection at a time here,
        with one message.
        """
        ini = "[192.0.2.9]\nconnections=1\nmessages_per_connection=1\n"
        before = self.settings(outbound_ini=ini)
        outbound = self.start(before)
        for _ in range(3):
            self.send(outbound)
        self.assertEqual(len(self.connections), 1)
        host = self.host()
        host.take()
        self.assertIn(b"QUIT\r\n", host.line.value())
        self.assertEqual(len(self.connections), 2)
        ini = "[192.0.2.9]\nconnections=5\n"
        self.change(outbound, before, outbound_ini=ini)
        self.assertEqual(len(self.connections), 3)

    def test_intervals(self) -> None:
        """C{temp_fail_intervals=none}: what fails once bounces."""
        outbound = self.start(self.settings(outbound_ini="temp_fail_intervals=none\n"))
        self.send(outbound)
        self.host().say("421 busy")
        self.assertEqual(self._senders(outbound), {""})

    def _senders(self, outbound: Outbound) -> set[str]:
        return {item.message.sender for item in self.items(outbound)} - {ALICE}

    def test_loops(self) -> None:
        """Mail for a domain whose host is this server is not sent round in circles."""
        outbound: Any = self.engine()
        guard = outbound._courier.router._settings.guard
        self.assertTrue(guard.is_our_name("me.example"))
        outbound.configure(self.settings(outbound_ini="local_mx_ok=true\n"))
        guard = outbound._courier.router._settings.guard
        self.assertFalse(guard.is_our_name("me.example"))


class TLSTests(OutboundTestCase):
    """C{tls.ini}."""

    def policy(self, **files: str) -> tuple[bool, bool]:
        """Is TLS required for mail to C{far.example}, and a certificate?"""
        outbound: Any = self.engine(self.settings(None, **files))
        router = outbound._courier.router
        route = router.route("far.example", RELAY)
        (hop,) = route.ranks[0].hops
        policy = outbound._policy(attrs.evolve(hop, ip="192.0.2.9"))
        return policy.required, policy.verified

    def test_forced_domain(self) -> None:
        """
        A recipient domain in C{force_tls_hosts} is one in whatever case it is written,
        and wherever its mail is sent: it goes over TLS with a valid certificate.
        """
        self.assertEqual(self.policy(), (False, False))
        for written in ("far.example", "Far.Example", "far.example."):
            ini = f"[outbound]\nforce_tls_hosts[]={written}\n"
            self.assertEqual(self.policy(tls_ini=ini), (True, True), written)
        ini = "[outbound]\nforce_tls_hosts[]=other.example\n"
        self.assertEqual(self.policy(tls_ini=ini), (False, False))

    def test_own_connections(self) -> None:
        """Mail of such a domain does not use the connections of others."""
        ini = "[outbound]\nforce_tls_hosts[]=Far.Example\n"
        outbound: Any = self.engine(self.settings(tls_ini=ini))
        router = outbound._courier.router
        hops = [
            router.route(domain, RELAY).ranks[0].hops
            for domain in ("far.example", "other.example")
        ]
        self.assertNotEqual(*hops)

    def test_bad_certificate(self) -> None:
        """
        A certificate that cannot be used is reported, all is as it was before, and the
        next change is heeded as if that one had not been.
        """
        before = self.settings()
        outbound = self.start(before)
        bad = self.settings(
            before,
            outbound_ini="disabled=true\nreceived_header=Other\n",
            tls_ini="[main]\nmutual_tls=true\n",
        )
        self.assertRaises(ConfigError, outbound.configure, bad)
        self.send(outbound)
        self.assertEqual(len(self.connections), 1)
        good = self.settings(bad, tls_ini="")
        outbound.configure(good)
        self.send(outbound)
        self.assertEqual(len(self.connections), 1)

    def test_connections_that_wait(self) -> None:
        """
        A connection that was opened under other rules takes no more mail: it is closed,
        at once or after the message that is on its way.
        """
        before = self.settings()
        outbound = self.start(before)
        self.send(outbound)
        waiting = self.host()
        waiting.take()
        hop = Hop(host="192.0.2.9", ip="192.0.2.9", port=2525)
        self.assertEqual(len(outbound.pool._idle[hop]), 1)
        waiting.line.clear()
        outbound.configure(before)
        self.assertEqual(waiting.line.value(), b"QUIT\r\n")
        self.send(outbound)
        busy = self.host()
        busy.say("220 hi")
        busy.say("250 hi")
        outbound.configure(before)
        busy.say("250 ok")
        busy.say("250 ok")
        busy.say("354 go")
        self.assertEqual(busy.say("250 taken"), "QUIT\r\n")
        self.assertEqual(outbound.pool._idle, {})
