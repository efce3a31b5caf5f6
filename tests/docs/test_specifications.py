"""What is said of the RFCs, and whether code and tests bear it out."""

from twisted.trial.unittest import SynchronousTestCase

from docs._ext.citations import Citation, collect_citations
from docs._ext.specification_pages import (
    ContradictionError,
    read_specifications,
    render_specifications,
)
from docs._ext.specifications import (
    Kept,
    Specification,
    find_contradictions,
    parse_specifications,
)
from tests.rules.source import CHECKOUT

CODE = Citation(9001, "4.10", "harakatw/wire/a.py")
TEST = Citation(9001, "4.9", "tests/wire/test_a.py")
HELPER = Citation(9001, "D.1", "tests/wire/helper.py")
TRANSCRIPT = Citation(9001, "D.1", "tests/transcripts/a.txt")
YES = Specification(9001, "One", Kept.YES)
PARTLY = Specification(9001, "One", Kept.PARTLY, "half of it")
NO = Specification(9001, "One", Kept.NO, "later")


class ThisCheckoutTests(SynchronousTestCase):
    """The manual's page can be made."""

    def test_no_contradiction(self) -> None:
        """
        Every RFC that is cited has a row, and what is said to be kept is cited by code
        and by a test.
        """
        citations = collect_citations(CHECKOUT)
        wrong = list(find_contradictions(read_specifications(), citations))
        self.assertEqual(wrong, [])

    def test_rendered(self) -> None:
        """The page has the documents that a mail server is asked about."""
        page = render_specifications(read_specifications(), collect_citations(CHECKOUT))
        for number in (1870, 2920, 5321, 6531):
            self.assertIn(f"\n## RFC {number}: ", page)
        self.assertIn("`tests/transcripts/rfc5321_d1_typical.txt`", page)


class ParseTests(SynchronousTestCase):
    """The table that the authors keep."""

    def test_rows(self) -> None:
        """Rows come in the order of their numbers."""
        text = '[9]\ntitle="b"\nkept="yes"\n[8]\ntitle="a"\nkept="no"\nnote="x"\n'
        expected = (
            Specification(8, "a", Kept.NO, "x"),
            Specification(9, "b", Kept.YES),
        )
        self.assertEqual(parse_specifications(text), expected)

    def test_wrong(self) -> None:
        """A row in which something is missing or too much is named."""
        for text in (
            'nine = "x"',
            '[nine]\ntitle="x"\nkept="yes"',
            '[9]\nkept="yes"',
            '[9]\ntitle="x"',
            '[9]\ntitle="x"\nkept="mostly"',
            '[9]\ntitle="x"\nkept="partly"',
            '[9]\ntitle="x"\nkept="no"\nnote=""',
            '[9]\ntitle="x"\nkept="yes"\nwhy="y"',
            "[9]\n[9]",
        ):
            self.assertRaises(ValueError, parse_specifications, text)


class ContradictionTests(SynchronousTestCase):
    """When the build of the manual fails."""

    def contradictions(self, *citations: Citation, row: Specification) -> int:
        """How many there are."""
        return len(list(find_contradictions([row], citations)))

    def test_none(self) -> None:
        """What code and a test cite may be said to be kept; a transcript is a test."""
        for row in (YES, PARTLY, NO):
            self.assertEqual(self.contradictions(CODE, TEST, row=row), 0)
            self.assertEqual(self.contradictions(CODE, TRANSCRIPT, row=row), 0)

    def test_unknown(self) -> None:
        """An RFC that is cited and of which nothing is said is named, with the file."""
        for citation in (CODE, TEST, HELPER):
            (wrong,) = find_contradictions([], [citation])
            self.assertIn("9001", wrong)
            self.assertIn(citation.path, wrong)

    def test_untested(self) -> None:
        """What no test cites is not kept; a helper of tests is no test."""
        for row in (YES, PARTLY):
            self.assertEqual(self.contradictions(CODE, HELPER, row=row), 1)

    def test_without_code(self) -> None:
        """What no code cites is not kept either."""
        for row in (YES, PARTLY):
            self.assertEqual(self.contradictions(TEST, row=row), 1)

    def test_nobody_cites(self) -> None:
        """A row that nothing stands behind is refused, unless it says no."""
        self.assertEqual(self.contradictions(row=YES), 2)
        self.assertEqual(self.contradictions(row=NO), 0)


class RenderTests(SynchronousTestCase):
    """The page itself."""

    def test_sections(self) -> None:
        """By number and not by spelling, the whole first, appendices last."""
        whole = Citation(9001, "", "harakatw/b.py")
        page = render_specifications([YES], [CODE, TEST, HELPER, TRANSCRIPT, whole])
        rows = page[page.index("## ") :].splitlines()[4:]
        self.assertEqual(
            rows,
            [
                "| as a whole | `harakatw/b.py` |  |",
                "| 4.9 |  | `tests.wire.test_a` |",
                "| 4.10 | `harakatw/wire/a.py` |  |",
                "| D.1 |  | `tests/transcripts/a.txt` |",
            ],
        )

    def test_overview(self) -> None:
        """What is not kept has its reason, and no section if nothing cites it."""
        page = render_specifications([NO], [])
        self.assertIn("| One | no | later |", page)
        self.assertNotIn("## RFC", page)

    def test_refused(self) -> None:
        """A page that would say what is not so is not made."""
        error = self.assertRaises(
            ContradictionError, render_specifications, [YES], [CODE]
        )
        self.assertIn("no test cites it", str(error))
