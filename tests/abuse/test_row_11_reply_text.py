"""Row 11: texts of refusals that somebody else wrote (CVE-2026-43964)."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.reply import MAX_LINE_OCTETS
from harakatw.verdict import deny, deny_soft, ok
from tests.abuse.inputs import HOSTILE_TEXTS
from tests.fake_plugins import fake_plugin
from tests.sessions import make_site


def malformed(said: str) -> list[str]:
    """The lines of replies that break the grammar of RFC 5321 section 4.2."""
    *lines, rest = said.split("\r\n")
    return [
        line
        for line in lines
        if not (
            line[:3].isdigit()
            and line[3:4] in ("-", " ")
            and len(line) <= MAX_LINE_OCTETS - 2
            and line.isascii()
            and line.isprintable()
        )
    ] + ([rest] if rest else [])


class ReplyTextTests(SynchronousTestCase):
    """A plugin hands a block list's text on to the client."""

    def _reply(self, hook: str, verdict: object) -> list[str]:
        site = make_site(fake_plugin(**{hook: verdict}))
        site.greet()
        said = site.client.ask("MAIL FROM:<a@b.example>")
        self.assertEqual(malformed(said), [], ascii(verdict))
        lines = said.split("\r\n")[:-1]
        self.assertEqual({line[3] for line in lines[:-1]} - {"-"}, set())
        self.assertEqual(lines[-1][3], " ", "one reply, and it ends")
        return lines

    def test_denied(self) -> None:
        """The client gets one clean 550 with one enhanced status code."""
        for text in HOSTILE_TEXTS:
            for line in self._reply("mail", deny(text)):
                self.assertRegex(line, r"\A550[- ]5\.7\.[12] \S", ascii(text[:50]))
                self.assertNotRegex(line, r"5\.7\.\d 5\.7\.\d")

    def test_denied_for_now(self) -> None:
        """A code of another class in the text does not make it permanent."""
        for text in HOSTILE_TEXTS:
            for line in self._reply("mail", deny_soft(text)):
                self.assertRegex(line, r"\A450[- ]4\.7\.1 \S", ascii(text[:50]))

    def test_accepted(self) -> None:
        """The same for words of acceptance."""
        for text in HOSTILE_TEXTS:
            for line in self._reply("mail", ok(text)):
                self.assertRegex(line, r"\A250[- ]2\.[01]\.0 \S", ascii(text[:50]))

    def test_everywhere(self) -> None:
        """In greeting, EHLO, queue reply and farewell the text is as clean."""
        for text in HOSTILE_TEXTS:
            site = make_site(
                fake_plugin(
                    connect=ok(text),
                    lookup_rdns=ok(value=text),
                    capabilities=lambda c, text=text: c.capabilities.append(text),
                    queue=ok(text),
                    quit=ok(text),
                )
            )
            said = site.client.hear()
            said += site.client.ask("EHLO client.example")
            said += site.client.ask("MAIL FROM:<>", "RCPT TO:<b@here.example>", "DATA")
            said += site.client.ask("a: b", "", ".") + site.client.ask("QUIT")
            self.assertEqual(malformed(said), [], ascii(text[:50]))
            codes = [line[:3] for line in said.split("\r\n") if line[3:4] == " "]
            wanted = ["220", "250", "250", "250", "354", "250", "221"]
            self.assertEqual(codes, wanted, ascii(text[:50]))
