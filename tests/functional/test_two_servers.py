"""Two servers in one process do not meet."""

import smtplib
import threading
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from harakatw.cli.create import create, instance_files
from harakatw.service import HarakaService

MESSAGE = b"Subject: x\r\n\r\ny\r\n"


def _greeting(port: int) -> str:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        return client.docmd("EHLO", "client.example")[1].decode().split()[0]


def _send(port: int, recipient: str) -> int:
    """Send a message; returns 250, or the code of the refusal."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        try:
            client.sendmail("a@b.example", recipient, MESSAGE)
        except smtplib.SMTPRecipientsRefused as refused:
            code: int = refused.recipients[recipient][0]
            return code
        return 250


class TwoServersTests(TestCase):
    """Each has its own configuration, plugins, sessions and threads."""

    def start(self, host: str) -> tuple[HarakaService, Path, int]:
        """Start a server that takes mail for one domain."""
        directory = Path(self.mktemp()).absolute()
        files = instance_files(host, (host,))
        files["config/smtp.ini"] = "listen=127.0.0.1:0\n"
        create(directory, files, force=False)
        service = HarakaService(directory, reactor)
        service.privilegedStartService()
        service.startService()
        self.addCleanup(self.stop, service)
        (port,) = service.listeners.ports.values()
        return service, directory, port.getHost().port  # type: ignore[attr-defined]  # of TCP

    async def stop(self, service: HarakaService) -> None:
        """Stop a server, unless it is stopped already."""
        if service.running:
            await service.stopService()

    async def test_apart(self) -> None:
        """
        Each greets by its own name, takes mail for its own domain only, and puts it
        into its own Maildir.
        """
        _, one_directory, one = self.start("one.example")
        _, two_directory, two = self.start("two.example")
        self.assertEqual(await deferToThread(_greeting, one), "one.example")
        self.assertEqual(await deferToThread(_greeting, two), "two.example")
        self.assertEqual(await deferToThread(_send, one, "a@one.example"), 250)
        self.assertEqual(await deferToThread(_send, two, "a@one.example"), 550)
        counts = [
            len(list((directory / "maildir/new").glob("*")))
            for directory in (one_directory, two_directory)
        ]
        self.assertEqual(counts, [1, 0])

    async def test_one_stops(self) -> None:
        """One of them stops, and the other goes on."""
        first, _, one = self.start("one.example")
        _, _, two = self.start("two.example")
        await first.stopService()
        self.assertEqual(await deferToThread(_greeting, two), "two.example")
        await self.assertFailure(deferToThread(_greeting, one), ConnectionRefusedError)

    async def test_nothing_left(self) -> None:
        """A stopped server leaves no port, no timer and no thread."""
        before = set(threading.enumerate())
        service, _, port = self.start("one.example")
        self.assertEqual(await deferToThread(_send, port, "a@one.example"), 250)
        began = set(threading.enumerate()) - before
        self.assertTrue(any("harakatw" in thread.name for thread in began))
        await service.stopService()
        alive = [thread.name for thread in began if thread.is_alive()]
        self.assertEqual([name for name in alive if "harakatw" in name], [])
        self.assertEqual(service.listeners.ports, {})
