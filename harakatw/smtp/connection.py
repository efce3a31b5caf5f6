"""
What plugins see of a client's session (rows CO01 to CO15).

There are many thousands of these, most of them idle: every class here has slots, what
few sessions need is made when it is first asked for, and what is the same for all is
shared.
"""

import ipaddress
from collections.abc import Iterable
from typing import Final, Protocol

import attrs
from cryptography import x509
from twisted.internet.defer import CancelledError, Deferred, fail
from zope.interface import implementer

from harakatw.hooks.chain import Origin, Watch
from harakatw.interfaces.session import IConnection
from harakatw.notes import Notes
from harakatw.reply import Reply
from harakatw.results import Results
from harakatw.smtp.transaction import Transaction
from harakatw.verdict import Verdict


@attrs.define
class Remote:
    """
    The client's end.

    @ivar ip: its address; plugins and the PROXY protocol may set another.
    @ivar port: its port, 0 if unknown.
    @ivar host: its name by reverse look-up; C{""} before, C{NXDOMAIN}, C{DNSERROR} or
        C{Unknown} when there is none.
    @ivar info: anything that a plugin found worth a word.
    @ivar login: as whom it has logged in at a proxy that says so with XCLIENT.
    """

    ip: str
    port: int
    host: str = ""
    info: str = ""
    login: str = ""

    @property
    def is_local(self) -> bool:
        """Is it this machine? Loopback only, unlike Haraka's (weakness WK24)."""
        return _is(self.ip, "is_loopback")

    @property
    def is_private(self) -> bool:
        """Is it an address that is not routed on the Internet?"""
        return _is(self.ip, "is_private")


def _is(ip: str, what: str) -> bool:
    if not ip:  # a unix socket: the peer is on this machine
        return True
    try:
        return bool(getattr(ipaddress.ip_address(ip.partition("%")[0]), what))
    except ValueError:
        return False


@attrs.frozen
class Local:
    """
    Our end.

    @ivar ip: the address that was connected to.
    @ivar port: the port that was connected to.
    @ivar host: the server's name, from C{config/me}.
    """

    ip: str
    port: int
    host: str


@attrs.frozen
class Hello:
    """
    What the client called itself.

    @ivar verb: C{HELO} or C{EHLO}, or C{LHLO} of LMTP; empty before.
    @ivar host: unverified.
    """

    verb: str = ""
    host: str = ""


@attrs.frozen
class TLS:
    """
    The state of encryption.

    @ivar enabled: is the session encrypted?
    @ivar cipher: the cipher's name.
    @ivar verified: did the client show a certificate that we trust?
    @ivar version: such as C{TLSv1.3}.
    @ivar server_name: whom the client asked for; C{""} for nobody.
    @ivar certificate: the client's, or L{None}; it proves nothing unless C{verified}.
    @ivar subject: whom it names (RFC 4514).
    @ivar problem: why it is not trusted; before encryption, why that failed.
    """

    enabled: bool = False
    cipher: str = ""
    verified: bool = False
    version: str = ""
    server_name: str = ""
    certificate: x509.Certificate | None = None
    subject: str = ""
    problem: str = ""

    def as_haraka_has_it(self) -> dict[str, object]:
        """What plugins find as C{connection.notes.tls}."""
        return {
            "authorized": self.verified,
            "authorizationError": self.problem,
            "peerCertificate": {"subject": self.subject} if self.certificate else {},
            "cipher": {"name": self.cipher, "version": self.version},
        }


@attrs.frozen
class Proxy:
    """
    Whoever passes the client's connection on to us.

    @ivar allowed: is there a proxy that we believe?
    @ivar ip: the proxy's address.
    @ivar type: how it said whose connection it is, C{haproxy} or C{xclient}.
    @ivar protocol: what kind of connection it is said to be, such as C{TCP4}.
    """

    allowed: bool = False
    ip: str = ""
    type: str = ""
    protocol: str = ""


class SessionControl(Protocol):
    """The session, as its connection knows it."""

    def new_results(self) -> Results:
        """An empty store of results."""

    def close(self) -> None:
        """Close the connection after what is written has been sent."""

    @property
    def can_start_tls(self) -> bool:
        """Would STARTTLS do now?"""

    tls_wanted: bool
    """Does TLS begin after the reply to this command?"""

    def challenge(self, question: Reply) -> "Deferred[bytes]":
        """Ask the client for another line in the midst of a command."""

    def pause(self, seconds: float) -> "Deferred[None]":
        """Let the client wait."""

    def channel_binding(self, kind: str) -> bytes | None:
        """What identifies the encrypted channel."""

    def excused_seconds(self) -> float:
        """For how long did plugins only wait for the client?"""


_EXTENDED: Final = frozenset(("EHLO", "LHLO"))
NOT_KNOWN: Final = Local("", 0, "")
NO_HELLO: Final = Hello()
NO_TLS: Final = TLS()
NO_PROXY: Final = Proxy()


@attrs.define(eq=False)
class SkipWatch:
    """
    Keeps plugins out of the rest of a transaction (row RG11).

    @ivar skipped: their names.
    @ivar behind: who watched before.
    """

    skipped: frozenset[str]
    behind: Watch | None = None

    def skips(self, plugin: str) -> bool:
        """Is this plugin not to be called?"""
        return plugin in self.skipped or (
            self.behind is not None and self.behind.skips(plugin)
        )

    def ruled(
        self, hook: str, origin: Origin, verdict: Verdict, seconds: float
    ) -> None:
        """Pass the word on."""
        if self.behind is not None:
            self.behind.ruled(hook, origin, verdict, seconds)


@implementer(IConnection)
@attrs.define(eq=False)
class Connection:
    """
    One client's session.

    @ivar rcpt_accepted: recipients accepted; likewise C{rcpt_tempfailed},
        C{rcpt_rejected}.
    @ivar msg_accepted: messages accepted; likewise C{msg_tempfailed}, C{msg_rejected}.
    @ivar tran_count: transactions opened.
    @ivar session: what can close it; L{None} once it is over.
    @ivar started: when it was made, in seconds of the reactor's clock.
    """

    uuid: str
    remote: Remote
    local: Local
    started: float
    hello: Hello = NO_HELLO
    tls: TLS = NO_TLS
    proxy: Proxy = NO_PROXY
    transaction: Transaction | None = None
    capabilities: list[str] = attrs.field(factory=list)
    early_talker: bool = False
    errors: int = 0
    tran_count: int = 0
    rcpt_accepted: int = 0
    rcpt_tempfailed: int = 0
    rcpt_rejected: int = 0
    msg_accepted: int = 0
    msg_tempfailed: int = 0
    msg_rejected: int = 0
    octets: int = 0
    last_reply: str = ""
    watch: Watch | None = None
    session: SessionControl | None = None
    _relaying: bool = False
    _notes: Notes | None = None
    _results: Results | None = None

    @property
    def relaying(self) -> bool:
        """
        May this client send mail to anywhere? The transaction's, while there is one.
        """
        transaction = self.transaction
        return self._relaying if transaction is None else transaction.relaying

    @relaying.setter
    def relaying(self, allowed: bool) -> None:
        if self.transaction is None:
            self._relaying = allowed
        else:
            self.transaction.relaying = allowed

    @property
    def notes(self) -> Notes:
        """For plugins; lives as long as the connection."""
        if self._notes is None:
            self._notes = Notes()
        return self._notes

    @property
    def results(self) -> Results:
        """What plugins found out about this client."""
        if self._results is None:
            self._results = self.new_results()
        return self._results

    def new_results(self) -> Results:
        """An empty store, which shows its results as C{results.ini} says."""
        return Results() if self.session is None else self.session.new_results()

    @property
    def esmtp(self) -> bool:
        """Did the client say EHLO, or LHLO?"""
        return self.hello.verb in _EXTENDED

    @property
    def lmtp(self) -> bool:
        """Did the client say LHLO, so that each recipient has a reply of its own?"""
        return self.hello.verb == "LHLO"

    def disconnect(self) -> None:
        """Close the connection after what is written has been sent."""
        if self.session is not None:
            self.session.close()

    def start_over(self, uuid: str, remote: Remote, started: float) -> None:
        """
        Forget everything but the transport: another client is behind it now.

        @param started: now, in seconds of the reactor's clock.
        """
        fresh = Connection(
            uuid=uuid,
            remote=remote,
            local=self.local,
            started=started,
            tls=self.tls,
            watch=self.watch,
            session=self.session,
        )
        for field in attrs.fields(Connection):
            setattr(self, field.name, getattr(fresh, field.name))

    def challenge(self, text: str, code: int = 334) -> "Deferred[bytes]":
        """Ask for another line in the midst of a command; see L{IConnection}."""
        if not (300 <= code < 400 and text.isascii() and (text + " ").isprintable()):
            raise ValueError(f"a challenge is 3xx and printable ASCII, not {code}")
        if self.session is None:
            return fail(CancelledError())
        # One line of any length (RFC 4954 section 4), where reply() would fold it.
        return self.session.challenge(Reply(code, "", (text,)))

    def pause(self, seconds: float) -> "Deferred[None]":
        """Let the client wait; see L{IConnection}."""
        if self.session is None:
            return fail(CancelledError())
        return self.session.pause(seconds)

    def channel_binding(self, kind: str) -> bytes | None:
        """What identifies the encrypted channel; see L{IConnection}."""
        if self.session is None or not self.tls.enabled:
            return None
        return self.session.channel_binding(kind)

    @property
    def can_bind(self) -> bool:
        """Is there anything that identifies the encrypted channel?"""
        kinds = ("tls-exporter", "tls-server-end-point")  # the first is found quickly
        return any(self.channel_binding(kind) is not None for kind in kinds)

    def excused_seconds(self) -> float:
        """For how long did plugins only wait for the client? Their limits count on."""
        return 0.0 if self.session is None else self.session.excused_seconds()

    @property
    def can_start_tls(self) -> bool:
        """Is there a certificate, and may this session still become encrypted?"""
        return self.session is not None and self.session.can_start_tls

    def start_tls(self) -> None:
        """
        Encrypt the session, if the verdict on the command that is being answered is
        C{OK}: after that reply the handshake begins, and all that the client said
        before is forgotten. Only for a plugin in C{unrecognized_command}.

        @raise ValueError: unless L{can_start_tls}.
        """
        if self.session is None or not self.session.can_start_tls:
            raise ValueError("TLS cannot begin now")
        self.session.tls_wanted = True

    def skip_plugins(self, names: Iterable[str]) -> None:
        """Do not call these plugins for the rest of the open transaction."""
        watch = self.watch
        if isinstance(watch, SkipWatch):
            watch.skipped |= frozenset(names)
        else:
            self.watch = SkipWatch(frozenset(names), watch)

    def unskip_plugins(self) -> None:
        """The transaction is over: call all plugins again."""
        watch = self.watch
        if isinstance(watch, SkipWatch):
            self.watch = watch.behind
