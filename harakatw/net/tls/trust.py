"""
Whose signature makes a certificate a good one.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import attrs
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import SSL, crypto

from harakatw.config.problems import BadFile
from harakatw.net.tls.certificates import read_pem

_CRL: Final = b"-----BEGIN X509 CRL-----"

_PROBLEMS: Final[Mapping[int, str]] = MappingProxyType(
    {
        3: "comes without a list of revoked ones",
        7: "is not signed by whom it names",
        9: "is not valid yet",
        10: "has expired",
        12: "cannot be judged: the list of revoked ones is out of date",
        18: "is signed by itself",
        19: "leads to an authority that we do not trust",
        20: "is by an authority that we do not know",
        21: "comes without those above it",
        23: "was revoked",
        26: "is not meant for this",
    }
)
"""OpenSSL's numbers of the errors that are met most, as what a certificate does."""

_CLIENTS: Final = frozenset(
    (
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
    )
)
"""
What the certificate of a client may be meant for, if it says so. Those of people are
for their mail (RFC 5280 section 4.2.1.12).
"""


def problem_text(error: int) -> str:
    """Say what is wrong with a certificate, by OpenSSL's number."""
    what = _PROBLEMS.get(error, f"is not valid (OpenSSL error {error})")
    return f"the certificate {what}"


def reason(error: Exception) -> str:
    """What OpenSSL has to say, in one line."""
    if not error.args or not isinstance(error.args[0], list | tuple):
        return str(error) or type(error).__name__
    words = [str(entry[-1]) for entry in error.args[0] if entry]
    return ", ".join(words) or type(error).__name__


@attrs.define(eq=False)
class Trusted:
    """
    Authorities and lists of revoked certificates.

    @ivar authorities: L{None} for those of the system.
    @ivar revoked: lists, one of each authority; if there are any, each has to be there.
    """

    authorities: tuple[x509.Certificate, ...] | None = None
    revoked: tuple[x509.CertificateRevocationList, ...] = ()
    _store: crypto.X509Store | None = attrs.field(default=None, init=False)
    _holder: SSL.Context | None = attrs.field(default=None, init=False)

    def fill(self, context: SSL.Context) -> None:
        """Have a context of a client trust these."""
        if self.authorities is None:
            context.set_default_verify_paths()
        self._add_to(context.get_cert_store())

    def problem(
        self, certificate: x509.Certificate, above: Iterable[x509.Certificate]
    ) -> str:
        """
        Judge the certificate of a client.

        @param above: what came with it.
        @return: why it is not good, or C{""}.
        """
        # One store for all contexts: it takes a megabyte and a while to be filled.
        if self._store is None:
            self._store = self._make_store()
        chain = [crypto.X509.from_cryptography(each) for each in above]
        own = crypto.X509.from_cryptography(certificate)
        try:
            crypto.X509StoreContext(self._store, own, chain).verify_certificate()
        except crypto.X509StoreContextError as error:
            return problem_text(error.errors[0])
        return "" if _is_for_clients(certificate) else problem_text(26)

    def _make_store(self) -> crypto.X509Store:
        if self.authorities is None:
            context = SSL.Context(SSL.TLS_CLIENT_METHOD)
            context.set_default_verify_paths()  # a store alone cannot do that
            self._holder = context  # the store is a part of it, and ends with it
            store = context.get_cert_store() or crypto.X509Store()
        else:
            store = crypto.X509Store()
        self._add_to(store)
        return store

    def _add_to(self, store: crypto.X509Store | None) -> None:
        if store is None:
            return  # a context without one: OpenSSL always makes it
        for authority in self.authorities or ():
            store.add_cert(crypto.X509.from_cryptography(authority))
        for each in self.revoked:
            store.add_crl(each)
        if self.revoked:
            store.set_flags(crypto.X509StoreFlags.CRL_CHECK)


def _is_for_clients(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return True
    except ValueError:
        return False
    return not _CLIENTS.isdisjoint(usage.value)


def read_authorities(octets: bytes) -> tuple[x509.Certificate, ...]:
    """
    Read a PEM file of authorities.

    @raise BadFile: if there are none.
    """
    found = read_pem(octets).certificates
    if not found:
        raise BadFile("holds no certificate")
    return found


def read_revoked(octets: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    """
    Read a PEM file of lists of revoked certificates.

    @raise BadFile: if there are none, or one cannot be used.
    """
    pieces = octets.split(_CRL)[1:]
    if not pieces:
        raise BadFile("holds no list of revoked certificates")
    try:
        return tuple(x509.load_pem_x509_crl(_CRL + piece) for piece in pieces)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadFile(f"holds a list that cannot be used: {error}") from None
