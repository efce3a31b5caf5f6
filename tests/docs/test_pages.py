"""Writing generated pages."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from docs._ext.pages import write_page


class WritePageTests(SynchronousTestCase):
    """When a page is written."""

    def test_only_when_changed(self) -> None:
        """A page that is up to date is left alone; another is replaced."""
        page = Path(self.mktemp())
        written = [write_page(page, text) for text in ("one", "one", "two")]
        self.assertEqual(written, [True, False, True])
        self.assertEqual(page.read_text(), "two")
