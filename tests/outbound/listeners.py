"""Plugins on outbound hooks, and engines for them."""

from typing import Any

import attrs
from zope.interface import implementer

from harakatw.outbound.told import Deferral
from harakatw.plugin import (
    IDeferredHook,
    IGetMXHook,
    IHMail,
    ISendEmailHook,
)
from tests.outbound.post_office import (
    PostOffice,
    PostOfficeTestCase,
)


@implementer(IGetMXHook)
@attrs.define
class Routes:
    """
    Says where mail for C{far.example} goes.

    @ivar answer: what it returns.
    @ivar asked: for which domains.
    """

    answer: Any
    asked: list[str] = attrs.field(factory=list)

    def hook_get_mx(self, hmail: IHMail, domain: str) -> Any:
        if domain != "far.example":
            return None
        self.asked.append(domain)
        return self.answer


@implementer(ISendEmailHook)
@attrs.define
class Holds:
    """
    Has a say before each attempt for C{far.example}.

    @ivar answers: what it returns, each time; then nothing.
    """

    answers: list[Any]
    asked: int = 0

    def hook_send_email(self, hmail: IHMail) -> Any:
        if hmail.domain != "far.example":
            return None
        self.asked += 1
        return self.answers.pop(0) if self.answers else None


@implementer(IDeferredHook)
@attrs.define
class Defers:
    """
    Has a say after a temporary failure.

    @ivar told: what it was told.
    """

    answer: Any
    told: list[Deferral] = attrs.field(factory=list)

    def hook_deferred(self, hmail: IHMail, deferral: Any) -> Any:
        self.told.append(deferral)
        return self.answer


class CourierTestCase(PostOfficeTestCase):
    """A test with an engine."""

    def busy(self, *plugins: object, **more: Any) -> PostOffice:
        """An engine for whose message the hosts say "later"."""
        post = self.office(*plugins, **more)
        for host in (post.first, post.second):
            host.refuse(mail=b"451 4.3.0 later")
        return post
