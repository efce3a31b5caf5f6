"""The README's set-up lines."""

import shlex

from twisted.trial.unittest import SynchronousTestCase

from tests.ci.readme import README, marked_line


class MarkedLineTests(SynchronousTestCase):
    """Taking one command out of a page."""

    def test_found(self) -> None:
        """The command comes out as it is printed, whatever else the page holds."""
        text = (
            "<!-- a -->\n```sh\none\n```\n<!-- b -->\n\n```sh\ntwo && 'x'\n```\nEnd\n"
        )
        self.assertEqual(marked_line(text, "a"), "one")
        self.assertEqual(marked_line(text, "b"), "two && 'x'")

    def test_missing(self) -> None:
        """A page that lost its marker is a mistake, not an empty test run."""
        wrong = self.assertRaises(ValueError, marked_line, "```sh\none\n```\n", "a")
        self.assertIn("0 code blocks", str(wrong))

    def test_twice(self) -> None:
        """Two blocks of one name leave open which one is tested."""
        text = "<!-- a -->\n```sh\none\n```\n" * 2
        wrong = self.assertRaises(ValueError, marked_line, text, "a")
        self.assertIn("2 code blocks", str(wrong))

    def test_two_lines(self) -> None:
        """Set-up takes one line: what needs two is not what the page promises."""
        text = "<!-- a -->\n```sh\none\ntwo\n```\n"
        wrong = self.assertRaises(ValueError, marked_line, text, "a")
        self.assertIn("2 lines", str(wrong))


class ReadmeTests(SynchronousTestCase):
    """What the README tells a newcomer to paste."""

    def test_two_lines(self) -> None:
        """Each line makes its environment, installs the server and runs something."""
        text = README.read_text("utf-8")
        for name, command in (("demo", "haraka"), ("tests", "trial")):
            words = shlex.split(marked_line(text, name))
            self.assertEqual(words[:4], ["python3", "-m", "venv", ".venv"])
            self.assertIn(f".venv/bin/{command}", words)

    def test_links(self) -> None:
        """Every page that the README points to is there."""
        text = README.read_text("utf-8")
        targets = [piece.partition(")")[0] for piece in text.split("](")[1:]]
        self.assertNotEqual(targets, [])
        missing = [
            target
            for target in targets
            if "://" not in target and not (README.parent / target).exists()
        ]
        self.assertEqual(missing, [])
