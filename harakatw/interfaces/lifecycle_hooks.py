"""Hooks of the server's own life, and of its log."""

from collections.abc import Mapping

from zope.interface import Interface

from harakatw.interfaces.ruling import Ruling
from harakatw.interfaces.services import IServer


class IInitMasterHook(Interface):
    """Runs once when the server starts, before any message is taken."""

    def hook_init_master(server: IServer) -> Ruling:
        """
        Prepare what all of the server needs.

        @param server: the server; its C{notes} are shared by all plugins.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
            A denial ends the server with status 1.
        @see: Haraka row HK01
        """


class IInitChildHook(Interface):
    """Runs once in every worker process, after its ports are bound."""

    def hook_init_child(server: IServer) -> Ruling:
        """
        Prepare what this process needs.

        @param server: the server in this worker.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
            A denial ends the server with status 1.
        @see: Haraka row HK02
        """


class IInitHTTPHook(Interface):
    """Runs once when the web server listens."""

    def hook_init_http(server: IServer) -> Ruling:
        """
        Add routes to the web server.

        @param server: the server.
        @return: ignored but for its end.
        @see: Haraka row HK03
        """


class IInitWSSHook(Interface):
    """Runs once when the web server speaks WebSocket."""

    def hook_init_wss(server: IServer) -> Ruling:
        """
        Add WebSocket consumers.

        @param server: the server.
        @return: ignored but for its end.
        @see: Haraka row HK04
        """


class ILogHook(Interface):
    """
    Sees each log record before it is written.

    At once or not at all: a Deferred is reported as a fault. What a plugin logs from
    here is not passed to this hook again.
    """

    def hook_log(record: Mapping[str, object]) -> Ruling:
        """
        Take the record elsewhere.

        @param record: a Twisted log event: C{log_format}, C{log_level}, C{log_time} and
            fields.
        @return: L{None} or C{CONT} to have the record written as usual, any other
            verdict to keep it from the standard log.
        @see: Haraka row HK28
        """
