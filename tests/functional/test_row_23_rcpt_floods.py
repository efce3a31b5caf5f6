"""Row 23 over the wire: recipients without number."""

import json

from tests.functional.memory import NO_MEASURE, Growth
from tests.functional.server import ENVELOPE, ServerTestCase

GROUPS = 40
GROUP = 1000
LIMIT = 1000
MOST_GROWTH = 8_000_000
ALIAS = 1000
"""People of one alias."""

MOST_ALIASED = 5000
"""Recipients of one message, once aliases are resolved."""


class RcptFloodTests(ServerTestCase):
    """A client adds recipients for ever."""

    async def test_flood(self) -> None:
        """
        Forty thousand recipients in one go: 452 4.5.3 after the limit, memory flat, and
        those before it get the message (RFC 5321 section 4.5.3.1.10).
        """
        server = self.start(
            {"config/maildir.ini": "path=mail/{user}\ndelivered_to=true\n"}
        )
        client = await self.greeted(server)
        await client.ask(ENVELOPE[0])
        growth = Growth()
        numbered = [f"RCPT TO:<u{at % 7}@here.example>" for at in range(GROUP)]
        group = ("\r\n".join(numbered) + "\r\n").encode()
        pouring = client.pour(growth.pieces(group, GROUPS))
        for at in range(GROUPS):
            texts = await client.replies(GROUP)
            expected = "250" if at * GROUP < LIMIT else "452 4.5.3"
            starts = {text[: len(expected)] for text in texts}
            self.assertEqual(starts, {expected}, at)
        await pouring
        if not NO_MEASURE:
            self.assertLess(growth.most, MOST_GROWTH)
        await client.ask("DATA")
        self.assertEqual((await client.ask("Subject: x", "", "x", "."))[:3], "250")
        copies = server.delivered("mail/*")
        self.assertEqual(len(copies), 7)
        recipients = sum(copy.count(b"Delivered-To:") for copy in copies)
        self.assertEqual(recipients, LIMIT)

    async def test_one_address(self) -> None:
        """
        Ten thousand times the same recipient: counted like others, and the message is
        in the mailbox once for all of them.
        """
        server = self.start({"config/maildir.ini": "path=mail/{user}\n"})
        client = await self.greeted(server)
        client.say(ENVELOPE[0], *[ENVELOPE[1]] * (10 * GROUP))
        codes = await client.codes(1 + 10 * GROUP)
        self.assertEqual(codes[: LIMIT + 1], [250] * (LIMIT + 1))
        self.assertEqual(set(codes[LIMIT + 1 :]), {452})
        await client.ask("DATA")
        self.assertEqual((await client.ask("Subject: x", "", "x", "."))[:3], "250")
        self.assertEqual(len(server.delivered("mail/*")), 1)

    async def test_aliases(self) -> None:
        """
        Aliases that stand for a thousand people each: 452 4.5.3 for those who would
        make too many of them, memory flat, and who was accepted gets the message.
        """
        entries = {
            f"list{at}": {
                "action": "alias",
                "to": [f"member{at}of{number}" for number in range(ALIAS)],
            }
            for at in range(20)
        }
        server = self.start(
            {
                "config/plugins": "aliases\nrcpt_to.in_host_list\nqueue/maildir\n",
                "config/aliases.json": json.dumps(entries),
                "config/maildir.ini": "path=mail/all\n",
            }
        )
        client = await self.greeted(server)
        growth = Growth()
        client.say(ENVELOPE[0], *[f"RCPT TO:<{name}@here.example>" for name in entries])
        texts = await client.replies(1 + len(entries))
        growth.look()
        accepted = sum(text.startswith("250") for text in texts[1:])
        self.assertEqual(accepted, MOST_ALIASED // ALIAS)
        for text in texts[1 + accepted :]:
            self.assertEqual(text[:9], "452 4.5.3")
        if not NO_MEASURE:
            self.assertLess(growth.most, MOST_GROWTH)
        await client.ask("DATA")
        self.assertEqual((await client.ask("Subject: x", "", "x", "."))[:3], "250")
        self.assertEqual(len(server.delivered("mail/*")), 1)
