"""The outbound engine of a server, from its files to its connections."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import LogLevel

from harakatw.errors import StoreError
from harakatw.interfaces.queue import ItemState
from harakatw.outbound.control.pauses import PAUSES, PauseBook
from harakatw.outbound.scheduler.core import Target
from harakatw.process.outbound import Outbound
from harakatw.process.settings import Settings
from tests.log_events import collect_log
from tests.process.outbounds import ALICE, BOB, OutboundTestCase


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

    def test_paused(self) -> None:
        """
        What was paused by hand is so after a restart, until somebody resumes it; where
        C{outbound.ini} says C{disabled} that alone does not help.
        """
        self.queue_directory.mkdir(mode=0o700)
        PauseBook(self.queue_directory).add(Target(site="192.0.2.9:2525"))
        outbound: Any = self.start()
        self.send(outbound)
        self.reactor.advance(60.0)
        self.assertEqual(self.connections, [])
        self.wait(Deferred.fromCoroutine(outbound._tool.pause(Target())))
        self.stop(outbound)
        outbound = self.start(self.settings(outbound_ini="disabled=true\n"))
        for target in (Target(), Target(site="192.0.2.9:2525")):
            self.wait(Deferred.fromCoroutine(outbound._tool.resume(target)))
            self.reactor.advance(60.0)
        self.assertEqual(self.connections, [])
        outbound.configure(self.settings(outbound_ini=""))
        self.reactor.advance(60.0)
        self.assertEqual(len(self.connections), 1)
        self.assertIn(BOB, self.host().take())

    def test_unreadable_pauses(self) -> None:
        """If nobody can tell what was paused, mail waits and the log says why."""
        self.queue_directory.mkdir(mode=0o700)
        (self.queue_directory / PAUSES).write_text("?")
        events = collect_log(self)
        outbound = self.start()
        (event,) = [each for each in events if each.get("log_level") is LogLevel.error]
        self.assertIn("haraka queue resume --all", str(event["error"]))
        self.send(outbound)
        self.assertEqual(self.connections, [])

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
