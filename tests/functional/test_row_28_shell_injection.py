"""Row 28 over the wire: what a shell would run (CVE-2020-7247)."""

import json
import os
import subprocess

from twisted.internet import process

from tests.abuse.names import SHELL_WORDS
from tests.functional.server import ServerTestCase


class ShellTests(ServerTestCase):
    """Envelopes that are commands, in front of all that makes names of them."""

    async def test_nothing_runs(self) -> None:
        """
        They are refused or taken as text; no program is started, and no file is there
        that a shell would have made.
        """

        def run(*_: object, **__: object) -> None:
            raise AssertionError("something was run")

        server = self.start(
            {
                "config/plugins": "aliases\nrcpt_to.in_host_list\nheaders\n"
                "queue/quarantine\nqueue/maildir\n",
                "config/quarantine.ini": "quarantine_path=q\n",
                "config/maildir.ini": "path=mail/{domain}/{user}\n",
                "config/aliases.json": json.dumps({"none": {"action": "drop"}}),
            }
        )
        for owner, name in (
            (os, "system"),
            (os, "fork"),
            (os, "posix_spawn"),
            (subprocess, "Popen"),
            (process, "Process"),
        ):
            self.patch(owner, name, run)
        taken = 0
        for word in SHELL_WORDS:
            quoted = '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
            client = await self.connect(server)
            await client.codes(1)
            client.say(f"HELO {word}", "EHLO client.example")
            await client.codes(2)
            for local in word, quoted:
                client.say(
                    f"MAIL FROM:<{local}@client.example>",
                    "RSET",
                    "MAIL FROM:<a@client.example>",
                    f"RCPT TO:<{local}@here.example>",
                )
                *_, answer = await client.codes(4)
                self.assertIn(answer, (250, 501), word)
                if answer == 250:
                    self.assertEqual((await client.ask("DATA"))[:3], "354")
                    said = await client.ask(f"Subject: {word}", "", word, ".")
                    self.assertEqual(said[:3], "250")
                    taken += 1
                else:
                    await client.ask("RSET")
            client.say("QUIT")
            await client.rest()
        self.assertEqual(len(server.delivered("mail/here.example/*")), taken)
        self.assertGreaterEqual(taken, len(SHELL_WORDS))
        self.assertFalse(os.path.exists("pwned"))
        self.assertEqual(list(server.directory.rglob("pwned")), [])
        self.assertEqual(self.flushLoggedErrors(), [])
