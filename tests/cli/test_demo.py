"""The demo, but for the server itself; see C{tests/functional/test_demo.py}."""

import io
import shlex
import time
from pathlib import Path

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.cli.demo import demo, instructions, make_demo
from harakatw.cli.failure import CommandError
from harakatw.cli.instance import open_instance
from harakatw.config.connection import ConnectionOptions
from harakatw.config.options import load_options
from harakatw.net.tls.load import load_tls
from harakatw.net.tls.options import TLSOptions
from harakatw.process.certificates import tls_problems
from tests.cli.instances import InstanceTestCase


class MakeDemoTests(SynchronousTestCase):
    """The instance that the demo makes."""

    def test_listens(self) -> None:
        """It listens on the port asked for, and on this machine only."""
        directory = Path(self.mktemp())
        make_demo(directory, "127.0.0.1:2626")
        addresses = open_instance(directory).server.addresses
        self.assertEqual([str(address) for address in addresses], ["127.0.0.1:2626"])

    def test_big_attachment(self) -> None:
        """20 MB of attachment fit in, encoded as they are on their way."""
        directory = Path(self.mktemp())
        make_demo(directory, "127.0.0.1:2626")
        files = open_instance(directory).files
        limits = load_options(ConnectionOptions, files, "connection").options
        self.assertGreater(limits.max_bytes, 20_000_000 * 4 / 3 * 78 / 76)

    def test_local_domains(self) -> None:
        """It takes mail for localhost, whatever the machine is called."""
        directory = Path(self.mktemp())
        make_demo(directory, "127.0.0.1:2626")
        hosts = open_instance(directory).files.read_list("host_list").value
        self.assertIn("localhost", hosts)

    def test_tls(self) -> None:
        """It has a certificate for this machine, and offers STARTTLS."""
        directory = Path(self.mktemp())
        make_demo(directory, "127.0.0.1:2626")
        instance = open_instance(directory)
        self.assertIn("tls", instance.plugin_names)
        self.assertEqual(tls_problems(instance.settings, time.time()), ())
        loaded = load_tls(TLSOptions(), instance.files, "localhost")
        assert loaded.table is not None
        (pair,) = loaded.table.pairs
        self.assertIn("localhost", pair.names)

    def test_key(self) -> None:
        """Nobody else may read the key."""
        directory = Path(self.mktemp())
        make_demo(directory, "127.0.0.1:2626")
        mode = (directory / "config/tls_key.pem").stat().st_mode
        self.assertEqual(mode & 0o777, 0o600)

    def test_bad_address(self) -> None:
        """What is no address with a port is refused, before anything is made."""
        directory = Path(self.mktemp())
        for listen in ("nonsense", "/run/haraka.sock", "127.0.0.1", "127.0.0.1:70000"):
            error = self.assertRaises(CommandError, make_demo, directory, listen)
            self.assertIn("--listen", str(error))
        self.assertFalse(directory.exists())


class ExistingTests(InstanceTestCase):
    """The demo on an instance that is there."""

    def test_left_alone(self) -> None:
        """Its address is its own: C{--listen} does not change it."""
        self.write(smtp_ini="listen=127.0.0.1:2727\n")
        error = self.assertRaises(
            CommandError,
            demo,
            self.directory,
            "127.0.0.1:2828",
            MemoryReactorClock(),
            io.StringIO(),
        )
        self.assertIn("config/smtp.ini", str(error))
        text = (self.directory / "config/smtp.ini").read_text()
        self.assertEqual(text, "listen=127.0.0.1:2727\n")


class InstructionsTests(InstanceTestCase):
    """What the demo tells to type."""

    def test_commands(self) -> None:
        """Both lines can be pasted into a shell, and name the port and a recipient."""
        self.write(
            smtp_ini="listen=127.0.0.1:2727\n",
            host_list="mx.example\n",
            plugins="queue/maildir\n",
        )
        lines = instructions(self.instance()).splitlines()
        (swaks,) = (line for line in lines if line.startswith("  swaks"))
        self.assertIn("--server 127.0.0.1:2727", swaks)
        self.assertEqual(shlex.split(swaks)[-2:], ["--to", "you@mx.example"])
        (python,) = (line for line in lines if line.startswith("  python3"))
        code = shlex.split(python)[2]
        compile(code, "instructions", "exec")
        self.assertIn('SMTP("127.0.0.1", 2727)', code)
        self.assertIn(f"{self.directory.absolute()}/maildir/new", lines[-1])

    def test_every_address(self) -> None:
        """A server that listens everywhere is reached on this machine."""
        self.write(smtp_ini="listen=[::0]:2727\n")
        self.assertIn("--server 127.0.0.1:2727", instructions(self.instance()))

    def test_ipv6(self) -> None:
        """An IPv6 address stands in brackets before its port."""
        self.write(smtp_ini="listen=[::1]:2727\n")
        text = instructions(self.instance())
        self.assertIn("--server [::1]:2727", text)
        self.assertIn('SMTP("::1", 2727)', text)

    def test_elsewhere(self) -> None:
        """Without the Maildir plugin nobody is sent to look there."""
        self.assertNotIn("maildir", instructions(self.instance()))

    def test_socket_only(self) -> None:
        """Without an IP address there is nothing to type."""
        self.write(smtp_ini="listen=/run/haraka.sock\n")
        error = self.assertRaises(CommandError, instructions, self.instance())
        self.assertIn("IP address", str(error))
