"""
The mechanisms, each as it runs: what is said, and what plugins are asked.

Every one takes the exchange and the plugins that offer it, and returns who the client
is, or L{None} if it is nobody. Whether a user exists makes no difference to what is
said or, as far as it lies with us, to how long it takes.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol

from harakatw.auth.checks import first_answer
from harakatw.auth.state import Granted
from harakatw.auth.talk import CancelledByClient, Talk
from harakatw.interfaces.session import IConnection
from harakatw.secret import Secret
from harakatw.wire.sasl.bearer import (
    INVALID_TOKEN,
    BearerMessage,
    bearer_error,
    parse_oauthbearer,
    parse_xoauth2,
)
from harakatw.wire.sasl.cram import is_cram_digest, make_cram_challenge, parse_cram
from harakatw.wire.sasl.plain import ASK_PASSWORD, ASK_USER, is_sane, parse_plain
from harakatw.wire.sasl.scram import ScramServer
from harakatw.wire.sasl.scram_keys import ScramKeys
from harakatw.wire.sasl.text import SASLError, decode_text, saslprep


class Checker(Protocol):
    """What a plugin can be asked; see L{harakatw.auth.plugin.AuthPlugin}."""

    @property
    def name(self) -> str:
        """As in C{config/plugins}."""

    def check_plain_passwd(
        self, connection: IConnection, user: str, password: str
    ) -> Any:
        """Is it the user's password?"""

    def get_plain_passwd(self, user: str, connection: IConnection) -> Any:
        """The user's password."""

    def get_scram_keys(self, user: str, connection: IConnection) -> Any:
        """The user's keys."""

    def fake_scram_keys(self, user: str) -> ScramKeys:
        """Keys for a user that there is not."""

    def check_token(self, connection: IConnection, user: str, token: str) -> Any:
        """Whose token is it?"""

    @property
    def token_scope(self) -> str:
        """What a token should be good for."""

    def map_certificate(self, connection: IConnection, user: str) -> Any:
        """Whose certificate is it?"""


Checkers = Sequence[Checker]
Mechanism = Callable[[Talk, Checkers], Awaitable[Granted | None]]


async def _plain(talk: Talk, plugins: Checkers) -> Granted | None:
    """RFC 4616."""
    message = parse_plain(await talk.first())
    if message.authzid not in ("", message.user):
        return None
    return await _with_password(talk, plugins, message.user, message.password)


async def _login(talk: Talk, plugins: Checkers) -> Granted | None:
    # Both are asked for before either is looked at: a client that sends them in one go
    # must not have its password taken for a command.
    user, password = await talk.first(ASK_USER), await talk.ask(ASK_PASSWORD)
    return await _with_password(talk, plugins, decode_text(user), decode_text(password))


async def _with_password(
    talk: Talk, plugins: Checkers, user: str, password: str
) -> Granted | None:
    if not (is_sane(user) and is_sane(password)):
        return None
    connection = talk.connection
    found = await first_answer(
        connection,
        plugins,
        lambda plugin: plugin.check_plain_passwd(connection, user, password),
    )
    if found is None:
        return None
    plugin, answer = found
    name = answer if isinstance(answer, str) else user
    return Granted(name, plugin.name, Secret(password)) if is_sane(name) else None


async def _cram_md5(talk: Talk, plugins: Checkers) -> Granted | None:
    """RFC 2195."""
    talk.no_first()
    connection = talk.connection
    challenge = make_cram_challenge(
        connection.local.host, secrets.token_hex(16), time.time()
    )
    user, digest = parse_cram(await talk.ask(challenge))
    if not is_sane(user):
        return None
    found = await first_answer(
        connection, plugins, lambda plugin: plugin.get_plain_passwd(user, connection)
    )
    password = secrets.token_hex(16) if found is None else str(found[1])
    is_right = is_cram_digest(digest, password, challenge)
    if found is None or not is_right:
        return None
    return Granted(user, found[0].name, Secret(password))


_PLUS: Final = "SCRAM-SHA-256-PLUS"


async def _scram(talk: Talk, plugins: Checkers, *, plus: bool) -> Granted | None:
    """RFC 5802 and 7677."""
    connection = talk.connection
    nonce = secrets.token_urlsafe(18)
    offered = _PLUS in talk.announced
    server = ScramServer(nonce, plus=plus, plus_offered=offered)
    server.begin(await talk.first())
    bound = connection.channel_binding(server.binding) if plus else b""
    if bound is None:
        raise SASLError("there is no channel binding of that kind")
    user = _prepared(server.user)
    found = await first_answer(
        connection, plugins, lambda plugin: plugin.get_scram_keys(user, connection)
    )
    keys = plugins[0].fake_scram_keys(user) if found is None else found[1]
    last = server.finish(await talk.ask(server.challenge(keys)), keys, bound)
    other = server.authzid not in ("", server.user)
    if found is None or last is None or other or not is_sane(user):
        return None
    await talk.ask(last)
    return Granted(user, found[0].name)


def _prepared(user: str) -> str:
    """A name that nobody can have is asked for as well; there is no such user."""
    try:
        return saslprep(user)
    except SASLError:
        return user


async def _scram_plain(talk: Talk, plugins: Checkers) -> Granted | None:
    return await _scram(talk, plugins, plus=False)


async def _scram_plus(talk: Talk, plugins: Checkers) -> Granted | None:
    return await _scram(talk, plugins, plus=True)


async def _xoauth2(talk: Talk, plugins: Checkers) -> Granted | None:
    return await _bearer(talk, plugins, parse_xoauth2(await talk.first()))


async def _oauthbearer(talk: Talk, plugins: Checkers) -> Granted | None:
    """RFC 7628."""
    return await _bearer(talk, plugins, parse_oauthbearer(await talk.first()))


async def _bearer(
    talk: Talk, plugins: Checkers, message: BearerMessage
) -> Granted | None:
    connection = talk.connection
    found = await first_answer(
        connection,
        plugins,
        lambda plugin: plugin.check_token(connection, message.user, message.token),
    )
    if found is not None:
        plugin, user = found
        if _is_wanted(message.user, user) and is_sane(user):
            return Granted(user, plugin.name)
    try:
        await talk.ask(bearer_error(INVALID_TOKEN, plugins[0].token_scope))
    except (CancelledByClient, SASLError):
        pass  # whatever it says to that, it was wrong
    return None


def _is_wanted(wanted: str, user: str) -> bool:
    """Is this who the client wants to be? Issuers and clients differ in case."""
    return not wanted or wanted.casefold() == user.casefold()


async def _external(talk: Talk, plugins: Checkers) -> Granted | None:
    """RFC 4422 appendix A: the client's certificate tells."""
    wanted = decode_text(await talk.first())
    if wanted and not is_sane(wanted):
        return None
    connection = talk.connection
    found = await first_answer(
        connection, plugins, lambda plugin: plugin.map_certificate(connection, wanted)
    )
    if found is None or not _is_wanted(wanted, found[1]):
        return None
    return Granted(found[1], found[0].name)


MECHANISMS: Final[Mapping[str, Mechanism]] = MappingProxyType(
    {
        _PLUS: _scram_plus,
        "SCRAM-SHA-256": _scram_plain,
        "OAUTHBEARER": _oauthbearer,
        "XOAUTH2": _xoauth2,
        "EXTERNAL": _external,
        "CRAM-MD5": _cram_md5,
        "PLAIN": _plain,
        "LOGIN": _login,
    }
)
"""The best first: so they are announced."""
