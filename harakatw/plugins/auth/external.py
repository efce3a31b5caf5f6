"""
Users and machines log in with the certificate that they showed.

@see: RFC 4422 appendix A (EXTERNAL), RFC 5280 section 4.2.1.6 (names)
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Final, Literal

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from harakatw.address import parse_address
from harakatw.config.problems import Problem
from harakatw.errors import ProtocolError
from harakatw.plugin import (
    Address,
    AuthPlugin,
    IConnection,
    IMailHook,
    Params,
    Verdict,
    doc,
    implementer,
    whole_section,
)
from harakatw.plugins._constrain_sender import SenderRule

FILE: Final = "auth_external.ini"

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")

Name = Literal["email", "dns", "cn"]


@attrs.frozen(kw_only=True)
class ExternalOptions:
    """C{auth_external.ini}."""

    config_file: ClassVar[str] = FILE

    names: tuple[Name, ...] = attrs.field(
        default=(),
        metadata=doc(
            "Which names in a certificate of a trusted authority are users: email and "
            "dns are those of subjectAltName, cn is that of the subject. Only for an "
            "authority that certifies nobody but your users."
        ),
    )
    constrain_sender: bool = attrs.field(
        default=True,
        metadata=doc(
            "May users whose name has a domain write in the name of that domain only?"
        ),
    )
    fingerprints: Mapping[str, str] = attrs.field(
        factory=dict,
        metadata=whole_section(
            "The SHA-256 fingerprint of each user's certificate, colons or not; for "
            "several certificates, one after the other.",
            section="fingerprints",
        ),
    )


@implementer(IMailHook)
@attrs.define(eq=False)
class External(AuthPlugin):
    """
    Offers EXTERNAL to clients whose certificate is somebody's, and to nobody else.
    """

    options: ExternalOptions
    _users: Mapping[str, str] = attrs.field(init=False, repr=False)
    _senders: SenderRule = attrs.field(init=False, factory=SenderRule, repr=False)

    @_users.default
    def _read_fingerprints(self) -> Mapping[str, str]:
        return {
            fingerprint: user
            for user, text in self.options.fingerprints.items()
            for fingerprint in _fingerprints(text)
            if _FINGERPRINT.fullmatch(fingerprint)
        }

    @property
    def problems(self) -> Iterator[Problem]:
        """What the postmaster should look at; C{haraka check} shows it."""
        for user, text in self.options.fingerprints.items():
            for fingerprint in _fingerprints(text) or [""]:
                if not _FINGERPRINT.fullmatch(fingerprint):
                    why = "expected the 64 hexadecimal digits of a SHA-256 fingerprint"
                    yield Problem(f"config/{FILE}", 0, "fingerprints", user, why)

    def may_offer(self, connection: IConnection) -> bool:
        """There is no certificate without TLS."""
        return bool(connection.tls.enabled)

    def auth_methods(self, connection: IConnection) -> frozenset[str]:
        """EXTERNAL, where it can work."""
        known = self._known(connection)
        return frozenset(("EXTERNAL",)) if known else frozenset()

    def map_certificate(self, connection: IConnection, user: str) -> str | None:
        """Whose certificate is it, and of these the one that the client wants to be?"""
        known = self._known(connection)
        for name in known:
            if name.casefold() == user.casefold():
                return name
        return known[0] if known and not user else None

    def hook_mail(
        self, connection: IConnection, sender: Address, params: Params
    ) -> Verdict | None:
        if not self.options.constrain_sender:
            return None
        return self._senders.rule(connection, sender)

    def _known(self, connection: IConnection) -> tuple[str, ...]:
        """
        Who the certificate names.

        A fingerprint is enough by itself: who shows the certificate has its key. Names
        count only if somebody whom we trust has vouched for them.
        """
        certificate = connection.tls.certificate
        if certificate is None:
            return ()
        user = self._users.get(certificate.fingerprint(hashes.SHA256()).hex())
        if user is not None:
            return (user,)
        if not connection.tls.verified:
            return ()
        every = (_NAMES[kind](certificate) for kind in self.options.names)
        return tuple(name for names in every for name in names if name)


def _fingerprints(text: str) -> list[str]:
    return text.replace(":", "").replace(",", " ").lower().split()


def _emails(certificate: x509.Certificate) -> list[str]:
    """The mailboxes; one that is no address is nobody's."""
    found = _alternatives(certificate)
    names = found.get_values_for_type(x509.RFC822Name) if found else []
    return [name for name in names if _is_address(name)]


def _is_address(text: str) -> bool:
    try:
        parse_address(text, utf8=True)
    except ProtocolError:
        return False
    return True


def _hosts(certificate: x509.Certificate) -> list[str]:
    """The host names; one with a star is many hosts', so nobody's."""
    found = _alternatives(certificate)
    names = found.get_values_for_type(x509.DNSName) if found else []
    return [name.lower() for name in names if "*" not in name]


def _common_names(certificate: x509.Certificate) -> list[str]:
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return [str(name.value) for name in names]


def _alternatives(
    certificate: x509.Certificate,
) -> x509.SubjectAlternativeName | None:
    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return None
    return extension.value


_NAMES: Final = MappingProxyType({"email": _emails, "dns": _hosts, "cn": _common_names})
