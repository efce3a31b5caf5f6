"""When a site is left alone."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.scheduler.backoff import (
    PROVEN_SECONDS,
    Backoff,
    BackoffSettings,
    Health,
)
from harakatw.reply import reply

WHY = reply(451, "4.4.1", "Refused")


class BackoffTests(SynchronousTestCase):
    """The states of a site."""

    def setUp(self) -> None:
        """A site that nobody knows."""
        self.backoff = Backoff(BackoffSettings(first_seconds=60.0, max_seconds=200.0))

    def test_unknown(self) -> None:
        """It may be asked, but is not taken to be alive."""
        self.assertFalse(self.backoff.is_backing_off(0.0))
        self.assertFalse(self.backoff.is_proven(0.0))

    def test_answered(self) -> None:
        """After an answer it is, for some time."""
        self.backoff.answered(5.0)
        self.assertTrue(self.backoff.is_proven(5.0))
        self.assertFalse(self.backoff.is_proven(5.0 + PROVEN_SECONDS))

    def test_first_failure(self) -> None:
        """An unknown site that fails is left alone."""
        self.assertTrue(self.backoff.failed(0.0, WHY))
        self.assertTrue(self.backoff.is_backing_off(59.9))
        self.assertIs(self.backoff.why, WHY)
        self.assertFalse(self.backoff.is_backing_off(60.0))
        self.assertIs(self.backoff.health, Health.PROBING)

    def test_doubling(self) -> None:
        """Each time twice as long, up to the longest."""
        now, waits = 0.0, []
        for _ in range(4):
            self.assertTrue(self.backoff.failed(now, WHY))
            waits.append(self.backoff.until - now)
            now = self.backoff.until
            self.assertFalse(self.backoff.is_backing_off(now))
        self.assertEqual(waits, [60.0, 120.0, 200.0, 200.0])

    def test_failures_of_one_moment(self) -> None:
        """Several attempts that fail together are one failure."""
        self.assertTrue(self.backoff.failed(0.0, WHY))
        self.assertFalse(self.backoff.failed(1.0, WHY))
        self.assertEqual(self.backoff.until, 60.0)

    def test_tolerance(self) -> None:
        """A site that has just answered may fail twice in a row."""
        self.backoff.answered(0.0)
        self.assertEqual(
            [self.backoff.failed(1.0, WHY) for _ in range(3)], [False, False, True]
        )
        self.assertFalse(self.backoff.is_proven(100.0))

    def test_not_in_a_row(self) -> None:
        """An answer between them begins anew."""
        for _ in range(5):
            self.backoff.answered(0.0)
            self.assertFalse(self.backoff.failed(1.0, WHY))
            self.assertFalse(self.backoff.failed(1.0, WHY))
        self.assertFalse(self.backoff.is_backing_off(2.0))

    def test_back(self) -> None:
        """A probe that gets through ends it, and the next wait is a short one."""
        for _ in range(3):
            self.backoff.failed(0.0, WHY)
            self.backoff.ask_again()
        self.backoff.answered(5.0)
        self.assertIs(self.backoff.health, Health.HEALTHY)
        self.assertEqual(self.backoff.failures, 0)
        for _ in range(3):
            self.backoff.failed(6.0, WHY)
        self.assertEqual(self.backoff.until, 66.0)

    def test_late_success(self) -> None:
        """So does an attempt that had begun before."""
        self.backoff.failed(0.0, WHY)
        self.backoff.answered(1.0)
        self.assertTrue(self.backoff.is_proven(1.0))

    def test_ask_again(self) -> None:
        """A postmaster who says so need not wait."""
        self.backoff.failed(0.0, WHY)
        self.backoff.ask_again()
        self.assertFalse(self.backoff.is_backing_off(1.0))
        self.assertIs(self.backoff.health, Health.PROBING)

    def test_clock_set_back(self) -> None:
        """A clock that is set back by a day does not leave a site alone for a day."""
        self.backoff.failed(100_000.0, WHY)
        self.assertFalse(self.backoff.is_backing_off(13_600.0))
