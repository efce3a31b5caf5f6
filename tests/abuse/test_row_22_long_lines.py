"""Row 22: lines without an end."""

import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from tests.sessions import make_site

MEBIOCTET = 1024 * 1024


class LongLineTests(SynchronousTestCase):
    """Memory does not grow with a line."""

    def test_command(self) -> None:
        """A command of a mebioctet is dropped as it comes, and answered once: 500."""
        site = make_site()
        site.greet()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(MEBIOCTET // 4096):
            site.client.send(b"a" * 4096)
        grown = tracemalloc.get_traced_memory()[0] - before
        self.assertLess(grown, 64 * 1024)
        self.assertEqual(site.client.hear(), "")
        site.client.send(b"\r\n")
        self.assertEqual(site.client.codes(), [500])

    def test_only_cr(self) -> None:
        """A mebioctet of CR is no line end: the same."""
        site = make_site()
        site.greet()
        for _ in range(MEBIOCTET // 65536):
            site.client.send(b"\r" * 65536)
        self.assertEqual(site.client.hear(), "")
        site.client.send(b"\r\nNOOP\r\n")
        self.assertEqual(site.client.codes(), [500, 250])

    def test_only_lf(self) -> None:
        """A flood of LF alone is a flood of errors, and the session ends by them."""
        site = make_site(options=ConnectionOptions(max_errors=10))
        site.greet()
        site.client.send(b"\n" * 65536)
        self.assertEqual(site.client.codes(), [500] * 10 + [421])
        self.assertTrue(site.client.transport.closed)

    def test_message_line(self) -> None:
        """
        A line of 30 mebioctets in a message: refused for its size, and not kept.
        """
        site = make_site()
        site.begin_data()
        chunk = b"a" * MEBIOCTET
        for _ in range(30):
            site.client.send(chunk)
        self.assertEqual(site.connection.transaction.message.in_memory, 0)
        site.client.send(b"\r\n.\r\n")
        self.assertEqual(site.client.codes(), [552])

    def test_message_of_cr(self) -> None:
        """A message of nothing but CR is refused for its bare CR."""
        site = make_site()
        said = site.send_message(b"\r" * MEBIOCTET + b"\r\n.\r\n")
        self.assertEqual(said[:9], "554 5.6.0")
