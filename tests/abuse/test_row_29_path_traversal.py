"""Row 29: names that lead out of the folder that they are for."""

import os
from typing import Any

from harakatw.plugins.queue.maildir import Maildir, MaildirOptions
from harakatw.plugins.queue.quarantine import Quarantine, QuarantineOptions
from harakatw.testing.server import MemoryServer
from harakatw.testing.threads import NoThreads
from tests.abuse.names import PATHS
from tests.fake_plugins import fake_plugin
from tests.plugins.keeper import AcceptAll
from tests.plugins.servers import FolderTestCase

NOW = 1_700_000_000.0


class TraversalTests(FolderTestCase):
    """Recipients, domains and notes as folders."""

    def deliver(self, word: str, *plugins: object) -> str:
        """Send a message to a user of that name; the last answer."""
        client = MemoryServer([AcceptAll(), *plugins]).connect()
        quoted = word.replace("\\", "\\\\").replace('"', '\\"')
        client.ask(f"HELO {word}", "EHLO client.example")
        client.ask("MAIL FROM:<a@client.example>")
        for local in word, f'"{quoted}"':
            client.ask(f"RCPT TO:<{local}@here.example>")
        client.ask("DATA")
        return client.ask("Subject: x", "", ".")

    def test_maildir(self) -> None:
        """
        Each recipient that is taken has a Maildir of its own, right below the folder
        for them, and nothing is written elsewhere.
        """
        options = MaildirOptions(path="mail/{domain}/{user}")
        plugin = Maildir(
            options, "queue/maildir", self.server, NoThreads(), lambda: NOW
        )
        for word in PATHS:
            self.deliver(word, plugin)
        self.assertEqual(os.listdir(self.folder), ["mail"])
        self.assertEqual(os.listdir(self.folder / "mail"), ["here.example"])
        users = os.listdir(self.folder / "mail/here.example")
        for user in users:
            inside = sorted(os.listdir(self.folder / "mail/here.example" / user))
            self.assertEqual(inside, ["cur", "new", "tmp"], user)
            self.assertFalse(user.startswith((".", "/")), user)
        self.assertGreaterEqual(len(users), len(PATHS) - 2)

    def test_quarantine(self) -> None:
        """
        A plugin may name the quarantine's folder after the recipient: it is below the
        quarantine all the same.
        """

        def note(connection: Any) -> None:
            transaction = connection.transaction
            transaction.notes.set("quarantine", transaction.rcpt_to[-1].user)

        options = QuarantineOptions(quarantine_path="q/inside")
        plugin = Quarantine(
            options, "queue/quarantine", self.server, NoThreads(), lambda: NOW
        )
        for word in PATHS:
            self.deliver(word, fake_plugin(data_post=note), plugin)
        self.assertEqual(os.listdir(self.folder), ["q"])
        self.assertEqual(os.listdir(self.folder / "q"), ["inside"])
        kept = [path for path in self.files() if "/tmp/" not in path]
        self.assertGreaterEqual(len(kept), len(PATHS) - 2)
        for path in kept:
            self.assertFalse({"..", "."} & set(path.split("/")), path)
