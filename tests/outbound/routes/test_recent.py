"""What was used last."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.routes.recent import Recent


class RecentTests(SynchronousTestCase):
    """However many domains mail goes to, memory is bounded."""

    def test_bounded(self) -> None:
        """What was used longest ago makes room."""
        recent: Recent[int] = Recent(2)
        recent.keep("a", 1)
        recent.keep("b", 2)
        self.assertEqual(recent.get("a"), 1)
        recent.keep("c", 3)
        self.assertEqual((recent.get("a"), recent.get("b")), (1, None))
        self.assertEqual(len(recent), 2)

    def test_instead(self) -> None:
        """What is kept under a name replaces what was."""
        recent: Recent[int] = Recent(2)
        recent.keep("a", 1)
        recent.keep("b", 2)
        recent.keep("a", 3)
        recent.keep("c", 4)
        self.assertEqual((recent.get("a"), recent.get("b")), (3, None))
