"""C{bounce}: mail from the null path that is about our own, and other (row PN05)."""

import base64
import hmac
from email.utils import formatdate
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.config.options import load_options
from harakatw.message.header import Header
from harakatw.plugin import OK, IDataHook, IDataPostHook, IMailHook, IRcptOkHook
from harakatw.plugins._bounce_mark import (
    FIELD,
    Marker,
    Original,
    find_original,
    original_of,
)
from harakatw.plugins._bounce_options import BounceOptions
from harakatw.plugins.aliases import Aliases, AliasesOptions
from harakatw.plugins.bounce import Bounce
from harakatw.testing.threads import NoThreads
from tests.config.folders import ConfigTestCase
from tests.fake_plugins import fake_plugin
from tests.plugins.makers import NotesOnConnection
from tests.plugins.outbound import FakeOutbound
from tests.sessions import Site, make_site

NOW = 1_700_000_000.0
DAY = 86400.0
SECRET = "0123456789abcdefghijklmnopqrstuv"

AUTHOR = "From: Bob <b@here.example>"
SENT = f"Date: {formatdate(NOW - DAY)}"
ID = "Message-ID: <1.2@mx.here.example>"

MARKING: dict[str, Any] = {"hash_validation": True, "secret": SECRET}
STRICT: dict[str, Any] = {
    **MARKING,
    "reject_hash_validation": True,
    "reject_hash_date": True,
}


def plugin(**options: Any) -> Bounce:
    """The plugin, at the time C{NOW}."""
    clock = Clock()
    clock.advance(NOW)
    return Bounce(
        options=BounceOptions(**options),
        name="bounce",
        threads=NoThreads(),
        now=clock.seconds,
    )


def marked(*fields: str, secret: str = SECRET) -> str:
    """The mark of a message with these fields."""
    header = Header("".join(f"{field}\r\n" for field in fields).encode())
    return f"{FIELD}: {Marker(secret.encode()).mark(original_of(header))}"


def report(*original: str) -> tuple[str, ...]:
    """The lines of a report about a message with this header."""
    return (
        "From: Mailer <mailer-daemon@far.example>",
        "Content-Type: multipart/report; boundary=b",
        "",
        "--b",
        "",
        "Your message could not be delivered.",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Arrival-Date: yesterday",
        "",
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        *original,
        "",
        "--b--",
    )


class BounceTestCase(SynchronousTestCase):
    """A test with a session."""

    def session(
        self,
        *recipients: str,
        sender: str = "",
        others: tuple[object, ...] = (),
        **options: Any,
    ) -> str:
        """MAIL and RCPT; returns the last answer but for its text."""
        self.site: Site = make_site(*others, plugin(**options))
        self.site.greet()
        answer = self.site.client.ask(f"MAIL FROM:<{sender}>")
        for recipient in recipients:
            answer = self.site.client.ask(f"RCPT TO:<{recipient}>")
        return answer[:9]

    def answer(self, *lines: str, **options: Any) -> str:
        """The answer to a bounce with these lines."""
        self.session("b@here.example", **options)
        said = self.site.client.ask("DATA")
        if said[:3] != "354":
            return said[:9]
        self.found = self.site.connection.transaction.results.get("bounce")
        return self.site.client.ask(*lines, ".")[:9]


class EnvelopeTests(BounceTestCase):
    """Who gets bounces."""

    def test_all(self) -> None:
        """A server that takes none says so, but not to its own clients."""
        options: tuple[dict[str, Any], ...] = (
            {"all_bounces": True},
            {"old_reject_all": True},
        )
        for option in options:
            self.assertEqual(self.session(**option), "550 5.7.1")
            self.assertEqual(self.session(sender="a@far.example", **option)[:3], "250")
            ours = (NotesOnConnection(relaying=True),)
            self.assertEqual(self.session(others=ours, **option)[:3], "250")
        self.assertEqual(self.session()[:3], "250")

    def test_bad_recipient(self) -> None:
        """Addresses that never send get no bounces; other mail they get."""
        options: dict[str, Any] = {"bad_rcpt": ("NoReply@here.example",)}
        off: dict[str, Any] = {"reject_bad_rcpt": False}
        more: dict[str, Any]
        for sender, recipient, more, answer in (
            ("", "noreply@here.example", {}, "550 5.7.1"),
            ("", "NOREPLY@here.example", {}, "550 5.7.1"),
            ("", "bob@here.example", {}, "250 2.1.5"),
            ("a@far.example", "noreply@here.example", {}, "250 2.1.5"),
            ("", "noreply@here.example", off, "250 2.1.5"),
        ):
            said = self.session(recipient, sender=sender, **options, **more)
            self.assertEqual(said, answer, (sender, recipient))

    def test_single(self) -> None:
        """A bounce has one recipient, also when an alias makes it more."""
        several = ("b@here.example", "c@here.example")
        self.session(*several)
        self.assertEqual(self.site.client.ask("DATA")[:9], "550 5.5.3")
        self.session(*several, reject_single_recipient=False)
        self.assertEqual(self.site.client.ask("DATA")[:3], "354")
        self.session(*several, single_recipient=False)
        self.assertEqual(self.site.client.ask("DATA")[:3], "354")
        self.session(*several, sender="a@far.example")
        self.assertEqual(self.site.client.ask("DATA")[:3], "354")
        alias = Aliases(
            options=AliasesOptions(
                entries={"all": {"action": "alias", "to": ["b", "c"]}},
                host_list=("here.example",),
            ),
            name="aliases",
            outbound=FakeOutbound(),
        )
        self.session("all@here.example", others=(alias,))
        self.assertEqual(self.site.client.ask("DATA")[:3], "354")

    def test_return_path(self) -> None:
        """A bounce has no Return-Path, or an empty one; mail of others may."""
        field = "Return-Path: <x@y.example>"
        options: dict[str, Any] = {"reject_empty_return_path": True}
        self.assertEqual(self.answer(field, "", **options), "550 5.7.1")
        self.assertEqual(self.answer("Return-Path: <>", "", **options)[:3], "250")
        self.assertEqual(self.answer(field, "", empty_return_path=True)[:3], "250")
        sender: dict[str, Any] = {"sender": "a@far.example"}
        self.assertEqual(self.answer(field, "", **sender, **options)[:3], "250")

    def test_interfaces(self) -> None:
        """The plugin has the methods that the server will call."""
        for interface in IMailHook, IRcptOkHook, IDataHook, IDataPostHook:
            verifyObject(interface, plugin())


class MarkTests(BounceTestCase):
    """Mail that leaves is marked, and known when it comes back."""

    def leave(self, *fields: str, sender: str = "b@here.example") -> list[bytes]:
        """The marks of a message that leaves."""
        marks: list[bytes] = []

        def keep(connection: Any) -> Any:
            marks.extend(connection.transaction.header.fields(FIELD))
            return OK

        site = make_site(
            NotesOnConnection(relaying=True),
            plugin(**MARKING),
            fake_plugin(queue_outbound=keep),
        )
        site.greet()
        site.client.ask(f"MAIL FROM:<{sender}>", "RCPT TO:<x@far.example>", "DATA")
        self.assertEqual(site.client.ask(*fields, "", "body", ".")[:3], "250")
        return marks

    def test_leaves(self) -> None:
        """A message has one mark, whatever its client wrote; a bounce has none."""
        forged = f"{FIELD}: {'0' * 64}"
        for fields in (AUTHOR, SENT, ID), (forged, AUTHOR, SENT, ID):
            (mark,) = self.leave(*fields)
            self.assertEqual(mark.decode(), marked(AUTHOR, SENT, ID) + "\r\n")
        self.assertEqual(self.leave(AUTHOR, SENT, ID, sender=""), [])
        self.assertEqual(self.leave(AUTHOR, SENT), [])

    def test_haraka(self) -> None:
        """The mark is what Haraka makes with the same secret."""
        values = [field.partition(": ")[2] for field in (AUTHOR, SENT, ID)]
        made = hmac.new(SECRET.encode(), ":".join(values).encode(), "sha256")
        self.assertEqual(marked(AUTHOR, SENT, ID), f"{FIELD}: {made.hexdigest()}")

    def test_comes_back(self) -> None:
        """A report with a good mark is taken, folded and encoded as it may be."""
        mark = marked(AUTHOR, SENT, ID)
        folded = mark.replace(": ", ":\r\n\t")
        encoded = base64.encodebytes(
            "\r\n".join((AUTHOR, SENT, ID, mark, "")).encode()
        ).decode()
        for lines in (
            report("Received: by x", AUTHOR, SENT, ID, mark),
            report(AUTHOR, SENT, ID, folded),
            ("From: x@y.example", "", "Sorry.", "", AUTHOR, SENT, ID, mark),
            (
                "Content-Transfer-Encoding: base64",
                "",
                *encoded.splitlines(),
            ),
        ):
            self.assertEqual(self.answer(*lines, **STRICT)[:3], "250", lines)
            self.assertEqual(self.found["pass"][-1], "validate_bounce", lines)

    def test_refused(self) -> None:
        """One without it, with another's, or with a part missing is refused."""
        mark = marked(AUTHOR, SENT, ID)
        other = marked(AUTHOR, SENT, ID, secret="x" * 32)
        for fields, why in (
            ((AUTHOR, SENT, ID), "missing validation hash"),
            ((AUTHOR, SENT, ID, other), "hash does not match"),
            ((AUTHOR, SENT, ID, mark[:-1]), "hash does not match"),
            ((AUTHOR, SENT, "Message-ID: <2@x>", mark), "hash does not match"),
            ((AUTHOR, SENT, ID, f"{FIELD}: \xff"), "hash does not match"),
            ((AUTHOR, ID, mark), "missing headers"),
        ):
            lines = report(*fields)
            self.assertEqual(self.answer(*lines, **STRICT), "550 5.7.1", fields)
            self.assertIn(why, self.found["msg"])
            self.assertEqual(self.answer(*lines, **MARKING)[:3], "250")

    def test_date(self) -> None:
        """A mark is good for some days."""
        for age, is_good in (5.9, True), (6.1, False), (-1, True):
            sent = f"Date: {formatdate(NOW - age * DAY)}"
            lines = report(AUTHOR, sent, ID, marked(AUTHOR, sent, ID))
            answer = self.answer(*lines, **STRICT)
            self.assertEqual(answer[:3] == "250", is_good, age)
        sent = "Date: perhaps"
        lines = report(AUTHOR, sent, ID, marked(AUTHOR, sent, ID))
        self.assertEqual(self.answer(*lines, **STRICT), "550 5.7.1")
        self.assertIn("invalid date header", self.found["msg"])
        no_date: dict[str, Any] = {"reject_hash_date": False, "hash_date": False}
        self.assertEqual(self.answer(*lines, **{**STRICT, **no_date})[:3], "250")

    def test_nothing_inside(self) -> None:
        """A bounce that quotes no header at all is left to other plugins."""
        self.assertEqual(self.answer("", "Sorry.", **STRICT)[:3], "250")
        self.assertEqual(self.found["skip"], ["validate_bounce"])

    def test_encoded_author(self) -> None:
        """Haraka's mark of a From with encoded words is known as well."""
        author = "From: =?utf-8?q?B=C3=B6b?= <b@here.example>"
        ours = marked(author, SENT, ID)
        theirs = marked("From: Böb <b@here.example>", SENT, ID)
        for mark in ours, theirs:
            lines = report(author, SENT, ID, mark)
            self.assertEqual(self.answer(*lines, **STRICT)[:3], "250", mark)

    def test_whitelist(self) -> None:
        """Some authors may write from the null path; a good mark is not needed."""
        lines = report(AUTHOR, SENT, ID)
        for recipient, listed, is_good in (
            ("B@here.example", ["mailer-daemon@FAR.example"], True),
            ("b@here.example", ["x@y.example", "*@far.example"], True),
            ("b@here.example", ["*@example"], False),
            ("c@here.example", ["*@far.example"], False),
        ):
            answer = self.answer(*lines, whitelist={recipient: listed}, **STRICT)
            self.assertEqual(answer[:3] == "250", is_good, (recipient, listed))

    def test_skip(self) -> None:
        """Later plugins need not look at a bounce with a good mark, if so wished."""
        later = fake_plugin("Later", data_post=None)
        lines = report(AUTHOR, SENT, ID, marked(AUTHOR, SENT, ID))
        tested = plugin(remaining_plugins=True, **STRICT)
        site = make_site(tested, later)
        site.greet()
        site.client.ask("MAIL FROM:<>", "RCPT TO:<b@here.example>", "DATA")
        self.assertEqual(site.client.ask(*lines, ".")[:3], "250")
        self.assertEqual(later.calls, [])

    def test_off(self) -> None:
        """Without a good secret nothing is marked or refused."""
        for secret in "", "short", "your_generated_secret_here":
            options = {**STRICT, "secret": secret}
            self.assertEqual(
                self.answer(*report(AUTHOR, SENT, ID), **options)[:3], "250"
            )


class IdTests(BounceTestCase):
    """Bounces by the Message-ID of what they are about."""

    def test_ids(self) -> None:
        """It is of a domain of ours, or of a host in it."""
        options: dict[str, Any] = {
            "reject_non_local_msgid": True,
            "host_list": ("here.example",),
        }
        for message_id, is_good in (
            ("<1@here.example>", True),
            ("<1@MX.here.example>", True),
            ("<1@nothere.example>", False),
            ("<1@here.example.evil>", False),
            ("<1>", False),
        ):
            lines = report(AUTHOR, SENT, f"Message-ID: {message_id}")
            answer = self.answer(*lines, **options)
            self.assertEqual(answer[:3] == "250", is_good, message_id)
        self.assertEqual(self.answer("", "Sorry.", **options), "550 5.7.1")
        self.assertEqual(self.answer("", "Sorry.", non_local_msgid=True)[:3], "250")


class FindTests(SynchronousTestCase):
    """The header that a report is about."""

    def test_best(self) -> None:
        """One with a mark, or else a whole one, or else any."""
        part = b"From: a\r\n"
        whole = b"From: b\r\nDate: x\r\nMessage-ID: y\r\n"
        mark = b"From: c\r\n" + FIELD.encode() + b": 00\r\n"
        for blocks, author in (
            ((part, whole, mark), b"c"),
            ((whole, part), b"b"),
            ((part, whole), b"b"),
            ((b"x\r\n", part), b"a"),
            ((b"x\r\n",), b""),
        ):
            body = b"\r\n".join((b"hi\r\n", *blocks))
            self.assertEqual(find_original(b"", [body]).author, author, blocks)

    def test_long(self) -> None:
        """Only the beginning is looked at."""
        body = [b"x" * 70 + b"\r\n"] * 20_000 + [b"\r\n\r\nFrom: a\r\n"]
        self.assertEqual(find_original(b"", body), Original())

    def test_hostile(self) -> None:
        """Megabytes of anything are read without an error."""
        for unit in (b"From:\r\n", b"\r\n", b"\n \n", b"From: x\r\n\r\n", b" ", b":"):
            find_original(b"", [unit * ((1 << 20) // len(unit))])


class FileTests(ConfigTestCase):
    """C{bounce.ini} and its lists."""

    def load(self) -> Any:
        """Read them."""
        return load_options(BounceOptions, self.files(), "bounce")

    def test_haraka(self) -> None:
        """Haraka's own file; what needs SPF gets a notice."""
        self.write(
            "bounce.ini",
            "[validation]\nmax_hash_age_days=7\nhash_algorithm=sha512\n"
            f"secret={SECRET}\n"
            "[check]\nbounce_spf=true\nhash_validation=true\n"
            "[reject]\nbounce_spf=false\nall_bounces=false\n"
            "[skip]\nremaining_plugins=true\n",
        )
        self.write("bounce_bad_rcpt", "noreply@here.example\n")
        self.write("bounce_whitelist.json", '{"A@b.example": ["*@C.example"]}')
        loaded = self.load()
        self.assertEqual(loaded.errors, ())
        self.assertIn("comes later", str(loaded.problems))
        options = loaded.options
        self.assertTrue(options.is_marking)
        self.assertEqual(options.max_hash_age_days, 7)
        self.assertEqual(options.bad_rcpt, ("noreply@here.example",))
        self.assertEqual(options.listed, {"a@b.example": ("*@c.example",)})
        self.assertNotIn(SECRET, repr(options))

    def test_mistakes(self) -> None:
        """What is wrong is reported, and never with the secret."""
        for file, text, why in (
            ("bounce.ini", "[check]\nhash_validation=true\n", "there is none"),
            (
                "bounce.ini",
                "[validation]\nsecret=hush\n[reject]\nhash_validation=true\n",
                "shorter than 32",
            ),
            ("bounce.ini", "[validation]\nhash_algorithm=rot13\n", "not one of"),
            ("bounce.ini", "[validation]\nhash_algorithm=shake_128\n", "not one of"),
            ("bounce_bad_rcpt", "noreply\n", "'noreply' is no address"),
            ("bounce_whitelist.json", '{"a@b": "c@d"}', "expected a list"),
        ):
            self.write("bounce.ini", "")
            self.write(file, text)
            errors = str(self.load().errors)
            self.assertIn(why, errors)
            self.assertNotIn("hush", errors)
            (self.directory / file).unlink()
