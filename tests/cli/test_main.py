"""The command as a whole."""

import contextlib
import io
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from harakatw.cli.arguments import WORDS
from harakatw.cli.main import main
from harakatw.errors import ConfigError
from harakatw.version import __version__
from tests.cli.instances import InstanceTestCase

MAIN = import_module("harakatw.cli.main")


class MainTests(InstanceTestCase):
    """What is typed, and what comes of it."""

    def setUp(self) -> None:
        """Forget what the terminal knows."""
        super().setUp()
        self.patch(os, "environ", {})
        self.err = io.StringIO()

    def run_main(self, *arguments: str) -> int:
        """Type something."""
        with (
            contextlib.redirect_stdout(self.out),
            contextlib.redirect_stderr(self.err),
        ):
            try:
                return main(arguments)
            except SystemExit as stop:
                return int(stop.code or 0)

    def instead_of(self, function: str) -> list[tuple[Any, ...]]:
        """Do nothing in the place of an action; returns what it is called with."""
        seen: list[tuple[Any, ...]] = []

        def note(*args: object) -> int:
            seen.append(args)
            return 0

        self.patch(MAIN, function, note)
        return seen

    def test_version(self) -> None:
        """C{-v} tells the version."""
        self.assertEqual(self.run_main("-v"), 0)
        self.assertIn(__version__, self.printed())

    def test_usage(self) -> None:
        """C{-h} shows the usage, and so does nothing at all, which is no success."""
        self.assertEqual(self.run_main("-h"), 0)
        asked = self.printed()
        self.assertEqual(self.run_main(), 2)
        self.assertEqual(self.printed(), asked * 2)

    def test_unknown(self) -> None:
        """What makes no sense has status 2."""
        for words in (("--nonsense",), ("-l", "-f"), ("-l", "-v"), ("nonsense",)):
            self.assertEqual(self.run_main(*words), 2, words)
            self.assertIn("usage", self.err.getvalue())

    def test_every_word(self) -> None:
        """Every word that the usage promises is there."""
        for word in WORDS:
            self.assertEqual(self.run_main(word, "-h"), 0)
            self.assertIn(f"usage: haraka {word}", self.printed())

    def test_create_and_check(self) -> None:
        """An instance that C{-i} made passes C{check}, and is not made again."""
        directory = str(Path(self.mktemp()))
        self.assertEqual(self.run_main("-i", directory), 0)
        self.assertEqual(self.run_main("check", "-c", directory), 0)
        self.assertIn("no problems found", self.printed())
        self.assertEqual(self.run_main("-i", directory), 1)
        self.assertIn("haraka: ", self.err.getvalue())
        self.assertEqual(self.run_main("-i", directory, "-f"), 0)

    def test_instance_from_environment(self) -> None:
        """C{$HARAKA} stands in for C{-c}; without both there is no instance."""
        self.assertEqual(self.run_main("check"), 1)
        self.assertIn("-c DIR", self.err.getvalue())
        self.patch(os, "environ", {"HARAKA": str(self.directory)})
        self.assertEqual(self.run_main("check"), 0)

    def test_run(self) -> None:
        """C{-c} alone runs the server, as C{run} does, and as C{$HARAKA} alone does."""
        seen = self.instead_of("run")
        where = str(self.directory)
        self.assertEqual(self.run_main("-c", where), 0)
        self.assertEqual(self.run_main("run", "-c", where), 0)
        self.patch(os, "environ", {"HARAKA": where})
        self.assertEqual(self.run_main(), 0)
        self.assertEqual(seen, [(self.directory,)] * 3)

    def test_demo(self) -> None:
        """C{demo} is given the directory and the address."""
        seen = self.instead_of("demo")
        self.run_main("demo")
        self.run_main("demo", "x", "--listen", "127.0.0.1:2")
        wanted = [(Path("haraka-demo"), None), (Path("x"), "127.0.0.1:2")]
        self.assertEqual([args[:2] for args in seen], wanted)

    def test_list_order_page(self) -> None:
        """C{-l}, C{-o} and C{-h NAME} look at the instance of C{-c}."""
        self.plugin("mine", "OK")
        self.write(plugins="mine\n")
        where = str(self.directory)
        for words in (("-l",), ("-o",), ("-h", "mine")):
            self.out.truncate(0)
            self.assertEqual(self.run_main(*words, "-c", where), 0)
            self.assertIn("mine", self.printed())

    def test_new_plugin(self) -> None:
        """C{-p} begins a plugin in the instance."""
        self.assertEqual(self.run_main("-p", "mine", "-c", str(self.directory)), 0)
        self.assertTrue((self.directory / "plugins/mine.py").exists())

    def test_session(self) -> None:
        """C{-t} hands on what the session is to be like."""
        seen = self.instead_of("try_session")
        where = str(self.directory)
        self.run_main("-t", "a,b", "-c", where, "--helo", "h", "--ip", "192.0.2.9")
        wanted = seen[0][1]
        self.assertEqual(wanted.plugins, ("a", "b"))
        self.assertEqual((wanted.verb, wanted.ip), ("HELO", "192.0.2.9"))

    def test_several_problems(self) -> None:
        """A server that cannot start tells each problem on a line of its own."""

        def fail(directory: Path) -> int:
            raise ConfigError(("config/a: wrong", "config/b: wrong, too"))

        self.patch(MAIN, "run", fail)
        self.assertEqual(self.run_main("-c", str(self.directory)), 1)
        self.assertEqual(
            self.err.getvalue(),
            "haraka: config/a: wrong\nharaka: config/b: wrong, too\n",
        )

    def test_interrupted(self) -> None:
        """Ctrl-C ends it without a traceback."""

        def interrupt(directory: Path) -> int:
            raise KeyboardInterrupt

        self.patch(MAIN, "run", interrupt)
        self.assertEqual(self.run_main("-c", str(self.directory)), 130)
        self.assertEqual(self.err.getvalue(), "")

    def test_closed_pipe(self) -> None:
        """Whoever reads only the first lines of a list causes no traceback."""
        reads, writes = os.pipe()
        os.close(reads)
        with os.fdopen(writes, "w") as pipe:
            self.patch(sys, "stdout", pipe)
            self.assertEqual(main(["-l"]), 1)
