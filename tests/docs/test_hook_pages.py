"""The manual's page of hooks."""

from twisted.trial.unittest import SynchronousTestCase

from docs._ext.hook_pages import render_hooks
from harakatw.hook_rules import HOOK_RULES
from harakatw.hooks.declared import HOOK_INTERFACES


class RenderHooksTests(SynchronousTestCase):
    """What an author finds on the page."""

    def sections(self) -> dict[str, str]:
        """The page's sections by the names of their hooks."""
        parts = render_hooks().split("\n## ")[1:]
        return {part.partition("\n")[0]: part for part in parts}

    def test_every_hook(self) -> None:
        """Each hook has its section, in the order of the table."""
        self.assertEqual(list(self.sections()), list(HOOK_RULES))

    def test_every_interface(self) -> None:
        """A hook without an interface, or the other way round, is a mistake."""
        self.assertEqual(set(HOOK_INTERFACES), set(HOOK_RULES))

    def test_signature(self) -> None:
        """The method can be copied from the page."""
        section = self.sections()["rcpt"]
        self.assertIn("def hook_rcpt(self, connection, recipient, params)", section)
        self.assertIn("- Interface: `IRcptHook`", section)

    def test_replies(self) -> None:
        """The replies are those that the server gives."""
        denied = HOOK_RULES["connect"].deny
        assert denied is not None
        wanted = f"| `DENY` | {denied.code} {denied.enhanced} {denied.text} | every"
        self.assertIn(wanted, self.sections()["connect"])

    def test_without_replies(self) -> None:
        """A hook that never answers the client has no table of replies."""
        self.assertNotIn("| verdict |", self.sections()["delivered"])

    def test_no_epytext_left(self) -> None:
        """Markup of docstrings does not reach the reader."""
        page = render_hooks()
        self.assertNotRegex(page, r"\b[CLIB]\{")
        self.assertNotRegex(page, r"(?m)^\s*@")
