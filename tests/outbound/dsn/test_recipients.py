"""Who is reported on, and in which words."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.dsn.recipients import Action, Kind, RemoteMTA, success_action
from harakatw.reply import Reply, reply
from tests.outbound.dsn.reports import REMOTE, told


class WishTests(SynchronousTestCase):
    """What the sender asked for with NOTIFY (RFC 3461 section 4.1)."""

    def test_wishes(self) -> None:
        """
        Each word brings its reports, NEVER none; who asked for nothing hears of
        failure and delay.
        """
        for notify, wanted in (
            ("", {Kind.FAILURE, Kind.DELAY}),
            ("NEVER", set()),
            ("SUCCESS", {Kind.SUCCESS}),
            ("FAILURE", {Kind.FAILURE}),
            ("SUCCESS,DELAY", {Kind.SUCCESS, Kind.DELAY}),
            ("SUCCESS,FAILURE,DELAY", set(Kind)),
        ):
            asked = {
                action.kind
                for action in Action
                if told(action=action, notify=notify).is_asked_for
            }
            self.assertEqual(asked, wanted, notify)

    def test_success(self) -> None:
        """
        A host that takes DSN will report success itself; of others we say that it was
        relayed, and of a mail store that it was delivered (section 5.2.2).
        """
        for is_final in (True, False):
            action = success_action(is_final=is_final, peer_takes_dsn=True)
            self.assertIsNone(action)
        relayed = success_action(is_final=False, peer_takes_dsn=False)
        self.assertIs(relayed, Action.RELAYED)
        delivered = success_action(is_final=True, peer_takes_dsn=False)
        self.assertIs(delivered, Action.DELIVERED)


class StatusTests(SynchronousTestCase):
    """The enhanced status code of a recipient (RFC 3463)."""

    def test_own(self) -> None:
        """The peer's own, if its class goes with what happened."""
        for action, answer, status in (
            (Action.FAILED, reply(550, "5.1.1", "x"), "5.1.1"),
            (Action.FAILED, reply(451, "4.4.1", "x"), "4.4.1"),
            (Action.DELAYED, reply(450, "4.2.0", "x"), "4.2.0"),
            (Action.RELAYED, reply(250, "2.1.5", "x"), "2.1.5"),
        ):
            self.assertEqual(told(action=action, answer=answer).status, status)

    def test_made_up(self) -> None:
        """Without a usable one, the class alone."""
        for action, answer, status in (
            (Action.FAILED, reply(550, "", "x"), "5.0.0"),
            (Action.FAILED, reply(421, "", "x"), "4.0.0"),
            (Action.FAILED, Reply(354, "", ("go ahead",)), "5.0.0"),
            (Action.FAILED, Reply(550, "5.1.1\r\nX: y", ("x",)), "5.0.0"),
            (Action.FAILED, Reply(550, "2.0.0", ("x",)), "5.0.0"),
            (Action.DELAYED, reply(550, "5.1.1", "x"), "4.0.0"),
            (Action.DELIVERED, reply(250, "", "x"), "2.0.0"),
        ):
            self.assertEqual(told(action=action, answer=answer).status, status)


class SaidTests(SynchronousTestCase):
    """What the peer said, in one line."""

    def test_lines(self) -> None:
        """A reply of several lines becomes one."""
        answer = reply(550, "5.7.1", ["You are", "on a list"])
        self.assertEqual(told(answer=answer).said, "550 5.7.1 You are on a list")

    def test_without_status(self) -> None:
        """Where there was no enhanced status code, none is made up here."""
        self.assertEqual(told(answer=reply(554, "", "No")).said, "554 No")

    def test_unclean(self) -> None:
        """What did not come through our own cleaning is cleaned here."""
        answer = Reply(550, "", ("a\x1b[2J\x07b ",))
        self.assertEqual(told(answer=answer).said, "550 a?[2J?b")


class RemoteTests(SynchronousTestCase):
    """The name of the host that said it."""

    def test_names(self) -> None:
        """Its name, or else its address as a literal; a path or nonsense is neither."""
        by_ip = RemoteMTA("", "192.0.2.7", 25)
        by_ipv6 = RemoteMTA("", "2001:db8::1", 26)
        for remote, name, text in (
            (REMOTE, "mx.far.example", "mx.far.example [192.0.2.7]:25"),
            (by_ip, "[192.0.2.7]", "[192.0.2.7]:25"),
            (by_ipv6, "[IPv6:2001:db8::1]", "[2001:db8::1]:26"),
            (RemoteMTA("[192.0.2.7]"), "[192.0.2.7]", "[192.0.2.7]"),
            (RemoteMTA("/run/lmtp.sock"), "", "the next host"),
            (RemoteMTA("a\r\nX: y"), "", "the next host"),
        ):
            self.assertEqual((remote.name, remote.text), (name, text))
