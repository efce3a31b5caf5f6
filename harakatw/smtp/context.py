"""What all sessions of one listener share: settings, plugins and services."""

from collections.abc import Callable, Mapping

import attrs
from twisted.internet.interfaces import IReactorTime

from harakatw.config.connection import ConnectionOptions
from harakatw.config.extensions import ExtensionOptions
from harakatw.config.listeners import ORDINARY, Listener
from harakatw.config.networks import Networks
from harakatw.hooks.chain import Chain
from harakatw.interfaces.services import INameLookup, IOutbound, IThreads
from harakatw.message.received import ReceivedTemplate
from harakatw.message.store import StoreSettings
from harakatw.net.rounds import Round
from harakatw.net.tls.server import ServerTLS
from harakatw.observe.levels import LogSwitch
from harakatw.results import ResultSettings
from harakatw.smtp.offers import Offers


@attrs.frozen(eq=False, kw_only=True)
class SessionContext:
    """
    What a session was begun with, and keeps to its end though the server is reloaded.

    @ivar name: the server's name in greetings and trace headers.
    @ivar limits: C{connection.ini}.
    @ivar listener: the profile of the listener that the client came to.
    @ivar extensions: which of them are offered.
    @ivar offers: what EHLO announces before plugins add to it, and after.
    @ivar proxies: hosts whose PROXY headers are believed.
    @ivar tls: keys and certificates.
    @ivar chains: the plugins, by hook.
    @ivar inactivity_seconds: how long a client may say nothing.
    @ivar greeting: the 220 reply's lines, to which the session adds its id.
    @ivar received: makes the trace header.
    @ivar store: where messages are kept while they are received.
    @ivar now: the time of day, in seconds since 1970.
    @ivar results: C{results.ini}.
    @ivar log: which records are wanted.
    @ivar clock: the time.
    @ivar threads: for what blocks.
    @ivar names: finds the client's name; L{None} if the core does not look it up.
    @ivar round: when what sessions say is sent.
    @ivar outbound: takes mail of those who may relay; L{None} without an outbound
        engine.
    """

    name: str
    limits: ConnectionOptions
    extensions: ExtensionOptions = attrs.field(factory=ExtensionOptions)
    proxies: Networks = attrs.field(factory=Networks)
    chains: Mapping[str, Chain]
    inactivity_seconds: float
    greeting: tuple[str, ...]
    received: ReceivedTemplate
    store: StoreSettings
    now: Callable[[], float]
    listener: Listener = ORDINARY
    tls: ServerTLS = attrs.field(factory=ServerTLS)
    results: ResultSettings = attrs.field(factory=ResultSettings)
    log: LogSwitch
    clock: IReactorTime
    threads: IThreads
    names: INameLookup | None = None
    outbound: IOutbound | None = None
    round: Round = attrs.field(factory=Round)
    offers: Offers = attrs.field(init=False)

    @offers.default
    def _make_offers(self) -> Offers:
        return Offers(
            self.limits,
            self.extensions,
            self.listener.no_extensions,
            self.now,
            self.outbound is not None,
        )
