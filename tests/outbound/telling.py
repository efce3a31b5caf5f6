"""What is told of attempts, to be looked at."""

import email
import email.policy
from email.message import EmailMessage, Message
from typing import Any, cast

import attrs
from twisted.internet.defer import Deferred
from zope.interface import implementer

from harakatw.errors import StoreError
from harakatw.interfaces.queue import (
    NewItem,
    QueuedMessage,
    QueuedRecipient,
)
from harakatw.outbound.told import Bounce, Delivery
from harakatw.plugin import IBounceHook, IDeliveredHook, IHMail
from harakatw.testing.threads import NoThreads
from tests.outbound.post_office import (
    ALICE,
    BOB,
    MESSAGE,
    PostOffice,
    PostOfficeTestCase,
)


@implementer(IBounceHook, IDeliveredHook)
@attrs.define
class Listens:
    """
    Hears what becomes of mail for C{far.example}.

    @ivar answer: what it says to a bounce.
    """

    answer: Any = None
    bounces: list[Bounce] = attrs.field(factory=list)
    deliveries: list[Delivery] = attrs.field(factory=list)

    def hook_bounce(self, hmail: IHMail, error: Any) -> Any:
        if hmail.domain != "far.example":
            return None
        self.bounces.append(error)
        return self.answer

    def hook_delivered(self, hmail: IHMail, delivery: Any) -> None:
        if hmail.domain == "far.example":
            self.deliveries.append(delivery)


class Intact:
    """A queue in which all messages can be read."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def read_body(self, message_id: int) -> "Deferred[Any]":
        """It is there."""
        done: Deferred[Any] = Deferred()
        done.callback((MESSAGE,))
        return done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Unreadable(NoThreads):
    """Whoever reads a message finds that it is damaged."""

    def call(self, function: Any, *args: Any) -> "Deferred[Any]":
        """Read it, perhaps."""
        if any(args[:1]):
            done: Deferred[Any] = Deferred()
            done.errback(StoreError("it has other octets"))
            return done
        return super().call(function, *args)


class TellerTestCase(PostOfficeTestCase):
    """A test with an engine."""

    def put(
        self,
        post: PostOffice,
        *recipients: QueuedRecipient,
        sender: str = ALICE,
        in_memory: bool = True,
    ) -> None:
        """
        Queue a message as a session would whose client asks for something.

        @param in_memory: is its body kept until the first attempt?
        """
        message = QueuedMessage(
            uuid="U.1",
            sender=sender,
            size=len(MESSAGE),
            queued_at=post.clock.seconds(),
            envid="QQ314159",
        )
        to = recipients or (QueuedRecipient(BOB),)
        item = NewItem(domain="far.example", recipients=to)
        added = self.successResultOf(post.store.add(message, (item,), (MESSAGE,)))
        post.scheduler.offer(added, MESSAGE if in_memory else None)

    def answer(self, post: PostOffice, **answers: bytes) -> None:
        """Have both hosts of C{far.example} answer recipients, by name."""
        said = {f"RCPT TO:<{name}@".encode(): text for name, text in answers.items()}
        for host in (post.first, post.second):
            host.object_to = lambda line: next(
                (text for start, text in said.items() if line.startswith(start)), None
            )

    def report(self, post: PostOffice) -> EmailMessage:
        """The report that Alice has got, there being one."""
        (octets,) = post.reports()
        return email.message_from_bytes(octets, policy=email.policy.default)

    def blocks(self, post: PostOffice) -> list[str]:
        """Recipient, action and status of the report."""
        status = next(
            part
            for part in self.report(post).walk()
            if part.get_content_type() == "message/delivery-status"
        )
        _, *blocks = cast("list[Message]", status.get_payload())
        return [
            f"{str(block['Final-Recipient']).partition('; ')[2]}"
            f" {block['Action']} {block['Status']}"
            for block in blocks
            if block.items()
        ]
