"""C{auth/external}: certificates of clients (EXTERNAL, RFC 4422 appendix A)."""

import datetime
from collections.abc import Sequence
from typing import Any

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.trial.unittest import SynchronousTestCase

from harakatw.plugins.auth.external import External, ExternalOptions
from tests.auth.sites import PUBLIC, b64, offered, say
from tests.sessions import Site, make_site

SUCCESS = "235 2.7.0"
FAILED = "535 5.7.8"


def certificate(
    name: str = "Ann", alternatives: Sequence[x509.GeneralName] = ()
) -> x509.Certificate:
    """A certificate with these names."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begin = datetime.datetime(2026, 1, 1)
    builder = x509.CertificateBuilder(
        subject, subject, key.public_key(), 1, begin, begin.replace(year=2040)
    )
    if alternatives:
        builder = builder.add_extension(
            x509.SubjectAlternativeName(alternatives), critical=False
        )
    return builder.sign(key, hashes.SHA256())


@attrs.frozen
class FakeTLS:
    """What a session knows of its encryption."""

    certificate: x509.Certificate | None
    verified: bool = True
    enabled: bool = True
    cipher: str = ""


def site(tls: Any, **options: Any) -> Site:
    """A client that has shown a certificate, and said EHLO."""
    plugin = External("auth/external", options=ExternalOptions(**options))
    site = make_site(plugin, ip=PUBLIC)
    site.connection.tls = tls
    site.greet()
    return site


def login(site: Site, user: str = "") -> str:
    """The answer to EXTERNAL."""
    return say(site, f"AUTH EXTERNAL {b64(user) or '='}")[:9]


ANN = certificate(
    "Ann Example",
    [
        x509.RFC822Name("ann@example.com"),
        x509.RFC822Name("office@example.com"),
        x509.DNSName("Host.example.com"),
        x509.DNSName("*.example.com"),
    ],
)


class FingerprintTests(SynchronousTestCase):
    """A certificate that is listed by its fingerprint."""

    def fingerprint(self) -> str:
        """As C{openssl x509 -fingerprint -sha256} prints it."""
        return ":".join(f"{octet:02X}" for octet in ANN.fingerprint(hashes.SHA256()))

    def test_listed(self) -> None:
        """It is the user's, whoever vouches for it."""
        users = {"ann@example.com": f"{'0' * 64}, {self.fingerprint()}"}
        for verified in True, False:
            tested = site(FakeTLS(ANN, verified), fingerprints=users)
            self.assertEqual(offered(tested), ["EXTERNAL"])
            self.assertEqual(login(tested), SUCCESS)
            self.assertEqual(tested.connection.notes["auth_user"], "ann@example.com")

    def test_other(self) -> None:
        """Another one is nobody's, and EXTERNAL is not offered."""
        users = {"ann": self.fingerprint()}
        for tls in FakeTLS(certificate()), FakeTLS(None), FakeTLS(None, enabled=False):
            tested = site(tls, fingerprints=users)
            self.assertEqual(offered(tested), [])
            self.assertEqual(login(tested), "504 5.5.4")

    def test_wrong_user(self) -> None:
        """Who has it cannot be somebody else."""
        tested = site(FakeTLS(ANN), fingerprints={"ann": self.fingerprint()})
        self.assertEqual(login(tested, "bob"), FAILED)
        self.assertEqual(login(tested, "Ann"), SUCCESS)

    def test_told(self) -> None:
        """What is no fingerprint is told of."""
        options = ExternalOptions(fingerprints={"a": "12:34", "b": "", "c": "f" * 64})
        plugin = External("auth/external", options=options)
        self.assertEqual([problem.key for problem in plugin.problems], ["a", "b"])


class NameTests(SynchronousTestCase):
    """A certificate of an authority that vouches for names (RFC 5280)."""

    def test_email(self) -> None:
        """The first address, or the one that the client wants to be."""
        tested = site(FakeTLS(ANN), names=("email",))
        self.assertEqual(login(tested), SUCCESS)
        self.assertEqual(tested.connection.notes["auth_user"], "ann@example.com")
        tested = site(FakeTLS(ANN), names=("email",))
        self.assertEqual(login(tested, "bob@example.com"), FAILED)
        self.assertEqual(login(tested, "Office@example.com"), SUCCESS)
        self.assertEqual(tested.connection.notes["auth_user"], "office@example.com")

    def test_other_names(self) -> None:
        """Host names but not wildcards, and the subject's, if the postmaster wants."""
        for kind, user in (("dns", "host.example.com"), ("cn", "Ann Example")):
            tested = site(FakeTLS(ANN), names=(kind,))
            self.assertEqual(login(tested), SUCCESS)
            self.assertEqual(tested.connection.notes["auth_user"], user)
        tested = site(FakeTLS(ANN), names=("dns",))
        self.assertEqual(login(tested, "*.example.com"), FAILED)

    def test_not_trusted(self) -> None:
        """Names for which nobody vouches are nobody's."""
        tested = site(FakeTLS(ANN, verified=False), names=("email", "dns", "cn"))
        self.assertEqual(offered(tested), [])

    def test_not_wanted(self) -> None:
        """Without C{names}, none counts."""
        self.assertEqual(offered(site(FakeTLS(ANN))), [])

    def test_no_names(self) -> None:
        """A certificate without alternatives has none, nor one with nonsense."""
        odd = certificate(alternatives=[x509.RFC822Name("no address")])
        for shown in certificate(), odd:
            self.assertEqual(offered(site(FakeTLS(shown), names=("email",))), [])

    def test_constrained(self) -> None:
        """Users write in their own domain's name."""
        tested = site(FakeTLS(ANN), names=("email",))
        login(tested)
        self.assertEqual(say(tested, "MAIL FROM:<a@example.org>")[:3], "553")

    def test_asked_for(self) -> None:
        """The name may come after the command, in answer to an empty challenge."""
        tested = site(FakeTLS(ANN), names=("email",))
        self.assertEqual(say(tested, "AUTH EXTERNAL"), "334 \r\n")
        self.assertEqual(say(tested, "")[:9], SUCCESS)
