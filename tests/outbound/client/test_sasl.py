"""Proving who we are."""

import base64

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.client.sasl import Mechanism, choose, start
from harakatw.wire.sasl.scram_keys import MAX_ITERATIONS, MIN_ITERATIONS
from harakatw.wire.sasl.text import SASLError, saslprep

NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = NONCE + "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SALT = "W22ZaJ0SNY7soEsUEjb6gQ=="


def scram() -> Mechanism:
    """The exchange of RFC 7677 section 3."""
    return start("SCRAM-SHA-256", "user", "pencil", lambda: NONCE)


class SimpleTests(SynchronousTestCase):
    """PLAIN, LOGIN and CRAM-MD5."""

    def test_plain(self) -> None:
        """User and password go at once, in UTF-8 (RFC 4616)."""
        plain = start("PLAIN", "j\u00f6", "p w")
        self.assertEqual(plain.initial, b"\0j\xc3\xb6\0p w")
        plain.finish()
        self.assertRaises(SASLError, plain.respond, b"more?")

    def test_login(self) -> None:
        """User and password go when asked, whatever the prompts are."""
        login = start("LOGIN", "joe", "secret")
        self.assertIsNone(login.initial)
        self.assertRaises(SASLError, login.finish)
        self.assertEqual(login.respond(b"User Name"), b"joe")
        self.assertEqual(login.respond(b""), b"secret")
        login.finish()
        self.assertRaises(SASLError, login.respond, b"and?")

    def test_cram_md5(self) -> None:
        """The digest of RFC 2195 section 2."""
        cram = start("CRAM-MD5", "tim", "tanstaaftanstaaf")
        self.assertRaises(SASLError, cram.finish)
        digest = cram.respond(b"<1896.697170952@postoffice.reston.mci.net>")
        self.assertEqual(digest, b"tim b913a602c7eda7a495b4e6e7334d3890")
        cram.finish()
        self.assertRaises(SASLError, cram.respond, b"<again>")


class ScramTests(SynchronousTestCase):
    """SCRAM-SHA-256, in which the server has to prove something too."""

    def test_rfc_7677(self) -> None:
        """The exchange of the RFC, octet by octet."""
        mechanism = scram()
        self.assertEqual(mechanism.initial, f"n,,n=user,r={NONCE}".encode())
        final = mechanism.respond(f"r={SERVER_NONCE},s={SALT},i=4096".encode())
        self.assertEqual(
            final,
            f"c=biws,r={SERVER_NONCE},"
            "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".encode(),
        )
        proof = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        self.assertEqual(mechanism.respond(proof), b"")
        mechanism.finish()

    def test_false_server(self) -> None:
        """A server that does not know the password is found out."""
        for proof in (
            b"v=" + base64.b64encode(b"x" * 32),
            b"v=",
            b"",
            b"e=other-error",
            b"v=***",
        ):
            mechanism = scram()
            mechanism.respond(f"r={SERVER_NONCE},s={SALT},i=4096".encode())
            self.assertRaises(SASLError, mechanism.respond, proof)
            self.assertRaises(SASLError, mechanism.finish)

    def test_no_proof(self) -> None:
        """A server that says yes without a proof is not believed."""
        self.assertRaises(SASLError, scram().finish)
        mechanism = scram()
        mechanism.respond(f"r={SERVER_NONCE},s={SALT},i=4096".encode())
        self.assertRaises(SASLError, mechanism.finish)

    def test_bad_challenges(self) -> None:
        """Challenges that are weak, costly or malformed are not answered."""
        for challenge in (
            "",
            f"r={NONCE},s={SALT},i=4096",
            f"r=other,s={SALT},i=4096",
            f"r={SERVER_NONCE},s={SALT}",
            f"r={SERVER_NONCE},s=,i=4096",
            f"r={SERVER_NONCE},s=*,i=4096",
            f"r={SERVER_NONCE},s={SALT},i={MIN_ITERATIONS - 1}",
            f"r={SERVER_NONCE},s={SALT},i={MAX_ITERATIONS + 1}",
            f"r={SERVER_NONCE},s={SALT},i={'9' * 40}",
            f"r={SERVER_NONCE},s={SALT},i=-1",
            f"m=x,r={SERVER_NONCE},s={SALT},i=4096",
            f"r={SERVER_NONCE}\u00e9,s={SALT},i=4096",
        ):
            self.assertRaises(SASLError, scram().respond, challenge.encode())

    def test_names(self) -> None:
        """
        A comma or equals sign in a user's name cannot end it (RFC 5802 section 5.1).
        """
        mechanism = start("SCRAM-SHA-256", "a=b,c", "x", lambda: "N")
        self.assertEqual(mechanism.initial, b"n,,n=a=3Db=2Cc,r=N")

    def test_nonces(self) -> None:
        """No two exchanges begin with the same nonce."""
        first, second = (start("SCRAM-SHA-256", "u", "p").initial for _ in range(2))
        self.assertNotEqual(first, second)


class PrepTests(SynchronousTestCase):
    """One form for what can be typed in several ways (RFC 4013 section 3)."""

    def test_examples(self) -> None:
        """The examples of the RFC."""
        for text, prepared in (
            ("I\u00adX", "IX"),
            ("user", "user"),
            ("USER", "USER"),
            ("\u00aa", "a"),
            ("\u2168", "IX"),
            ("a\u00a0b", "a b"),
            ("\u0627\u0031\u0628", "\u0627\u0031\u0628"),
        ):
            self.assertEqual(saslprep(text), prepared)

    def test_forbidden(self) -> None:
        """Control characters and mixed directions are refused (RFC 3454 section 6)."""
        for text in ("\u0007", "a\r\nb", "\u0627\u0031", "\ue000\u00e9"):
            self.assertRaises(SASLError, saslprep, text)


class ChooseTests(SynchronousTestCase):
    """Which mechanism is used."""

    def test_best(self) -> None:
        """The best that is offered."""
        offered = ["LOGIN", "PLAIN", "CRAM-MD5", "SCRAM-SHA-256", "GSSAPI"]
        for expected in ("SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"):
            self.assertEqual(choose(offered, "", True), expected)
            offered.remove(expected)
        self.assertRaises(SASLError, choose, offered, "", True)

    def test_in_clear(self) -> None:
        """Without TLS no password is shown unless the hop allows it."""
        self.assertEqual(choose(["PLAIN", "CRAM-MD5"], "", False), "CRAM-MD5")
        error = self.assertRaises(SASLError, choose, ["PLAIN", "LOGIN"], "", False)
        self.assertIn("without TLS", str(error))

    def test_wanted(self) -> None:
        """What the hop names is used, or none."""
        offered = ["PLAIN", "SCRAM-SHA-256"]
        self.assertEqual(choose(offered, "plain", True), "PLAIN")
        self.assertRaises(SASLError, choose, offered, "LOGIN", True)
        self.assertRaises(SASLError, choose, offered, "PLAIN", False)
        error = self.assertRaises(SASLError, choose, ["GSSAPI"], "GSSAPI", True)
        self.assertIn("no mechanism that we know", str(error))
