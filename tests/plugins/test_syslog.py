"""C{syslog}: the log, to the machine's own daemon (row PN27)."""

import errno
import os
import re
import time

import attrs
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.config.options import load_options
from harakatw.plugin import OK, ILogHook
from harakatw.plugins.syslog import MAX_LINES, MAX_OCTETS, Syslog, SyslogOptions
from tests.config.folders import ConfigTestCase

NAME = "syslog"
NOW = 1_700_000_000.0


@attrs.define
class FakeDaemon:
    """
    A syslog daemon in memory.

    @ivar taken: the datagrams it got.
    @ivar refuses: the errno of what goes wrong, 0 if nothing does.
    @ivar is_there: can it be connected to?
    @ivar opened: sockets opened and not closed yet.
    """

    taken: list[str] = attrs.field(factory=list)
    refuses: int = 0
    is_there: bool = True
    tries: int = 0
    opened: int = 0

    def open(self, path: str) -> "FakeSocket":
        """Connect."""
        self.tries += 1
        if not self.is_there:
            raise FileNotFoundError(errno.ENOENT, "No such file", path)
        self.opened += 1
        return FakeSocket(self)


@attrs.define
class FakeSocket:
    """A socket of a client of the daemon."""

    daemon: FakeDaemon

    def send(self, datagram: bytes, /) -> int:
        """Send one, or raise."""
        if self.daemon.refuses:
            raise OSError(self.daemon.refuses, os.strerror(self.daemon.refuses))
        self.daemon.taken.append(datagram.decode())
        return len(datagram)

    def close(self) -> None:
        """Close it."""
        self.daemon.opened -= 1


class SyslogTestCase(SynchronousTestCase):
    """The plugin and a daemon."""

    def setUp(self) -> None:
        """Both are there."""
        self.daemon = FakeDaemon()
        self.clock = Clock()
        self.make()

    def make(self, options: SyslogOptions | None = None) -> None:
        """Make the plugin anew."""
        self.tested = Syslog(
            options or SyslogOptions(),
            NAME,
            self.clock,
            lambda: NOW,
            self.daemon.open,
        )

    def log(self, text: str = "hello", **fields: object) -> object:
        """Show the plugin a record; what it says."""
        record = {"log_format": "{text}", "text": text, "log_time": NOW, **fields}
        return self.tested.hook_log(record)


class RecordTests(SyslogTestCase):
    """What a record looks like (RFC 3164 section 4.1)."""

    def test_contract(self) -> None:
        """It stands on the hook of the log."""
        self.assertTrue(verifyObject(ILogHook, self.tested))

    def test_form(self) -> None:
        """Priority, local time, program with process, then what the log says."""
        self.log(log_level=LogLevel.info, log_namespace="harakatw.smtp")
        at = time.localtime(NOW)
        stamp = f"Nov {at.tm_mday:2} {time.strftime('%H:%M:%S', at)}"
        wanted = f"<22>{stamp} haraka[{os.getpid()}]: [INFO] [smtp] hello"
        self.assertEqual(self.daemon.taken, [wanted])

    def test_day(self) -> None:
        """A day of one digit has a blank before it, in each of the months."""
        months = "JanFebMarAprMayJunJulAugSepOctNovDec"
        for number in range(1, 13):
            month = months[3 * number - 3 : 3 * number]
            seconds = time.mktime((2023, number, 5, 6, 7, 8, 0, 0, -1))
            self.log(log_time=seconds)
            self.assertIn(f">{month}  5 06:07:08 ", self.daemon.taken.pop())

    def test_no_time(self) -> None:
        """A record without a time is of now."""
        self.log()
        self.log(log_time=None)
        self.assertEqual(self.daemon.taken[0], self.daemon.taken[1])

    def test_levels(self) -> None:
        """Each of Haraka's levels has its severity."""
        for level, severity in (
            ("emerg", 0),
            ("alert", 1),
            ("crit", 2),
            ("error", 3),
            ("warn", 4),
            ("notice", 5),
            ("info", 6),
            ("debug", 7),
            ("protocol", 7),
            ("data", 7),
        ):
            self.log(haraka_level=level)
            self.assertTrue(self.daemon.taken.pop().startswith(f"<{16 + severity}>"))

    def test_twisted_levels(self) -> None:
        """So has each of Twisted's."""
        for level, severity in (LogLevel.critical, 2), (LogLevel.debug, 7):
            self.log(log_level=level)
            self.assertTrue(self.daemon.taken.pop().startswith(f"<{16 + severity}>"))

    def test_marks(self) -> None:
        """Program and facility are the postmaster's; the process may be left out."""
        options = SyslogOptions(program="mx1", facility="local7", log_pid=False)
        self.make(options)
        self.log()
        self.assertRegex(self.daemon.taken[0], r"\A<190>.{15} mx1: \[INFO\] \[core\]")

    def test_plugin(self) -> None:
        """A plugin's record bears its name."""
        self.log(plugin="queue/maildir", log_namespace="harakatw.plugins")
        self.assertIn("[queue/maildir] hello", self.daemon.taken[0])

    def test_control_characters(self) -> None:
        """What a client sends acts on no terminal and makes no record of its own."""
        self.log("a\x1b[2J\tb\x00c\u2028d\r\n<0>forged", plugin="x\ny")
        self.assertEqual(len(self.daemon.taken), 2)
        for record in self.daemon.taken:
            self.assertTrue(re.fullmatch(r"<22>[\x20-\x7e]+", record), record)
        self.assertIn(r"a\x1b[2J b\x00c\x2028d", self.daemon.taken[0])

    def test_traceback(self) -> None:
        """A failure comes with its traceback, a record each line, up to a limit."""
        try:
            raise RuntimeError("x" + "\ny" * 500)
        except RuntimeError:
            self.log(log_failure=Failure())
        self.assertIn("] hello", self.daemon.taken[0])
        self.assertIn("] Traceback", self.daemon.taken[1])
        self.assertEqual(len(self.daemon.taken), MAX_LINES)

    def test_long(self) -> None:
        """A long record is cut, and never amid a character."""
        for text in "x" * 5000, "\u00e9" * 5000, "x" + "\u00e9" * 5000:
            self.log(text)
            record = self.daemon.taken.pop().encode()
            self.assertIn(len(record), (MAX_OCTETS, MAX_OCTETS - 1))
            self.assertTrue(record.endswith(b"..."))

    def test_empty(self) -> None:
        """A record without a word makes no datagram."""
        self.log("")
        self.assertEqual(self.daemon.taken, [])


class AlwaysOkTests(SyslogTestCase):
    """Whether the usual log has the record, too."""

    def test_default(self) -> None:
        """It has."""
        self.assertIsNone(self.log())

    def test_always_ok(self) -> None:
        """On request it has not."""
        self.make(SyslogOptions(always_ok=True))
        self.assertIs(self.log(), OK)

    def test_not_sent(self) -> None:
        """But what did not reach syslog is in the usual log, come what may."""
        self.make(SyslogOptions(always_ok=True))
        self.daemon.refuses = errno.EAGAIN
        self.assertIsNone(self.log())


class OutageTests(SyslogTestCase):
    """A daemon that is slow or gone holds nothing up (it is no reason to wait)."""

    def test_full(self) -> None:
        """What a busy daemon does not take is counted, and the count is reported."""
        self.log("first")
        self.daemon.refuses = errno.EAGAIN
        for _ in range(3):
            self.log()
        self.daemon.refuses = 0
        self.log("last")
        texts = [record.partition(": ")[2] for record in self.daemon.taken]
        lost = "[WARN] [syslog] 3 records before this were lost"
        self.assertEqual(texts, ["[INFO] [core] first", lost, "[INFO] [core] last"])
        self.assertIn("<20>", self.daemon.taken[1])
        self.assertEqual(self.daemon.tries, 1)

    def test_reported_once(self) -> None:
        """The report is made once, and losing it is no loss."""
        self.daemon.refuses = errno.ENOBUFS
        for _ in range(4):
            self.log()
        self.daemon.refuses = 0
        self.log()
        self.log()
        found = [record for record in self.daemon.taken if "were lost" in record]
        self.assertEqual(len(found), 1)
        self.assertIn(" 4 records", found[0])

    def test_restart(self) -> None:
        """A daemon that was started anew is found at once: nothing is lost."""
        self.log()
        self.daemon.refuses = errno.ECONNREFUSED
        real = self.daemon.open

        def reopened(path: str) -> FakeSocket:
            self.daemon.refuses = 0
            return real(path)

        self.patch(self.tested._daemon, "opener", reopened)
        self.log("again")
        self.assertIn("again", self.daemon.taken[-1])
        self.assertEqual((len(self.daemon.taken), self.daemon.opened), (2, 1))

    def test_not_there(self) -> None:
        """One that is not there is looked for once a second, and found."""
        self.daemon.is_there = False
        for _ in range(10):
            self.log()
        self.assertEqual(self.daemon.tries, 1)
        self.clock.advance(1)
        self.log()
        self.assertEqual(self.daemon.tries, 2)
        self.daemon.is_there = True
        self.clock.advance(1)
        self.log("back")
        self.assertIn(" 11 records before this", self.daemon.taken[0])
        self.assertIn("back", self.daemon.taken[1])

    def test_told(self) -> None:
        """The usual log tells of an outage, once."""
        self.daemon.is_there = False
        with capturedLogs() as events:
            for _ in range(5):
                self.log()
        self.assertEqual(len(events), 1)
        self.assertEqual(events[0]["path"], "/dev/log")

    def test_broken_socket(self) -> None:
        """A socket that takes nothing for another reason is given up."""
        self.daemon.refuses = errno.EPERM
        self.log()
        self.assertEqual(self.daemon.opened, 0)

    def test_shutdown(self) -> None:
        """When the plugin goes so does its socket."""
        self.log()
        self.tested.shutdown()
        self.tested.shutdown()
        self.assertEqual(self.daemon.opened, 0)


class OptionTests(ConfigTestCase):
    """C{syslog.ini}."""

    def test_file(self) -> None:
        """All of it can be said, as in Haraka's file."""
        self.write(
            "syslog.ini",
            "[general]\nname=mx1\nfacility=MAIL\nlog_pid=0\nalways_ok=true\n"
            "socket=/run/log\n",
        )
        options = load_options(SyslogOptions, self.files(), NAME).checked()
        wanted = SyslogOptions(
            program="mx1",
            facility="mail",
            log_pid=False,
            always_ok=True,
            path="/run/log",
        )
        self.assertEqual(options, wanted)

    def test_without_effect(self) -> None:
        """Keys that mean nothing here are named, with the reason, and harm nothing."""
        self.write(
            "syslog.ini",
            "[general]\nlog_odelay=1\nlog_cons=1\nlog_ndelay=0\nlog_nowait=0\n",
        )
        loaded = load_options(SyslogOptions, self.files(), NAME)
        self.assertEqual(loaded.errors, ())
        self.assertEqual(len(loaded.problems), 4)

    def test_wrong(self) -> None:
        """A facility that is none, and a name that would garble records."""
        for line in "facility=post", "name=a b", "name=a:", "name=" + "x" * 33:
            self.write("syslog.ini", f"[general]\n{line}\n")
            loaded = load_options(SyslogOptions, self.files(), NAME)
            self.assertEqual(loaded.options, SyslogOptions(), line)
            self.assertEqual(len(loaded.errors), 1, line)
