"""The plugins on the page about authentication do what it says."""

import re
import sqlite3
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw import plugin as authors
from harakatw.auth.passwords import hash_password
from harakatw.config.files import ConfigFiles
from harakatw.hooks.loader import PluginLoader
from harakatw.hooks.search import PluginSearch
from harakatw.testing.threads import NoThreads
from tests.auth.sites import auth_site, offered, plain, say
from tests.rules.source import CHECKOUT

EXAMPLES = CHECKOUT / "docs/examples"
PAGE = CHECKOUT / "docs/authentication.md"


class ShopTests(SynchronousTestCase):
    """Users of a database."""

    def setUp(self) -> None:
        """Load the very file that the page shows, as a server does."""
        self.path = Path(self.mktemp()).absolute()
        config = Path(self.mktemp())
        config.mkdir()
        (config / "shop_users.ini").write_text(f"database={self.path}\n")
        search = PluginSearch(
            EXAMPLES, "harakatw.plugins", CHECKOUT / "harakatw/plugins"
        )
        files = ConfigFiles(config)
        loader = PluginLoader(search, files, {"threads": NoThreads()}, 30)
        loaded = loader.load("shop_users")
        self.assertEqual(loaded.problems, ())
        self.assertIn("auth.ini", loaded.files)
        self.plugin: Any = loaded.instance

    def fill(self) -> None:
        """Make the database."""
        database = sqlite3.connect(self.path)
        self.addCleanup(database.close)
        database.execute("CREATE TABLE users (name TEXT, hash TEXT)")
        row = ("ann", hash_password("pw", "argon2"))
        database.execute("INSERT INTO users VALUES (?, ?)", row)
        database.commit()

    def login(self, user: str, password: str) -> str:
        """The answer to a login."""
        return say(auth_site(self.plugin), plain(user, password))[:9]

    def test_login(self) -> None:
        """The right password, a wrong one, nobody, and a name that is SQL."""
        self.fill()
        self.assertEqual(offered(auth_site(self.plugin)), ["PLAIN", "LOGIN"])
        self.assertEqual(self.login("ann", "pw"), "235 2.7.0")
        for user in "ann", "bob", "x' OR 1=1--":
            self.assertEqual(self.login(user, "other"), "535 5.7.8")

    def test_no_database(self) -> None:
        """Without a database nobody is told to be wrong."""
        self.assertEqual(self.login("ann", "pw"), "454 4.3.0")


class RiddleTests(SynchronousTestCase):
    """A command of one's own."""

    def test_riddle(self) -> None:
        """It asks, and judges the answer."""
        (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
        names: dict[str, Any] = dict(vars(authors))
        exec(compile(code, str(PAGE), "exec"), names)
        for answer, wanted in (("a cat", "250"), ("NOOP", "535")):
            site = auth_site(names["Riddle"]())
            said = say(site, "XRIDDLE", answer)
            self.assertTrue(said.startswith("334 What walks on four legs?\r\n"))
            self.assertEqual(said.splitlines()[1][:3], wanted)
