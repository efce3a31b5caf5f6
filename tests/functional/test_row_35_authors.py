"""Row 35 over the wire: messages that are from somebody and from somebody else."""

from tests.abuse.names import AUTHORS
from tests.functional.server import ServerTestCase

DENYING = '''
"""Refuses who is not the author, by the results of the plugin headers."""

from harakatw.plugin import CONT, IDataPostHook, deny, implementer


@implementer(IDataPostHook)
class Denying:
    def hook_data_post(self, connection):
        results = connection.transaction.results.get("headers")
        if "from_match" in results["pass"]:
            return CONT
        return deny("You are not the author", enhanced="5.7.1")
'''


class AuthorTests(ServerTestCase):
    """A server that takes mail of its authors only."""

    async def test_worst_case(self) -> None:
        """
        Only a message with one author, who is its sender, is taken; each of the others
        is refused with 5.7.1, and the session goes on.
        """
        server = self.start(
            {
                "plugins/denying.py": DENYING,
                "config/headers.ini": "[reject]\nduplicate_singular=true\n"
                "missing_required=true\n[check]\ninvalid_date=false\n",
                "config/plugins": "rcpt_to.in_host_list\nheaders\ndenying\n"
                "queue/maildir\n",
            }
        )
        good = ((b"From: a@good.example",), (b'From: "A, B" <A@good.example> (c)',))
        client = await self.greeted(server)
        for lines in (*AUTHORS, *good):
            client.say("MAIL FROM:<a@good.example>", "RCPT TO:<b@here.example>", "DATA")
            self.assertEqual(await client.codes(3), [250, 250, 354])
            said = await client.ask(b"Date: x", *lines, b"", b"body", b".")
            expected = "250 2.0.0" if lines in good else "550 5.7.1"
            self.assertEqual(said[:9], expected, lines)
        self.assertEqual(len(server.delivered()), len(good))
