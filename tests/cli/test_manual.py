"""What C{haraka -h NAME} shows."""

import io
import sys
from pathlib import Path

from harakatw.cli import manual
from harakatw.cli.create import write_files
from harakatw.cli.failure import CommandError
from harakatw.cli.manual import find_page, show_page
from tests.cli.instances import InstanceTestCase


class _Terminal(io.StringIO):
    """Output that somebody looks at."""

    def isatty(self) -> bool:
        """It is a terminal."""
        return True


class FindPageTests(InstanceTestCase):
    """Where pages are found."""

    def no_checkout(self) -> None:
        """As where only the package is installed."""
        self.patch(manual, "manual_folder", lambda: None)

    def test_own_page_first(self) -> None:
        """The instance's page about a plugin comes before the manual's."""
        write_files(self.directory, {"docs/plugins/tarpit.md": "# Ours\n"})
        self.assertEqual(find_page("tarpit", self.instance()), "# Ours\n")
        self.assertNotEqual(find_page("tarpit", None), "# Ours\n")

    def test_manual(self) -> None:
        """Topics of the manual are there by their names."""
        self.assertIn("# Getting started", find_page("getting_started", None))

    def test_names_of_plugins(self) -> None:
        """A plugin is found as config/plugins names it, and as Haraka's manual does."""
        pages = {"queue/mine.md": "1", "queue.other.md": "2", "dns_list.md": "3"}
        files = {f"docs/plugins/{name}": text for name, text in pages.items()}
        write_files(self.directory, files)
        names = ("queue/mine", "plugins/queue/mine", "queue/other", "dns-list", "dnsbl")
        found = [find_page(name, self.instance()) for name in names]
        self.assertEqual(found, ["1", "1", "2", "3", "3"])

    def test_from_the_code(self) -> None:
        """Without the manual a plugin's code tells its hooks and options."""
        self.no_checkout()
        text = find_page("rcpt_to.in_host_list", None)
        self.assertIn("# rcpt_to.in_host_list", text)
        self.assertIn("- rcpt: hook_rcpt", text)
        self.assertIn("### host_list", text)
        self.assertNotRegex(text, r"C\{|@see")

    def test_reference(self) -> None:
        """All options and all hooks are told wherever the package is installed."""
        self.no_checkout()
        reference = find_page("configuration", None)
        self.assertIn("## smtp.ini", reference)
        self.assertIn("## maildir.ini", reference)
        self.assertIn("| rcpt_ok | IRcptOkHook |", find_page("hooks", None))

    def test_unknown(self) -> None:
        """A page that is not there is told, with the nearest that is."""
        error = self.assertRaises(CommandError, find_page, "tarpti", None)
        self.assertIn("did you mean tarpit?", str(error))

    def test_unsafe(self) -> None:
        """A name never leads out of the folders of pages."""
        for name in ("../README", "/etc/passwd", "a/../../b", "", "a\nb"):
            error = self.assertRaises(CommandError, find_page, name, self.instance())
            self.assertIn("no name of a page", str(error))

    def test_broken_plugin(self) -> None:
        """A plugin that cannot be imported says why, in a line."""
        write_files(self.directory, {"plugins/broken.py": "1/0\n"})
        error = self.assertRaises(CommandError, find_page, "broken", self.instance())
        self.assertIn("division by zero", str(error))


class PagerTests(InstanceTestCase):
    """How a page is shown."""

    def setUp(self) -> None:
        """Have a page."""
        super().setUp()
        write_files(self.directory, {"docs/plugins/mine.md": "# Mine\n"})
        self.seen = Path(self.mktemp()).absolute()

    def pager(self) -> str:
        """A pager that writes to a file."""
        code = f"import sys; open({str(self.seen)!r}, 'w').write(sys.stdin.read())"
        return f'{sys.executable} -c "{code}"'

    def test_terminal(self) -> None:
        """On a terminal the postmaster's pager shows it."""
        out = _Terminal()
        show_page("mine", self.instance(), self.pager(), out)
        self.assertEqual((self.seen.read_text(), out.getvalue()), ("# Mine\n", ""))

    def test_no_terminal(self) -> None:
        """What is piped elsewhere is not paged."""
        show_page("mine", self.instance(), self.pager(), self.out)
        self.assertFalse(self.seen.exists())
        self.assertEqual(self.printed(), "# Mine\n")

    def test_no_pager(self) -> None:
        """Without a pager, or with one that is not there, the page is printed."""
        for pager in (None, "/nonexistent/pager", "'unclosed", " "):
            out = _Terminal()
            show_page("mine", self.instance(), pager, out)
            self.assertEqual(out.getvalue(), "# Mine\n", pager)
