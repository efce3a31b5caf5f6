"""
What a connection knows of its authentication, and how that is forgotten.

It belongs to the connection alone: nothing is kept by address (survey row 7).

@see: Haraka rows CO08 (notes) and RS04 (results)
"""

from typing import Final

import attrs

from harakatw.interfaces.session import IConnection
from harakatw.secret import Secret

USER: Final = "auth_user"
"""Note: who the client is."""

PASSWORD: Final = "auth_passwd"
"""Note: its password, a L{Secret}, if it told one."""

METHOD: Final = "auth_method"
"""Note: the mechanism."""

FAILS: Final = "auth_fails"
"""Note: how often it was wrong."""

RESULTS: Final = "auth"
"""Under this name results are stored, whatever plugin they are of."""

_RELAY: Final = "relay"
_MADE_RELAYING: Final = "auth_made_relaying"


@attrs.frozen
class Granted:
    """
    Who a client turned out to be.

    @ivar user: the name.
    @ivar plugin: the name of the plugin that knows it.
    @ivar password: if it was told.
    """

    user: str
    plugin: str
    password: Secret | None = None


def user_of(connection: IConnection) -> str | None:
    """Who the client is; L{None} if it has not said so, or could not prove it."""
    user: str | None = connection.notes.get(USER)
    return user


def grant(connection: IConnection, granted: Granted, method: str) -> None:
    """The client has proved who it is: it may relay from now on."""
    notes = connection.notes
    notes.set(_MADE_RELAYING, not connection.relaying)
    notes.set(USER, granted.user)
    notes.set(METHOD, method)
    if granted.password is not None:
        notes.set(PASSWORD, granted.password)
    connection.relaying = True
    connection.results.add(
        RESULTS, passed=granted.plugin, method=method, user=granted.user
    )
    connection.results.add(_RELAY, passed=granted.plugin)


def count_failure(connection: IConnection, plugin: str, method: str) -> int:
    """
    The client was wrong.

    @param plugin: the name of one that was asked.
    @return: how often it has been by now.
    """
    fails: int = connection.notes.get(FAILS, 0) + 1
    connection.notes.set(FAILS, fails)
    connection.results.add(RESULTS, fail=f"{plugin}/{method}")
    return fails


def forget_authentication(connection: IConnection) -> None:
    """
    The client is nobody again, and may relay only if it could before it logged in.

    How often it was wrong is not forgotten.

    @see: RFC 3207 section 4.2 (after STARTTLS nothing that was said before counts)
    """
    notes, results = connection.notes, connection.results
    if notes.get(_MADE_RELAYING):
        connection.relaying = False
    if notes.get(USER) is not None:
        passed = results.get(_RELAY)["pass"]
        for plugin in results.get(RESULTS)["pass"]:
            if plugin in passed:
                passed.remove(plugin)
        results.forget(RESULTS)
    for name in (USER, PASSWORD, METHOD, _MADE_RELAYING):
        if name in notes:
            del notes[name]
