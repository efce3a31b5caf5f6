"""Row 8: what stands after AUTH, and what follows it."""

from twisted.trial.unittest import SynchronousTestCase

from tests.abuse.inputs import BAD_AUTH
from tests.auth.sites import auth_site, b64, plain, say
from tests.auth.users import fixed_users
from tests.log_events import collect_log
from tests.properties import given, st
from tests.sessions import Site


def site() -> Site:
    """A server that knows one user."""
    return auth_site(fixed_users({"ann": "pw"}, {"token": "ann"}))


class AuthParsingTests(SynchronousTestCase):
    """Nonsense is refused, and the session goes on."""

    def test_refused(self) -> None:
        """Each with its code; after that the client may still log in."""
        for octets, code in BAD_AUTH:
            tested = site()
            said = say(tested, octets, plain("ann", "pw")).splitlines()
            self.assertEqual(said[-2][:3], str(code), octets[:40])
            self.assertEqual(said[-1][:3], "235", octets[:40])

    def test_place(self) -> None:
        """In a transaction, and when it is done already: 503."""
        tested = site()
        said = say(tested, "MAIL FROM:<a@b.example>", plain("ann", "pw"), "RSET")
        self.assertEqual(said.splitlines()[1][:9], "503 5.5.1")
        said = say(tested, plain("ann", "pw"), plain("ann", "pw"), "AUTH LOGIN")
        codes = [line[:3] for line in said.splitlines()]
        self.assertEqual(codes, ["235", "503", "503"])

    def test_never_logged(self) -> None:
        """Nothing of what was sent after AUTH is in the log, at any level."""
        events = collect_log(self)
        unasked = b"AUTH LOGIN\r\n*\r\nYQ==\r\nYWJj", 0
        for octets, _ in (*BAD_AUTH, unasked, (plain("ann", "pw").encode(), 0)):
            tested = site()
            tested.server.context.log.protocol = True
            say(tested, octets)
        told = "\n".join(map(str, events))
        for secret in ("AGE=", "YQ==", "YWJj", "AAAA", "/w==", b64("\0ann\0pw")):
            self.assertNotIn(secret, told)

    @given(
        st.sampled_from(("PLAIN", "LOGIN", "CRAM-MD5", "OAUTHBEARER", "XOAUTH2")),
        st.lists(st.binary(max_size=40).filter(lambda octets: octets[:1] != b"*")),
    )
    def test_any_answers(self, method: str, answers: list[bytes]) -> None:
        """Whatever is answered, nobody gets in, and each command gets its reply."""
        tested = site()
        tested.client.say(f"AUTH {method}")
        for answer in answers:
            if not tested.client.hear().startswith("334"):
                break
            tested.client.say(b64(answer))
            tested.server.clock.pump([1.0] * 2)
        tested.client.say("*")
        tested.server.clock.pump([1.0] * 20)
        self.assertFalse(tested.connection.relaying)
        self.assertFalse(tested.client.transport.closed)
        self.assertEqual(tested.client.ask("NOOP"), "250 2.0.0 OK\r\n")
