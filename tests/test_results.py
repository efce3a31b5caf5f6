"""Tests of C{harakatw.results}."""

import re
import sys
from collections.abc import Mapping
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from harakatw.results import ResultDisplay, Results, ResultSettings


@attrs.frozen
class Karma:
    """A plugin."""

    name: str = "karma"


class StoreTests(SynchronousTestCase):
    """What is stored and found (rows RS01 and RS02)."""

    def test_lists(self) -> None:
        """The five lists grow; a list of things adds each of them."""
        results = Results()
        results.add("spf", passed="helo", msg="a")
        results.add(
            "spf", passed=["mfrom", "x"], fail="y", skip="z", err=OSError("bad")
        )
        self.assertEqual(
            results.get("spf"),
            {
                "pass": ["helo", "mfrom", "x"],
                "msg": ["a"],
                "fail": ["y"],
                "skip": ["z"],
                "err": ["bad"],
            },
        )

    def test_pass_is_a_keyword(self) -> None:
        """The list C{pass} can also be given by its own name."""
        results = Results()
        own: dict[str, Any] = {"pass": "a"}
        results.add("spf", **own, passed="b")
        self.assertEqual(results.get("spf")["pass"], ["b", "a"])

    def test_values(self) -> None:
        """Other values replace what was there."""
        results = Results()
        results.add("geoip", country="DE", km=5)
        results.add("geoip", country="FR")
        self.assertEqual(results.get("geoip"), {"country": "FR", "km": 5})

    def test_by_plugin_or_name(self) -> None:
        """A plugin and its name mean the same results."""
        results = Results()
        results.add(Karma(), score=1)
        self.assertEqual(results.get("karma"), {"score": 1})
        self.assertTrue(results.has(Karma(), "score", 1))
        self.assertEqual(dict(results.get_all()), {"karma": {"score": 1}})

    def test_nothing_there(self) -> None:
        """A plugin that found nothing has empty lists, and is false."""
        results = Results()
        self.assertFalse(results.get("x"))
        self.assertEqual(results.get("x")["pass"], ())
        self.assertRaises(KeyError, results.get("x").__getitem__, "score")
        self.assertEqual(dict(results.get_all()), {})
        self.assertEqual(results.collate("x"), "")
        self.assertFalse(results.has("x", "pass", "y"))

    def test_push(self) -> None:
        """Lists of a plugin's own grow too; a value is not taken for a list."""
        results = Results()
        results.push("uribl", hosts="a")
        results.push("uribl", hosts=["b", "c"], fail="z")
        self.assertEqual(
            results.get("uribl"), {"hosts": ["a", "b", "c"], "fail": ["z"]}
        )
        results.add("uribl", hosts=1)
        self.assertRaises(ValueError, results.push, "uribl", hosts="d")

    def test_incr(self) -> None:
        """Counters begin at nothing and go both ways; text is not counted."""
        results = Results()
        results.incr("karma", score=2, bad=1)
        results.incr("karma", score=-5)
        self.assertEqual(results.get("karma"), {"score": -3, "bad": 1})
        results.add("karma", score="x")
        self.assertRaises(ValueError, results.incr, "karma", score=1)

    def test_has(self) -> None:
        """A text is found in full, a pattern anywhere in it."""
        results = Results()
        results.add(
            "helo.checks", passed=["rdns_match", "valid(x)"], score=5, name="ab"
        )
        self.assertTrue(results.has("helo.checks", "pass", "rdns_match"))
        self.assertFalse(results.has("helo.checks", "pass", "rdns"))
        self.assertTrue(results.has("helo.checks", "pass", re.compile("^valid")))
        self.assertFalse(results.has("helo.checks", "pass", re.compile("^x")))
        self.assertFalse(results.has("helo.checks", "fail", re.compile("")))
        self.assertTrue(results.has("helo.checks", "score", re.compile("5")))
        self.assertTrue(results.has("helo.checks", "name", "ab"))
        self.assertFalse(results.has("helo.checks", "name", "a"))

    def test_magic_names(self) -> None:
        """Names that mean something to a program are names like others (row 12)."""
        results = Results()
        values: dict[str, Any] = {"__proto__": 1, "plugin": 2, "self": 3}
        results.add("__class__", **values)
        found = results.get("__class__")
        self.assertEqual(found, {"__proto__": 1, "plugin": 2, "self": 3})

    def test_size(self) -> None:
        """Thousands of idle sessions have results that nobody uses."""
        self.assertLessEqual(sys.getsizeof(Results()), 80)
        self.assertIsNone(Results()._stored)

    def test_forget(self) -> None:
        """What a plugin stored can be dropped, though it stored nothing."""
        results = Results()
        results.forget("auth")
        results.add("auth", passed="x")
        results.add("spf", passed="y")
        results.forget("auth")
        self.assertEqual(list(results.get_all()), ["spf"])
        self.assertEqual(results.get("auth"), {})


class LogTests(SynchronousTestCase):
    """What the log shows (rows RS01 and RS03)."""

    def setUp(self) -> None:
        """Make results with a log."""
        self.lines: list[str] = []

    def make(self, **displays: ResultDisplay) -> Results:
        """Results with a results.ini."""
        return Results(ResultSettings(displays), emit=self.lines.append)

    def test_collate(self) -> None:
        """A plugin's own values stand first, then the lists, in one order."""
        results = self.make()
        results.add(
            "x", fail="f", passed=["p", "q"], err="e", skip=[], score=0, none=None
        )
        results.add("x", _private="secret", msg="m")
        expected = "score: 0; pass: p, q; fail: f; msg: m; err: e"
        self.assertEqual(results.collate("x"), expected)

    def test_results_ini(self) -> None:
        """results.ini hides values and orders them."""
        display = ResultDisplay(hide=frozenset(("skip", "b")), order=("fail", "a"))
        results = self.make(x=display)
        results.add("x", b=1, c=2, a=3, skip="s", fail="f", passed="p")
        self.assertEqual(results.collate("x"), "fail: f; a: 3; c: 2; pass: p")

    def test_own_display(self) -> None:
        """A plugin can overrule results.ini for the session."""
        results = self.make(x=ResultDisplay(hide=frozenset(("a",)), order=("b",)))
        results.add("x", b=1, a=2, hide="b", order=["a"])
        self.assertEqual(results.collate("x"), "a: 2")

    def test_human(self) -> None:
        """A plugin's own summary is shown instead of everything."""
        results = self.make()
        results.add("x", human="all good", fail="f")
        self.assertEqual(results.collate("x"), "all good")

    def test_emit(self) -> None:
        """A line is logged when a plugin asks for it, and only then."""
        results = self.make()
        results.add("x", passed="p")
        results.incr("x", score=1)
        self.assertEqual(self.lines, [])
        results.add("x", fail="f", emit=True)
        self.assertEqual(self.lines, ["x: score: 1; pass: p; fail: f"])

    def test_errors(self) -> None:
        """An error is logged without being asked for."""
        self.make().add("x", err="timed out")
        self.assertEqual(self.lines, ["x: err: timed out"])

    def test_debug(self) -> None:
        """With debug every change is logged."""
        results = self.make(x=ResultDisplay(debug=True))
        results.add("x", passed="p")
        results.incr("x", n=1)
        results.push("x", list="a")
        results.add("y", passed="p")
        self.assertEqual(len(self.lines), 3)

    def test_no_log(self) -> None:
        """Without a log nothing is missed."""
        Results().add("x", err="e", emit=True)

    def test_control_characters(self) -> None:
        """What a client said cannot forge a log line or reach a terminal."""
        results = self.make()
        values: dict[str, Any] = {"k\ney": 1}
        results.add("x", msg="a\r\nb\x1b[2J\u2028\x85", **values)
        self.assertEqual(results.collate("x"), "k?ey: 1; msg: a??b?[2J??")

    def test_long(self) -> None:
        """A thousand findings do not fill the log."""
        results = self.make()
        results.add("x", fail=["url"] * 1000)
        self.assertLess(len(results.collate("x")), 600)

    def test_watch(self) -> None:
        """Each new result is passed on as it comes, as redis_publish wants it."""
        seen: list[tuple[str, Mapping[str, object]]] = []
        results = Results(watch=lambda name, news: seen.append((name, news)))
        results.add(Karma(), fail="a", err=OSError("e"), score=1)
        results.incr("karma", score=2)
        results.push("karma", hits="h")
        self.assertEqual(
            seen,
            [
                ("karma", {"fail": ["a"], "err": ["e"], "score": 1}),
                ("karma", {"score": 2}),
                ("karma", {"hits": "h"}),
            ],
        )
