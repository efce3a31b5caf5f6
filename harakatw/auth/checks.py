"""
Ask plugins who somebody is, in order, until one knows.

A plugin that cannot tell now does not keep the others from being asked; but when none
of them knows, the client is told to try again rather than that it is wrong.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from harakatw.auth.replies import LATER
from harakatw.errors import ProtocolError, TemporaryFailure
from harakatw.interfaces.session import IConnection


class Named(Protocol):
    """A plugin, as far as it must be known here."""

    @property
    def name(self) -> str:
        """As in C{config/plugins}."""


_P = TypeVar("_P", bound=Named)

_log = Logger(namespace="harakatw.auth")


async def first_answer(
    connection: IConnection,
    plugins: Iterable[_P],
    ask: Callable[[_P], Any],
) -> tuple[_P, Any] | None:
    """
    The first plugin with an answer that is not false, and that answer.

    @param ask: calls the plugin; what that returns is waited for if need be.
    @return: L{None} if nobody has one.
    @raise TemporaryFailure: if nobody has one, and somebody could not tell.
    @raise ProtocolError: as a plugin did, to have its own word.
    """
    trouble: TemporaryFailure | None = None
    for plugin in plugins:
        try:
            answer = await settled(ask(plugin))
        except (CancelledError, ProtocolError):
            raise
        except TemporaryFailure as error:
            _cannot_tell(connection, plugin, error)
            trouble = error
        except Exception:
            trouble = _raised(connection, plugin)
        else:
            if answer:
                return plugin, answer
    if trouble is not None:
        raise trouble
    return None


async def settled(answer: Any) -> Any:
    """What a plugin's method returned, waited for if it is a Deferred or coroutine."""
    return await answer if isinstance(answer, Awaitable) else answer


def _cannot_tell(
    connection: IConnection, plugin: Named, error: TemporaryFailure
) -> None:
    detail = ", ".join(f"{key}={value}" for key, value in error.detail.items())
    _log.error(
        "{uuid} plugin {plugin} cannot tell who logs in: {error} {detail}",
        uuid=connection.uuid,
        plugin=plugin.name,
        error=error,
        detail=detail,
    )


def _raised(connection: IConnection, plugin: Named) -> TemporaryFailure:
    """Called in an C{except}."""
    _log.failure(
        "{uuid} plugin {plugin} raised in AUTH",
        uuid=connection.uuid,
        plugin=plugin.name,
    )
    return TemporaryFailure(LATER)
