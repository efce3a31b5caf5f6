"""Row 34 over the wire: verdicts that a message brings along."""

from tests.abuse.names import FORGED_RESULTS
from tests.functional.server import ServerTestCase

LOOKING = '''
"""Refuses what seems to have passed our own checks."""

from harakatw.plugin import CONT, IDataPostHook, deny, implementer


@implementer(IDataPostHook)
class Looking:
    def hook_data_post(self, connection):
        fields = connection.transaction.header.get_all("Authentication-Results")
        return deny(f"seen: {len(fields)}") if fields else CONT
'''


class ForgedResultsTests(ServerTestCase):
    """Fields that seem to be this server's."""

    async def test_each(self) -> None:
        """Each is disowned before plugins look, alone and with all the others."""
        server = self.start(
            {
                "plugins/looking.py": LOOKING,
                "config/plugins": "looking\nrcpt_to.in_host_list\nqueue/maildir\n",
            }
        )
        headers = (*FORGED_RESULTS, b"\r\n".join(FORGED_RESULTS))
        for header in headers:
            client = await self.in_data(server)
            client.send(b"Subject: x\r\n" + header + b"\r\n\r\nbody\r\n.\r\n")
            self.assertEqual(await client.codes(1), [250], header)
        delivered = server.delivered()
        self.assertEqual(len(delivered), len(headers))
        for octets in delivered:
            lines = octets.lower().split(b"\r\n")
            self.assertFalse(
                [each for each in lines if each.startswith(b"authentication-results")]
            )
            self.assertIn(b"original-authentication-results", octets.lower())
