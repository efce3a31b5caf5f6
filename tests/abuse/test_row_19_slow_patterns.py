"""Row 19: commands that take some parsers forever."""

from time import perf_counter

from twisted.trial.unittest import SynchronousTestCase

from tests.abuse.inputs import SLOW_PATTERNS
from tests.sessions import make_site

MAX_SECONDS = 0.1
"""
Ten times what is asked of us, for a loaded machine; a parser with the fault takes
seconds or years.
"""


class SlowPatternTests(SynchronousTestCase):
    """One line must not stop the server for everybody."""

    def test_commands(self) -> None:
        """Each is answered with a 5xx in no time."""
        for line in SLOW_PATTERNS:
            site = make_site()
            site.greet()
            if line.startswith(b"RCPT"):
                site.client.ask("MAIL FROM:<a@b.example>")
            began = perf_counter()
            site.client.say(line[:2046])
            seconds = perf_counter() - began
            self.assertLess(seconds, MAX_SECONDS, line[:40])
            self.assertEqual(len(site.client.codes()), 1, line[:40])

    def test_received(self) -> None:
        """A trace field with ten thousand blanks costs nothing."""
        site = make_site()
        site.begin_data()
        began = perf_counter()
        field = b"Received: from a" + b" " * 10_000 + b"by b" + b" (" * 10_000 + b"\r\n"
        site.client.send(field + b"\r\nx\r\n.\r\n")
        self.assertLess(perf_counter() - began, MAX_SECONDS)
        self.assertEqual(site.client.codes(), [250])

    def test_dots(self) -> None:
        """A message of nothing but dots and line ends in small pieces is no burden."""
        site = make_site()
        site.begin_data()
        began = perf_counter()
        for _ in range(500):
            site.client.send(b"\r\n..\r\n..\r\n.." * 10)
        site.client.send(b"\r\n.\r\n")
        self.assertLess(perf_counter() - began, 5 * MAX_SECONDS)
        self.assertEqual(site.client.codes(), [250])
