"""Tests of C{harakatw.config.results}."""

from harakatw.config.options import Loaded, load_options
from harakatw.config.results import ResultsOptions
from harakatw.results import ResultDisplay, Results
from tests.config.folders import ConfigTestCase


class ResultsOptionsTests(ConfigTestCase):
    """results.ini."""

    def _load(self, text: str) -> Loaded[ResultsOptions]:
        self.write("results.ini", text)
        return load_options(ResultsOptions, self.files(), "results")

    def test_no_file(self) -> None:
        """Without a file nothing is hidden, and the order is that of finding."""
        settings = self._load("").checked().settings
        self.assertEqual(settings.of("karma"), ResultDisplay())

    def test_section(self) -> None:
        """A plugin's section says what its results look like in the log."""
        settings = (
            self._load("[karma]\nhide=skip,msg\norder=score,pass\ndebug=true\n")
            .checked()
            .settings
        )
        self.assertEqual(
            settings.of("karma"),
            ResultDisplay(frozenset(("skip", "msg")), ("score", "pass"), True),
        )

    def test_others(self) -> None:
        """One plugin's section says nothing of another plugin."""
        settings = self._load("[karma]\nhide=skip\n").checked().settings
        self.assertEqual(settings.of("helo.checks"), ResultDisplay())

    def test_in_force(self) -> None:
        """What is hidden is not logged, and what is to stand first does."""
        settings = self._load("[karma]\nhide=skip\norder=fail\n").checked().settings
        results = Results(settings)
        results.add("karma", passed="rdns", fail="helo", skip="geoip")
        self.assertEqual(results.collate("karma"), "fail: helo; pass: rdns")

    def test_redis(self) -> None:
        """To publish results in Redis is asked in vain, and the postmaster is told."""
        (problem,) = self._load("[main]\nredis_publish=true\n").problems
        self.assertIn("not published yet", str(problem))

    def test_typing_error(self) -> None:
        """A key that is unknown is pointed out."""
        (problem,) = self._load("[karma]\nhied=skip\n").problems
        self.assertIn("hied", str(problem))
