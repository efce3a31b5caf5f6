"""Tests of C{harakatw.observe.writer}."""

import io
import json

from twisted.logger import ILogObserver, LogEvent, LogLevel
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.config.core import LogOptions
from harakatw.observe.writer import LogWriter, event_level, safe_text

NOON = 1_700_000_000.25  # 2023-11-14 22:13:20.250 UTC
STAMP = "2023-11-14T22:13:20.250+00:00"


def make_event(text: str = "hello", **fields: object) -> LogEvent:
    """An event as C{Logger} makes them."""
    return {
        "log_level": LogLevel.info,
        "log_namespace": "harakatw.smtp.rcpt",
        "log_format": "{text}",
        "log_time": NOON,
        "text": text,
        **fields,
    }


def make_failure() -> Failure:
    """What a plugin raised."""
    try:
        raise ValueError("no such list")
    except ValueError:
        return Failure()


class WriterTestCase(SynchronousTestCase):
    """A writer whose lines can be read."""

    def written(self, event: LogEvent, **options: object) -> str:
        """What is written of one event when log.ini says so."""
        stream = io.StringIO()
        writer = LogWriter(stream, lambda: NOON)
        writer.obey(LogOptions(**options))  # type: ignore[arg-type]
        writer(event)
        return stream.getvalue()


class LevelTests(WriterTestCase):
    """Which events are written."""

    def test_interface(self) -> None:
        """The writer is something that Twisted's log can be sent to."""
        verifyObject(ILogObserver, LogWriter(io.StringIO(), lambda: 0.0))

    def test_names(self) -> None:
        """Twisted's levels have Haraka's names in the log."""
        names = [
            event_level({"log_level": level}) for level in LogLevel.iterconstants()
        ]
        self.assertEqual(names, ["debug", "info", "warn", "error", "crit"])

    def test_unknown(self) -> None:
        """An event that does not say how grave it is counts as C{info}."""
        self.assertEqual(event_level({}), "info")

    def test_old_log(self) -> None:
        """
        What Twisted tells of each port that a query of DNS uses is written at C{debug}
        only; what is grave is written in any case.
        """
        udp = make_event("(UDP Port 33839 Closed)", log_namespace="log_legacy")
        self.assertEqual(self.written(udp), "")
        self.assertIn("33839 Closed", self.written(udp, ini_level="debug"))
        grave = {**udp, "log_level": LogLevel.critical}
        self.assertIn("33839 Closed", self.written(grave))

    def test_own_level(self) -> None:
        """A plugin may log at a level that Twisted does not have."""
        event = make_event(haraka_level="notice")
        self.assertEqual(event_level(event), "notice")
        self.assertIn("[NOTICE]", self.written(event))

    def test_threshold(self) -> None:
        """What is less grave than C{level} is left out; what is as grave is not."""
        warning = make_event(log_level=LogLevel.warn)
        self.assertEqual(self.written(warning, ini_level="error"), "")
        self.assertNotEqual(self.written(warning, ini_level="warn"), "")

    def test_default_level(self) -> None:
        """Without log.ini the log has C{info} and no C{debug}."""
        stream = io.StringIO()
        writer = LogWriter(stream, lambda: NOON)
        self.assertTrue(writer.wants(make_event()))
        self.assertFalse(writer.wants(make_event(log_level=LogLevel.debug)))


class DefaultFormatTests(WriterTestCase):
    """C{format=default}."""

    def test_line(self) -> None:
        """A line says when, how grave, who and what."""
        self.assertEqual(
            self.written(make_event()), f"{STAMP} [INFO] [smtp.rcpt] hello\n"
        )

    def test_no_timestamps(self) -> None:
        """C{timestamps=false} is for a log that another program stamps."""
        self.assertEqual(
            self.written(make_event(), ini_timestamps=False),
            "[INFO] [smtp.rcpt] hello\n",
        )

    def test_event_without_time(self) -> None:
        """An event that does not bear a time gets that of its writing."""
        event = make_event()
        del event["log_time"]
        self.assertTrue(self.written(event).startswith(STAMP))

    def test_plugin(self) -> None:
        """A record that concerns a plugin begins with the plugin's name."""
        self.assertIn("[karma] hello", self.written(make_event(plugin="karma")))

    def test_nobody(self) -> None:
        """A record of nobody in particular is the core's."""
        event = make_event()
        del event["log_namespace"]
        self.assertIn("[core] hello", self.written(event))

    def test_control_characters(self) -> None:
        """
        What a client sends cannot act on the terminal on which the log is read.
        """
        line = self.written(make_event("\x1b[2J\x07\x9b\x7f"), ini_timestamps=False)
        self.assertEqual(line, "[INFO] [smtp.rcpt] \\x1b[2J\\x07\\x9b\\x7f\n")

    def test_control_characters_of_origin(self) -> None:
        """Nor can the name of who speaks."""
        self.assertIn("[ev\\x1bil]", self.written(make_event(plugin="ev\x1bil")))

    def test_forged_line(self) -> None:
        """
        Text with line ends cannot pass for a record: each line begins as all do.
        """
        lines = self.written(make_event("a\r\nb\rc\nd"), ini_timestamps=False)
        self.assertEqual(
            lines.splitlines(), [f"[INFO] [smtp.rcpt] {letter}" for letter in "abcd"]
        )

    def test_unicode_line_ends(self) -> None:
        """Nor do the line ends that only Unicode knows begin a line."""
        line = self.written(make_event("a\u2028b\u2029c\x85d\x0be"))
        self.assertEqual(len(line.splitlines()), 1)

    def test_undecodable(self) -> None:
        """
        Octets that are no UTF-8 can be logged: the log's file takes each line.
        """
        line = self.written(make_event(b"caf\xe9".decode("utf-8", "surrogateescape")))
        self.assertIn(b"caf\\xdce9", line.encode())

    def test_traceback(self) -> None:
        """A plugin's exception is logged with its traceback, each line marked."""
        text = self.written(make_event(log_failure=make_failure(), plugin="karma"))
        lines = text.splitlines()
        self.assertEqual(lines[0], f"{STAMP} [INFO] [karma] hello")
        self.assertIn("ValueError: no such list", lines[-1])
        for line in lines:
            self.assertIn("[INFO] [karma] ", line)

    def test_letters_stay(self) -> None:
        """A name in another script is logged as it is written."""
        self.assertEqual(safe_text("用户@例子\t"), "用户@例子\t")


class JSONTests(WriterTestCase):
    """C{format=json}."""

    def test_fields(self) -> None:
        """Each line is an object that a log collector understands."""
        line = self.written(make_event(uuid="AB12.1"), format="json")
        self.assertEqual(
            json.loads(line),
            {
                "timestamp": STAMP,
                "level": "INFO",
                "origin": "smtp.rcpt",
                "uuid": "AB12.1",
                "message": "hello",
            },
        )

    def test_one_line(self) -> None:
        """A traceback is one object on one line too."""
        text = self.written(make_event(log_failure=make_failure()), format="json")
        self.assertEqual(text.count("\n"), 1)
        message = json.loads(text)["message"].split("\n")
        self.assertEqual(message[0], "hello")
        self.assertIn("ValueError: no such list", message[-1])

    def test_bare(self) -> None:
        """What is not known, or not wanted, is not there."""
        line = self.written(make_event(), format="json", ini_timestamps=False)
        self.assertEqual(sorted(json.loads(line)), ["level", "message", "origin"])

    def test_control_characters_of_uuid(self) -> None:
        """A field of its own is made safe as well."""
        line = self.written(make_event(uuid="A\x1b"), format="json")
        self.assertEqual(json.loads(line)["uuid"], "A\\x1b")


class LogfmtTests(WriterTestCase):
    """C{format=logfmt}."""

    def _message(self, text: str) -> str:
        line = self.written(make_event(text), format="logfmt", ini_timestamps=False)
        return line.removeprefix("level=INFO origin=smtp.rcpt ")

    def test_line(self) -> None:
        """A line is names and values."""
        self.assertEqual(
            self.written(make_event(uuid="AB12"), format="logfmt"),
            f"timestamp={STAMP} level=INFO origin=smtp.rcpt uuid=AB12 message=hello\n",
        )

    def test_quotes(self) -> None:
        """Values that would be misread are quoted."""
        self.assertEqual(self._message("a b"), 'message="a b"\n')
        self.assertEqual(self._message("a=b"), 'message="a=b"\n')
        self.assertEqual(self._message('a"b'), 'message="a\\"b"\n')
        self.assertEqual(self._message("a\\b"), 'message="a\\\\b"\n')

    def test_empty(self) -> None:
        """A value of nothing is still a value."""
        self.assertEqual(self._message(""), 'message=""\n')

    def test_traceback(self) -> None:
        """A traceback is on the same line, with bars between its lines."""
        text = self.written(make_event(log_failure=make_failure()), format="logfmt")
        self.assertEqual(text.count("\n"), 1)
        self.assertIn('message="hello | Traceback', text)
