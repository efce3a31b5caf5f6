"""
Users log in with tokens of OAuth, about which an introspection endpoint is asked.

@see: RFC 7662 (introspection), RFC 7628 (OAUTHBEARER), RFC 6749 section 2.3.1
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final
from urllib.parse import quote_plus, urlsplit

import attrs
from twisted.logger import Logger

from harakatw.config.problems import Problem
from harakatw.net.web import WebAnswer, WebClient, WebError, make_web_client
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
    reply,
)
from harakatw.plugins._constrain_sender import SenderRule
from harakatw.plugins.auth._token_cache import TokenCache

FILE: Final = "auth_oauth.ini"

LATER: Final = reply(454, "4.7.0", "Tokens cannot be checked now, try again later")

_LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "::1"))


@attrs.frozen(kw_only=True)
class OAuthOptions:
    """C{auth_oauth.ini}."""

    config_file: ClassVar[str] = FILE

    introspection_url: str = attrs.field(
        default="",
        metadata=doc("The endpoint that tells of tokens (RFC 7662), by https."),
    )
    client_id: str = attrs.field(
        default="", metadata=doc("Who we are to the endpoint.")
    )
    client_secret: str = attrs.field(
        default="",
        repr=False,
        metadata=doc("Our password at the endpoint.", secret=True),
    )
    scope: tuple[str, ...] = attrs.field(
        default=(), metadata=doc("What a token must be good for: every one of these.")
    )
    audience: str = attrs.field(
        default="",
        metadata=doc("For whom a token must have been given out, if it matters."),
    )
    user_claim: str = attrs.field(
        default="username",
        metadata=doc("Which field of the endpoint's answer is the user's name."),
    )
    cache: float = attrs.field(
        default=60,
        validator=ge(0),
        metadata=doc(
            "How long the answer about a good token is believed: so long a token may "
            "go on working that was revoked. 0 to ask each time.",
            unit="seconds",
        ),
    )
    timeout: float = attrs.field(
        default=10,
        validator=gt(0),
        metadata=doc("How long the endpoint may take.", unit="seconds"),
    )
    constrain_sender: bool = attrs.field(
        default=True,
        metadata=doc(
            "May users whose name has a domain write in the name of that domain only?"
        ),
    )


@implementer(IMailHook)
@attrs.define(eq=False)
class OAuth(AuthPlugin):
    """
    Asks whose token it is. When nobody can tell, nobody gets in: the client is to try
    again later.
    """

    options: OAuthOptions
    reactor: Any
    now: Callable[[], float]
    _web: WebClient = attrs.field(init=False, repr=False)
    _cache: TokenCache = attrs.field(init=False, factory=TokenCache, repr=False)
    _senders: SenderRule = attrs.field(init=False, factory=SenderRule, repr=False)
    _log = Logger()

    @_web.default
    def _make_web(self) -> WebClient:
        return make_web_client(self.reactor, self.options.timeout)

    @property
    def problems(self) -> Iterator[Problem]:
        """What the postmaster should look at; C{haraka check} shows it."""
        url = urlsplit(self.options.introspection_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            yield _problem("expected an https:// URL; nobody can log in without")
        elif url.scheme == "http" and url.hostname not in _LOOPBACK:
            yield _problem("without https others can read tokens, and our secret")

    def auth_methods(self, connection: IConnection) -> frozenset[str]:
        """None without an endpoint."""
        if not self.options.introspection_url:
            return frozenset()
        return super().auth_methods(connection)

    @property
    def token_scope(self) -> str:
        """What a token must be good for."""
        return " ".join(self.options.scope)

    async def check_token(
        self, connection: IConnection, user: str, token: str
    ) -> str | None:
        """Whose token is it? The endpoint knows, or it was asked a moment ago."""
        now = self.now()
        known = self._cache.get(token, now)
        if known is not None:
            return known
        told = await self._introspect(token)
        found = self._user_of(told, now)
        if found is not None:
            until = now + self.options.cache
            self._cache.put(token, found, min(until, _number(told, "exp", until)))
        return found

    def hook_mail(
        self, connection: IConnection, sender: Address, params: Params
    ) -> Verdict | None:
        if not self.options.constrain_sender:
            return None
        return self._senders.rule(connection, sender)

    async def _introspect(self, token: str) -> Mapping[str, object]:
        """
        Ask the endpoint.

        @raise TemporaryFailure: it cannot tell.
        """
        options = self.options
        try:
            answer = await self._web.post_form(
                options.introspection_url,
                {"token": token, "token_type_hint": "access_token"},
                user=quote_plus(options.client_id),
                password=quote_plus(options.client_secret),
            )
            return _read(answer)
        except WebError as error:
            raise TemporaryFailure(LATER, endpoint=str(error)) from None

    def _user_of(self, told: Mapping[str, object], now: float) -> str | None:
        """Whose token that is; L{None} if it is not good, or not good for us."""
        why = self._why_not(told, now)
        if why:
            self._log.info("{plugin}: token refused: {why}", plugin=self.name, why=why)
            return None
        return str(told[self.options.user_claim])

    def _why_not(self, told: Mapping[str, object], now: float) -> str:
        options = self.options
        if told.get("active") is not True:
            return "not active"
        if _number(told, "exp", now + 1) <= now or _number(told, "nbf", now) > now:
            return "expired, or not yet valid"
        if not frozenset(options.scope) <= _words(told.get("scope")):
            return f"its scope is not {self.token_scope}"
        if options.audience and options.audience not in _words(told.get("aud")):
            return f"it was not given out for {options.audience}"
        user = told.get(options.user_claim)
        if not isinstance(user, str) or not user:
            return f"the endpoint does not tell {options.user_claim}"
        return ""


def _problem(what: str) -> Problem:
    return Problem(f"config/{FILE}", 0, "main", "introspection_url", what)


def _read(answer: WebAnswer) -> Mapping[str, object]:
    """
    The endpoint's answer.

    @raise WebError: it is none.
    """
    if answer.status != 200:
        raise WebError(f"it answers {answer.status}")
    try:
        told = json.loads(answer.octets)
    except (ValueError, RecursionError):
        raise WebError("it does not answer in JSON") from None
    if not isinstance(told, dict):
        raise WebError("it does not answer with an object")
    return told


def _number(told: Mapping[str, object], name: str, default: float) -> float:
    """A time; one that is no number is long gone."""
    value = told.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0 if name == "exp" else float("inf")
    return float(value)


def _words(value: object) -> frozenset[str]:
    """One or several words, as a text or a list."""
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(map(str, value)) if isinstance(value, list) else frozenset()
