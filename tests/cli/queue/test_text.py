"""A queue for people to read."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.cli.queue.text import (
    HEADINGS,
    item_block,
    item_line,
    octets,
    one_line,
    shape_line,
    site_line,
    span,
    totals_lines,
)
from harakatw.outbound.control.answers import row_object
from harakatw.outbound.control.shape import ShapeRow

NOW = 1_700_000_000.0


def item(**changes: Any) -> dict[str, Any]:
    """An item as an answer has it."""
    values = {
        "id": 17,
        "state": "ready",
        "message_id": 17,
        "uuid": "ABC.1",
        "sender": "me@ours.example",
        "domain": "a.example",
        "recipients": [{"address": "you@a.example", "last_reply": "451 4.2.1 Later"}],
        "size": 5300,
        "queued_at": NOW - 7500,
        "due": NOW + 90,
        "attempts": 3,
        "warned": False,
        "site": "mx.a.example",
        "next_hop": "",
        "last_error": "451 4.2.1 Later",
    }
    return {**values, **changes}


class NumberTests(SynchronousTestCase):
    """Ages and sizes."""

    def test_span(self) -> None:
        """A time has at most two units."""
        for seconds, text in (
            (0, "now"),
            (-5, "now"),
            (0.4, "now"),
            (45.9, "45s"),
            (119, "1m"),
            (3600, "1h"),
            (4800, "1h20m"),
            (183_600, "2d3h"),
            (172_800, "2d"),
            (float("inf"), "?"),
            (float("nan"), "?"),
        ):
            self.assertEqual(span(seconds), text, seconds)

    def test_octets(self) -> None:
        """A size has at most four characters."""
        for number, text in (
            (0, "0"),
            (999, "999"),
            (1000, "1.0K"),
            (5300, "5.2K"),
            (999_999, "977K"),
            (1_040_000, "1.0M"),
            (50 << 20, "50M"),
            (3 << 30, "3.0G"),
            (5 << 50, "5120T"),
        ):
            self.assertEqual(octets(number), text, number)


class SafeTests(SynchronousTestCase):
    """What strangers wrote does not act on the postmaster's terminal."""

    def test_one_line(self) -> None:
        """Control characters, changes of direction and halves of characters show."""
        found = one_line("a\x1b[2J\nb\u202ec\udc80é")
        self.assertEqual(found, "a\\x1b[2J\\x0ab\\x202ec\\xdc80é")

    def test_everywhere(self) -> None:
        """In every place where a stranger's words are shown."""
        evil = "x\x1b]0;owned\x07\ny"
        shown = item(
            sender=evil,
            uuid=evil,
            domain=evil,
            site=evil,
            last_error=evil,
            next_hop=evil,
            recipients=[{"address": evil, "last_reply": evil}],
        )
        row = row_object(ShapeRow(evil, (0,) * 10))
        stat = totals_lines({**TOTALS, "paused": {**NOTHING, "sites": [evil]}})
        site = site_line({**SITE, "site": evil, "why": evil, "failures": 1})
        for text in (item_block(shown, NOW), stat):
            self.assertNotIn("\x1b", text)
            self.assertNotIn("\ny", text)
        for line in (item_line(shown, NOW), shape_line(row), site):
            self.assertTrue(line.isprintable(), line)


class ItemTests(SynchronousTestCase):
    """Items."""

    def test_line(self) -> None:
        """One line tells what, from whom, for whom, how late, and why."""
        self.assertEqual(
            item_line(item(), NOW),
            "      17 ready    2h5m   5.2K     3     1m"
            "  <me@ours.example> > <you@a.example>: 451 4.2.1 Later",
        )

    def test_columns(self) -> None:
        """The headings stand above the columns."""
        line = item_line(item(), NOW)
        for title, value in (("age", "2h5m"), ("tries", "    3"), ("due", "1m")):
            end = HEADINGS["list"].index(title) + len(title)
            self.assertEqual(line[:end][-len(value) :], value)

    def test_many_recipients(self) -> None:
        """Of many recipients the first is named."""
        many = [{"address": f"u{number}@a.example"} for number in range(3)]
        line = item_line(item(recipients=many, last_error=""), NOW)
        self.assertTrue(line.endswith("<u0@a.example> and 2 more"), line)

    def test_held_and_rerouted(self) -> None:
        """What is held is not due; what goes elsewhere says where."""
        line = item_line(item(state="held", next_hop="relay.example:25"), NOW)
        self.assertIn("     -  <", line)
        self.assertIn(" by relay.example:25: 451", line)

    def test_long_error(self) -> None:
        """A long answer is cut."""
        self.assertTrue(item_line(item(last_error="x" * 999), NOW).endswith("x..."))

    def test_damaged(self) -> None:
        """What is left of a damaged record can be shown."""
        damaged = item(
            state="dead", recipients=[], queued_at=float("inf"), due=1e300, size=0
        )
        self.assertIn("<a.example>", item_line(damaged, NOW))
        self.assertIn("no time that there is", item_block(damaged, NOW))

    def test_demands(self) -> None:
        """What the sender asked for besides is shown, times as people write them."""
        demands = {"requires_tls": True, "priority": 3, "released_at": NOW + 60}
        shown = item_block(item(demands=demands), NOW)
        self.assertIn(
            "  demands   requires_tls, priority=3, released_at=2023-11", shown
        )
        self.assertNotIn("demands", item_block(item(), NOW))

    def test_block(self) -> None:
        """Everything about an item, empty values left out."""
        text = item_block(item(warned=True), NOW)
        self.assertEqual(
            text.split("\n"),
            [
                "item 17",
                "  state     ready",
                "  message   ABC.1, 5.2K",
                "  queued    2023-11-14 20:08:20+00:00 (2h5m ago)",
                "  next try  2023-11-14 22:14:50+00:00 (in 1m)",
                "  attempts  3",
                "  warned    the sender knows of the delay",
                "  site      mx.a.example",
                "  error     451 4.2.1 Later",
                "  from      <me@ours.example>",
                "  to        <you@a.example>: 451 4.2.1 Later",
                "",
            ],
        )


NOTHING: dict[str, Any] = {"all": False, "sites": [], "senders": []}
TOTALS = {
    "items": 6,
    "ready": 3,
    "leased": 1,
    "held": 2,
    "dead": 0,
    "paused": NOTHING,
    "engine": None,
}
ENGINE: dict[str, Any] = {
    "held": 4,
    "running": 2,
    "concurrency_max": 500,
    "routing": 1,
    "paused": False,
    "disabled": False,
    "paused_sites": [],
    "paused_senders": [],
}
SITE = {
    "site": "mx.a.example",
    "due": 3,
    "late_seconds": 0.0,
    "ready": 5,
    "running": 2,
    "connections": 20,
    "paused": False,
    "rate_limited": False,
    "failures": 0,
    "asked_in_seconds": 0.0,
    "why": "",
}


class TableTests(SynchronousTestCase):
    """The whole."""

    def test_stopped(self) -> None:
        """Without a server that is said."""
        self.assertEqual(
            totals_lines(TOTALS),
            "6 items: 3 ready, 1 leased, 2 held, 0 dead\nno server runs",
        )

    def test_running(self) -> None:
        """With one, what goes on, and what somebody has paused."""
        paused = {"all": True, "sites": [], "senders": ["a@x.example"]}
        engine = {**ENGINE, "disabled": True}
        text = totals_lines({**TOTALS, "paused": paused, "engine": engine})
        self.assertIn("outbound.ini says disabled", text)
        self.assertIn("4 in memory, 2 of at most 500 attempts, 1 look-ups", text)
        self.assertIn("all delivery is paused", text)
        self.assertIn("paused senders: a@x.example", text)

    def test_sites(self) -> None:
        """A site's line has its trouble, if it has any."""
        self.assertEqual(site_line(SITE), "     3      5      2/20  mx.a.example")
        only_due = {"site": "b.example", "due": 1, "late_seconds": 3.0}
        self.assertEqual(site_line(only_due), "     1      -         -  b.example")
        down = {
            **SITE,
            "paused": True,
            "rate_limited": True,
            "failures": 3,
            "asked_in_seconds": 300.0,
            "why": "Connection refused",
        }
        self.assertTrue(
            site_line(down).endswith(
                "mx.a.example: paused; waits for its rate;"
                " 3 failures, asked again in 5m: Connection refused"
            )
        )

    def test_shape(self) -> None:
        """Numbers stand below the minutes where their columns end."""
        row = row_object(ShapeRow("a.example", (1, 0, 0, 0, 0, 0, 0, 0, 0, 2)))
        line, heading = shape_line(row), HEADINGS["qshape"]
        self.assertEqual(line.split(), ["3", "1", *"00000000", "2", "a.example"])
        self.assertEqual(line.index("a.example"), heading.index("domain"))
        self.assertEqual(line.index("1"), heading.index("5"))
