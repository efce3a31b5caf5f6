"""What looks over the plugins' shoulders."""

import io

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.cli.try_plugins import STAND_IN, Recorder, StandIn
from harakatw.hooks.chain import Origin
from harakatw.plugin import (
    OK,
    IDenyHook,
    IQueueHook,
    IQueueOutboundHook,
    IRcptHook,
    deny,
)


class RecorderTests(SynchronousTestCase):
    """How a verdict is printed."""

    def setUp(self) -> None:
        """Have it print."""
        self.out = io.StringIO()
        self.recorder = Recorder(self.out)

    def test_verdict(self) -> None:
        """Hook, plugin, verdict and seconds stand in a line, with the words, if any."""
        self.recorder.ruled("rcpt", Origin("access", "hook_rcpt", 0, 30), OK, 1.25)
        words = self.out.getvalue().split()
        self.assertEqual(words, ["rcpt", "access", "OK", "1.250", "s"])

    def test_method(self) -> None:
        """A method that is not named after its hook is named."""
        self.recorder.ruled("rcpt", Origin("access", "look", 0, 30), deny("No"), 0)
        self.assertIn("access (look) ", self.out.getvalue())
        self.assertTrue(self.out.getvalue().endswith("  No\n"))

    def test_control_characters(self) -> None:
        """What a plugin says cannot act on the terminal."""
        origin = Origin("access", "hook_rcpt", 0, 30)
        self.recorder.ruled("rcpt", origin, deny("\x1b[2J"), 0)
        self.assertNotIn("\x1b", self.out.getvalue())

    def test_stand_in(self) -> None:
        """What is no plugin is not printed."""
        self.recorder.ruled("rcpt", Origin(STAND_IN, "hook_rcpt", 101, 0), OK, 0)
        self.assertEqual(self.out.getvalue(), "")

    def test_nobody_is_skipped(self) -> None:
        """To look on leaves no plugin out."""
        self.assertFalse(self.recorder.skips("access"))


class StandInTests(SynchronousTestCase):
    """What stands in for plugins."""

    def test_interfaces(self) -> None:
        """It is asked like a plugin."""
        stand_in = StandIn(accepts=True, overrides=True, queues=False, dump=None)
        for interface in (IDenyHook, IRcptHook, IQueueHook, IQueueOutboundHook):
            verifyObject(interface, stand_in)
