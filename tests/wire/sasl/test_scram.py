"""SCRAM-SHA-256, the server's side (RFC 5802, RFC 7677)."""

import base64
import hashlib

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.client.sasl import ScramSHA256
from harakatw.wire.sasl.scram import ScramServer, decode_name, split_gs2_header
from harakatw.wire.sasl.scram_keys import (
    client_key,
    fake_scram_keys,
    hmac_sha256,
    is_password_of,
    make_scram_keys,
    parse_scram_keys,
    salted_password,
)
from harakatw.wire.sasl.text import SASLError
from tests.properties import given, st

CLIENT_NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
KEYS = make_scram_keys("pencil", SALT, 4096)

FIRST = f"n,,n=user,r={CLIENT_NONCE}".encode()
CHALLENGE = f"r={CLIENT_NONCE}{SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".encode()
FINAL = (
    f"c=biws,r={CLIENT_NONCE}{SERVER_NONCE},"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
).encode()
LAST = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def server(plus: bool = False, plus_offered: bool = False) -> ScramServer:
    """The server of the example."""
    return ScramServer(SERVER_NONCE, plus=plus, plus_offered=plus_offered)


class ExampleTests(SynchronousTestCase):
    """The exchange of RFC 7677 section 3, and what is not it."""

    def test_example(self) -> None:
        """Each message is as the RFC has it."""
        scram = server()
        scram.begin(FIRST)
        self.assertEqual(scram.user, "user")
        self.assertEqual(scram.challenge(KEYS), CHALLENGE)
        self.assertEqual(scram.finish(FINAL, KEYS, b""), LAST)

    def test_wrong_proof(self) -> None:
        """Other keys, another nonce or binding, or a proof of another length."""
        other = make_scram_keys("Pencil", SALT, 4096)
        fake = fake_scram_keys(b"secret", "user", 4096)
        for final, keys in (
            (FINAL, other),
            (FINAL, fake),
            (FINAL.replace(b"k0,", b"k1,"), KEYS),
            (FINAL.replace(b"biws", b"eSws"), KEYS),
            (FINAL.replace(b"p=dHzb", b"p=dHzc"), KEYS),
            (FINAL.partition(b",p=")[0] + b",p=dHzb", KEYS),
        ):
            scram = server()
            scram.begin(FIRST)
            scram.challenge(keys)
            self.assertIsNone(scram.finish(final, keys, b""), final)

    def test_malformed_first(self) -> None:
        """A first message that makes no sense."""
        for message in (
            b"", b"n", b"n,,", b"n,,n=user", b"n,,r=a,n=user", b"n,,n=user,r=",
            b"n,,n=us=er,r=a", b"n,,m=x,n=user,r=a", b"q,,n=user,r=a",
            b"n,x,n=user,r=a", b"p=,,n=user,r=a", b"n,,n=user,r=a b",
            b"n,,n=user,r=a,n=b", b"\xff,,n=user,r=a", b"n,,n=\0,r=a",
        ):  # fmt: skip
            with self.assertRaises(SASLError, msg=message):
                server().begin(message)

    def test_malformed_final(self) -> None:
        """A final message that makes no sense."""
        for message in b"", b"c=biws", b"c=biws,r=a", b"p=AA==", b"c=!,r=a,p=AA==":
            scram = server()
            scram.begin(FIRST)
            scram.challenge(KEYS)
            with self.assertRaises(SASLError, msg=message):
                scram.finish(message, KEYS, b"")

    def test_names(self) -> None:
        """Comma and equals sign are escaped (RFC 5801 section 4)."""
        self.assertEqual(decode_name("a=2Cb=3Dc"), "a,b=c")
        flag, authzid, rest = split_gs2_header("n,a=b=2Cc,d")
        self.assertEqual((flag, authzid, rest), ("n", "b,c", "d"))


class BindingTests(SynchronousTestCase):
    """SCRAM-SHA-256-PLUS, and that nobody can take it away (RFC 5802 section 6)."""

    def final(self, bound: bytes, header: str = "p=tls-exporter,,") -> bytes | None:
        """What the server says to a client whose channel is bound to C{bound}."""
        scram = server(plus=True, plus_offered=True)
        bare = f"n=user,r={CLIENT_NONCE}"
        scram.begin(f"{header}{bare}".encode())
        self.assertEqual(scram.binding, "tls-exporter")
        client = ScramSHA256("user", "pencil", CLIENT_NONCE)
        challenge = scram.challenge(KEYS).decode()
        sent = client.respond(challenge.encode()).decode()
        binding = base64.b64encode(header.encode() + bound).decode()
        without = f"c={binding},{sent.partition(',')[2].rpartition(',p=')[0]}"
        proof = self.proof(f"{bare},{challenge},{without}")
        return scram.finish(f"{without},p={proof}".encode(), KEYS, b"channel")

    def proof(self, said: str) -> str:
        """The proof of who knows the password."""
        salted = salted_password("pencil", SALT, 4096)
        key = client_key(salted)
        signature = hmac_sha256(hashlib.sha256(key).digest(), said.encode())
        octets = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        return base64.b64encode(octets).decode()

    def test_bound(self) -> None:
        """Both see the same channel."""
        self.assertIsNotNone(self.final(b"channel"))

    def test_somebody_between(self) -> None:
        """The client sees another channel than we: the password does not help."""
        self.assertIsNone(self.final(b"another"))

    def test_downgrade(self) -> None:
        """A client that thinks we cannot, while we offered, was lied to."""
        with self.assertRaises(SASLError):
            server(plus_offered=True).begin(FIRST.replace(b"n,,", b"y,,", 1))
        server(plus_offered=False).begin(FIRST.replace(b"n,,", b"y,,", 1))

    def test_wrong_mechanism(self) -> None:
        """Binding belongs to PLUS, and PLUS to binding."""
        with self.assertRaises(SASLError):
            server().begin(FIRST.replace(b"n,,", b"p=tls-exporter,,", 1))
        with self.assertRaises(SASLError):
            server(plus=True).begin(FIRST)


class KeyTests(SynchronousTestCase):
    """What is kept of a password (RFC 5803)."""

    def test_text(self) -> None:
        """Keys as text are read back; they show no password."""
        self.assertEqual(parse_scram_keys(str(KEYS)), KEYS)
        self.assertTrue(str(KEYS).startswith("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsU"))

    def test_check(self) -> None:
        """They tell whether a password is the one."""
        self.assertTrue(is_password_of(KEYS, "pencil"))
        self.assertFalse(is_password_of(KEYS, "Pencil"))
        self.assertFalse(is_password_of(KEYS, "\0"))

    def test_not_keys(self) -> None:
        """What is not keys, or keys that are quickly guessed."""
        good = str(KEYS)
        for text in (
            "", "SCRAM-SHA-256$", good[:-1], good.replace("4096", "1"),
            good.replace("4096", "99999999"), good.replace(":", ";"), good + "=",
        ):  # fmt: skip
            with self.assertRaises(SASLError, msg=text):
                parse_scram_keys(text)

    def test_fake(self) -> None:
        """Made-up keys are the same for a name each time, and no password fits."""
        first = fake_scram_keys(b"secret", "user")
        self.assertEqual(first, fake_scram_keys(b"secret", "user"))
        self.assertNotEqual(first, fake_scram_keys(b"other", "user"))
        self.assertNotEqual(first.salt, fake_scram_keys(b"secret", "usor").salt)


class RandomTests(SynchronousTestCase):
    """Whatever a client sends, the server says that it makes no sense, or no."""

    @given(st.binary(max_size=200), st.binary(max_size=200))
    def test_any_octets(self, first: bytes, final: bytes) -> None:
        """Octets at random."""
        self.hold(first, final)

    @given(st.text("nyparcm=,2CD3\0 é", max_size=30), st.text("crp=,Aa+/", max_size=30))
    def test_nearly(self, first: str, final: str) -> None:
        """Messages that nearly make sense."""
        self.hold(b"n,,n=" + first.encode(), final.encode())

    def hold(self, first: bytes, final: bytes) -> None:
        """Both messages; the second proves nothing."""
        scram = server()
        try:
            scram.begin(first)
            scram.challenge(KEYS)
            said = scram.finish(final, KEYS, b"")
        except SASLError:
            return
        self.assertIsNone(said)
