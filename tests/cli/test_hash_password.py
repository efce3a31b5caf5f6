"""C{haraka hash}."""

import contextlib
import io
import sys

from twisted.trial.unittest import SynchronousTestCase

from harakatw.auth.passwords import is_api_key, parse_password
from harakatw.cli.failure import CommandError
from harakatw.cli.hash_password import print_api_key, print_hash
from harakatw.cli.main import main


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def nobody(prompt: str) -> str:
    """Is not to be asked."""
    raise AssertionError(prompt)


class HashTests(SynchronousTestCase):
    """What a file keeps of a password."""

    def test_pipe(self) -> None:
        """The first line of the input is the password, blanks and all."""
        for scheme in "argon2", "bcrypt", "scram-sha-256":
            out = io.StringIO()
            print_hash(scheme, io.StringIO(" two words \nmore\n"), nobody, out)
            (line,) = out.getvalue().splitlines()
            self.assertTrue(parse_password(line).is_it(" two words "), scheme)

    def test_terminal(self) -> None:
        """At a terminal it is asked for twice, and not shown."""
        asked: list[str] = []

        def ask(prompt: str) -> str:
            asked.append(prompt)
            return "pw"

        out = io.StringIO()
        self.assertEqual(print_hash("argon2", Terminal(), ask, out), 0)
        self.assertEqual(asked, ["Password: ", "Again: "])
        self.assertTrue(parse_password(out.getvalue().strip()).is_it("pw"))

    def test_differ(self) -> None:
        """Two different ones are none."""
        answers = iter(("one", "two"))
        with self.assertRaises(CommandError):
            print_hash("argon2", Terminal(), lambda _: next(answers), io.StringIO())

    def test_impossible(self) -> None:
        """Nothing, what nobody can type, and too much for bcrypt."""
        for scheme, text in (
            ("argon2", ""), ("argon2", "a\0b"), ("bcrypt", "x" * 73)
        ):  # fmt: skip
            with self.assertRaises(CommandError):
                print_hash(scheme, io.StringIO(text), nobody, io.StringIO())

    def test_api_key(self) -> None:
        """A key is made, another one each time, and only its hash is to be kept."""
        keys = set()
        for _ in range(2):
            out = io.StringIO()
            print_api_key(out)
            first, stored = out.getvalue().splitlines()
            key = first.rpartition(" ")[2]
            self.assertGreaterEqual(len(key), 43)
            self.assertTrue(is_api_key(key, stored))
            keys.add(key)
        self.assertEqual(len(keys), 2)

    def test_command(self) -> None:
        """As it is typed; a password on the command line is not taken."""
        self.patch(sys, "stdin", io.StringIO("pw\n"))
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.assertEqual(main(("hash", "--scheme", "bcrypt")), 0)
            self.assertEqual(main(("hash", "--api-key")), 0)
        self.assertTrue(out.getvalue().startswith("$2b$"))
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertRaises(SystemExit, main, ("hash", "secret"))
