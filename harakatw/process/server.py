"""What plugins may know of the server, and of its log."""

from typing import Any

import attrs
from zope.interface import implementer

from harakatw.hooks.chain import Watch
from harakatw.interfaces.services import IServer
from harakatw.notes import Notes


@implementer(IServer)
@attrs.define(eq=False)
class Server:
    """
    The server, as plugins see it, and what hooks that belong to no session are called
    on.

    @ivar name: from C{config/me}.
    @ivar directory: of the instance.
    @ivar notes: shared by all plugins of this process.
    @ivar uuid: stands for a session's in the log.
    @ivar watch: L{None}, or what sees each call of a plugin.
    """

    name: str
    directory: str
    notes: Notes = attrs.field(factory=Notes)
    uuid: str = "server"
    watch: Watch | None = None


class LogRecord(dict[str, Any]):
    """
    A log event as the C{log} hook is given it.

    @ivar uuid: stands for a session's, should a plugin fail.
    @ivar watch: nobody watches the log.
    """

    uuid: str = "log"
    watch: Watch | None = None
