"""An outbound queue for tests of what a client sees: nothing leaves it."""

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from harakatw.errors import StoreError
from harakatw.interfaces.services import IOutbound
from harakatw.interfaces.session import IConnection


@implementer(IOutbound)
class WaitingQueue:
    """
    A queue that does as the test says.

    @ivar found: what a flush gives: a number of items, or why there is none.
    @ivar asked: for what it was flushed.
    @ivar taken: the parameters of MAIL of each message that it was given.
    """

    def __init__(self, found: int = 0) -> None:
        self.found: int | StoreError | Deferred[int] = found
        self.asked: list[tuple[str, bool]] = []
        self.taken: list[dict[str, str | None]] = []

    def queue(self, connection: IConnection) -> "Deferred[str]":
        """Take the message."""
        transaction = connection.transaction
        assert transaction is not None  # or there would be no message
        self.taken.append(dict(transaction.mail_params))
        return succeed("")

    def send_email(
        self, sender: str, recipients: object, contents: object, notes: object = None
    ) -> "Deferred[str]":
        """Nobody sends mail of their own here."""
        raise AssertionError("not asked for")

    def flush(self, domain: str, *, below: bool = False) -> "Deferred[int]":
        """Remember that."""
        self.asked.append((domain, below))
        found = self.found
        if isinstance(found, Deferred):
            return found
        return fail(found) if isinstance(found, StoreError) else succeed(found)
