"""Clients that other people wrote."""

import os
import shutil
import smtplib
from email.message import EmailMessage
from email.policy import SMTPUTF8

from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread
from twisted.internet.utils import getProcessOutputAndValue

from tests.functional.hurry import reactor
from tests.functional.memory import NO_MEASURE, Growth
from tests.functional.server import RunningServer, ServerTestCase

DOTS = (
    b"Subject: dots\r\n\r\n.\r\n..\r\n...\r\n.x\r\n\r\n.\t.\r\n\r\n"
    b"trailing blank \r\n8 bits: \xc3\xa9\xff\r\nno line end at the last line"
)

_MOST_GROWTH = 16_000_000


class ClientTestCase(ServerTestCase):
    """Runs programs against a server with a Maildir."""

    def bodies(self, server: RunningServer) -> list[bytes]:
        """What was delivered, without the trace fields in front."""
        return [self.without_trace(message) for message in server.delivered()]

    def without_trace(self, message: bytes) -> bytes:
        """Take away Return-Path and Received, which must be there."""
        self.assertTrue(message.startswith(b"Return-Path: <"))
        received, _, rest = message.partition(b"\r\n")[2].partition(b"+0000\r\n")
        self.assertTrue(received.startswith(b"Received: from "), message[:200])
        return rest

    async def run_program(self, *command: str) -> bytes:
        """Run a program, which must end with status 0; what it wrote."""
        program = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            self.skipTest(f"{command[0]} is not installed")
        out, errors, status = await getProcessOutputAndValue(
            program, command[1:], os.environ, "/", reactor
        )
        self.assertEqual(status, 0, out[-500:] + errors[-500:])
        return bytes(out)


class SMTPLibTests(ClientTestCase):
    """Python's own client, in a thread."""

    async def test_message(self) -> None:
        """What is delivered is what was sent, octet by octet, behind the trace."""
        server = self.start()

        def send() -> None:
            with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
                refused = client.sendmail(
                    "a@client.example",
                    ["b@here.example", "c@here.example", "d@elsewhere.example"],
                    DOTS,
                    ["BODY=8BITMIME"],
                )
                self.assertEqual(list(refused), ["d@elsewhere.example"])
                self.assertEqual(refused["d@elsewhere.example"][0], 550)

        await deferToThread(send)
        (body,) = self.bodies(server)
        self.assertEqual(body, DOTS + b"\r\n")

    async def test_several(self) -> None:
        """Several messages in a session, one of them refused, one with RSET."""
        server = self.start()

        def send() -> None:
            with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
                for number in range(5):
                    text = b"Subject: %d\r\n\r\nx\r\n" % number
                    client.sendmail("a@client.example", "b@here.example", text)
                    with self.assertRaises(smtplib.SMTPRecipientsRefused):
                        client.sendmail("a@client.example", "b@else.example", text)
                    client.rset()
                code, _ = client.verify("b@here.example")
                self.assertEqual(code, 252)

        await deferToThread(send)
        subjects = sorted(body.partition(b"\r\n")[0] for body in self.bodies(server))
        self.assertEqual(subjects, [b"Subject: %d" % number for number in range(5)])

    async def test_utf8(self) -> None:
        """A message to an address that is not ASCII, with such a header (RFC 6531)."""
        server = self.start()
        message = EmailMessage(SMTPUTF8)
        message["From"] = "a@client.example"
        message["To"] = "bücher@here.example"
        message["Subject"] = "Bücher"
        message.set_content("grün\n")

        def send() -> None:
            with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
                client.send_message(message)

        await deferToThread(send)
        (body,) = self.bodies(server)
        self.assertIn("Subject: Bücher\r\n".encode(), body)

    async def test_too_big(self) -> None:
        """A client that heeds SIZE learns before it sends that this is too big."""
        server = self.start({"config/connection.ini": "[max]\nbytes=1000\n"})

        def send() -> int:
            with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
                try:
                    client.sendmail("a@b.example", "b@here.example", b"x\r\n" * 1000)
                except smtplib.SMTPSenderRefused as refused:
                    code: int = refused.smtp_code
                    return code
                return 250

        self.assertEqual(await deferToThread(send), 552)


class ProgramTests(ClientTestCase):
    """Programs, each in a process of its own."""

    async def smtp_source(self, server: RunningServer, *options: str) -> None:
        """Run Postfix's source of test mail."""
        await self.run_program(
            *("smtp-source", *options),
            *("-f", "a@client.example", "-t", "b@here.example"),
            f"inet:127.0.0.1:{server.port}",
        )

    async def test_swaks(self) -> None:
        """swaks sends a message with an attachment."""
        server = self.start()
        await self.run_program(
            *("swaks", "--server", "127.0.0.1", "--port", str(server.port)),
            *("--helo", "client.example", "--from", "a@client.example"),
            *("--to", "b@here.example", "--header", "Subject: by swaks"),
            *("--attach", f"@{__file__}"),
        )
        (body,) = self.bodies(server)
        self.assertIn(b"\r\nSubject: by swaks\r\n", body)
        self.assertIn(b"\r\nContent-Disposition: attachment; ", body)

    async def test_many_sessions(self) -> None:
        """Two hundred messages in twenty sessions at a time: all arrive, none twice."""
        server = self.start()
        await self.smtp_source(server, "-s", "20", "-m", "200", "-l", "5000", "-N")
        bodies = self.bodies(server)
        self.assertEqual(len(bodies), 200)
        self.assertEqual({len(body) // 1000 for body in bodies}, {5})

    async def test_one_session(self) -> None:
        """The same with all messages in a single session."""
        server = self.start()
        await self.smtp_source(server, "-d", "-s", "1", "-m", "50")
        self.assertEqual(len(server.delivered()), 50)
        ended = await self.log.wait_for(" disconnect ip=")
        self.assertIn(" msgs=50/0/0 ", ended)

    async def test_flat_memory(self) -> None:
        """Messages of 20 megaoctets, two at a time, pass through a file, not memory."""
        if NO_MEASURE:
            self.skipTest(NO_MEASURE)
        server = self.start({"config/connection.ini": "spool_after=262144\n"})
        await self.smtp_source(server, "-m", "1")  # so that what is loaded once is
        growth = Growth()
        looking = LoopingCall(growth.look)
        done = looking.start(0.01)
        try:
            await self.smtp_source(server, "-s", "2", "-m", "4", "-l", "20000000")
        finally:
            looking.stop()
            await done
        self.assertLess(growth.most, _MOST_GROWTH)
        paths = (server.directory / "maildir/new").iterdir()
        sizes = sorted(path.stat().st_size for path in paths)
        self.assertEqual(len(sizes), 5)
        self.assertGreater(sizes[1], 20_000_000)
