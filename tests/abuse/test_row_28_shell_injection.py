"""Row 28: what a shell would run (CVE-2020-7247)."""

import ast
import os
import subprocess
from collections.abc import Iterator

from twisted.internet import process
from twisted.trial.unittest import SynchronousTestCase

from tests.abuse.names import SHELL_WORDS
from tests.rules.source import SourceFile, read_sources
from tests.sessions import make_site

RUNNERS = frozenset(
    (
        "Popen",
        "call",
        "check_call",
        "check_output",
        "eval",
        "exec",
        "execl",
        "execv",
        "execve",
        "execvp",
        "fork",
        "getProcessOutput",
        "getProcessOutputAndValue",
        "getProcessValue",
        "getoutput",
        "getstatusoutput",
        "load",
        "loads",
        "popen",
        "posix_spawn",
        "posix_spawnp",
        "run",
        "spawnProcess",
        "system",
    )
)
MODULES = frozenset(("os", "subprocess", "pickle", "marshal", "utils", "reactor"))
BARE = frozenset(("Popen", "eval", "exec", "getProcessOutput", "getProcessValue"))

ALLOWED = {
    ("harakatw/cli/manual.py", "subprocess.run"): "a pager, on the postmaster's screen",
    ("harakatw/hooks/search.py", "exec"): "the postmaster's own plugins",
    (
        "harakatw/plugins/_archive_formats.py",
        "subprocess.Popen",
    ): "a fixed line for a fixed shell; the archive comes by its input, no name does",
    ("harakatw/cli/try_session.py", "reactor.run"): "no program, but time itself",
}


def runners(source: SourceFile) -> Iterator[str]:
    """What in a file may run something."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        module, _, function = name.rpartition(".")
        is_known = module.rpartition(".")[2].lstrip("_") in MODULES
        if name in BARE or (is_known and function in RUNNERS):
            yield name


class ShellTests(SynchronousTestCase):
    """Envelopes that are commands."""

    def test_no_runner(self) -> None:
        """
        Nothing in the server runs a program or a text, but what the postmaster asks for
        by hand.
        """
        found = [
            (source.path, name)
            for source in read_sources("harakatw")
            for name in runners(source)
        ]
        self.assertEqual([each for each in found if each not in ALLOWED], [])

    def test_found(self) -> None:
        """The rule finds what it looks for."""
        source = SourceFile("m", "m.py", "os.system(x)\neval(y)\na.run()\nrun()\n")
        self.assertEqual(list(runners(source)), ["os.system", "eval"])

    def test_session(self) -> None:
        """
        As sender, recipient, HELO and header it is text: refused or taken, and nothing
        is run.
        """

        def run(*_: object, **__: object) -> None:
            raise AssertionError("something was run")

        for owner, name in (
            (os, "system"),
            (os, "fork"),
            (os, "posix_spawn"),
            (subprocess, "Popen"),
            (process, "Process"),
        ):
            self.patch(owner, name, run)
        for word in SHELL_WORDS:
            quoted = '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
            for local in word, quoted:
                site = make_site()
                site.client.ask(f"HELO {word}", "EHLO client.example")
                for line in (
                    f"VRFY {word}",
                    f"MAIL FROM:<{local}@client.example>",
                    "RSET",
                    "MAIL FROM:<a@client.example>",
                    f"RCPT TO:<{local}@here.example>",
                ):
                    self.assertIn(site.client.ask(line)[:1], "25", (word, line))
                site.client.ask("RCPT TO:<b@here.example>")
                site.client.ask("DATA")
                said = site.client.ask(f"Subject: {word}", "", word, ".")
                self.assertEqual(said[:3], "250")
                self.assertEqual(self.flushLoggedErrors(), [])
        self.assertFalse(os.path.exists("pwned"))
