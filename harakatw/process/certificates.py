"""
A server's certificates: loaded at the start, again when a file changes, and looked at
once a day.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from harakatw.config.problems import Problem
from harakatw.errors import ConfigError
from harakatw.net.tls.load import Loaded, Stamp, load_tls, stamp_files, stamps_of
from harakatw.net.tls.server import ServerTLS
from harakatw.net.tls.table import validity_problems
from harakatw.outbound.client.tls import ClientTLS
from harakatw.process.settings import Settings, own_name

LOOK_SECONDS: Final = 60.0
"""
How often it is looked whether a file changed of which the kernel gives no hint: one
outside of the instance, or a link to one.
"""

RENEW_SECONDS: Final = 86400.0
"""How long the keys of tickets live, and how often validity is looked at."""


class Certificates:
    """
    Keeps the contexts of a server's sessions in step with the files.

    @ivar tls: what sessions are given.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        now: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        """
        @param clock: for delayed calls.
        @param now: the time of day, in seconds since 1970.
        @param changed: told of files that changed without a hint from the kernel, for
            what else is made of them: the contexts of mail that leaves.
        """
        self._changed = changed
        self._outbound: Mapping[Path, Stamp] = {}
        self._clock = clock
        self._now = now
        self._loaded: Loaded | None = None
        self._settings: Settings | None = None
        self._look_later: IDelayedCall | None = None
        self._renewed = 0.0
        self.tls = ServerTLS()

    def load(self, settings: Settings) -> None:
        """Read all files; what cannot be used stays as it was, and is logged."""
        self._settings = settings
        self._loaded = loaded = load_tls(
            settings.tls, settings.files, own_name(settings), self._loaded
        )
        self.tls.configure(settings.tls)
        self.tls.table = loaded.table
        self._outbound = _outbound_stamps(settings)
        self._renewed = self._clock.seconds()
        self._tell(loaded.problems)
        self._tell_validity()

    def configure(self, settings: Settings) -> None:
        """Files in C{config/} changed: read again if it concerns TLS."""
        if self._is_old(settings):
            self.load(settings)

    def start(self) -> None:
        """Look from time to time."""
        self._look_later = self._clock.callLater(LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._look_later is not None:
            self._look_later.cancel()
            self._look_later = None

    def _is_old(self, settings: Settings) -> bool:
        before, loaded = self._settings, self._loaded
        if before is None or loaded is None or before.tls != settings.tls:
            return True
        if own_name(before) != own_name(settings):
            return True
        if self._outbound != _outbound_stamps(settings):
            return True
        return loaded.stamps != dict(stamp_files(settings.tls, settings.files))

    def _look(self) -> None:
        self._look_later = self._clock.callLater(LOOK_SECONDS, self._look)
        settings = self._settings
        if settings is None:
            return
        try:
            if self._is_old(settings):
                self._log.info("a key or certificate changed")
                self.load(settings)
                self._changed()
            elif self._clock.seconds() - self._renewed >= RENEW_SECONDS:
                self._renew()
        except Exception:
            self._log.failure("could not look after the certificates")

    def _renew(self) -> None:
        self._renewed = self._clock.seconds()
        if self.tls.table is not None:
            self.tls.table = self.tls.table.renewed()
        self._tell_validity()

    def _tell_validity(self) -> None:
        if self.tls.table is not None:
            self._tell(validity_problems(self.tls.table.pairs, self._now()))

    def _tell(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            if problem.severity == "error":
                self._log.error("{problem}", problem=str(problem))
            else:
                self._log.warn("{problem}", problem=str(problem))


def tls_problems(settings: Settings, now: float) -> tuple[Problem, ...]:
    """
    All that is wrong with keys and certificates, for C{haraka check}.

    @param now: seconds since 1970.
    """
    loaded = load_tls(settings.tls, settings.files, own_name(settings))
    pairs = () if loaded.table is None else loaded.table.pairs
    return (
        *loaded.problems,
        *validity_problems(pairs, now),
        *_without(settings, loaded),
        *_outbound(settings),
    )


def _outbound_stamps(settings: Settings) -> Mapping[Path, Stamp]:
    """How the files are now that only C{[outbound]} of C{tls.ini} names."""
    options, directory = settings.client_tls, settings.files.directory
    names = (options.key, options.cert, options.ca)
    return dict(stamps_of(directory / name for name in names if name))


def _outbound(settings: Settings) -> Iterable[Problem]:
    """What keeps the server from sending mail, and so from starting."""
    try:
        ClientTLS(settings.client_tls, settings.files.directory, settings.tls)
    except ConfigError as error:
        file, _, why = str(error).partition(": [outbound]: ")
        yield Problem(file, 0, "outbound", "", why)


def _without(settings: Settings, loaded: Loaded) -> Iterable[Problem]:
    """TLS is wanted, and there is no certificate."""
    if loaded.table is not None:
        return
    shown = settings.files.shown
    for address, listener in settings.profiles.items():
        if listener.tls in ("implicit", "required") or listener.client_certificate:
            why = f"{address} needs TLS, and there is no certificate: see tls.ini"
            yield Problem(shown("smtp.ini"), 0, "main", "listen", why)
    if "tls" in settings.server.plugins:
        why = "plugin tls has no certificate to offer: see tls.ini"
        yield Problem(shown("plugins"), 0, "", "", why, "notice")
