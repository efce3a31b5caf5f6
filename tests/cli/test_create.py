"""Making an instance."""

import io
import socket
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.cli.check import check
from harakatw.cli.create import create, instance_files, own_host
from harakatw.cli.failure import CommandError
from harakatw.cli.instance import open_instance
from harakatw.cli.services import make_services


class CreateTests(SynchronousTestCase):
    """What C{haraka -i} leaves behind."""

    def setUp(self) -> None:
        """Choose a place."""
        self.directory = Path(self.mktemp())

    def make(self, *, force: bool = False) -> None:
        """Make an instance that takes mail for two domains."""
        files = instance_files("mx.example", ("mx.example", "example.org"))
        create(self.directory, files, force=force)

    def test_contents(self) -> None:
        """The files that one edits first are there, with the host's name filled in."""
        self.make()
        instance = open_instance(self.directory)
        self.assertEqual(instance.server.me, "mx.example")
        self.assertEqual(
            instance.files.read_list("host_list").value, ("mx.example", "example.org")
        )
        self.assertEqual(
            instance.plugin_names, ("rcpt_to.in_host_list", "queue/maildir")
        )
        names = set(instance.files.names())
        self.assertLessEqual({"smtp.ini", "connection.ini", "log.ini"}, names)
        for folder in ("plugins", "docs/plugins"):
            self.assertTrue((self.directory / folder).is_dir())
        self.assertIn("haraka check", (self.directory / "README").read_text())

    def test_no_problems(self) -> None:
        """A new instance is right as it is, so that no warning is the usual thing."""
        self.make()
        instance, out = open_instance(self.directory), io.StringIO()
        status = check(instance, make_services(instance, Clock()), out)
        self.assertEqual((status, out.getvalue()), (0, "no problems found\n"))

    def test_samples_change_nothing(self) -> None:
        """Everything in the ini files is commented out."""
        files = instance_files("mx.example", ())
        for name, text in files.items():
            if name.endswith(".ini"):
                said = [line for line in text.splitlines() if line[:1] not in (";", "")]
                self.assertEqual([line for line in said if line[0] != "["], [], name)

    def test_plugins_to_choose_from(self) -> None:
        """C{config/plugins} names every bundled plugin, with what it is for."""
        text = instance_files("mx.example", ())["config/plugins"]
        self.assertIn("\n#tarpit\n", text)
        self.assertIn("\n# Answer slowly", text)
        self.assertNotIn("C{", text)
        self.assertLess(text.index("rcpt_to.in_host_list\n"), text.index("#queue/test"))

    def test_taken(self) -> None:
        """What is there is not overwritten by mistake."""
        self.make()
        (self.directory / "config/me").write_text("other.example\n")
        error = self.assertRaises(CommandError, self.make)
        self.assertIn("-f", str(error))
        self.assertEqual((self.directory / "config/me").read_text(), "other.example\n")

    def test_forced(self) -> None:
        """With C{-f} the files are written anew, and others stay."""
        self.make()
        (self.directory / "config/me").write_text("other.example\n")
        (self.directory / "config/access.domains").write_text("x\n")
        self.make(force=True)
        self.assertIn("mx.example", (self.directory / "config/me").read_text())
        self.assertTrue((self.directory / "config/access.domains").exists())

    def test_empty_directory(self) -> None:
        """A directory with nothing in it may be filled."""
        self.directory.mkdir()
        self.make()
        self.assertTrue((self.directory / "config/me").exists())

    def test_file_in_the_way(self) -> None:
        """A file is no directory, with or without C{-f}; the message names it."""
        self.directory.write_text("x")
        for force in (False, True):
            error = self.assertRaises(CommandError, self.make, force=force)
            self.assertIn(str(self.directory), str(error))


class OwnHostTests(SynchronousTestCase):
    """What this machine is called."""

    def test_name(self) -> None:
        """A name that can stand in an address is taken, in lower case."""
        self.patch(socket, "gethostname", lambda: "MX.Example")
        self.assertEqual(own_host(), "mx.example")

    def test_no_name(self) -> None:
        """Other names cannot be mailed to."""
        self.patch(socket, "gethostname", lambda: "my host")
        self.assertEqual(own_host(), "localhost")
