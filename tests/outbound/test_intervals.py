"""How long to wait between attempts."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.intervals import doubling_intervals, parse_intervals


class IntervalTests(SynchronousTestCase):
    """The grammar of C{temp_fail_intervals} (row TE26)."""

    def test_lists(self) -> None:
        """Intervals are numbers with a unit, and perhaps how often they are used."""
        cases = {
            "1m": (60,),
            "30s,1m,2h,1d": (30, 60, 7200, 86400),
            "1m, 5m*2, 1h*3": (60, 300, 300, 3600, 3600, 3600),
            " 1M , 5m * 2 ": (60, 300, 300),
            "5s": (5,),
            "5s*1000": (5,) * 1000,
            "30d": (2592000,),
        }
        for text, seconds in cases.items():
            self.assertEqual(parse_intervals(text), seconds, text)

    def test_none(self) -> None:
        """A message may bounce after its first attempt."""
        self.assertEqual(parse_intervals("none"), ())
        self.assertEqual(parse_intervals(" None "), ())

    def test_wrong(self) -> None:
        """A slip is told, with what was meant to stand there."""
        cases = {
            "": "'' is not an interval",
            "1m,": "'' is not an interval",
            "1m,,2m": "'' is not an interval",
            "60": "'60' is not an interval",
            "1 m": "'1 m' is not an interval",
            "1w": "'1w' is not an interval",
            "1.5h": "'1.5h' is not an interval",
            "-1m": "'-1m' is not an interval",
            "1m*": "'1m*' is not an interval",
            "*2": "'*2' is not an interval",
            "2*1m": "'2*1m' is not an interval",
            "1m*2*3": "'1m*2*3' is not an interval",
            "1m;2m": "'1m;2m' is not an interval",
            "1m none": "'1m none' is not an interval",
            "none,1m": "'none' is not an interval",
            "\u0661m": "'\u0661m' is not an interval",
            "4s": "'4s' is out of range: an interval is 5 seconds to 30 days",
            "0m": "'0m' is out of range",
            "31d": "'31d' is out of range",
            "1m*0": "'1m*0': there must be at least one",
            "5s*1001": "more than 1000 intervals",
            "5s*999,5s*2": "more than 1000 intervals",
            "5s*999999999": "more than 1000 intervals",
        }
        for text, why in cases.items():
            error = self.assertRaises(ValueError, parse_intervals, text)
            self.assertIn(why, str(error), text)

    def test_doubling(self) -> None:
        """Without a list, the pause doubles: thirteen attempts take three days."""
        intervals = doubling_intervals(13)
        self.assertEqual((intervals[0], intervals[-1]), (64, 131072))
        self.assertEqual((len(intervals), sum(intervals)), (12, 262080))
        self.assertEqual(doubling_intervals(1), ())

    def test_doubling_ends(self) -> None:
        """However many attempts there are, no pause is longer than a month."""
        self.assertEqual(max(doubling_intervals(1000)), 2592000)
