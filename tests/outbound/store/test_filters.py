"""Tests of C{harakatw.outbound.store.filters}; for stars see C{test_patterns}."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import Filter, ItemState, QueueItem
from harakatw.outbound.store.filters import matcher, where_of
from tests.outbound.store.fakes import NOW, message, new

ITEM = QueueItem(
    id=7,
    message_id=7,
    message=message("U.1"),
    domain="a.example",
    site="mx.example",
    recipients=new("a.example", "x", "y").recipients,
)
EVIL = "x' OR 1=1 --"


class FilterTests(SynchronousTestCase):
    """What a postmaster's filter means."""

    def test_everything(self) -> None:
        """A filter without conditions means all mail."""
        self.assertTrue(matcher(Filter(), NOW)(ITEM))
        self.assertEqual(where_of(Filter(), NOW).values, ())

    def test_all_must_hold(self) -> None:
        """One condition that does not hold is enough to leave an item out."""
        good = {
            "ids": frozenset((7,)),
            "uuid": "u.1",
            "sender": "S@*",
            "recipient": "y@a.example",
            "domain": "a.*",
            "site": "mx*",
            "state": ItemState.READY,
            "older_seconds": 5.0,
            "younger_seconds": 7.0,
        }
        bad = {
            "ids": frozenset((8,)),
            "uuid": "u",
            "sender": "<>",
            "recipient": "z@a.example",
            "domain": "mx*",
            "site": "a.*",
            "state": ItemState.HELD,
            "older_seconds": 7.0,
            "younger_seconds": 6.0,
            "error": "x",
        }
        now = NOW + 6
        is_meant = matcher(Filter(**good), now)  # type: ignore[arg-type]
        self.assertTrue(is_meant(ITEM))
        for name, value in bad.items():
            which = Filter(**(good | {name: value}))  # type: ignore[arg-type]
            self.assertFalse(matcher(which, now)(ITEM), name)

    def test_no_injection(self) -> None:
        """What a filter says is never read as SQL (survey row 27)."""
        which = Filter(
            uuid=EVIL, sender=EVIL, recipient=EVIL, domain=EVIL, site=EVIL, error=EVIL
        )
        self.assertNotIn("OR 1", where_of(which, NOW).sql)
        self.assertEqual(where_of(which, NOW).values, (EVIL,) * 6)
