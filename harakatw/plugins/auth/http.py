"""
Users log in with passwords that a web server is asked about.

@see: RFC 9110 section 15 (what its answers mean), RFC 7617 (Basic authentication)
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import attrs
from twisted.internet.defer import Deferred, DeferredSemaphore

from harakatw.config.problems import Problem
from harakatw.net.web import (
    WebAnswer,
    WebClient,
    WebError,
    WebQuestion,
    make_web_client,
)
from harakatw.outbound.login import is_near
from harakatw.plugin import (
    Address,
    AuthPlugin,
    IConnection,
    IMailHook,
    Params,
    TemporaryFailure,
    Verdict,
    doc,
    ge,
    gt,
    implementer,
    in_,
    reply,
    whole_section,
)
from harakatw.plugins._constrain_sender import SenderRule
from harakatw.plugins.auth._token_cache import TokenCache

FILE: Final = "auth_http.ini"

LATER: Final = reply(454, "4.7.0", "Passwords cannot be checked now, try again later")

MAX_AT_ONCE: Final = 16
"""Questions at a time; more logins wait for their turn."""

_YES: Final = (200, 204)
_NO: Final = (401, 403)


@attrs.frozen(kw_only=True)
class HTTPOptions:
    """C{auth_http.ini}."""

    config_file: ClassVar[str] = FILE

    url: str = attrs.field(
        default="", metadata=doc("Who knows the users' passwords, by https.")
    )
    send: str = attrs.field(
        default="json",
        validator=in_(("json", "form", "basic")),
        metadata=doc(
            "How user and password are sent: as C{json}, as a C{form}, or by HTTP's "
            "C{basic} authentication."
        ),
    )
    method: str = attrs.field(
        default="POST",
        validator=in_(("POST", "PUT", "GET")),
        metadata=doc("Of the request; C{GET} with C{send=basic} only."),
    )
    user_field: str = attrs.field(
        default="user", metadata=doc("The field with the user's name.")
    )
    password_field: str = attrs.field(
        default="password", metadata=doc("The field with the password.")
    )
    client_user: str = attrs.field(
        default="",
        metadata=doc("Who we are to the server, by HTTP's Basic authentication."),
    )
    client_password: str = attrs.field(
        default="",
        repr=False,
        metadata=doc("Our password at the server.", secret=True),
    )
    user_claim: str = attrs.field(
        default="user",
        metadata=doc(
            "Which field of an answer in JSON is the user's own name, if it has it."
        ),
    )
    timeout: float = attrs.field(
        default=10,
        validator=gt(0),
        metadata=doc("How long the server may take.", unit="seconds"),
    )
    cache: float = attrs.field(
        default=0,
        validator=ge(0),
        metadata=doc(
            "How long a right password is believed without asking again: so long an "
            "old one may go on working. 0 to ask each time.",
            unit="seconds",
        ),
    )
    allow_clear: bool = attrs.field(
        default=False,
        metadata=doc(
            "Send passwords by http to a host that is not of a private network, too?"
        ),
    )
    constrain_sender: bool = attrs.field(
        default=True,
        metadata=doc(
            "May users whose name has a domain write in the name of that domain only?"
        ),
    )
    headers: Mapping[str, str] = attrs.field(
        factory=dict,
        repr=False,
        metadata=whole_section(
            "Headers that every question has, such as X-API-Key.", section="headers"
        ),
    )


@implementer(IMailHook)
@attrs.define(eq=False)
class HTTP(AuthPlugin):
    """
    Asks whether it is the password. When nobody can tell, nobody gets in: the client is
    to try again later.
    """

    options: HTTPOptions
    reactor: Any
    now: Callable[[], float]
    _web: WebClient = attrs.field(init=False, repr=False)
    _cache: TokenCache = attrs.field(init=False, factory=TokenCache, repr=False)
    _key: bytes = attrs.field(
        init=False, factory=lambda: secrets.token_bytes(32), repr=False
    )
    _senders: SenderRule = attrs.field(init=False, factory=SenderRule, repr=False)
    _turn: DeferredSemaphore = attrs.field(
        init=False, factory=lambda: DeferredSemaphore(MAX_AT_ONCE), repr=False
    )

    @_web.default
    def _make_web(self) -> WebClient:
        return make_web_client(self.reactor, self.options.timeout)

    @property
    def problems(self) -> Iterator[Problem]:
        """What the postmaster should look at; C{haraka check} shows it."""
        return mistakes_in(self.options)

    # ---- what is offered and asked ---------------------------------------------------

    def auth_methods(self, connection: IConnection) -> frozenset[str]:
        """None as long as a mistake is in the options."""
        if any(self.problems):
            return frozenset()
        return super().auth_methods(connection)

    async def check_plain_passwd(
        self, connection: IConnection, user: str, password: str
    ) -> str | None:
        """Whose password is it? The server knows, or it was asked a moment ago."""
        if self.options.send == "basic" and ":" in user:
            return None  # RFC 7617 section 2: the rest would count as the password
        now, key = self.now(), self._cache_key(user, password)
        known = self._cache.get(key, now)
        if known is not None:
            return known
        found = await self._turn.run(self._ask, user, password)
        if found is not None and self.options.cache:
            self._cache.put(key, found, now + self.options.cache)
        return found

    def hook_mail(
        self, connection: IConnection, sender: Address, params: Params
    ) -> Verdict | None:
        if not self.options.constrain_sender:
            return None
        return self._senders.rule(connection, sender)

    # ---- parts -----------------------------------------------------------------------

    def _ask(self, user: str, password: str) -> "Deferred[str | None]":
        return Deferred.fromCoroutine(self._answer(user, password))

    async def _answer(self, user: str, password: str) -> str | None:
        """
        Ask the server.

        @return: the user, L{None} if it says no.
        @raise TemporaryFailure: it cannot tell.
        """
        try:
            answer = await self._web.ask(make_question(self.options, user, password))
            if answer.status in _NO:
                return None
            if answer.status not in _YES:
                raise WebError(f"it answers {answer.status}")
            return _name_in(answer, self.options.user_claim) or user
        except WebError as error:
            raise TemporaryFailure(LATER, server=str(error)) from None

    def _cache_key(self, user: str, password: str) -> str:
        """A hash with a key: passwords could be guessed by one without."""
        both = f"{user}\0{password}".encode()
        return hmac.new(self._key, both, hashlib.sha256).hexdigest()


def make_question(options: HTTPOptions, user: str, password: str) -> WebQuestion:
    """The question whether this is the user's password."""
    fields = {options.user_field: user, options.password_field: password}
    is_basic = options.send == "basic"
    return WebQuestion(
        options.url,
        method=options.method,
        form=fields if options.send == "form" else None,
        json=fields if options.send == "json" else None,
        headers=options.headers,
        user=user if is_basic else options.client_user,
        password=password if is_basic else options.client_password,
    )


def mistakes_in(options: HTTPOptions) -> Iterator[Problem]:
    """What keeps passwords from being sent."""
    scheme, host = _place_of(options.url)
    if scheme not in ("http", "https") or not host:
        yield _problem("url", "expected an https:// URL; nobody can log in without")
    elif scheme == "http" and not (options.allow_clear or is_near(host)):
        yield _problem("url", "passwords are not sent without https: see allow_clear")
    if options.method == "GET" and options.send != "basic":
        yield _problem("method", "expected POST or PUT, unless send=basic")
    if options.send == "basic" and options.client_user:
        yield _problem("client_user", "expected nothing where send=basic")
    if options.user_field == options.password_field:
        yield _problem("password_field", "expected another name than user_field")


def _place_of(url: str) -> tuple[str, str]:
    """The scheme and the host of a URL, C{""} each for what is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.hostname or ""


def _problem(key: str, what: str) -> Problem:
    return Problem(FILE, 0, "main", key, what)


def _name_in(answer: WebAnswer, claim: str) -> str:
    """
    The name that the server gives the user, C{""} for none.

    @raise WebError: for a name that is none.
    """
    try:
        told = json.loads(answer.octets) if claim else None
    except (ValueError, RecursionError):
        return ""
    if not isinstance(told, dict) or claim not in told:
        return ""
    name = told[claim]
    if not isinstance(name, str) or not name:
        raise WebError(f"its {claim} is no name")
    return name
