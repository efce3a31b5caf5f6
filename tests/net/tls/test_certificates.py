"""Tests of C{harakatw.net.tls.certificates}."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.problems import BadFile
from harakatw.net.tls.certificates import make_pair, read_pem, read_pkcs12
from tests.certificates import encrypted_key, make_authority, own, pkcs12_file


class PEMTests(SynchronousTestCase):
    """Keys and certificates in text."""

    def test_bundle(self) -> None:
        """
        Key, certificate and those above it may be in one file, in any order and with
        words between them.
        """
        authority = make_authority()
        signed = authority.sign("mail.example")
        octets = authority.certificate + b"hello\n" + signed.key + signed.certificate
        content = read_pem(octets)
        pair = make_pair("f", content.keys, content.certificates)
        assert pair is not None
        self.assertEqual(pair.names, {"mail.example"})
        self.assertEqual(
            pair.chain_pem.split(), (signed.certificate + authority.certificate).split()
        )

    def test_names(self) -> None:
        """
        A certificate is for its alternative names and, other than RFC 9525 has it, for
        its common name.
        """
        signed = own("a.example", "*.B.example", common="C.example")
        content = read_pem(signed.key + signed.certificate)
        pair = make_pair("f", content.keys, content.certificates)
        assert pair is not None
        self.assertEqual(pair.names, {"a.example", "*.b.example", "c.example"})

    def test_name_of_a_person(self) -> None:
        """A common name that is no host is nobody's."""
        signed = own("a.example", common="My Company")
        content = read_pem(signed.key + signed.certificate)
        pair = make_pair("f", content.keys, content.certificates)
        assert pair is not None
        self.assertEqual(pair.names, {"a.example"})

    def test_other_key(self) -> None:
        """A key that belongs to no certificate makes no pair."""
        content = read_pem(own("a.example").key + own("a.example").certificate)
        self.assertIsNone(make_pair("f", content.keys, content.certificates))

    def test_kinds(self) -> None:
        """RSA and ECDSA are told apart."""
        kinds = set()
        for use_rsa in (True, False):
            signed = own("a.example", use_rsa=use_rsa)
            content = read_pem(signed.key + signed.certificate)
            pair = make_pair("f", content.keys, content.certificates)
            assert pair is not None
            kinds.add(pair.kind)
        self.assertEqual(kinds, {"RSAPrivateKey", "EllipticCurvePrivateKey"})

    def test_broken(self) -> None:
        """What cannot be read is told with its line."""
        signed = own("a.example")
        broken = signed.certificate.replace(b"MII", b"XXX", 1)
        error = self.assertRaises(BadFile, read_pem, signed.key + broken)
        self.assertIn("a certificate that cannot be used", error.message)
        self.assertEqual(error.line, signed.key.count(b"\n") + 1)

    def test_encrypted(self) -> None:
        """An encrypted key needs its passphrase."""
        signed = own("a.example")
        locked = encrypted_key(signed, "open")
        self.assertEqual(len(read_pem(locked, "open").keys), 1)
        error = self.assertRaises(BadFile, read_pem, locked)
        self.assertIn("there is no passphrase", error.message)
        self.assertRaises(BadFile, read_pem, locked, "wrong")

    def test_nothing(self) -> None:
        """Anything else is a file that holds neither."""
        for octets in (b"", b"README", bytes(range(256))):
            content = read_pem(octets)
            self.assertEqual((content.keys, content.certificates), ((), ()))


class PKCS12Tests(SynchronousTestCase):
    """Both in one file (row CF72)."""

    def test_open(self) -> None:
        """The passphrase opens it."""
        octets = pkcs12_file(own("a.example"), "open")
        self.assertEqual(read_pkcs12(octets, "open", "f").names, {"a.example"})

    def test_closed(self) -> None:
        """Without it, or if it is no such file, that is said."""
        octets = pkcs12_file(own("a.example"), "open")
        for content, passphrase in ((octets, ""), (octets, "wrong"), (b"x", "")):
            error = self.assertRaises(BadFile, read_pkcs12, content, passphrase, "f")
            self.assertIn("PKCS #12", error.message)
