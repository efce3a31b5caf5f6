"""Row 13: MIME structures that are made to exhaust the server."""

import tracemalloc
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.verdict import CONT
from tests.fake_plugins import fake_plugin
from tests.message.mime.walks import multipart
from tests.sessions import Site, make_site

MEBIOCTET = 1024 * 1024
MOST_MEMORY = 50 * MEBIOCTET


def bombs() -> Iterator[tuple[str, bytes, str]]:
    """Each bomb: what it is, its octets, and how it is answered."""
    yield (
        "messages in messages",
        b"Content-Type: message/rfc822\r\n\r\n" * 10_000,
        "250",
    )
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (at, at)
        for at in range(10_000)
    )
    yield "multiparts in multiparts", deep + b"\r\nx\r\n", "250"
    yield "parts", multipart(*[b"\r\nx"] * 100_000), "554"
    head = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    yield "boundaries", head + b"--b\r\n" * 200_000, "554"
    yield "same boundary", (b"--b\r\n" + head) * 20_000, "250"
    yield "same boundary, opened", head + (b"--b\r\n" + head) * 20_000, "554"
    yield "nearly boundaries", head + b"\r\n--" * 200_000 + b"\r\n", "250"
    yield "empty boundary", head.replace(b'"b"', b'""') + b"--\r\n" * 50_000, "250"
    fat = b"X: " + b"y" * 60_000 + b"\r\n\r\nx"
    yield (
        "headers",
        multipart(*[fat.replace(b"y" * 900, b"y" * 900 + b"\r\n ")] * 300),
        "554",
    )
    text = b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUFB" * 2_000_000
    yield "text", text + b"\r\n", "250"


class MIMEBombTests(SynchronousTestCase):
    """Depth, parts and memory are bounded, and nothing recurses."""

    def site(self) -> Site:
        """A site where plugins look at the message, and change it."""

        def wish(connection: object) -> object:
            transaction = connection.transaction  # type: ignore[attr-defined]
            transaction.attachment_hooks(lambda *_: None)
            transaction.set_banner("banner")
            transaction.add_body_filter("application/", lambda *_: b"x")
            return CONT

        options = ConnectionOptions(banner_chars=0, max_data_line_length=10**9)
        return make_site(fake_plugin(data=wish), options=options)

    def test_bombs(self) -> None:
        """Each is taken or refused, within the memory that a mail server can spare."""
        for name, octets, code in bombs():
            site = self.site()
            site.begin_data()
            tracemalloc.start()
            for at in range(0, len(octets), 65_536):
                site.client.send(octets[at : at + 65_536])
            site.client.send(b"\r\n.\r\n")
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            self.assertEqual(site.client.hear()[:3], code, name)
            self.assertLess(most, MOST_MEMORY, name)
            self.assertEqual(self.flushLoggedErrors(), [], name)

    def test_nothing_is_lost(self) -> None:
        """A bomb that is taken goes on as it came, apart from the banner."""
        for name, octets, code in bombs():
            if code != "250":
                continue
            site = self.site()
            site.begin_data()
            site.client.send(octets + b"\r\n.\r\n")
            received = site.mailbox.messages[0].received
            if name.startswith(("messages", "multiparts")):
                self.assertTrue(octets[: len(octets) // 2] in received, name)
            self.assertGreaterEqual(len(received), len(octets), name)
