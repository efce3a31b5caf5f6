"""Tests of C{harakatw.process.instance}."""

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from harakatw.process.instance import Instance


class InstanceTests(SynchronousTestCase):
    """Where the parts of an instance are."""

    def test_parts(self) -> None:
        """Configuration and plugins have Haraka's places."""
        instance = Instance(Path("/srv/mail"))
        self.assertEqual(instance.config, Path("/srv/mail/config"))
        self.assertEqual(instance.plugins, Path("/srv/mail/plugins"))

    def test_relative(self) -> None:
        """A daemon changes its folder; the instance does not move with it."""
        instance = Instance("mail")
        self.assertEqual(instance.directory, Path(os.getcwd(), "mail"))

    def test_queue(self) -> None:
        """The queue is beside config, unless config/queue_dir says where."""
        instance = Instance(Path("/srv/mail"))
        self.assertEqual(instance.queue(""), Path("/srv/mail/queue"))
        self.assertEqual(instance.queue("q"), Path("/srv/mail/q"))
        self.assertEqual(instance.queue("/var/q"), Path("/var/q"))
