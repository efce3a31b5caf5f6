"""
Show log events to plugins (Haraka row HK28).
"""

from collections.abc import Callable

from twisted.logger import ILogObserver, LogEvent
from zope.interface import implementer

from harakatw.observe.writer import LogWriter

LogHooks = Callable[[LogEvent], bool]
"""Runs the C{log} hook; true if the event is to be written as usual."""


@implementer(ILogObserver)
class LogHook:
    """
    Passes events of the wanted levels to plugins, and on to the writer unless they
    say otherwise.

    What a plugin logs while it sees an event goes straight to the writer: it is not
    shown to plugins again, or the two would never end.
    """

    def __init__(self, hooks: LogHooks, writer: LogWriter) -> None:
        """
        @param hooks: asks the plugins.
        @param writer: the next observer, which knows what C{log.ini} wants.
        """
        self._hooks = hooks
        self._writer = writer
        self._inside = False

    def __call__(self, event: LogEvent) -> None:
        """See one event."""
        if not self._writer.wants(event):
            return
        if not self._inside:
            self._inside = True
            try:
                if not self._hooks(event):
                    return
            finally:
                self._inside = False
        self._writer(event)
