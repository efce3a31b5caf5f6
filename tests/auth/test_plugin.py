"""C{AuthPlugin}: AUTH for plugins that know users (rows PB01 and TE17)."""

import hashlib
import hmac
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from harakatw.auth.options import AuthOptions
from harakatw.auth.state import forget_authentication
from harakatw.config.listeners import Listener
from harakatw.errors import ProtocolError, TemporaryFailure
from harakatw.plugin import AuthPlugin, IConnection, Secret
from harakatw.reply import reply
from tests.auth.sites import auth_site, b64, offered, plain, say, unb64
from tests.auth.users import fixed_users
from tests.fake_plugins import fake_plugin
from tests.log_events import collect_log
from tests.sessions import Site, make_site

SUCCESS = "235 2.7.0 Authentication successful\r\n"
FAILED = "535 5.7.8 Authentication failed\r\n"


class Knows(AuthPlugin):
    """Knows C{matt} with the password C{test}."""

    def get_plain_passwd(self, user: str, connection: IConnection) -> Any:
        return "test" if user == "matt" else None


class Answers(AuthPlugin):
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self, answer: object, name: str = "answers") -> None:
        super().__init__(name)
        self.__dict__.update(answer=answer, asked=[])

    def check_plain_passwd(
        self, connection: IConnection, user: str, password: str
    ) -> Any:
        asked: Any = self.__dict__["asked"]
        asked.append((user, password))
        answer: Any = self.__dict__["answer"]
        if isinstance(answer, Exception):
            raise answer
        return answer


def knows(**options: Any) -> Knows:
    """The plugin, with this in C{auth.ini}."""
    return Knows("knows", auth=AuthOptions(**options))


class OfferTests(SynchronousTestCase):
    """What EHLO tells of AUTH."""

    def test_encrypted(self) -> None:
        """Over TLS, the mechanisms that the plugin can answer, the best first."""
        self.assertEqual(offered(auth_site(knows())), ["CRAM-MD5", "PLAIN", "LOGIN"])

    def test_not_encrypted(self) -> None:
        """Without TLS nothing is announced, and nothing is taken."""
        site = auth_site(knows(), tls=False)
        self.assertEqual(offered(site), [])
        self.assertTrue(say(site, plain("matt", "test")).startswith("538 5.7.11 "))
        self.assertFalse(site.connection.relaying)

    def test_allowed_without(self) -> None:
        """Unless the postmaster wants it so."""
        site = auth_site(knows(require_tls=False), tls=False)
        self.assertEqual(say(site, plain("matt", "test")), SUCCESS)

    def test_repeated_ehlo(self) -> None:
        """Each EHLO tells the same."""
        site = auth_site(knows())
        self.assertEqual(offered(site), offered(site))

    def test_several_plugins(self) -> None:
        """What several plugins offer stands in one line."""
        site = auth_site(Answers(False), knows())
        self.assertEqual(offered(site), ["CRAM-MD5", "PLAIN", "LOGIN"])

    def test_taken_away(self) -> None:
        """What another plugin takes from the list is not taken from the client."""

        def no_auth(connection: Any) -> None:
            lines = connection.capabilities
            lines[:] = [line for line in lines if not line.startswith("AUTH")]

        site = auth_site(knows(), fake_plugin(capabilities=no_auth))
        self.assertTrue(say(site, plain("matt", "test")).startswith("504 5.5.4 "))

    def test_switched_off(self) -> None:
        """Where AUTH is switched off there is none, whatever plugins offer."""
        site = make_site(knows(require_tls=False))
        site.server.context.offers.hidden = frozenset(("AUTH",))
        self.assertEqual(offered(site), [])
        self.assertTrue(say(site, plain("matt", "test")).startswith("504 5.5.4 "))

    def test_mail_parameter(self) -> None:
        """C{AUTH=} may follow MAIL where AUTH is announced (RFC 4954 section 5)."""
        site = auth_site(knows())
        for value, code in (
            ("<>", 250), ("a+2Bb@c.example", 250), ("+zz", 501), ("", 501)
        ):  # fmt: skip
            site.client.hear()
            site.client.say(f"MAIL FROM:<a@b.example> AUTH={value}", "RSET")
            self.assertEqual(site.client.codes(), [code, 250], value)
        other = auth_site(knows(), tls=False)
        said = other.client.ask("MAIL FROM:<a@b.example> AUTH=<>")
        self.assertTrue(said.startswith("555 5.5.4 "))


class PasswordTests(SynchronousTestCase):
    """PLAIN, LOGIN and CRAM-MD5."""

    def test_plain(self) -> None:
        """With the command, or after it, with or without the name to act as."""
        for lines in (
            [plain("matt", "test")],
            [plain("matt", "test", "matt")],
            ["AUTH PLAIN", b64("\0matt\0test")],
            ["auth plain", b64("\0matt\0test")],
        ):
            site = auth_site(knows())
            self.assertEqual(say(site, *lines).splitlines()[-1] + "\r\n", SUCCESS)
            self.assertTrue(site.connection.relaying)

    def test_plain_asks(self) -> None:
        """The server asks with an empty challenge, and that has its blank."""
        site = auth_site(knows())
        self.assertEqual(site.client.ask("AUTH PLAIN"), "334 \r\n")

    def test_login(self) -> None:
        """The user may come with the command."""
        site = auth_site(knows())
        said = say(site, "AUTH LOGIN", b64("matt"), b64("test"))
        self.assertEqual(said, f"334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n{SUCCESS}")
        site = auth_site(knows())
        said = say(site, "AUTH LOGIN " + b64("matt"), b64("test"))
        self.assertEqual(said, f"334 UGFzc3dvcmQ6\r\n{SUCCESS}")

    def test_cram_md5(self) -> None:
        """A digest of a challenge that is another one each time."""
        challenges = set()
        for password, wanted in (("test", SUCCESS), ("other", FAILED)):
            site = auth_site(knows())
            challenge = unb64(site.client.ask("AUTH CRAM-MD5"))
            challenges.add(challenge)
            digest = hmac.new(password.encode(), challenge, hashlib.md5).hexdigest()
            self.assertEqual(say(site, b64(f"matt {digest}")), wanted)
        self.assertEqual(len(challenges), 2)
        self.assertTrue(challenge.endswith(b"@mail.example>"))

    def test_cram_md5_unknown_user(self) -> None:
        """An unknown user is refused as a known one with a wrong password."""
        site = auth_site(knows())
        site.client.ask("AUTH CRAM-MD5")
        self.assertEqual(say(site, b64("nobody " + "0" * 32)), FAILED)

    def test_wrong(self) -> None:
        """A wrong password, an unknown user and another name to act as are one."""
        for command in (
            plain("matt", "Test"),
            plain("nobody", "test"),
            plain("matt", "test", "root"),
            plain("", "test"),
            plain("matt", ""),
            plain("ma\ntt", "test"),
        ):
            site = auth_site(knows())
            self.assertEqual(say(site, command), FAILED, command)
            self.assertFalse(site.connection.relaying)
            self.assertNotIn("auth_user", site.connection.notes)

    def test_empty_is_not_asked(self) -> None:
        """No plugin is asked whether nothing is somebody's password."""
        plugin = Answers(True)
        for command in plain("matt", ""), plain("", "x"), plain("a\rb", "x"):
            self.assertEqual(say(auth_site(plugin), command), FAILED)
        self.assertEqual(plugin.__dict__["asked"], [])


class AfterTests(SynchronousTestCase):
    """What a login leaves behind."""

    def logged_in(self) -> Site:
        """A client that has."""
        site = auth_site(knows())
        self.assertEqual(say(site, plain("matt", "test")), SUCCESS)
        return site

    def test_notes_and_results(self) -> None:
        """Plugins find the user, and a password that does not show itself."""
        connection = self.logged_in().connection
        self.assertEqual(connection.notes["auth_user"], "matt")
        self.assertEqual(connection.notes["auth_method"], "PLAIN")
        self.assertEqual(connection.notes["auth_passwd"], Secret("test"))
        self.assertNotIn("test", repr(connection.notes.as_dict()["auth_passwd"]))
        result = connection.results.get("auth")
        self.assertEqual(
            (result["pass"], result["user"], result["method"]),
            (["knows"], "matt", "PLAIN"),
        )

    def test_trace(self) -> None:
        """The trace field says ESMTPSA from then on (RFC 3848)."""
        site = auth_site(knows())
        self.assertIn(b"with ESMTPS ", self.message(site))
        say(site, plain("matt", "test"))
        site.connection.relaying = False  # so that the mailbox gets it
        self.assertIn(b"with ESMTPSA ", self.message(site))

    def message(self, site: Site) -> bytes:
        """What a message becomes."""
        site.client.say("MAIL FROM:<a@b.example>", "RCPT TO:<c@here.example>", "DATA")
        site.client.say("a: b", "", ".")
        return site.mailbox.messages[-1].octets

    def test_twice(self) -> None:
        """Who has logged in cannot do it again."""
        site = self.logged_in()
        self.assertTrue(say(site, plain("matt", "test")).startswith("503 5.5.1 "))

    def test_in_transaction(self) -> None:
        """Not while a message is under way (RFC 4954 section 4)."""
        site = auth_site(knows())
        site.client.ask("MAIL FROM:<a@b.example>")
        self.assertTrue(say(site, plain("matt", "test")).startswith("503 5.5.1 "))
        self.assertEqual(
            say(site, "RSET", plain("matt", "test"))[-len(SUCCESS) :], SUCCESS
        )

    def test_before_ehlo(self) -> None:
        """Not before EHLO, nor after HELO."""
        site = auth_site(knows())
        site.client.ask("HELO client.example")
        self.assertTrue(say(site, plain("matt", "test")).startswith("503 5.5.1 "))

    def test_forgotten(self) -> None:
        """After STARTTLS nobody is logged in any more (RFC 3207 section 4.2)."""
        site = self.logged_in()
        forget_authentication(site.connection)
        self.assertFalse(site.connection.relaying)
        self.assertNotIn("auth_user", site.connection.notes)
        self.assertNotIn("auth_passwd", site.connection.notes)
        self.assertEqual(site.connection.results.get("auth"), {})
        self.assertEqual(site.connection.results.get("relay")["pass"], [])
        self.assertEqual(say(site, plain("matt", "test")), SUCCESS)

    def test_relaying_stays(self) -> None:
        """But who may relay for its address may do so still."""
        site = auth_site(knows())
        site.connection.relaying = True
        say(site, plain("matt", "test"))
        forget_authentication(site.connection)
        self.assertTrue(site.connection.relaying)

    def test_submission(self) -> None:
        """A listener for submission takes mail of users only (RFC 6409 section 4.3)."""
        site = auth_site(knows(), listener=Listener(submission=True))
        self.assertEqual(
            say(site, "MAIL FROM:<a@b.example>"),
            "530 5.7.0 Authentication required\r\n",
        )
        say(site, plain("matt", "test"))
        self.assertTrue(say(site, "MAIL FROM:<a@b.example>").startswith("250 "))


class SyntaxTests(SynchronousTestCase):
    """Commands and messages that make no sense (survey row 8)."""

    def test_command(self) -> None:
        """AUTH without a mechanism, with an unknown one, or with too much."""
        for command, code in (
            ("AUTH", "501 5.5.4"),
            ("AUTH ", "501 5.5.4"),
            ("AUTH PLAIN a b", "501 5.5.4"),
            ("AUTH PLAIN  AAAA", "501 5.5.4"),
            ("AUTH PL@IN", "501 5.5.4"),
            ("AUTH KERBEROS_V4", "504 5.5.4"),
            ("AUTH EXTERNAL", "504 5.5.4"),
        ):
            self.assertEqual(say(auth_site(knows()), command)[:9], code, command)

    def test_message(self) -> None:
        """What is not base64, or not what the mechanism asks for."""
        for message in (
            "=", "====", "AAA", "A=AA", "!", b64("matt"), b64("a\0b\0c\0d"),
            b64(b"\0\xff\xfe\0a"), "AAAA" * 2000, "AGE=AGI=",
        ):  # fmt: skip
            site = auth_site(knows())
            self.assertEqual(
                say(site, f"AUTH PLAIN {message}")[:9], "501 5.5.2", message
            )
            self.assertEqual(say(site, plain("matt", "test")), SUCCESS)

    def test_no_initial_response(self) -> None:
        """A mechanism in which the server speaks first takes none."""
        said = say(auth_site(knows()), "AUTH CRAM-MD5 AAAA")
        self.assertEqual(said[:9], "501 5.5.2")

    def test_cancel(self) -> None:
        """A star ends the exchange, and is no failure."""
        site = auth_site(knows())
        said = say(site, "AUTH LOGIN", "*", plain("matt", "test"))
        self.assertEqual(
            said,
            f"334 VXNlcm5hbWU6\r\n501 5.0.0 Authentication cancelled\r\n{SUCCESS}",
        )
        self.assertNotIn("auth_fails", site.connection.notes)

    def test_too_long(self) -> None:
        """A line beyond 12,288 octets, as a command or an answer."""
        site = auth_site(knows())
        self.assertEqual(say(site, "AUTH PLAIN " + "A" * 12_288)[:9], "500 5.5.6")
        said = say(site, "AUTH PLAIN", "A" * 65_536, plain("matt", "test"))
        self.assertEqual([line[:9] for line in said.splitlines()[1:]],
                         ["500 5.5.6", "235 2.7.0"])  # fmt: skip

    def test_long_is_taken(self) -> None:
        """A long command is taken up to that, though others may not be so long."""
        site = auth_site(knows())
        self.assertEqual(say(site, plain("matt", "x" * 9000)), FAILED)

    def test_counted(self) -> None:
        """Nonsense counts as such, so that nobody goes on for ever."""
        site = auth_site(knows())
        for _ in range(10):
            say(site, "AUTH PLAIN !")
        self.assertEqual(site.connection.errors, 10)


class FailureTests(SynchronousTestCase):
    """Who is wrong has to wait."""

    def test_delay_grows(self) -> None:
        """A second, two, four; meanwhile nothing else is answered."""
        site = auth_site(knows())
        for seconds in 1, 2, 4:
            site.client.say(plain("matt", "wrong"), "NOOP")
            site.server.clock.pump([0.5] * (2 * seconds - 1))
            self.assertEqual(site.client.hear(), "")
            site.server.clock.advance(0.5)
            self.assertEqual(site.client.codes(), [535, 250])

    def test_disconnect(self) -> None:
        """After several attempts the client is sent away."""
        site = auth_site(knows(max_failures=3))
        for wanted in "535", "535", "421":
            self.assertEqual(say(site, plain("matt", "wrong"))[:3], wanted)
        self.assertTrue(site.client.transport.closed)

    def test_client_leaves(self) -> None:
        """Who does not wait for it leaves nothing behind."""
        site = auth_site(knows())
        site.client.say(plain("matt", "wrong"))
        site.client.leave()
        self.assertEqual(site.server.clock.getDelayedCalls(), [])

    def test_result(self) -> None:
        """Plugins find how often."""
        site = auth_site(knows())
        say(site, plain("matt", "wrong"))
        self.assertEqual(site.connection.notes["auth_fails"], 1)
        self.assertEqual(site.connection.results.get("auth")["fail"], ["knows/PLAIN"])


class SeveralTests(SynchronousTestCase):
    """Several plugins that know users."""

    def test_asked_in_order(self) -> None:
        """The next is asked when one does not know the user; the first yes counts."""
        first, second = Answers(False, "a"), Answers(succeed(True), "b")
        third = Answers(True, "c")
        site = auth_site(first, second, third)
        self.assertEqual(say(site, plain("u", "p")), SUCCESS)
        self.assertEqual(site.connection.results.get("auth")["pass"], ["b"])
        self.assertEqual(third.__dict__["asked"], [])

    def test_cannot_tell(self) -> None:
        """One that cannot tell keeps nobody from logging in that another knows."""
        trouble = TemporaryFailure(reply(454, "4.3.0", "Directory is down"))
        site = auth_site(Answers(trouble), knows())
        self.assertEqual(say(site, plain("matt", "test")), SUCCESS)

    def test_nobody_can_tell(self) -> None:
        """If nobody else knows the user it should try again, and was not wrong."""
        trouble = TemporaryFailure(reply(454, "4.3.0", "Directory is down"))
        site = auth_site(Answers(trouble), knows())
        self.assertEqual(say(site, plain("u", "p")), "454 4.3.0 Directory is down\r\n")
        self.assertNotIn("auth_fails", site.connection.notes)

    def test_raises(self) -> None:
        """A plugin's fault counts likewise, and is logged with its name."""
        site = auth_site(Answers(KeyError("oops")))
        self.assertEqual(
            say(site, plain("u", "p")), "454 4.7.0 Temporary authentication failure\r\n"
        )
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_own_words(self) -> None:
        """A plugin may have its own word on a user."""
        words = ProtocolError(reply(432, "4.7.12", "A password transition is needed"))
        site = auth_site(Answers(words))
        self.assertEqual(
            say(site, plain("u", "p")), "432 4.7.12 A password transition is needed\r\n"
        )

    def test_never_answers(self) -> None:
        """One that takes too long means "try later", in the words of AUTH."""
        site = auth_site(Answers(Deferred()), plugin_timeout_seconds=10)
        self.assertEqual(
            say(site, plain("u", "p")), "454 4.7.0 Temporary authentication failure\r\n"
        )


class SecretTests(SynchronousTestCase):
    """Passwords are in no log (survey row 8)."""

    def test_no_log(self) -> None:
        """At the level that logs every line, too, whether it goes well or not."""
        events = collect_log(self)
        for lines in (
            [plain("matt", "test")],
            [plain("matt", "geheim")],
            ["AUTH LOGIN", b64("matt"), b64("geheim")],
            ["AUTH NONE", b64("matt"), b64("geheim12")],
            ["AUTH PLAIN", b64("\0matt\0geheim") + "!"],
        ):
            site = auth_site(knows())
            site.server.context.log.protocol = True
            say(site, *lines)
        told = "\n".join(map(str, events))
        self.assertIn("AUTH PLAIN ...", told)
        for secret in (
            "geheim",
            b64("\0matt\0test"),
            b64("geheim12"),
            b64("\0matt\0g"),
        ):
            self.assertNotIn(secret, told)


class TokenTests(SynchronousTestCase):
    """OAUTHBEARER and XOAUTH2."""

    def test_cancelled_refusal(self) -> None:
        """Whatever a client says to why its token is refused, it was wrong."""
        for answer in "", "*", "AQ==", "nonsense!":
            site = auth_site(fixed_users({}, {"token": "ann"}))
            message = b64("user=ann\x01auth=Bearer guess\x01\x01")
            said = say(site, f"AUTH XOAUTH2 {message}", answer).splitlines()
            self.assertEqual(said[1], FAILED.strip(), answer)
            self.assertEqual(site.connection.notes["auth_fails"], 1)

    def test_case(self) -> None:
        """Issuers and clients differ in case; the issuer's counts."""
        site = auth_site(fixed_users({}, {"token": "ann@example.com"}))
        message = b64("user=Ann@Example.com\x01auth=Bearer token\x01\x01")
        self.assertEqual(say(site, f"AUTH XOAUTH2 {message}"), SUCCESS)
        self.assertEqual(site.connection.notes["auth_user"], "ann@example.com")
