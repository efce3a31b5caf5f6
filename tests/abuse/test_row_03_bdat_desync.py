"""Row 3: a server and what is in front of it that count octets of BDAT otherwise."""

from twisted.trial.unittest import SynchronousTestCase

from tests.abuse.inputs import ABSURD_CHUNKS, CHUNK_ENVELOPE, CHUNKS
from tests.sessions import make_site


class ChunkTests(SynchronousTestCase):
    """The octets of a chunk are never taken for commands."""

    def test_desync(self) -> None:
        """Each input gets its replies and no others, however it is cut."""
        for which, octets, codes, taken in CHUNKS:
            for step in (1, 3, len(octets)):
                site = make_site()
                site.greet()
                site.client.send(CHUNK_ENVELOPE[which])
                site.client.hear()
                for at in range(0, len(octets), step):
                    site.client.send(octets[at : at + step])
                self.assertEqual(site.client.codes(), codes, octets)
                self.assertEqual(len(site.mailbox.messages), taken, octets)
                self.assertFalse(site.client.transport.closed, octets)

    def test_absurd(self) -> None:
        """A size that is none ends the session, and what follows is not looked at."""
        for command in ABSURD_CHUNKS:
            for envelope in (*CHUNK_ENVELOPE, b""):
                site = make_site()
                site.greet()
                site.client.send(envelope)
                site.client.hear()
                site.client.send(command + b"\r\nMAIL FROM:<x@y.example>\r\n")
                self.assertEqual(site.client.codes(), [501], command)
                self.assertTrue(site.client.transport.closed)
                self.assertEqual(site.mailbox.messages, [])
