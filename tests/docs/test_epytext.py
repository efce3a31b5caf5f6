"""Docstrings as Markdown."""

from twisted.trial.unittest import SynchronousTestCase

from docs._ext.epytext import to_markdown


class ToMarkdownTests(SynchronousTestCase):
    """How a contract looks in the manual."""

    def test_markup(self) -> None:
        """Code is set as code, words that are stressed are stressed."""
        self.assertEqual(
            to_markdown("Say C{DENY} to L{None}, I{not} B{never}."),
            "Say `DENY` to `None`, *not* **never**.",
        )

    def test_fields(self) -> None:
        """Arguments, result, errors and source are a list, each on one line."""
        docstring = """
        Accept or refuse.

        More on it.

        @param recipient: the path,
            in lower case.
        @return: a L{Verdict}.
        @raise ValueError: never.
        @see: RFC 5321
        """
        self.assertEqual(
            to_markdown(docstring),
            "Accept or refuse.\n\nMore on it.\n\n"
            "- `recipient`: the path, in lower case.\n"
            "- Returns: a `Verdict`.\n"
            "- Raises `ValueError`: never.\n"
            "- See: RFC 5321",
        )

    def test_address(self) -> None:
        """An address is no field, though it holds the same sign."""
        self.assertEqual(to_markdown("From a@example.org."), "From a@example.org.")

    def test_empty(self) -> None:
        """No docstring makes no text."""
        self.assertEqual(to_markdown(""), "")
