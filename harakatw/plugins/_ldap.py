"""
Talk to an LDAP server: connect, begin TLS, log in, search.

@see: RFC 4511, RFC 4513 section 3 (TLS)
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import attrs
from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
    connectProtocol,
)
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from harakatw.net.tls.trust import reason
from harakatw.outbound.hop import is_ip, is_ip6
from harakatw.plugins._ldap_messages import (
    BIND_ANSWER,
    ENTRY,
    EXTENDED_ANSWER,
    SEARCH_DONE,
    LDAPError,
    Message,
    Messages,
    bind,
    search,
    starttls,
    unbind,
)

MAX_MESSAGES: Final = 100
"""That may answer one question: two entries, and references to other servers."""

_DONE: Final = (BIND_ANSWER, SEARCH_DONE, EXTENDED_ANSWER)

_OK: Final = 0
_NO: Final = frozenset((19, 32, 34, 48, 49, 53))
"""
What a login fails with that is not right: invalid credentials; no such entry, no such
name, an entry without a password; too many failures, an account that is not active.
"""
_SIZE_LIMIT, _NO_ENTRY = 4, 32


@attrs.frozen
class Place:
    """
    Where an LDAP server listens.

    @ivar scheme: C{ldap}, C{ldaps} or C{ldapi}.
    @ivar host: its name or address, or a path.
    """

    scheme: str
    host: str
    port: int

    def endpoint(self, reactor: Any, seconds: float) -> IStreamClientEndpoint:
        """Connects to it, within so many seconds."""
        if self.scheme == "ldapi":
            return UNIXClientEndpoint(reactor, self.host, seconds)
        if is_ip6(self.host):
            return TCP6ClientEndpoint(reactor, self.host, self.port, seconds)
        if is_ip(self.host):
            return TCP4ClientEndpoint(reactor, self.host, self.port, seconds)
        return HostnameEndpoint(reactor, self.host, self.port, seconds)


def parse_place(url: str) -> Place:
    """
    Read a URL.

    @raise ValueError: it is none of a server.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("ldap", "ldaps", "ldapi") or parts.path.strip("/"):
        raise ValueError("expected ldaps://host, ldap://host or ldapi://path")
    if parts.scheme == "ldapi":
        return Place("ldapi", unquote(parts.netloc) or "/var/run/slapd/ldapi", 0)
    if not parts.hostname:
        raise ValueError("expected a host in the URL")
    usual = 636 if parts.scheme == "ldaps" else 389
    return Place(parts.scheme, parts.hostname, parts.port or usual)


class LDAPClient(Protocol):
    """A connection to an LDAP server, which is asked one question at a time."""

    transport: Any

    def __init__(self, seconds: float) -> None:
        """
        @param seconds: that a search may take.
        """
        self._seconds = max(1, int(seconds))
        self._number = 0
        self._messages = Messages()
        self._answer: list[Message] = []
        self._waiting: Deferred[list[Message]] | None = None
        self._lost: LDAPError | None = None

    # ---- questions -------------------------------------------------------------------

    async def secure(self, tls: Any) -> None:
        """
        Begin TLS, or fail.

        @param tls: what C{startTLS} of a transport takes.
        @raise LDAPError: the server does not want to.
        """
        code = (await self._ask(starttls, EXTENDED_ANSWER))[-1].code
        if code != _OK:
            raise LDAPError(f"STARTTLS is answered by result {code}")
        if not self._messages.is_empty:  # sent in clear, by whomever
            raise LDAPError("there is more behind the answer to STARTTLS")
        self.transport.startTLS(tls)

    async def binds(self, name: str | bytes, password: str) -> bool:
        """
        Log in.

        @raise LDAPError: it cannot be said whether that is the password.
        """
        if not name or not password:
            return False  # it would be a login as nobody, which succeeds
        answer = await self._ask(bind, BIND_ANSWER, name, password)
        code = answer[-1].code
        if code not in _NO and code != _OK:
            raise LDAPError(f"a login is answered by result {code}")
        return code == _OK

    async def search(self, base: str, wanted: bytes) -> list[bytes]:
        """
        Find entries.

        @return: their names; none if there are too many.
        @raise LDAPError: it cannot be said what there is.
        """
        answer = await self._ask(search, SEARCH_DONE, base, wanted, self._seconds)
        code = answer[-1].code
        if code in (_SIZE_LIMIT, _NO_ENTRY):
            return []
        if code != _OK:
            raise LDAPError(f"a search is answered by result {code}")
        return [message.name for message in answer if message.kind == ENTRY]

    def leave(self, *, at_once: bool) -> None:
        """Say good-bye, unless it is too late for that."""
        if at_once:
            self.transport.abortConnection()
        else:
            self.transport.write(unbind(self._number + 1))
            self.transport.loseConnection()

    async def _ask(
        self, request: Callable[..., bytes], kind: int, *values: object
    ) -> list[Message]:
        """Send a request; the messages that answer it."""
        if self._lost is not None:
            raise self._lost
        self._number += 1
        self._answer, self._waiting = [], Deferred()
        waiting = self._waiting
        self.transport.write(request(self._number, *values))
        answer = await waiting
        if answer[-1].kind != kind:
            raise LDAPError("it answers what it was not asked")
        return answer

    # ---- what comes ------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Take messages, and give the answer to who waits for it once it is whole."""
        try:
            for message in self._messages.feed(data):
                self._take(message)
        except LDAPError as error:
            self._fail(error)
            self.transport.abortConnection()
            return
        if self._answer and self._answer[-1].kind in _DONE:
            waiting, self._waiting = self._waiting, None
            if waiting is not None:
                waiting.callback(self._answer)

    def _take(self, message: Message) -> None:
        is_done = bool(self._answer) and self._answer[-1].kind in _DONE
        if self._waiting is None or is_done or message.number != self._number:
            raise LDAPError("it says what it was not asked")
        if len(self._answer) >= MAX_MESSAGES:
            raise LDAPError("its answer has too many parts")
        self._answer.append(message)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nobody needs to wait any longer."""
        self._fail(LDAPError(_why_lost(reason)))

    def _fail(self, error: LDAPError) -> None:
        self._lost = self._lost or error
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(error)


def _why_lost(lost: Failure) -> str:
    if isinstance(lost.value, SSL.Error):
        return f"TLS fails: {reason(lost.value)}"
    return f"the connection is lost: {type(lost.value).__name__}"


async def converse(
    place: Place,
    reactor: Any,
    seconds: float,
    talk: Callable[[LDAPClient], Awaitable[bool]],
) -> bool:
    """
    Connect, talk, and leave.

    @param reactor: C{IReactorTCP}, C{IReactorUNIX} and C{IReactorTime}, for a name also
        C{IReactorPluggableNameResolver}.
    @param seconds: for all of it.
    @param talk: called when there is a connection.
    @return: what C{talk} does.
    @raise LDAPError: it does not answer in time, or not as it should.
    """
    conversation = Deferred.fromCoroutine(_converse(place, reactor, seconds, talk))
    return await conversation.addTimeout(seconds, reactor, _too_late)


async def _converse(
    place: Place,
    reactor: Any,
    seconds: float,
    talk: Callable[[LDAPClient], Awaitable[bool]],
) -> bool:
    client = LDAPClient(seconds)
    try:
        await connectProtocol(place.endpoint(reactor, seconds), client)
    except (ConnectError, DNSLookupError, OSError) as error:
        raise LDAPError(str(error)) from error
    is_done = False
    try:
        answer = await talk(client)
        is_done = True
        return answer
    finally:
        client.leave(at_once=not is_done)


def _too_late(result: object, seconds: float) -> bool:
    if isinstance(result, bool):
        return result
    raise LDAPError(f"no answer within {seconds:g} seconds")
