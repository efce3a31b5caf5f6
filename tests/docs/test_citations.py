"""What counts as naming an RFC."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from docs._ext.citations import Citation, cited, collect_citations

RFC = "RFC"  # apart from its number, so that this file cites nothing


class CitedTests(SynchronousTestCase):
    """Citations in a text."""

    def check(self, text: str, *expected: tuple[int, str]) -> None:
        """The text, in which C{#} stands for an RFC, names these and no others."""
        self.assertEqual(list(cited(text.replace("#", RFC))), list(expected), text)

    def test_whole(self) -> None:
        """A number alone is the document as a whole."""
        self.check("# 9001 says so, and (# 9002).", (9001, ""), (9002, ""))

    def test_sections(self) -> None:
        """A section, several, and an appendix."""
        self.check("# 9001 section 4.1.1.4.", (9001, "4.1.1.4"))
        self.check("# 9001 section 1 and 2.3", (9001, "1"), (9001, "2.3"))
        self.check("# 9001 sections 3 to 5, where", (9001, "3"), (9001, "5"))
        self.check("# 9001 appendix D.1: x", (9001, "D.1"))

    def test_remarks(self) -> None:
        """A remark in brackets may stand between two sections."""
        self.check(
            "# 9001 section 3 (grammar), section 6.1 (replies); # 9002 section 4",
            (9001, "3"),
            (9001, "6.1"),
            (9002, "4"),
        )

    def test_line_ends(self) -> None:
        """A citation may run over the end of a line, in docstring and comment."""
        self.check("# 9001\n    section 4", (9001, "4"))
        comment = f"# as {RFC}\n# 9001 section\n# 4.2 wants"
        self.assertEqual(list(cited(comment)), [(9001, "4.2")])

    def test_others(self) -> None:
        """The section of something else, or a number without an RFC, is none."""
        self.check("# 9001 is quoted in section 4 of the manual", (9001, ""))
        self.check("rfc822;a@b.example, X# 9001 and 9002")
        self.check("# 9001 section 3 and A is a letter", (9001, "3"))


class CollectTests(SynchronousTestCase):
    """Where citations are looked for."""

    def test_files(self) -> None:
        """Code, tests, what tests stand on, and transcripts are told apart."""
        checkout = Path(self.mktemp())
        for name in (
            "harakatw/wire/a.py",
            "tests/wire/test_a.py",
            "tests/wire/helper.py",
            "tests/transcripts/a.txt",
            "tests/notes.md",
        ):
            path = checkout / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"# {RFC} 9001 section 1\n")
        found = {each.path: each for each in collect_citations(checkout)}
        self.assertEqual(
            {path: (each.is_code, each.is_test) for path, each in found.items()},
            {
                "harakatw/wire/a.py": (True, False),
                "tests/wire/test_a.py": (False, True),
                "tests/wire/helper.py": (False, False),
                "tests/transcripts/a.txt": (False, True),
            },
        )

    def test_once(self) -> None:
        """A file that says it twice is listed once."""
        checkout = Path(self.mktemp())
        (checkout / "harakatw").mkdir(parents=True)
        text = f"# {RFC} 9001 section 1\n" * 2
        (checkout / "harakatw" / "a.py").write_text(text)
        expected = frozenset((Citation(9001, "1", "harakatw/a.py"),))
        self.assertEqual(collect_citations(checkout), expected)
