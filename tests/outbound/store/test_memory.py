"""Tests of C{harakatw.outbound.store.memory}."""

from harakatw.outbound.store.memory import MemoryStore
from tests.outbound.store.contract import (
    AddContract,
    DueContract,
    FindContract,
    LeaseContract,
    SettleContract,
    StoreTestCase,
    ToolContract,
)
from tests.outbound.store.fakes import NowReactor


class InMemory(StoreTestCase):
    """Mail in memory."""

    def setUp(self) -> None:
        """Make an empty store."""
        self.clock = NowReactor()
        self.store = MemoryStore(self.clock)


class AddTests(InMemory, AddContract):
    """Queueing in memory."""


class LeaseTests(InMemory, LeaseContract):
    """Leases in memory."""


class SettleTests(InMemory, SettleContract):
    """Ends of leases in memory."""


class DueTests(InMemory, DueContract):
    """What is due in memory."""


class ToolTests(InMemory, ToolContract):
    """Queue tools on a store in memory."""


class FindTests(InMemory, FindContract):
    """Filters on a store in memory."""


del (
    AddContract,
    DueContract,
    FindContract,
    LeaseContract,
    SettleContract,
    StoreTestCase,
    ToolContract,
    InMemory,
)
