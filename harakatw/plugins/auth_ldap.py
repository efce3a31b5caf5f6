"""
Users log in with what an LDAP server knows.

@see: Haraka row PN33 (C{auth-ldap})
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs
from attrs.validators import gt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    optionsForClientTLS,
    trustRootFromCertificates,
)

from harakatw.config.problems import Problem
from harakatw.outbound.login import is_near
from harakatw.plugin import (
    Address,
    AuthPlugin,
    IConnection,
    IMailHook,
    IServer,
    Params,
    TemporaryFailure,
    Verdict,
    doc,
    implementer,
    reply,
    whole_section,
)
from harakatw.plugins._constrain_sender import SenderRule
from harakatw.plugins._ldap import LDAPClient, Place, converse, parse_place
from harakatw.plugins._ldap_filters import filled, parse_filter
from harakatw.plugins._ldap_messages import LDAPError

FILE: Final = "auth_ldap.ini"

LATER: Final = reply(454, "4.7.0", "Passwords cannot be checked now, try again later")

MAX_AT_ONCE: Final = 16
"""Connections at a time; more logins wait for their turn."""

_SAMPLE: Final = "a@b.example"


@attrs.frozen(kw_only=True)
class AuthLDAPOptions:
    """C{auth_ldap.ini}."""

    config_file: ClassVar[str] = FILE

    server: tuple[str, ...] = attrs.field(
        default=("ldap://127.0.0.1",),
        metadata=doc(
            "The LDAP server, or several that are asked in order until one answers: "
            "ldaps://host, ldap://host or ldapi://path.",
            section="core",
        ),
    )
    timeout: float = attrs.field(
        default=5000,
        validator=gt(0),
        metadata=doc(
            "How long a server may take.", section="core", unit="milliseconds"
        ),
    )
    reject_unauthorized: bool = attrs.field(
        default=True,
        metadata=doc(
            "Refuse servers without a good certificate?",
            section="core",
            key="rejectUnauthorized",
        ),
    )
    starttls: bool = attrs.field(
        default=False,
        metadata=doc(
            "Encrypt connections to ldap:// servers, or else send nothing?",
            section="core",
        ),
    )
    ca: str = attrs.field(
        default="",
        metadata=doc(
            "A file with the certificates of the authorities that are trusted, in "
            "place of the system's.",
            section="core",
        ),
    )
    allow_clear: bool = attrs.field(
        default=False,
        metadata=doc(
            "Send passwords without TLS to a host that is not of a private network, "
            "too?",
            section="core",
        ),
    )
    constrain_sender: bool = attrs.field(
        default=True,
        metadata=doc(
            "May users whose name has a domain write in the name of that domain only?",
            section="core",
        ),
    )
    dns: Mapping[str, str] = attrs.field(
        factory=dict,
        metadata=whole_section(
            "Distinguished names that are tried in order, such as "
            "uid=%u,ou=people,dc=example,dc=org: %u is the user's name, %n what stands "
            "before the @ of it, %d the domain. The keys mean nothing.",
            section="dns",
        ),
    )
    base: str = attrs.field(
        default="",
        metadata=doc(
            "Below which entry the user's is searched. Without it none is.",
            section="search",
        ),
    )
    search_filter: str = attrs.field(
        default="(uid=%u)",
        metadata=doc(
            "What finds the user's entry, and no other.", section="search", key="filter"
        ),
    )
    bind_dn: str = attrs.field(
        default="",
        metadata=doc("As whom to search; empty for anybody.", section="search"),
    )
    bind_password: str = attrs.field(
        default="",
        repr=False,
        metadata=doc("The password of bind_dn.", section="search", secret=True),
    )


@implementer(IMailHook)
@attrs.define(eq=False)
class AuthLDAP(AuthPlugin):
    """
    Binds as the user. When no server can be asked, nobody gets in: the client is to try
    again later.
    """

    options: AuthLDAPOptions
    reactor: Any
    server: IServer
    _places: tuple[Place, ...] = attrs.field(init=False, repr=False)
    _trusted: Any = attrs.field(init=False, repr=False)
    _problems: tuple[Problem, ...] = attrs.field(init=False, repr=False)
    _senders: SenderRule = attrs.field(init=False, factory=SenderRule, repr=False)
    _turn: DeferredSemaphore = attrs.field(
        init=False, factory=lambda: DeferredSemaphore(MAX_AT_ONCE), repr=False
    )

    def __attrs_post_init__(self) -> None:
        self._problems = tuple(mistakes_in(self.options))
        self._trusted = None
        try:
            if self.options.ca:
                path = Path(self.server.directory, "config", self.options.ca)
                self._trusted = trust_in(path.read_bytes())
        except (OSError, ValueError) as error:
            why = f"no certificates in {self.options.ca}: {error}"
            self._problems += (_problem("core", "ca", why),)
        self._places = ()
        if not self._problems:
            self._places = tuple(map(parse_place, self.options.server))

    @property
    def problems(self) -> Iterable[Problem]:
        """What the postmaster should look at; C{haraka check} shows it."""
        return self._problems

    def auth_methods(self, connection: IConnection) -> frozenset[str]:
        """None as long as a mistake is in the options."""
        return super().auth_methods(connection) if self._places else frozenset()

    async def check_plain_passwd(
        self, connection: IConnection, user: str, password: str
    ) -> bool:
        """Does the first server that answers let the user in?"""
        why = ""
        for place in self._places:
            try:
                return await self._turn.run(self._ask, place, user, password)
            except LDAPError as error:
                why += f"{place.scheme}://{place.host}:{place.port}: {error}; "
        raise TemporaryFailure(LATER, ldap=why)

    def hook_mail(
        self, connection: IConnection, sender: Address, params: Params
    ) -> Verdict | None:
        if not self.options.constrain_sender:
            return None
        return self._senders.rule(connection, sender)

    # ---- parts -----------------------------------------------------------------------

    def _ask(self, place: Place, user: str, password: str) -> "Deferred[bool]":
        async def talk(client: LDAPClient) -> bool:
            await self._secure(client, place)
            return await self._is_password(client, user, password)

        seconds = self.options.timeout / 1000
        return Deferred.fromCoroutine(converse(place, self.reactor, seconds, talk))

    async def _secure(self, client: LDAPClient, place: Place) -> None:
        if place.scheme == "ldaps":
            client.transport.startTLS(self._tls(place.host))
        elif place.scheme == "ldap" and self.options.starttls:
            await client.secure(self._tls(place.host))

    def _tls(self, host: str) -> Any:
        if not self.options.reject_unauthorized:
            return CertificateOptions()
        return optionsForClientTLS(host, self._trusted)

    async def _is_password(self, client: LDAPClient, user: str, password: str) -> bool:
        """Try the entry that is found, then those that are named."""
        name = await self._found(client, user)
        if name and await client.binds(name, password):
            return True
        for template in self.options.dns.values():
            name = filled(template, user).encode()
            if name and await client.binds(name, password):
                return True
        return False

    async def _found(self, client: LDAPClient, user: str) -> bytes:
        """The name of the user's entry; C{b""} if there is none, or are several."""
        options = self.options
        wanted = filled(options.search_filter, user)
        if not (options.base and wanted):
            return b""
        name, password = options.bind_dn, options.bind_password
        if name and not await client.binds(name, password):
            raise LDAPError("it does not let bind_dn in")
        names = await client.search(options.base, parse_filter(wanted))
        return names[0] if len(names) == 1 else b""


def trust_in(pem: bytes) -> Any:
    """
    Trust these authorities.

    @raise ValueError: there are none.
    """
    found = x509.load_pem_x509_certificates(pem)
    return trustRootFromCertificates(
        [Certificate.loadPEM(each.public_bytes(Encoding.PEM)) for each in found]
    )


def mistakes_in(options: AuthLDAPOptions) -> Iterator[Problem]:
    """What keeps users from being asked for."""
    for url in options.server or ("",):
        why = _mistake_in(url, options)
        if why:
            yield _problem("core", "server", why)
    if not (options.dns or options.base):
        yield _problem("dns", "", "expected a name to try, or base in [search]")
    for key, template in options.dns.items():
        if not filled(template, _SAMPLE):
            yield _problem("dns", key, "expected %u or %n in it")
    try:
        parse_filter(filled(options.search_filter, _SAMPLE))
    except ValueError as error:
        yield _problem("search", "filter", f"{error}, with %u or %n in it")
    if options.bind_dn and not options.bind_password:
        yield _problem("search", "bind_password", "expected the password of bind_dn")


def _mistake_in(url: str, options: AuthLDAPOptions) -> str:
    try:
        place = parse_place(url)
    except ValueError as error:
        return str(error)
    is_clear = place.scheme == "ldap" and not options.starttls
    if is_clear and not (options.allow_clear or is_near(place.host)):
        return "passwords are not sent to it in clear: see starttls and allow_clear"
    return ""


def _problem(section: str, key: str, what: str) -> Problem:
    return Problem(FILE, 0, section, key, what)
