"""Verbs that the core does not know (RFC 5321 section 4.2.4)."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.verdict import (
    DENY,
    DENYDISCONNECT,
    DENYSOFT,
    DENYSOFTDISCONNECT,
    OK,
    STOP,
    Kind,
    Verdict,
    next_hook,
    ok,
)
from tests.fake_plugins import fake_plugin
from tests.sessions import make_site


class UnrecognizedTests(SynchronousTestCase):
    """Who speaks another language."""

    def test_unknown(self) -> None:
        """An unknown verb gets 500, and counts as an error."""
        site = make_site()
        site.client.hear()
        said = site.client.ask("GET / HTTP/1.1", "", "NOOPX", "X-FOO bar", " NOOP")
        self.assertEqual(said, "500 5.5.2 Unrecognized command\r\n" * 5)
        self.assertEqual(site.connection.errors, 5)

    def test_not_text(self) -> None:
        """What is not text is refused without asking plugins (row 36)."""
        plugin = fake_plugin(unrecognized_command=None)
        site = make_site(plugin)
        for line in (b"\xff\xfe", b"FOO \xff", b"FOO\0", b"FOO \x1b[2J", b"A" * 65):
            site.client.say(line)
        self.assertEqual(site.client.codes(), [220, *[500] * 5])
        self.assertEqual(plugin.asked, [])

    def test_plugin_answers(self) -> None:
        """A plugin that knows the verb gives the reply."""
        for verdict, said in (
            (OK, "250 OK\r\n"),
            (ok("2.0.0 done"), "250 2.0.0 done\r\n"),
            (ok("as you like", code=211), "211 as you like\r\n"),
            (Verdict(Kind.OK, ("no",), 535, "5.7.8"), "535 5.7.8 no\r\n"),
            (Verdict(Kind.OK, ("go on",), 334), "334 go on\r\n"),
        ):
            plugin = fake_plugin(unrecognized_command=verdict)
            site = make_site(plugin)
            site.client.hear()
            self.assertEqual(site.client.ask("xfoo  Bar baz "), said)
            self.assertEqual(plugin.calls[0][1][1:], ("XFOO", "Bar baz"))
            self.assertEqual(site.connection.errors, 0)

    def test_denied(self) -> None:
        """Denials have codes of their own (HK11), and count as errors."""
        for verdict, code, closed in (
            (DENY, 500, False),
            (DENYSOFT, 450, False),
            (DENYDISCONNECT, 521, True),
            (DENYSOFTDISCONNECT, 421, True),
            (STOP, 500, False),
        ):
            site = make_site(fake_plugin(unrecognized_command=verdict))
            site.client.say("XFOO")
            self.assertEqual(site.client.codes(), [220, code], verdict)
            self.assertEqual(site.client.transport.closed, closed, verdict)
            self.assertEqual(site.connection.errors, 1, verdict)

    def test_too_many_denied(self) -> None:
        """Commands that a plugin denies end the session as other errors do."""
        site = make_site(
            fake_plugin(unrecognized_command=DENY),
            options=ConnectionOptions(max_errors=2),
        )
        site.client.say("XFOO", "XFOO", "XFOO")
        self.assertEqual(site.client.codes(), [220, 500, 500, 421])

    def test_next_hook(self) -> None:
        """NEXT_HOOK has another hook answer, with the verb and its argument."""
        first = fake_plugin("First", unrecognized_command=next_hook("vrfy"))
        second = fake_plugin("Second", vrfy=lambda *args: ok("passed on"))
        site = make_site(first, second)
        site.client.hear()
        self.assertEqual(site.client.ask("XFOO bar"), "250 passed on\r\n")
        self.assertEqual(second.calls, [("vrfy", (site.connection, "XFOO", "bar"))])

    def test_next_hook_unknown(self) -> None:
        """NEXT_HOOK to a hook that there is not, or to itself, is 500."""
        for name in ("nonsense", "unrecognized_command"):
            site = make_site(fake_plugin(unrecognized_command=next_hook(name)))
            site.client.say("XFOO")
            self.assertEqual(site.client.codes(), [220, 500])
