"""Tests of C{harakatw.observe.levels}."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.core import LEVELS
from harakatw.observe.levels import LogSwitch, level_number


class LogSwitchTests(SynchronousTestCase):
    """What C{level} of log.ini turns on."""

    def _switched(self, level: str) -> tuple[bool, bool]:
        switch = LogSwitch()
        switch.set_level(level)
        return switch.info, switch.protocol

    def test_order(self) -> None:
        """The graver a level, the lower its number; C{emerg} is 0, as in Haraka."""
        self.assertEqual(level_number("emerg"), 0)
        self.assertEqual(level_number("data"), len(LEVELS) - 1)
        self.assertLess(level_number("warn"), level_number("notice"))

    def test_unset(self) -> None:
        """Without log.ini messages are logged, and the lines of sessions are not."""
        switch = LogSwitch()
        self.assertEqual((switch.info, switch.protocol), (True, False))

    def test_quiet(self) -> None:
        """Above C{info} no record of a session is made."""
        for level in LEVELS[: LEVELS.index("info")]:
            self.assertEqual(self._switched(level), (False, False), level)

    def test_info(self) -> None:
        """C{info} and C{debug} want messages, and not each line of a session."""
        for level in ("info", "debug"):
            self.assertEqual(self._switched(level), (True, False), level)

    def test_protocol(self) -> None:
        """C{protocol} and what is below it want each line too."""
        for level in ("protocol", "data"):
            self.assertEqual(self._switched(level), (True, True), level)

    def test_turned_down_again(self) -> None:
        """A postmaster who has seen enough turns the lines off without a restart."""
        switch = LogSwitch()
        switch.set_level("protocol")
        switch.set_level("warn")
        self.assertEqual((switch.info, switch.protocol), (False, False))
