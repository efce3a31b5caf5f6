"""Tests of C{harakatw.net.tls.self_signed}."""

from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase

from harakatw.net.tls.certificates import make_pair, read_pem
from harakatw.net.tls.self_signed import DAYS, self_signed
from tests.certificates import NOW


class SelfSignedTests(SynchronousTestCase):
    """A certificate to try TLS with."""

    def test_made(self) -> None:
        """It is for all names and addresses, a year, and goes with its key."""
        hosts = ("mail.example", "localhost", "127.0.0.1", "::1", "localhost")
        made = self_signed(hosts, NOW.timestamp())
        content = read_pem(made.key + made.certificate)
        pair = make_pair("f", content.keys, content.certificates)
        assert pair is not None
        self.assertEqual(pair.names, {"mail.example", "localhost"})
        self.assertEqual(pair.ends - NOW.timestamp(), DAYS * 86400)
        extension = pair.certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        addresses = extension.value.get_values_for_type(x509.IPAddress)
        self.assertEqual(list(map(str, addresses)), ["127.0.0.1", "::1"])

    def test_long_name(self) -> None:
        """A name that is too long for a common name is one all the same."""
        host = f"{'a' * 60}.{'b' * 60}.example"
        made = self_signed([host], NOW.timestamp())
        content = read_pem(made.key + made.certificate)
        pair = make_pair("f", content.keys, content.certificates)
        assert pair is not None
        self.assertIn(host, pair.names)
