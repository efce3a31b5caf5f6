"""Row 10 over the wire: header fields of plugins with a line end in the value."""

from tests.abuse.inputs import BAD_HEADER_VALUES, ODD_HEADER_VALUES
from tests.functional.server import ServerTestCase

ADDING = '''
"""Puts a value into the header that the subject tells the number of."""

from harakatw.plugin import CONT, IDataPostHook, implementer
from tests.abuse.inputs import BAD_HEADER_VALUES, ODD_HEADER_VALUES


@implementer(IDataPostHook)
class Adding:
    def hook_data_post(self, connection):
        transaction = connection.transaction
        number = int(transaction.header.get("Subject"))
        value = (*BAD_HEADER_VALUES, *ODD_HEADER_VALUES)[number]
        transaction.add_leading_header("X-First", "first")
        transaction.add_header("X-Info", value)
        return CONT
'''

VALUES = (*BAD_HEADER_VALUES, *ODD_HEADER_VALUES)


class HeaderInjectionTests(ServerTestCase):
    """A plugin writes into the header what a stranger gave it."""

    async def test_values(self) -> None:
        """
        Whatever the value, the message that lands in the Maildir has no field that
        nobody added, and the body that was sent.
        """
        server = self.start(
            {
                "plugins/adding.py": ADDING,
                "config/plugins": "adding\nrcpt_to.in_host_list\nqueue/maildir\n",
            }
        )
        for number in range(len(VALUES)):
            answer = await self.send_message(server, f"Subject: {number}", "", "body")
            self.assertEqual(answer[:3], "250", ascii(VALUES[number]))
        refused = self.flushLoggedErrors(ValueError)
        self.assertGreaterEqual(len(refused), len(BAD_HEADER_VALUES))
        messages = server.delivered()
        self.assertEqual(len(messages), len(VALUES))
        for message in messages:
            self.check(message)

    def check(self, message: bytes) -> None:
        """Its header has these fields, by whatever rule lines are told apart."""
        head, _, body = message.partition(b"\r\n\r\n")
        self.assertEqual(body, b"body\r\n")
        self.assertIn(b"\r\nX-First: first\r\n", b"\r\n" + head)
        fields = [line.partition(b":")[0] for line in head.split(b"\r\n")]
        allowed = {b"Return-Path", b"Received", b"Subject", b"X-First", b"X-Info"}
        starts = {name for name in fields if name[:1] not in b" \t"}
        self.assertEqual(starts - allowed, set())
        for line in head.decode("latin-1").splitlines():
            self.assertFalse(line.lower().startswith("bcc"), ascii(head))
