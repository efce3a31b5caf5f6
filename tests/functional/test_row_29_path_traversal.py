"""Row 29 over the wire: names that lead out of the folder that they are for."""

from tests.abuse.names import PATHS
from tests.functional.server import RunningServer, ServerTestCase

NOTING = '''
"""Has messages quarantined in a folder with the recipient's name."""

from harakatw.plugin import CONT, IDataPostHook, implementer


@implementer(IDataPostHook)
class Noting:
    def hook_data_post(self, connection):
        transaction = connection.transaction
        transaction.notes.set("quarantine", transaction.rcpt_to[0].user)
        return CONT
'''


class TraversalTests(ServerTestCase):
    """Recipients as folders of Maildirs and of the quarantine."""

    async def send(self, server: RunningServer) -> int:
        """Send a message to each that the server takes; returns how many."""
        taken = 0
        for word in PATHS:
            client = await self.connect(server)
            await client.codes(1)
            client.say(f"HELO {word}", "EHLO client.example")
            await client.codes(2)
            quoted = word.replace("\\", "\\\\").replace('"', '\\"')
            for local in word, f'"{quoted}"':
                await client.ask("MAIL FROM:<a@client.example>")
                if (await client.ask(f"RCPT TO:<{local}@here.example>"))[:3] == "250":
                    await client.ask("DATA")
                    said = await client.ask("Subject: x", "", ".")
                    self.assertEqual(said[:3], "250", word)
                    taken += 1
                await client.ask("RSET")
        return taken

    async def test_inside(self) -> None:
        """
        Every file is in the folder for it, right below the Maildirs or below the
        quarantine, and nothing else was written to the instance or beside it.
        """
        server = self.start(
            {
                "plugins/noting.py": NOTING,
                "config/plugins": "rcpt_to.in_host_list\nnoting\n"
                "queue/quarantine\nqueue/maildir\n",
                "config/quarantine.ini": "quarantine_path=deep/q\n",
                "config/maildir.ini": "path=deep/mail/{domain}/{user}\n",
            }
        )
        before = {path.name for path in server.directory.iterdir()}
        beside = {path.name for path in server.directory.parent.iterdir()}
        taken = await self.send(server)
        self.assertGreaterEqual(taken, len(PATHS) - 2)
        after = {path.name for path in server.directory.iterdir()}
        self.assertEqual(after - before, {"deep"})
        now = {path.name for path in server.directory.parent.iterdir()}
        self.assertEqual(now, beside)
        deep = server.directory / "deep"
        self.assertEqual(sorted(path.name for path in deep.iterdir()), ["mail", "q"])
        files = [path for path in deep.rglob("*") if path.is_file()]
        delivered = server.delivered("deep/mail/here.example/*")
        self.assertEqual(len(delivered), taken)
        self.assertEqual(len(files), 2 * taken)
        for path in files:
            self.assertTrue(path.resolve().is_relative_to(deep.resolve()), path)
            self.assertFalse(path.is_symlink(), path)
