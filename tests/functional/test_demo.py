"""The demo: from nothing to a message on the disk."""

import shlex
import shutil
import signal
import smtplib
import ssl
import subprocess
import sys
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from random import Random

from tests.functional.processes import HARAKA, ProcessTestCase, Running, free_port

MESSAGE = (
    b"From: me@example.org\r\nSubject: hello\r\n\r\n"
    b".a dot\r\n..two\r\ntrailing blank \r\n\tand 8 bits: \xc3\xa9\r\n\r\n\r\n"
)

_MEGABYTE = 1_000_000
_ATTACHED_OCTETS = 20 * _MEGABYTE
_MOST_GROWTH_OCTETS = 30 * _MEGABYTE


class DemoTests(ProcessTestCase):
    """What C{haraka demo} does for somebody who has just installed it."""

    def setUp(self) -> None:
        """Run the demo."""
        self.directory = Path(self.mktemp()).absolute()
        self.port = free_port()
        self.demo = self.start(self.directory)
        self.demo.wait_for("It lands in")

    def start(self, directory: Path) -> Running:
        """Run a demo in a directory."""
        listen = f"127.0.0.1:{self.port}"
        return self.begin(HARAKA, "demo", str(directory), "--listen", listen)

    def send(self, message: bytes) -> bytes:
        """Send a message, and return what has come of it."""
        before = set(self.delivered())
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
            client.sendmail("me@example.org", "you@localhost", message)
        (path,) = set(self.delivered()) - before
        return path.read_bytes()

    def delivered(self) -> list[Path]:
        """The messages in the Maildir."""
        return list((self.directory / "maildir/new").glob("*"))

    def check_message(self, delivered: bytes, message: bytes) -> None:
        """It is what was sent, octet by octet, with trace fields in front of it."""
        self.assertTrue(delivered.endswith(message))
        trace = delivered.removesuffix(message).decode("ascii").splitlines()
        fields = [line.partition(":")[0] for line in trace if line[:1] not in " \t"]
        self.assertEqual(fields, ["Return-Path", "Received"])
        self.assertEqual(trace[0], "Return-Path: <me@example.org>")

    def test_message(self) -> None:
        """
        A message lands in the Maildir as it was sent; Ctrl-C ends the demo with status
        0, and nobody sees a traceback.
        """
        self.check_message(self.send(MESSAGE), MESSAGE)
        self.assertEqual(self.demo.end(signal.SIGINT), 0)
        self.assertNotIn("Traceback", self.demo.printed())

    def test_big_attachment(self) -> None:
        """20 MB of attachment land there too, without passing through memory whole."""
        self.send(MESSAGE)  # so that what is loaded once is loaded
        mail = EmailMessage(SMTP)
        mail["Subject"] = "big"
        mail.add_attachment(
            Random(1).randbytes(_ATTACHED_OCTETS),
            maintype="application",
            subtype="octet-stream",
        )
        message = mail.as_bytes()
        self.assertGreater(len(message), _ATTACHED_OCTETS)
        before = self.demo.memory("VmRSS")
        self.check_message(self.send(message), message)
        growth = self.demo.memory("VmHWM") - before
        self.assertLess(growth, _MOST_GROWTH_OCTETS)

    def test_python_line(self) -> None:
        """The line that the demo prints for Python sends a message."""
        line = self.printed_line("python3 ")
        words = [sys.executable, *shlex.split(line)[1:]]
        subprocess.run(words, check=True, timeout=60)
        (path,) = self.delivered()
        self.assertIn(b"It works.\r\n", path.read_bytes())

    def test_swaks_line(self) -> None:
        """So does the line for swaks."""
        if shutil.which("swaks") is None:
            self.skipTest("swaks is not installed")
        line = self.printed_line("swaks ")
        subprocess.run(
            shlex.split(line), check=True, timeout=60, stdout=subprocess.DEVNULL
        )
        self.assertEqual(len(self.delivered()), 1)

    def test_encrypted(self) -> None:
        """It takes messages encrypted, with the certificate that was made for it."""
        authority = self.directory / "config/tls_cert.pem"
        context = ssl.create_default_context(cafile=str(authority))
        with smtplib.SMTP("localhost", self.port, timeout=60) as client:
            client.starttls(context=context)
            client.sendmail("me@example.org", "you@localhost", MESSAGE)
        self.assertEqual(len(self.delivered()), 1)
        self.assertIn("openssl s_client", self.demo.printed())

    def printed_line(self, start: str) -> str:
        """The line among the instructions that begins so."""
        lines = [line.strip() for line in self.demo.printed().splitlines()]
        (found,) = [line for line in lines if line.startswith(start)]
        return found

    def test_stranger(self) -> None:
        """The demo is no open relay."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
            refused = self.assertRaises(
                smtplib.SMTPRecipientsRefused,
                client.sendmail,
                "me@example.org",
                "you@elsewhere.example",
                MESSAGE,
            )
        self.assertEqual(refused.recipients["you@elsewhere.example"][0], 550)

    def test_again(self) -> None:
        """Run once more, it goes on with the instance as it is, mail and all."""
        self.send(MESSAGE)
        smtp_ini = self.directory / "config/smtp.ini"
        text = smtp_ini.read_bytes()
        self.assertEqual(self.demo.end(signal.SIGTERM), 0)
        again = self.begin(HARAKA, "demo", str(self.directory))
        again.wait_for("It lands in")
        self.send(MESSAGE)
        self.assertEqual(len(self.delivered()), 2)
        self.assertEqual(smtp_ini.read_bytes(), text)

    def test_port_in_use(self) -> None:
        """Where the port is taken the demo says so in a line, with status 1."""
        second = self.start(Path(self.mktemp()).absolute())
        self.assertEqual(second.end(), 1)
        last = second.printed().splitlines()[-1]
        self.assertIn(f"127.0.0.1:{self.port}: Address already in use", last)
        self.assertNotIn("Traceback", second.printed())
        self.assertNotIn("It lands in", second.printed())
