"""Tests of C{harakatw.outbound.store.memory}."""

from harakatw.outbound.store.memory import MemoryStore
from tests.outbound.store import contract, tool_contract
from tests.outbound.store.fakes import NowReactor


class InMemory(contract.StoreTestCase):
    """Mail in memory."""

    def setUp(self) -> None:
        """Make an empty store."""
        self.clock = NowReactor()
        self.store = MemoryStore(self.clock)


class AddTests(InMemory, contract.AddContract):
    """Queueing in memory."""


class LeaseTests(InMemory, contract.LeaseContract):
    """Leases in memory."""


class SettleTests(InMemory, contract.SettleContract):
    """Ends of leases in memory."""


class DueTests(InMemory, contract.DueContract):
    """What is due in memory."""


class ToolTests(InMemory, tool_contract.ToolContract):
    """Queue tools on a store in memory."""


class FindTests(InMemory, tool_contract.FindContract):
    """Filters on a store in memory."""
