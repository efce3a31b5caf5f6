"""
Ask web servers: one question, one answer of bounded size, in bounded time.

Certificates are checked against what the system trusts. Redirects are not followed: who
is asked is what the postmaster wrote.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs
from treq.client import HTTPClient
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectError, ConnectionLost, DNSLookupError
from twisted.internet.interfaces import IConsumer, IReactorTime
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    PartialDownloadError,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
)
from twisted.web.error import Error as WebProtocolError
from twisted.web.error import SchemeNotSupported
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer
from zope.interface import implementer

from harakatw.errors import HarakaError

MAX_OCTETS: Final = 65_536


class WebError(HarakaError):
    """There is no answer, or none that can be used; the message holds no secret."""


@attrs.frozen
class WebAnswer:
    """
    What a web server says.

    @ivar status: such as 200.
    @ivar octets: the body.
    """

    status: int
    octets: bytes = attrs.field(repr=False)


@attrs.frozen
class WebQuestion:
    """
    What a web server is asked.

    @ivar method: such as C{POST}.
    @ivar form: to be sent as a form; L{None} for none.
    @ivar json: to be sent as JSON; L{None} for nothing.
    @ivar headers: besides the usual ones.
    @ivar user: for HTTP's Basic authentication, if it is not empty.
    """

    url: str
    method: str = "POST"
    form: Mapping[str, str] | None = attrs.field(default=None, repr=False)
    json: Mapping[str, str] | None = attrs.field(default=None, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    user: str = ""
    password: str = attrs.field(default="", repr=False)

    def body(self) -> dict[str, Any]:
        """The arguments of treq's request that hold what is sent."""
        sent: dict[str, Any] = {}
        if self.form is not None:
            sent["data"] = dict(self.form)
        elif self.json is not None:
            sent["json"] = dict(self.json)
        if self.user:
            sent["auth"] = (self.user, self.password)
        return sent


@attrs.frozen(eq=False)
class WebClient:
    """
    Asks web servers.

    @ivar agent: opens connections.
    @ivar clock: the time.
    @ivar timeout_seconds: for an answer, from the beginning to its end.
    @ivar max_octets: of an answer.
    """

    agent: IAgent
    clock: IReactorTime
    timeout_seconds: float
    max_octets: int = MAX_OCTETS

    async def post_form(
        self,
        url: str,
        fields: Mapping[str, str],
        *,
        user: str = "",
        password: str = "",
    ) -> WebAnswer:
        """
        Send a form.

        @param user: for HTTP's Basic authentication, if it is not empty.
        @raise WebError: there is no answer in time, or it is too big.
        """
        return await self.ask(
            WebQuestion(url, form=fields, user=user, password=password)
        )

    async def ask(self, question: WebQuestion) -> WebAnswer:
        """
        Ask.

        @raise WebError: there is no answer in time, or it is too big.
        """
        answer: Deferred[WebAnswer] = Deferred.fromCoroutine(self._ask(question))
        try:
            return await answer.addTimeout(self.timeout_seconds, self.clock, _too_late)
        except _TROUBLES as error:
            raise WebError(str(error) or type(error).__name__) from error

    async def _ask(self, question: WebQuestion) -> WebAnswer:
        client = HTTPClient(self.agent, data_to_body_producer=_Form)
        headers = Headers({"Accept": ["application/json"]})
        for name, value in question.headers.items():
            headers.setRawHeaders(name, [value])
        response: Any = await client.request(
            question.method,
            question.url,
            headers=headers,
            allow_redirects=False,
            unbuffered=True,
            **question.body(),
        )
        body = _Body(self.max_octets)
        response.deliverBody(body)
        return WebAnswer(response.code, await body.done)


_TROUBLES: Final = (
    ConnectError,
    ConnectionLost,
    DNSLookupError,
    PartialDownloadError,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
    SchemeNotSupported,
    WebProtocolError,
    OSError,
    ValueError,  # a URL that is none
)


def make_web_client(reactor: Any, timeout_seconds: float) -> WebClient:
    """A client on the reactor's sockets; connections are not kept."""
    return WebClient(Agent(reactor), reactor, timeout_seconds)


def _too_late(result: object, seconds: float) -> WebAnswer:
    if isinstance(result, WebAnswer):
        return result
    raise WebError(f"no answer within {seconds:g} seconds")


@implementer(IBodyProducer)
@attrs.frozen(eq=False)
class _Form:
    """Sends a form, which is short, at once."""

    octets: bytes = attrs.field(repr=False)

    @property
    def length(self) -> int:
        """How much that is."""
        return len(self.octets)

    def startProducing(self, consumer: IConsumer) -> "Deferred[None]":
        """Send it."""
        consumer.write(self.octets)
        return succeed(None)

    def pauseProducing(self) -> None:
        """It is sent already."""

    def resumeProducing(self) -> None:
        """It is sent already."""

    def stopProducing(self) -> None:
        """It is sent already."""


class _Body(Protocol):
    """
    Collects an answer.

    @ivar done: fires with the octets.
    """

    transport: Any

    def __init__(self, max_octets: int) -> None:
        self.done: Deferred[bytes] = Deferred(self._give_up)
        self._max_octets = max_octets
        self._octets = b""

    def dataReceived(self, data: bytes) -> None:
        """Add to it."""
        self._octets += data
        if len(self._octets) > self._max_octets and not self.done.called:
            self.done.errback(WebError(f"more than {self._max_octets} octets"))
            self.transport.stopProducing()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """That was all."""
        if self.done.called:
            return
        if reason is None or reason.check(ResponseDone, PotentialDataLoss):
            self.done.callback(self._octets)
        else:
            self.done.errback(reason)

    def _give_up(self, _: object) -> None:
        self.transport.stopProducing()
