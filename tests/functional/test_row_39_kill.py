"""Row 39: what was answered 250 arrives, whenever the server is killed."""

import asyncio
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.functional.crash import crash

KILLS = 3


class KillTests(SynchronousTestCase):
    """C{SIGKILL} under load; C{benchmarks/crash.py} does this a hundred times."""

    timeout = 120

    def test_kill(self) -> None:
        """
        After each 250 the message is on disk: nothing that was answered so is lost or
        damaged, and a message comes twice only if it was just being delivered when the
        server was killed.
        """
        outcome = asyncio.run(crash(Path(self.mktemp()).absolute(), KILLS, 1))
        self.assertEqual(outcome.lost, ())
        self.assertEqual(outcome.damaged, ())
        self.assertEqual(outcome.late, ())
        self.assertEqual(outcome.left, 0)
        self.assertEqual(outcome.kills, KILLS)
        self.assertGreater(outcome.acknowledged, 10)
