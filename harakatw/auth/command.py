"""
The AUTH command, from its first line to its last reply.

@see: RFC 4954 sections 4 and 6, Haraka row PB01
"""

import re
from typing import Final

import attrs
from twisted.logger import Logger

from harakatw.auth.mechanisms import MECHANISMS, Checker
from harakatw.auth.offers import announced, offers_of, plugins_for
from harakatw.auth.options import AuthOptions
from harakatw.auth.replies import (
    AGAIN,
    CANCELLED,
    EHLO_FIRST,
    FAILED,
    IN_TRANSACTION,
    LATER,
    MALFORMED,
    NEEDS_TLS,
    SUCCESS,
    SYNTAX,
    TOO_MANY,
    UNKNOWN,
    said,
)
from harakatw.auth.state import Granted, count_failure, grant, user_of
from harakatw.auth.talk import CancelledByClient, Talk
from harakatw.errors import ProtocolError, TemporaryFailure
from harakatw.interfaces.ruling import Ruling
from harakatw.interfaces.session import IConnection
from harakatw.reply import Reply
from harakatw.verdict import CONT, Verdict
from harakatw.wire.sasl.text import SASLError

_METHOD = re.compile(r"[A-Za-z0-9_-]{1,20}", re.ASCII)  # RFC 4422 section 3.1
_FAILED_CODE: Final = 535

_log = Logger(namespace="harakatw.auth")


def authenticate(
    connection: IConnection, argument: str, options: AuthOptions
) -> Ruling:
    """
    Answer AUTH for all plugins that offer something to this client.

    @param argument: what stood after the verb.
    @return: C{CONT} if a plugin of another kind announced the mechanism.
    """
    refusal = _not_now(connection)
    if refusal is not None:
        return said(refusal)
    method, blank, initial = argument.partition(" ")
    if not _METHOD.fullmatch(method) or (blank and not initial) or " " in initial:
        return said(SYNTAX)
    method = method.upper()
    offers = offers_of(connection)
    plugins = plugins_for(offers, method)
    if method not in announced(connection):
        return said(NEEDS_TLS if plugins_for(offers, method, hidden=True) else UNKNOWN)
    if not plugins:
        return CONT
    exchange = _Exchange(connection, method, plugins, options)
    return exchange.run(initial if blank else None)


def _not_now(connection: IConnection) -> Reply | None:
    """RFC 4954 section 4: restrictions."""
    if connection.hello.verb not in ("EHLO", "LHLO"):
        return EHLO_FIRST
    if connection.transaction is not None:
        return IN_TRANSACTION
    return None if user_of(connection) is None else AGAIN


@attrs.define(eq=False)
class _Exchange:
    """One AUTH command that plugins offer."""

    connection: IConnection
    method: str
    plugins: tuple[Checker, ...]
    options: AuthOptions

    async def run(self, initial: str | None) -> Verdict:
        """Hold the exchange and give its last reply."""
        try:
            talk = Talk(self.connection, initial, announced(self.connection))
            granted = await MECHANISMS[self.method](talk, self.plugins)
        except CancelledByClient:
            return said(CANCELLED)
        except SASLError as error:
            return self._malformed(error)
        except TemporaryFailure as error:
            answer = error.reply
            return said(answer if 400 <= answer.code < 500 else LATER)
        except ProtocolError as error:
            if error.reply.code != _FAILED_CODE:
                return said(error.reply)
            return await self._failed(error.reply)
        return await self._failed(FAILED) if granted is None else self._done(granted)

    def _done(self, granted: Granted) -> Verdict:
        grant(self.connection, granted, self.method)
        _log.info(
            "{uuid} user {user} logged in by {method}, says {plugin}",
            uuid=self.connection.uuid,
            user=granted.user,
            method=self.method,
            plugin=granted.plugin,
        )
        return said(SUCCESS)

    def _malformed(self, error: SASLError) -> Verdict:
        _log.info(
            "{uuid} AUTH {method}: {error}",
            uuid=self.connection.uuid,
            method=self.method,
            error=error,
        )
        return said(MALFORMED)

    async def _failed(self, answer: Reply) -> Verdict:
        """Let the client wait, the longer the more often it was wrong."""
        options, connection = self.options, self.connection
        fails = count_failure(connection, self.plugins[0].name, self.method)
        seconds = min(2.0 ** min(fails - 1, 30), options.max_delay)
        _log.info(
            "{uuid} login by {method} failed ({fails}), answered after {seconds:g} s",
            uuid=connection.uuid,
            method=self.method,
            fails=fails,
            seconds=seconds,
        )
        if seconds:
            await connection.pause(seconds)
        if options.max_failures and fails >= options.max_failures:
            return said(TOO_MANY)
        return said(answer)
