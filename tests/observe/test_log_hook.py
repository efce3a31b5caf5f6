"""Tests of C{harakatw.observe.log_hook}."""

import io
from collections.abc import Callable

from twisted.logger import ILogObserver, LogEvent, LogLevel
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.observe.log_hook import LogHook
from harakatw.observe.writer import LogWriter


class LogHookTests(SynchronousTestCase):
    """What plugins see of the log."""

    def setUp(self) -> None:
        """A log that can be read."""
        self._stream = io.StringIO()
        self._seen: list[str] = []

    def _log_hook(self, hooks: Callable[[LogEvent], bool]) -> LogHook:
        return LogHook(hooks, LogWriter(self._stream, lambda: 0.0))

    def _sees(self, event: LogEvent) -> bool:
        self._seen.append(event["log_format"])
        return True

    def _swallows(self, event: LogEvent) -> bool:
        self._seen.append(event["log_format"])
        return False

    def _written(self) -> list[str]:
        lines = self._stream.getvalue().splitlines()
        return [line.rpartition("] ")[2] for line in lines]

    def _event(self, text: str, level: object = LogLevel.info) -> LogEvent:
        return {"log_format": text, "log_level": level, "log_time": 1.0}

    def test_interface(self) -> None:
        """It is something that Twisted's log can be sent to."""
        verifyObject(ILogObserver, self._log_hook(self._sees))

    def test_shown_and_written(self) -> None:
        """A record goes to the plugins and then to the log."""
        self._log_hook(self._sees)(self._event("hello"))
        self.assertEqual((self._seen, self._written()), (["hello"], ["hello"]))

    def test_swallowed(self) -> None:
        """A plugin that stores records elsewhere may keep them out of the log."""
        self._log_hook(self._swallows)(self._event("hello"))
        self.assertEqual((self._seen, self._written()), (["hello"], []))

    def test_unwanted(self) -> None:
        """Plugins are not asked about what C{level} leaves out."""
        self._log_hook(self._sees)(self._event("hello", LogLevel.debug))
        self.assertEqual((self._seen, self._written()), ([], []))

    def test_plugin_logs(self) -> None:
        """What a plugin logs while it looks at a record does not come back to it."""

        def logs(event: LogEvent) -> bool:
            self._seen.append(event["log_format"])
            observer(self._event("inner"))
            return True

        observer = self._log_hook(logs)
        observer(self._event("outer"))
        self.assertEqual(self._seen, ["outer"])
        self.assertEqual(self._written(), ["inner", "outer"])

    def test_after_exception(self) -> None:
        """A plugin that raises sees the next record all the same."""

        def raises(event: LogEvent) -> bool:
            self._seen.append(event["log_format"])
            raise ValueError("oops")

        observer = self._log_hook(raises)
        for text in ("first", "second"):
            self.assertRaises(ValueError, observer, self._event(text))
        self.assertEqual(self._seen, ["first", "second"])
