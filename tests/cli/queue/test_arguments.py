"""What follows C{haraka queue}."""

import contextlib
import io

from twisted.trial.unittest import SynchronousTestCase

from harakatw.cli.queue.arguments import VERBS, queue_parser
from harakatw.outbound.control.grammar import KEYS
from harakatw.outbound.control.requests import Verb


class QueueParserTests(SynchronousTestCase):
    """The command line."""

    def test_filters_anywhere(self) -> None:
        """Filters may stand before, between and behind options."""
        words = "hold -c /srv/mail sender=a@b.example --yes 17 --json"
        flags = queue_parser().parse_args(words.split())
        self.assertEqual(flags.filters, ["sender=a@b.example", "17"])
        self.assertEqual((str(flags.configs), flags.verb), ("/srv/mail", "hold"))
        self.assertEqual((flags.yes, flags.json, flags.all), (True, True, False))

    def test_every_verb(self) -> None:
        """Every verb has a description, and the usage has every verb and key."""
        self.assertEqual(set(VERBS), set(Verb))
        text = queue_parser().format_help()
        for word in (*(verb.value for verb in Verb), *KEYS):
            self.assertIn(word, text)

    def test_no_such_verb(self) -> None:
        """Another verb is refused."""
        with contextlib.redirect_stderr(io.StringIO()) as err:
            self.assertRaises(SystemExit, queue_parser().parse_args, ["frob"])
        self.assertIn("frob", err.getvalue())
