"""The command line."""

import argparse

from twisted.trial.unittest import SynchronousTestCase

from harakatw.cli.arguments import WORDS, flag_parser, misplaced, word_parser


def parse(*words: str) -> argparse.Namespace:
    """What a command line of flags says."""
    return flag_parser().parse_args(words)


class FlagTests(SynchronousTestCase):
    """Haraka's flags."""

    def test_help_with_and_without_name(self) -> None:
        """C{-h} alone asks for the usage, with a name for a page."""
        found = [parse(*words).help for words in ((), ("-h",), ("--help", "access"))]
        self.assertEqual(found, [None, "", "access"])

    def test_recipients(self) -> None:
        """There may be several recipients."""
        flags = parse("-t", "all", "--envrcpt", "a@b.c", "--envrcpt", "d@e.f")
        self.assertEqual(flags.envrcpt, ["a@b.c", "d@e.f"])

    def test_usage_names_words(self) -> None:
        """The usage tells what may stand first, too."""
        text = flag_parser().format_help()
        for word in WORDS:
            self.assertIn(f"haraka {word} ", text)


class MisplacedTests(SynchronousTestCase):
    """Flags that would be ignored are refused instead."""

    def test_good(self) -> None:
        """What goes together is taken."""
        for line in (
            "-c /srv/mail",
            "-i /srv/mail -f",
            "-p name -c /srv/mail -f",
            "-l -c /srv/mail",
            "-h access -c /srv/mail",
            "-t all -c /srv/mail --ip 192.0.2.1 --helo a --envfrom a@b.c --set-relay",
            "-t all --envfrom a@b.c --envrcpt d@e.f --message m --queue --skip-deny",
            "--qempty --yes -c /srv/mail",
            "--qunstick",
            "--qunstick example.org -c /srv/mail",
        ):
            self.assertEqual(misplaced(parse(*line.split())), "", line)

    def test_bad(self) -> None:
        """What belongs elsewhere is told with where it belongs."""
        for line, where in (
            ("-l -f", "-i or -p"),
            ("--qlist --yes", "--qempty"),
            ("-i /srv/mail -c /srv/mail", "-c"),
            ("-c /srv/mail --ip 192.0.2.1", "-t"),
            ("--set-relay", "-t"),
            ("-t all --envrcpt a@b.c", "--envfrom"),
            ("-t all --envfrom a@b.c --message m", "--envrcpt"),
            ("-t all --dump-stream", "--message"),
            ("-t all --dump-mime", "--message"),
            ("-t all --queue", "--message"),
        ):
            self.assertIn(where, misplaced(parse(*line.split())), line)

    def test_null_sender(self) -> None:
        """A session may have the null reverse-path: that is a sender."""
        flags = parse("-t", "all", "--envfrom", "", "--envrcpt", "a@b.c")
        self.assertEqual(misplaced(flags), "")


class WordTests(SynchronousTestCase):
    """Words."""

    def test_demo(self) -> None:
        """The demo needs no argument."""
        flags = word_parser("demo").parse_args([])
        self.assertEqual((str(flags.directory), flags.listen), ("haraka-demo", None))

    def test_others(self) -> None:
        """The others want an instance."""
        for word in ("run", "check"):
            flags = word_parser(word).parse_args(["-c", "/srv/mail"])
            self.assertEqual(str(flags.configs), "/srv/mail")
