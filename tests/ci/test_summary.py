"""Reading trial's output."""

from io import StringIO
from unittest import SkipTest, TestSuite

from twisted.trial.reporter import TreeReporter
from twisted.trial.unittest import SynchronousTestCase

from tests.ci.summary import Summary, read_summary, unexpected_skips


class Samples(SynchronousTestCase):
    """One test for each outcome; only run by the tests below."""

    def passes(self) -> None:
        """Pass."""

    def fails(self) -> None:
        """Fail."""
        self.fail("sample")

    def breaks(self) -> None:
        """Raise."""
        raise ValueError("sample")

    def skips(self) -> None:
        """Be skipped, with a reason of two paragraphs."""
        raise SkipTest("first line\n\nsecond paragraph")

    def skips_too(self) -> None:
        """Be skipped for another reason."""
        raise SkipTest("another")

    def passes_by_mistake(self) -> None:
        """Pass although that is not expected."""

    passes_by_mistake.todo = "sample"  # type: ignore[attr-defined]


def run(*names: str) -> str:
    """What trial prints when it runs the samples of these names."""
    stream = StringIO()
    reporter = TreeReporter(stream)
    TestSuite([Samples(name) for name in names]).run(reporter)
    reporter.done()
    return stream.getvalue()


class ReadSummaryTests(SynchronousTestCase):
    """Counting what trial printed."""

    def test_passed(self) -> None:
        """A run of good tests has no failure."""
        summary = read_summary(run("passes"))
        self.assertEqual(summary, Summary("PASSED (successes=1)", 1, 0, 0))
        self.assertEqual(summary.counts, "1 passed, 0 failed, 0 skipped")

    def test_failed(self) -> None:
        """Failed assertions and exceptions both are failures."""
        summary = read_summary(run("passes", "fails", "breaks"))
        self.assertEqual((summary.passed, summary.failed), (1, 2))

    def test_unexpected_success(self) -> None:
        """A test that passes though it is marked as broken wants its mark removed."""
        self.assertEqual(read_summary(run("passes_by_mistake")).failed, 1)

    def test_skipped(self) -> None:
        """Skipped tests are counted and named, however long the reason is."""
        summary = read_summary(run("skips", "passes", "skips_too"))
        self.assertEqual((summary.passed, summary.skipped), (1, 2))
        self.assertEqual(
            set(summary.skipped_tests),
            {
                f"tests.ci.test_summary.Samples.{name}"
                for name in ("skips", "skips_too")
            },
        )

    def test_output_before(self) -> None:
        """What pip printed before the tests does not count."""
        self.assertEqual(read_summary(f"passed\n{run('passes')}").passed, 1)

    def test_broken_off(self) -> None:
        """A run that did not come to its end has failed."""
        half = run("passes").partition("Ran")[0]
        self.assertEqual(read_summary(half).failed, 1)

    def test_empty(self) -> None:
        """A run without a test has failed."""
        self.assertEqual(read_summary(run()).failed, 1)


class UnexpectedSkipsTests(SynchronousTestCase):
    """Which skips may be."""

    summary = Summary("PASSED (skips=2)", 0, 0, 2, ("tests.a.T.test_x", "tests.b.T.y"))

    def test_none_expected(self) -> None:
        """Nobody may skip a test without saying so."""
        found = unexpected_skips(self.summary, ["", "# a comment"])
        self.assertEqual(found, ["tests.a.T.test_x", "tests.b.T.y"])

    def test_patterns(self) -> None:
        """A line allows one test or a group, and may say why."""
        found = unexpected_skips(self.summary, ["tests.a.*  # needs a disk"])
        self.assertEqual(found, ["tests.b.T.y"])

    def test_unnamed(self) -> None:
        """A skip that cannot be told from others is not allowed."""
        found = unexpected_skips(Summary("PASSED (skips=1)", 0, 0, 1), ["*"])
        self.assertEqual(found, ["1 skips without a name"])
