"""How C{haraka -t --dump-mime} shows a message's parts."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.cli.try_mime import mime_tree
from harakatw.message.mime.limits import MIMELimits
from tests.message.mime.test_reader import IMAGE
from tests.message.mime.walks import multipart


class TreeTests(SynchronousTestCase):
    """A line for each part."""

    def test_parts(self) -> None:
        """Depth, type, name, charset, encoding and size."""
        text = b"Content-Type: text/html; charset=utf-8\r\n\r\n\xc3\xbc"
        inner = multipart(text, boundary="i", subtype="alternative", end=False)
        message = b"Content-Type: message/rfc822\r\n\r\n" + inner
        self.assertEqual(
            mime_tree(multipart(b"\r\nHello", IMAGE, message), MIMELimits()),
            [
                "multipart/mixed",
                "  text/plain 7bit 5 octets",
                '  image/png "a.png" attachment base64 7 octets',
                "  message/rfc822",
                "    multipart/alternative not closed",
                "      text/html utf-8 7bit 4 octets",
            ],
        )

    def test_limits(self) -> None:
        """What is not looked at is told."""
        octets = multipart(multipart(b"\r\nx", boundary="i"), b"\r\ny", b"\r\nz")
        lines = mime_tree(octets, MIMELimits(max_depth=1, max_parts=3))
        self.assertIn("too deep", lines[1])
        self.assertIn("mime_parts", lines[-1])

    def test_harmless(self) -> None:
        """What a sender writes cannot act on the terminal."""
        octets = b"Content-Type: a/b; name=\x1b[2J; charset=\x1b\r\n\r\nx"
        self.assertNotIn("\x1b", "".join(mime_tree(octets, MIMELimits())))
