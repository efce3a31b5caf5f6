"""
C{twistd haraka --config DIR}.
"""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.application.service import IService, MultiService
from twisted.logger import ILogObserver
from twisted.python import usage
from twisted.python.components import Componentized
from twisted.python.logfile import LogFile

from harakatw.errors import HarakaError
from harakatw.observe.log_hook import LogHook
from harakatw.observe.writer import LogWriter
from harakatw.process.interpreter import tune_interpreter
from harakatw.process.reactor import install_quick_reactor
from harakatw.service import HarakaService


class Options(usage.Options):
    """The command line of C{twistd haraka}."""

    synopsis = "[options]"
    longdesc = "Run the Haraka mail server on an instance directory."
    optParameters = (
        ("config", "c", ".", "The instance directory; config/ and plugins/ are in it."),
    )

    def postOptions(self) -> None:
        """
        Check the directory.

        @raise usage.UsageError: if there is no such instance.
        """
        directory = Path(self["config"]).absolute()
        if not (directory / "config").is_dir():
            raise usage.UsageError(
                f"{directory} is no instance: it has no folder config;"
                f" make one with: haraka -i {directory}"
            )
        self["directory"] = directory


def makeService(options: Options) -> IService:
    """
    Make the server.

    @raise SystemExit: with a message for the postmaster if it cannot be made.
    """
    tune_interpreter()
    writer = LogWriter(_log_stream(options.parent or {}), time.time)
    try:
        service = HarakaService(options["directory"], _reactor(), writer)
    except HarakaError as error:
        raise SystemExit(f"haraka: {error}") from None
    observer = LogHook(service.show_to_plugins, writer)
    return LoggedService(service, observer, _keeps_own_log(options.parent or {}))


class LoggedService(MultiService):
    """
    The server, with its log written as C{log.ini} says instead of in Twisted's way.
    """

    def __init__(
        self, service: HarakaService, observer: ILogObserver, twisted_logs: bool
    ) -> None:
        """
        @param twisted_logs: did the command line ask for another log than ours?
        """
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        service.setServiceParent(self)  # type: ignore[no-untyped-call]
        self._observer = observer
        self._twisted_logs = twisted_logs

    def privilegedStartService(self) -> None:
        """
        Open the ports.

        @raise SystemExit: with a message for the postmaster if that cannot be done.
        """
        try:
            super().privilegedStartService()  # type: ignore[no-untyped-call]
        except HarakaError as error:
            raise SystemExit(f"haraka: {error}") from None

    def setServiceParent(self, parent: Any) -> None:
        """C{twistd} begins to log to what its application bears."""
        if isinstance(parent, Componentized) and not self._twisted_logs:
            parent.setComponent(ILogObserver, self._observer)
        super().setServiceParent(parent)  # type: ignore[no-untyped-call]


def _reactor() -> Any:
    """The reactor that C{twistd} will run: ours, unless another was asked for."""
    install_quick_reactor()
    return sys.modules["twisted.internet.reactor"]


def _keeps_own_log(twistd: Mapping[str, Any]) -> bool:
    """Did the postmaster ask C{twistd} for syslog or a logger of their own?"""
    return bool(twistd.get("syslog") or twistd.get("logger"))


def _log_stream(twistd: Mapping[str, Any]) -> Any:
    """Where C{twistd} was told to log: a file, or standard output."""
    path = twistd.get("logfile") or ("" if twistd.get("nodaemon") else "twistd.log")
    if path in ("", "-"):
        return sys.stdout
    return LogFile.fromFullPath(path)
