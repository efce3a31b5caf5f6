"""Tests of C{harakatw.tap}."""

import io
import sys
from pathlib import Path
from typing import Any

from twisted.application.service import Application, MultiService, Service
from twisted.logger import ILogObserver, LogEvent
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from harakatw import tap
from harakatw.errors import ConfigError
from tests.log_events import LogCollector


class _Twistd(usage.Options):
    """The command line of C{twistd} itself."""


class _Server(Service):
    """A server that does not listen."""

    def show_to_plugins(self, event: LogEvent) -> bool:
        """All is written as usual."""
        return True


class _BadServer(_Server):
    """A server whose port is taken."""

    def privilegedStartService(self) -> None:
        """Try."""
        raise ConfigError(("cannot listen on 127.0.0.1:25",))


@implementer(ILogObserver)
class _Silence:
    def __call__(self, event: LogEvent) -> None:
        """Nothing is written."""


class OptionsTests(SynchronousTestCase):
    """C{--config}."""

    def _parse(self, *words: str) -> Any:
        options: Any = tap.Options()  # type: ignore[no-untyped-call]  # Twisted's
        options.parseOptions(words)
        return options

    def test_instance(self) -> None:
        """An instance is a folder with config/ in it."""
        folder = Path(self.mktemp())
        (folder / "config").mkdir(parents=True)
        options = self._parse("--config", str(folder))
        self.assertEqual(options["directory"], folder.absolute())

    def test_missing(self) -> None:
        """Where there is none, the postmaster is told how to make one."""
        folder = Path(self.mktemp()).absolute()
        error = self.assertRaises(usage.UsageError, self._parse, "-c", str(folder))
        self.assertIn("it has no folder config", str(error))
        self.assertIn(f"haraka -i {folder}", str(error))

    def test_file(self) -> None:
        """A file is no instance either."""
        path = Path(self.mktemp())
        path.write_text("")
        self.assertRaises(usage.UsageError, self._parse, "-c", str(path))


class MakeServiceTests(SynchronousTestCase):
    """From the command line to a server."""

    def setUp(self) -> None:
        """The process stays as it is."""
        self._stdout = io.StringIO()
        self.patch(sys, "stdout", self._stdout)
        self.patch(tap, "tune_interpreter", lambda: None)
        self.patch(tap, "_reactor", lambda: None)
        self.patch(tap, "HarakaService", lambda *_: _Server())

    def _options(self, **twistd: object) -> Any:
        options: Any = tap.Options()  # type: ignore[no-untyped-call]  # Twisted's
        options["directory"] = Path("instance")
        options.parent = _Twistd()
        options.parent.update(twistd)
        return options

    def _log(self, options: tap.Options) -> None:
        """Have the server log one line."""
        application: Any = Application("test")
        service: Any = tap.makeService(options)
        service.setServiceParent(application)
        application.getComponent(ILogObserver)({"log_format": "hello", "log_time": 1.0})

    def test_foreground(self) -> None:
        """With C{--nodaemon} the log is seen where the server was started."""
        self._log(self._options(nodaemon=True))
        self.assertIn("[INFO] [core] hello", self._stdout.getvalue())

    def test_dash(self) -> None:
        """So it is with C{--logfile -}."""
        self._log(self._options(logfile="-"))
        self.assertIn("hello", self._stdout.getvalue())

    def test_log_file(self) -> None:
        """With C{--logfile} it goes to that file."""
        path = Path(self.mktemp())
        self._log(self._options(nodaemon=True, logfile=str(path)))
        self.assertIn("hello", path.read_text())
        self.assertEqual(self._stdout.getvalue(), "")

    def test_undecodable(self) -> None:
        """What is no Unicode can be logged to a file; nothing is lost."""
        path = Path(self.mktemp())
        options = self._options(logfile=str(path))
        application: Any = Application("test")
        service: Any = tap.makeService(options)
        service.setServiceParent(application)
        application.getComponent(ILogObserver)(
            {"log_format": "a\udce9", "log_time": 1.0}
        )
        self.assertIn("a\\xdce9", path.read_text())

    def test_cannot_be_made(self) -> None:
        """Bad settings end the start with a sentence, not with a traceback."""

        def refuses(*arguments: object) -> _Server:
            raise ConfigError(("config/smtp.ini: no",))

        self.patch(tap, "HarakaService", refuses)
        options = self._options(nodaemon=True)
        end = self.assertRaises(SystemExit, tap.makeService, options)
        self.assertEqual(end.code, "haraka: config/smtp.ini: no")


class LoggedServiceTests(SynchronousTestCase):
    """The server as C{twistd} runs it."""

    def _service(self, server: Any, twisted_logs: bool = False) -> tap.LoggedService:
        return tap.LoggedService(server, LogCollector(), twisted_logs)

    def test_port_taken(self) -> None:
        """
        A port that cannot be opened ends the start with one sentence, not with a
        traceback.
        """
        service = self._service(_BadServer())
        end = self.assertRaises(SystemExit, service.privilegedStartService)
        self.assertEqual(end.code, "haraka: cannot listen on 127.0.0.1:25")
        self.assertTrue(end.__suppress_context__)

    def test_postmasters_log(self) -> None:
        """A postmaster who asks C{twistd} for syslog gets syslog."""
        application: Any = Application("test")
        before = _Silence()
        application.setComponent(ILogObserver, before)
        self._service(_Server(), twisted_logs=True).setServiceParent(application)
        self.assertIs(application.getComponent(ILogObserver), before)

    def test_below_another(self) -> None:
        """In a program with services of its own, the log is that program's."""
        parent: Any = MultiService()
        service = self._service(_Server())
        service.setServiceParent(parent)
        self.assertIs(parent.services[0], service)
