"""C{auth/flat_file}: users of a file (row PB02)."""

import hashlib
import hmac
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.auth.passwords import hash_api_key, hash_password
from harakatw.config.options import load_options
from harakatw.outbound.client.sasl import start
from harakatw.plugins.auth.flat_file import FlatFile, FlatFileOptions
from harakatw.testing.threads import HeldThreads, NoThreads
from tests.auth.sites import auth_site, b64, offered, plain, say, unb64
from tests.config.folders import ConfigTestCase
from tests.sessions import Site

SUCCESS = "235 2.7.0 Authentication successful\r\n"
FAILED = "535 5.7.8 Authentication failed\r\n"

HASHES = {
    "argon": "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$"
    "e6RhTsrUdTLm+9q5kWvRuKuj8cHKb8hyI4TzZgWVZuI",
}


def flat_file(
    users: dict[str, str] | None = None,
    keys: dict[str, str] | None = None,
    threads: Any = None,
    **options: Any,
) -> FlatFile:
    """The plugin with these users."""
    chosen = FlatFileOptions(users=users or {}, api_keys=keys or {}, **options)
    return FlatFile("auth/flat_file", options=chosen, threads=threads or NoThreads())


def login(plugin: FlatFile, user: str, password: str) -> str:
    """What a login is answered."""
    return say(auth_site(plugin), plain(user, password))


class PasswordTests(SynchronousTestCase):
    """Every kind of password that the file may hold."""

    def test_hashed(self) -> None:
        """
        The hashes that C{haraka hash} makes (Argon2 is RFC 9106) are of one password.
        """
        for scheme in "argon2", "bcrypt", "scram-sha-256":
            plugin = flat_file({"matt": hash_password("täst", scheme)})
            self.assertEqual(login(plugin, "matt", "täst"), SUCCESS, scheme)
            self.assertEqual(login(plugin, "matt", "tast"), FAILED, scheme)
            self.assertEqual(login(plugin, "mat", "täst"), FAILED, scheme)

    def test_plain(self) -> None:
        """A password as it is works as with Haraka, and is warned of."""
        plugin = flat_file({"matt": "test"})
        self.assertEqual(login(plugin, "matt", "test"), SUCCESS)
        self.assertEqual(login(plugin, "matt", "tes"), FAILED)
        (problem,) = plugin.problems
        self.assertEqual(problem.severity, "notice")
        self.assertIn("[users] matt: the password is not hashed", str(problem))

    def test_looks_like_a_hash(self) -> None:
        """A password that looks like a hash needs a word that it is none."""
        plugin = flat_file({"matt": "{PLAIN}$1$a"})
        self.assertEqual(login(plugin, "matt", "$1$a"), SUCCESS)

    def test_useless(self) -> None:
        """A hash of another kind is nobody's password, and is told of."""
        for stored in "$6$salt$hash", "$argon2id$x", "{SSHA}abc", "$2b$10$x", "":
            plugin = flat_file({"matt": stored, "ok": "fine"})
            self.assertEqual(login(plugin, "matt", stored or "x"), FAILED)
            self.assertEqual(login(plugin, "ok", "fine"), SUCCESS)
            (problem, _) = plugin.problems
            self.assertEqual((problem.severity, problem.key), ("error", "matt"))
            self.assertNotIn("hash$", problem.message)

    def test_no_users(self) -> None:
        """Without users nothing is offered."""
        self.assertEqual(offered(auth_site(flat_file())), [])

    def test_prepared(self) -> None:
        """The same characters in another form are the same password (RFC 4013)."""
        plugin = flat_file({"matt": hash_password("\u00fc", "scram-sha-256")})
        self.assertEqual(login(plugin, "matt", "u\u0308"), SUCCESS)

    def test_injection(self) -> None:
        """A name is compared, never a pattern (survey row 27)."""
        plugin = flat_file({"matt": "test"})
        for user in "*)(uid=*", "*", "matt' OR 1=1--", "__class__", "MATT":
            self.assertEqual(login(plugin, user, "test"), FAILED)


class TimeTests(SynchronousTestCase):
    """Neither a check's time nor its place tells whether there is a user."""

    def checks(self, plugin: FlatFile, threads: HeldThreads, user: str) -> int:
        """How much is checked, in threads, for this user and a wrong password."""
        site = auth_site(plugin)
        site.client.say(plain(user, "wrong"))
        count = 0
        while threads.waiting:
            threads.run_one()
            count += 1
        return count

    def test_threads(self) -> None:
        """Every password is checked in a thread, also for who is not there."""
        threads = HeldThreads()
        users = {"matt": HASHES["argon"], "ann": "plain"}
        plugin = flat_file(users, threads=threads)
        counts = {
            user: self.checks(plugin, threads, user) for user in ("matt", "ann", "bob")
        }
        self.assertEqual(counts, {"matt": 1, "ann": 1, "bob": 1})

    def test_same_work(self) -> None:
        """Who is not there costs one slow check, and so does every user."""
        slow: list[str] = []

        class Slow:
            is_slow = True

            def __init__(self, name: str) -> None:
                self.name = name

            def is_it(self, password: str) -> bool:
                slow.append(self.name)
                return False

        plugin = flat_file({"ann": "plain", "matt": HASHES["argon"]})
        passwords: Any = plugin._users.passwords
        passwords["matt"] = Slow("matt's")
        object.__setattr__(plugin._users, "decoy", Slow("decoy"))
        for user in "matt", "ann", "bob":
            login(plugin, user, "wrong")
        self.assertEqual(slow, ["matt's", "decoy", "decoy"])

    def test_not_too_many(self) -> None:
        """Many clients at once do not take all threads, nor all memory."""
        threads = HeldThreads()
        plugin = flat_file({"matt": HASHES["argon"]}, threads=threads)
        for _ in range(10):
            auth_site(plugin).client.say(plain("matt", "wrong"))
        self.assertEqual(len(threads.waiting), 4)
        threads.run_one()
        self.assertEqual(len(threads.waiting), 4)

    def test_scram_of_nobody(self) -> None:
        """Who is not there has a salt, too, and always the same one."""
        plugin = flat_file({"matt": hash_password("test", "scram-sha-256")})

        def salt_of(user: str) -> bytes:
            site = auth_site(plugin)
            first = b64(f"n,,n={user},r=abc")
            return unb64(site.client.ask(f"AUTH SCRAM-SHA-256 {first}")).split(b",")[1]

        self.assertEqual(salt_of("bob"), salt_of("bob"))
        self.assertNotEqual(salt_of("bob"), salt_of("ann"))
        self.assertEqual(len(salt_of("bob")), len(salt_of("matt")))


class ScramTests(SynchronousTestCase):
    """SCRAM-SHA-256 with our own client's side."""

    def hold(self, plugin: FlatFile, user: str, password: str) -> tuple[str, Site]:
        """An exchange, and its last reply."""
        site = auth_site(plugin)
        client = start("SCRAM-SHA-256", user, password)
        said = site.client.ask(f"AUTH SCRAM-SHA-256 {b64(client.initial or b'')}")
        while said.startswith("334"):
            said = say(site, b64(client.respond(unb64(said))))
        if said.startswith("235"):
            client.finish()
        return said, site

    def test_keys(self) -> None:
        """With the keys that the file holds."""
        plugin = flat_file({"matt": hash_password("test", "scram-sha-256")})
        said, site = self.hold(plugin, "matt", "test")
        self.assertEqual(said, SUCCESS)
        self.assertEqual(site.connection.notes["auth_user"], "matt")
        self.assertNotIn("auth_passwd", site.connection.notes)
        self.assertEqual(self.hold(plugin, "matt", "tesT")[0], FAILED)
        self.assertEqual(self.hold(plugin, "nobody", "test")[0], FAILED)

    def test_plain(self) -> None:
        """With a password that the file holds as it is."""
        plugin = flat_file({"matt": "test"})
        self.assertEqual(self.hold(plugin, "matt", "test")[0], SUCCESS)
        self.assertEqual(self.hold(plugin, "matt", "tesT")[0], FAILED)
        self.assertEqual(self.hold(plugin, "nobody", "x")[0], FAILED)


class ApiKeyTests(SynchronousTestCase):
    """Programs that log in with a long random key."""

    def test_key(self) -> None:
        """A key is a password that is kept as a quick hash."""
        plugin = flat_file(keys={"news": hash_api_key("k" * 43)})
        self.assertEqual(login(plugin, "news", "k" * 43), SUCCESS)
        self.assertEqual(login(plugin, "news", "k" * 42), FAILED)
        self.assertEqual(login(plugin, "other", "k" * 43), FAILED)

    def test_not_hashed(self) -> None:
        """A key that stands there as it is does not work, and is told of."""
        plugin = flat_file(keys={"news": "secret-key"})
        self.assertEqual(offered(auth_site(plugin)), [])
        (problem,) = plugin.problems
        self.assertEqual(problem.section, "api_keys")
        self.assertNotIn("secret-key", str(problem))


class OfferTests(SynchronousTestCase):
    """Which mechanisms are offered to whom."""

    def test_those_that_work_for_all(self) -> None:
        """A client takes the best, so it must be good for every user."""
        argon, scram = HASHES["argon"], hash_password("x", "scram-sha-256")
        password = ["PLAIN", "LOGIN"]
        for users, wanted in (
            ({"a": "x"}, ["SCRAM-SHA-256", "CRAM-MD5", *password]),
            ({"a": "x", "b": scram}, ["SCRAM-SHA-256", *password]),
            ({"a": "x", "b": argon}, password),
        ):
            self.assertEqual(offered(auth_site(flat_file(users))), wanted)

    def test_those_that_are_wanted(self) -> None:
        """Haraka's C{methods} still says which, as far as any user can use them."""
        users = {"a": "x", "b": HASHES["argon"]}
        plugin = flat_file(users, methods=("cram-md5", "LOGIN"))
        self.assertEqual(offered(auth_site(plugin)), ["CRAM-MD5", "LOGIN"])
        plugin = flat_file({"b": HASHES["argon"]}, methods=("CRAM-MD5", "LOGIN"))
        self.assertEqual(offered(auth_site(plugin)), ["LOGIN"])

    def test_private(self) -> None:
        """Clients of a private network may log in without TLS, as with Haraka."""
        plugin = flat_file({"a": "x"})
        self.assertIn("PLAIN", offered(auth_site(plugin, tls=False, ip="10.0.0.1")))
        self.assertEqual(offered(auth_site(plugin, tls=False)), [])

    def test_cram_md5(self) -> None:
        """CRAM-MD5 needs the password as it is."""
        site = auth_site(
            flat_file({"a": "x", "b": HASHES["argon"]}, methods=("CRAM-MD5",))
        )
        challenge = unb64(site.client.ask("AUTH CRAM-MD5"))
        digest = hmac.new(b"x", challenge, hashlib.md5).hexdigest()
        self.assertEqual(say(site, b64(f"a {digest}")), SUCCESS)


class SenderTests(SynchronousTestCase):
    """Users write in their own domain's name."""

    def mail(self, user: str, sender: str, **options: Any) -> str:
        """The code of the answer to MAIL."""
        site = auth_site(flat_file({user: "x"}, **options))
        self.assertEqual(say(site, plain(user, "x")), SUCCESS)
        return say(site, f"MAIL FROM:<{sender}>")[:9]

    def test_own_domain(self) -> None:
        """In that domain, and others of the same organization."""
        for sender in "b@example.com", "b@EXAMPLE.com", "b@mail.example.com", "":
            self.assertEqual(self.mail("a@example.com", sender), "250 2.1.0", sender)
        self.assertEqual(self.mail("a@sub.example.com", "b@example.com"), "250 2.1.0")

    def test_other_domain(self) -> None:
        """In no other."""
        for sender in "b@example.org", "b@example.com.evil.net", "b@com":
            self.assertEqual(self.mail("a@example.com", sender), "553 5.7.1", sender)
        self.assertEqual(self.mail("a@one.co.uk", "a@two.co.uk"), "553 5.7.1")

    def test_off(self) -> None:
        """Unless that is switched off, or the user's name has no domain."""
        said = self.mail("a@example.com", "b@example.org", constrain_sender=False)
        self.assertEqual(said, "250 2.1.0")
        self.assertEqual(self.mail("matt", "b@example.org"), "250 2.1.0")


class FileTests(ConfigTestCase):
    """The file itself."""

    def test_haraka(self) -> None:
        """A file of Haraka's works as it is."""
        self.write(
            "auth_flat_file.ini",
            "[core]\nmethods=PLAIN,LOGIN,CRAM-MD5\nconstrain_sender=false\n"
            "\n[users]\nmatt=test\na@example.com = p=a s;s\n",
        )
        loaded = load_options(FlatFileOptions, self.files(), "auth/flat_file")
        self.assertEqual(loaded.problems, ())
        options = loaded.options
        self.assertEqual(options.methods, ("PLAIN", "LOGIN", "CRAM-MD5"))
        self.assertFalse(options.constrain_sender)
        self.assertEqual(
            dict(options.users), {"matt": "test", "a@example.com": "p=a s;s"}
        )

    def test_mistakes(self) -> None:
        """An unknown mechanism or key is told of."""
        self.write("auth_flat_file.ini", "[core]\nmethods=PLANE\nmethod=PLAIN\n")
        loaded = load_options(FlatFileOptions, self.files(), "auth/flat_file")
        told = "\n".join(map(str, loaded.problems))
        self.assertIn("'PLANE' is not one of PLAIN, LOGIN", told)
        self.assertIn("methods", told)
