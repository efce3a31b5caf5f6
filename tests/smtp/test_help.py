"""HELP (RFC 5321 section 4.1.1.8)."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.smtp.commands import COMMANDS
from tests.sessions import make_site


class HelpTests(SynchronousTestCase):
    """What a person with telnet is told."""

    def test_help(self) -> None:
        """HELP is answered with 214, at any time, whatever is asked for."""
        site = make_site()
        site.client.say("HELP", "help mail")
        self.assertEqual(site.client.codes(), [220, 214, 214])

    def test_names_commands(self) -> None:
        """Every command that is understood is named, but for EXPN, which is refused."""
        said = make_site().client.ask("HELP")
        for verb in COMMANDS.keys() - {b"EXPN"}:
            self.assertIn(verb.decode(), said)
