"""Sessions that are open while the server gets other settings and plugins."""

import attrs
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.testing.server import MemoryServer
from harakatw.verdict import DENY
from tests.fake_plugins import fake_plugin


class ReloadTests(SynchronousTestCase):
    """A session keeps what it began with; the next client gets the new."""

    def test_plugins(self) -> None:
        """An open session is ruled by the plugins that it began with, to its end."""
        before, after = fake_plugin(mail=None, disconnect=None), fake_plugin(mail=DENY)
        server = MemoryServer([before])
        old = server.connect()
        server.context = attrs.evolve(
            server.context, chains=MemoryServer([after]).context.chains
        )
        new = server.connect()
        for client, codes in ((old, [220, 250, 250]), (new, [220, 250, 550])):
            client.say("EHLO client.example", "MAIL FROM:<>")
            self.assertEqual(client.codes(), codes)
            client.leave()
        self.assertEqual(before.asked, ["mail", "disconnect"])

    def test_settings(self) -> None:
        """So it is with limits: nobody is cut off by a limit set meanwhile."""
        server = MemoryServer()
        old = server.connect()
        limits = ConnectionOptions(max_errors=1)
        server.context = attrs.evolve(server.context, limits=limits)
        new = server.connect()
        for client, codes in ((old, [220, 500, 250]), (new, [220, 500, 421])):
            client.say("FOO", "NOOP")
            self.assertEqual(client.codes(), codes)
