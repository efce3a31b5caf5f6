"""How many in how much time."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.rates import Rate, TokenBucket, parse_rate


class RateTests(SynchronousTestCase):
    """The grammar of a rate."""

    def test_rates(self) -> None:
        """A rate is a number in a second, minute, hour or day."""
        cases = {
            "10/s": Rate(10, 1),
            "100/min": Rate(100, 60),
            " 5000 / H ": Rate(5000, 3600),
            "1/day": Rate(1, 86400),
            "": None,
            "none": None,
        }
        for text, rate in cases.items():
            self.assertEqual(parse_rate(text), rate, text)

    def test_wrong(self) -> None:
        """A slip is told, with examples."""
        for text in ("10", "10/", "/s", "0/s", "-1/s", "1.5/s", "10/m", "10/sec", "x"):
            error = self.assertRaises(ValueError, parse_rate, text)
            self.assertIn("neither none nor a rate such as 10/s", str(error))


class TokenBucketTests(SynchronousTestCase):
    """What may go is spread evenly over the time."""

    def _times(self, rate: Rate, seconds: float, start: float = 0.0) -> list[float]:
        """When each went, of somebody who always has more to send."""
        bucket, now, times = TokenBucket(rate), start, []
        while now - start < seconds - 1e-6:
            wait = bucket.take(now)
            if wait:
                now += wait
            else:
                times.append(now - start)
        return times

    def test_slow(self) -> None:
        """100/min is one each 0.6 seconds."""
        times = self._times(Rate(100, 60), 3.0)
        for found, wanted in zip(times, (0.0, 0.6, 1.2, 1.8, 2.4), strict=True):
            self.assertAlmostEqual(found, wanted, places=5)

    def test_exact(self) -> None:
        """In a day a limit lets through what it says, at any time since 1970."""
        for rate in (Rate(100, 60), Rate(7, 60), Rate(999, 3600), Rate(1, 3600)):
            for start in (0.0, 1.7e9, 1.7e9 + 1 / 3):
                times = self._times(rate, 86400.0, start)
                self.assertEqual(len(times), rate.count * 86400 // rate.seconds)

    def test_fast(self) -> None:
        """10/s lets ten go at once after a quiet time, and then one each 0.1 s."""
        times = self._times(Rate(10, 1), 1.0)
        self.assertEqual(times[:10], [0.0] * 10)
        self.assertAlmostEqual(times[10], 0.1, places=5)
        self.assertEqual(len(times), 19)

    def test_asking_is_free(self) -> None:
        """Only what goes counts."""
        bucket = TokenBucket(Rate(1, 1))
        for _ in range(5):
            self.assertEqual(bucket.wait_seconds(0.0), 0.0)
        self.assertEqual(bucket.take(0.0), 0.0)
        for _ in range(5):
            self.assertEqual(bucket.take(0.25), 0.75)
        self.assertEqual(bucket.take(1.0), 0.0)

    def test_quiet_time_is_lost(self) -> None:
        """A quiet hour does not let an hour's worth go at once."""
        bucket = TokenBucket(Rate(60, 60))
        bucket.take(0.0)
        self.assertEqual(bucket.take(3600.0), 0.0)
        self.assertEqual(bucket.take(3600.0), 1.0)

    def test_clock_is_set_back(self) -> None:
        """A clock that goes back a day holds nothing up."""
        bucket = TokenBucket(Rate(60, 60))
        bucket.take(86400.0)
        self.assertEqual(bucket.take(0.0), 0.0)
        self.assertEqual(bucket.take(0.0), 1.0)
