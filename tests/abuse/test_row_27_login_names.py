"""Row 27: names that a careless look-up takes for somebody."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.plugins.auth.flat_file import FlatFile, FlatFileOptions
from harakatw.testing.threads import NoThreads
from tests.abuse.inputs import BAD_NAMES
from tests.auth.sites import auth_site, plain, say


class LoginNameTests(SynchronousTestCase):
    """A name is compared as it is, and to names only."""

    def test_nobody(self) -> None:
        """None of them is Ann, though the password is hers."""
        options = FlatFileOptions(users={"ann": "pw"})
        plugin = FlatFile("auth/flat_file", options=options, threads=NoThreads())
        self.assertEqual(say(auth_site(plugin), plain("ann", "pw"))[:3], "235")
        for name in BAD_NAMES:
            self.assertEqual(say(auth_site(plugin), plain(name, "pw"))[:3], "535", name)
