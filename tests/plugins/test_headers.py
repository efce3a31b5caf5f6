"""C{headers}: ten looks at the header of a message (row PN14)."""

from email.utils import formatdate
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.config.options import load_options
from harakatw.plugin import IDataPostHook
from harakatw.plugins._dates import parse_date
from harakatw.plugins._headers_options import HeadersOptions
from harakatw.plugins.headers import Headers
from tests.config.folders import ConfigTestCase
from tests.fake_plugins import fake_plugin
from tests.plugins.makers import NotesOnConnection, NotesOnTransaction
from tests.sessions import Site, make_site

NOW = 1_700_000_000.0
DAY = 86400.0

FROM = "From: a@client.example"
DATE = f"Date: {formatdate(NOW)}"
GOOD = (FROM, DATE)

REJECTING: dict[str, Any] = {
    f"reject_{name}": True
    for name in (
        "duplicate_singular",
        "missing_required",
        "invalid_return_path",
        "invalid_date",
        "delivered_to",
        "from_phish",
    )
}


def plugin(**options: Any) -> Headers:
    """The plugin, at the time C{NOW}."""
    clock = Clock()
    clock.advance(NOW)
    return Headers(options=HeadersOptions(**options), name="headers", now=clock.seconds)


class HeadersTestCase(SynchronousTestCase):
    """A test with a message."""

    def results(
        self,
        *fields: str,
        sender: str = "a@client.example",
        others: tuple[object, ...] = (),
        **options: Any,
    ) -> Any:
        """What the plugin finds in a message that it does not refuse."""
        kept: list[Any] = []
        look = fake_plugin(
            "Look", queue=lambda c: kept.append(c.transaction.results.get("headers"))
        )
        self.answer(*fields, sender=sender, others=(*others, look), **options)
        return kept[0]

    def answer(
        self,
        *fields: str,
        sender: str = "a@client.example",
        others: tuple[object, ...] = (),
        **options: Any,
    ) -> str:
        """Code and enhanced code of the answer to a message."""
        self.site: Site = make_site(*others, plugin(**options))
        self.site.greet()
        self.site.client.ask(
            f"MAIL FROM:<{sender}>", "RCPT TO:<b@here.example>", "DATA"
        )
        self.answered = self.site.client.ask(*fields, "", "body", ".")
        return self.answered[:9]


class FormTests(HeadersTestCase):
    """What a header must and must not have."""

    def test_good(self) -> None:
        """A usual message passes, with all refusals on."""
        self.assertEqual(self.answer(*GOOD, **REJECTING)[:3], "250")

    def test_duplicate(self) -> None:
        """A field that may stand there once and stands there twice."""
        fields = (*GOOD, "Subject: a", "subject: b")
        found = self.results(*fields)
        self.assertIn("duplicate:Subject", found["fail"])
        self.assertEqual(
            self.answer(*fields, reject_duplicate_singular=True), "550 5.7.1"
        )
        self.assertIn("Only one Subject header allowed", self.answered)
        self.assertIn("duplicate", self.results(*GOOD, "X: a", "X: b")["pass"])

    def test_missing(self) -> None:
        """A field that must stand there and does not; an empty one does."""
        self.assertIn("missing:Date", self.results(FROM)["fail"])
        self.assertEqual(self.answer(FROM, reject_missing_required=True), "550 5.7.1")
        self.assertIn("Required header 'Date' missing", self.answered)
        self.assertIn("missing", self.results("From:", DATE)["pass"])
        found = self.results(*GOOD, required=("Received", "X-Not-There"))
        self.assertEqual(found["fail"][0], "missing:X-Not-There")

    def test_return_path(self) -> None:
        """A stranger's Return-Path is removed, one of our client's complained of."""
        fields = (*GOOD, "Return-Path: <x@y.example>")
        self.answer(*fields, reject_invalid_return_path=True)
        (delivered,) = self.site.mailbox.messages
        self.assertNotIn(b"Return-Path", delivered.octets)
        ours = (NotesOnConnection(relaying=True),)
        answer = self.answer(*fields, others=ours, reject_invalid_return_path=True)
        self.assertEqual(answer, "550 5.7.1")
        self.assertNotEqual(self.answer(*fields, others=ours), "550 5.7.1")

    def test_date(self) -> None:
        """A Date that is none, or too far from now."""
        for date, complaint in {
            formatdate(NOW + 1.9 * DAY): "",
            formatdate(NOW + 2.1 * DAY): "future",
            formatdate(NOW - 14.9 * DAY): "",
            formatdate(NOW - 15.1 * DAY): "past",
            "14 Nov 23 22:13 GMT": "",
            "yesterday": "unparseable",
            "": "unparseable",
            "Mon, 99 Foo 9999 99:99:99 +9999": "unparseable",
            "9" * 5000: "unparseable",
        }.items():
            found = self.results(FROM, f"Date: {date}")
            if complaint:
                self.assertIn(f"invalid_date({complaint})", found["fail"], date)
            else:
                self.assertIn("invalid_date", found["pass"], date)
            answer = self.answer(FROM, f"Date: {date}", reject_invalid_date=True)
            self.assertEqual(answer == "550 5.7.1", bool(complaint), date)

    def test_any_date(self) -> None:
        """0 days are no limit."""
        for days in -1000, 1000:
            found = self.results(
                FROM,
                f"Date: {formatdate(NOW + days * DAY)}",
                date_future_days=0,
                date_past_days=0,
            )
            self.assertIn("invalid_date", found["pass"])

    def test_parse_date(self) -> None:
        """Whatever stands in a Date, it is a time or none, and no error."""
        for text in ("", " ", ",", ":", "\0", "1 Jan", "1 1 1 1 1", "a" * 100_000):
            parse_date(text)
        for month in range(12):
            seconds = NOW + month * 30 * DAY
            self.assertEqual(parse_date(formatdate(seconds)), seconds)
        for text in (
            "Thu, 1 Jan 1970 01:00:00 +0100",
            "1 jan 1970 00:00:00 -0000 (UTC)",
            "Wed, 31 Dec 1969 18:30:00 -0530",
            "Thu, 01 Jan 70 00:00 GMT",
        ):
            self.assertEqual(parse_date(text), 0.0, text)
        for text in "1 Jan 1970 24:00:00 +0000", "32 Jan 1970 00:00:00 +0000":
            self.assertIsNone(parse_date(text), text)

    def test_off(self) -> None:
        """A check that is off neither stores nor refuses anything."""
        off: dict[str, Any] = dict.fromkeys(
            (
                "duplicate_singular",
                "missing_required",
                "invalid_return_path",
                "invalid_date",
                "user_agent",
                "direct_to_mx",
                "from_match",
                "delivered_to",
                "mailing_list",
                "from_phish",
            ),
            False,
        )
        self.assertEqual(self.results("From: x", FROM, **off, **REJECTING), {})


class WayTests(HeadersTestCase):
    """How a message came."""

    def test_user_agent(self) -> None:
        """The program that wrote it, if it says so."""
        found = self.results(*GOOD, "X-Mailer: swaks v20240103.0 jetmore.org")
        self.assertIn("UA(swaks v20240)", found["pass"])
        self.assertIn("UA", self.results(*GOOD)["fail"])

    def test_direct(self) -> None:
        """Mail that came past a server has its trace field besides ours."""
        found = self.results(*GOOD)
        self.assertIn("direct-to-mx(too few Received(1))", found["fail"])
        found = self.results("Received: from x by y; z", *GOOD)
        self.assertIn("direct-to-mx(2)", found["pass"])
        user = (NotesOnConnection({"auth_user": "a"}),)
        found = self.results(*GOOD, others=user)
        self.assertEqual(found["skip"], ["direct-to-mx(auth)"])

    def test_lists(self) -> None:
        """The programs of mailing lists."""
        for field, program in {
            "Mailing-List: contact x@y; run by EZMLM": "ezmlm",
            "Mailing-List: list x@googlegroups.com": "googlegroups",
            "Sender: owner-list@y.example": "majordomo",
            "X-Mailman-Version: 2.1": "mailman",
            "X-Google-Loop: groups": "googlegroups",
            "List-Id: <x.y.example>": "list-id",
        }.items():
            found = self.results(*GOOD, field)
            self.assertIn(f"MLM({program})", found["pass"], field)
        found = self.results(*GOOD, "Sender: x-owner-list@y.example")
        self.assertEqual(found["msg"], ["not MLM"])

    def test_delivered_to(self) -> None:
        """A message that was delivered to its recipient already is refused."""
        field = "Delivered-To: B@here.example"
        self.assertEqual(self.answer(*GOOD, field), "550 5.7.1")
        self.assertIn("Invalid Delivered-To", self.answered)
        found = self.results(*GOOD, field, reject_delivered_to=False)
        self.assertIn("delivered_to", found["fail"])
        self.assertEqual(self.answer(*GOOD, "Delivered-To: c@d.example")[:3], "250")


class AuthorTests(HeadersTestCase):
    """Row 35: whom a message says it is from, whatever it says besides."""

    def match(self, *fields: str, sender: str = "a@client.example") -> str:
        """What C{from_match} finds."""
        found = self.results(*fields, DATE, sender=sender)
        both = (*found["pass"], *found["fail"])
        (result,) = [each for each in both if each.startswith("from_match")]
        return str(result)

    def test_same(self) -> None:
        """The author is the sender, or of the same organization."""
        self.assertEqual(self.match(FROM), "from_match")
        self.assertEqual(self.match("From: A <A@CLIENT.example>"), "from_match")
        self.assertEqual(
            self.match("From: x@mail.client.example"), "from_match(domain)"
        )
        self.assertEqual(self.match("From: T: a@client.example;"), "from_match")

    def test_worst_case(self) -> None:
        """
        Of two From, several authors, a group, or an address in another's clothes, each
        must match.
        """
        for fields in (
            (FROM, "From: b@evil.example"),
            ("From: b@evil.example", FROM),
            ("From: a@client.example, b@evil.example",),
            ("From: b@evil.example, a@client.example",),
            ("From: Team: a@client.example, b@evil.example;",),
            ("From: Team: b@evil.example; , a@client.example",),
            ("From: a@client.example <b@evil.example>",),
            ("From: b@evil.example <a@client.example>",),
            ("From: =?utf-8?q?b=40evil.example?= <a@client.example>",),
            ("From: a@client.example,", "\tb@evil.example"),
            ("From: b@=?utf-8?q?evil.example?=",),
            ("From: b@EVIL.example.",),
        ):
            self.assertEqual(
                self.match(*fields), "from_match(client.example / evil.example)", fields
            )

    def test_none(self) -> None:
        """No From, one without an address, and a report without a sender."""
        self.assertEqual(self.match("X: y"), "from_match(missing)")
        for value in "", "Bob", "<>", "a@", "a at b.example":
            self.assertEqual(self.match(f"From: {value}"), "from_match(unparsable)")
        self.assertEqual(self.match(FROM, sender=""), "from_match(null)")

    def test_refused(self) -> None:
        """A server that refuses by form lets no second From and no missing one pass."""
        for fields in ((FROM, "From: b@evil.example"), (FROM, "FROM : b@evil"), ()):
            answer = self.answer(*fields, DATE, **REJECTING)
            self.assertEqual(answer, "550 5.7.1", fields)

    def test_names_agree(self) -> None:
        """That the client's names are of the same organization is told."""

        def store(connection: Any) -> None:
            connection.results.add("fcrdns", fcrdns=["mx.client.example"])
            connection.results.add("helo.checks", helo_host="mx2.client.example")

        found = self.results(
            "From: b@client.example", DATE, others=(fake_plugin(connect=store),)
        )
        self.assertIn("from_match(domain,fcrdns,helo)", found["pass"])


class PhishTests(HeadersTestCase):
    """Names that others have."""

    def phish(self, value: str, *others: object, **options: Any) -> str:
        """What C{from_phish} finds in a From."""
        found = self.results(f"From: {value}", DATE, others=others, **options)
        stored = (*found["pass"], *found["fail"], *found["skip"])
        (result,) = [each for each in stored if each.startswith("from_phish")]
        return str(result)

    def test_owner(self) -> None:
        """Who has a name may use it, and nobody is taken for what a word contains."""
        for value in (
            "PayPal <service@mail.paypal.com>",
            "Bob <bob@client.example>",
            "Paypaltic <bob@client.example>",
            "USPS <a@usps.com>",
        ):
            self.assertEqual(self.phish(value), "from_phish", value)

    def test_others(self) -> None:
        """Anybody else is found, wherever the name stands and however it is written."""
        for value in (
            "PayPal <x@evil.example>",
            '"PAYPAL service" <x@evil.example>',
            "paypal@evil.example",
            "x@paypal.evil.example",
            "x@paypal-secure.example",
            "PayPal <x@paypal.com.evil.example>",
            "service@paypal.com <x@evil.example>",
            "PayPal <x@paypal.com>, <y@evil.example>",
            "=?utf-8?b?UGF5UGFs?= <x@evil.example>",
            "P4yP4l <x@evil.example>",
            "PayPa1 <x@evil.example>",
            "РауРаl <x@evil.example>",
            "ＰａｙＰａｌ <x@evil.example>",
        ):
            self.assertEqual(self.phish(value), "from_phish(paypal)", value)

    def test_refused(self) -> None:
        """It is refused if wanted."""
        fields = ("From: Costco <x@evil.example>", DATE)
        answer = self.answer(*fields, reject_from_phish=True)
        self.assertEqual(answer, "550 5.7.1")
        self.assertIn("appears to impersonate costco.com", self.answered)

    def test_second_from(self) -> None:
        """A second From is read as well."""
        found = self.results(FROM, "From: PayPal <x@evil.example>", DATE)
        self.assertIn("from_phish(paypal)", found["fail"])

    def test_proved(self) -> None:
        """What SPF, DKIM or the client's name prove counts for the owner only."""
        value = "Amazon Deutschland <x@amazon.de>"
        for domain, found in (
            ("amazon.com", "from_phish"),
            ("mail.amazon.com", "from_phish"),
            ("amazon.com.evil.example", "from_phish(amazon)"),
            ("notamazon.com", "from_phish(amazon)"),
        ):
            for prove in (
                lambda c, d=domain: c.transaction.results.add("spf", passed=d),
                lambda c, d=domain: c.transaction.results.add("dkim", passed=f"d={d}"),
                lambda c, d=domain: c.results.add("fcrdns", fcrdns=d),
                lambda c, d=domain: c.transaction.notes.set(
                    "dkim_results", [{"result": "pass", "domain": d}]
                ),
            ):
                proving = fake_plugin(data_post=prove)
                self.assertEqual(self.phish(value, proving), found, domain)
        failed = NotesOnTransaction(
            {"dkim_results": [{"result": "fail", "domain": "amazon.com"}]}
        )
        self.assertEqual(self.phish(value, failed), "from_phish(amazon)")

    def test_targets(self) -> None:
        """The names are the postmaster's, with one domain or several."""
        options: dict[str, Any] = {
            "phish_targets": {"Our Bank": "bank.example, bank.example.org"},
            "phish_domains": {"old.example": ""},
        }
        for value, found in {
            "our bank <x@evil.example>": "from_phish(our bank)",
            "our bank <x@bank.example.org>": "from_phish(our bank)",
            "our bank <x@www.bank.example>": "from_phish",
            "old.example <x@evil.example>": "from_phish(old.example)",
            "PayPal <x@evil.example>": "from_phish",
        }.items():
            options["phish_targets"]["Our Bank"] = "bank.example"
            self.assertEqual(self.phish(value, **options), found, value)
        options["phish_targets"] = {"our bank": "bank.example, evil.example"}
        found = self.phish("our bank <x@evil.example>", **options)
        self.assertEqual(found, "from_phish")
        empty: dict[str, Any] = {"phish_targets": {}}
        self.assertEqual(self.phish("PayPal <x@evil.example>", **empty), "from_phish")

    def test_no_from(self) -> None:
        """Without a From, or an address in it, there is nobody to doubt."""
        found = self.results(DATE)
        self.assertIn("from_phish(missing)", found["skip"])
        self.assertEqual(self.phish("PayPal"), "from_phish(unparseable)")

    def test_interface(self) -> None:
        """The plugin has the method that the server will call."""
        verifyObject(IDataPostHook, plugin())


class FileTests(ConfigTestCase):
    """C{headers.ini}."""

    def test_haraka(self) -> None:
        """A file of Haraka's is read; refusals that there are none of are noticed."""
        self.write(
            "headers.ini",
            "required=From,Date,Received\ndate_future_days=1\nsingular=From, To\n"
            "[check]\nuser_agent=false\n"
            "[reject]\nmissing_required=true\ndelivered_to=false\nuser_agent=true\n"
            "[phish_targets]\nebay=ebay.com\n",
        )
        loaded = load_options(HeadersOptions, self.files(), "headers")
        self.assertEqual(loaded.errors, ())
        self.assertIn("only stores results", str(loaded.problems))
        options = loaded.options
        self.assertEqual(options.required, ("From", "Date", "Received"))
        self.assertEqual(options.singular, ("From", "To"))
        self.assertEqual(options.date_future_days, 1)
        self.assertFalse(options.user_agent or options.reject_delivered_to)
        self.assertTrue(options.reject_missing_required)
        self.assertEqual(options.phish_targets, {"ebay": "ebay.com"})

    def test_mistakes(self) -> None:
        """What is wrong is reported with its key."""
        for line, why in {
            "required=From:": "cannot name a header field",
            "date_past_days=-1": "at least 0",
            "[check]\nfrom_macth=true": "did you mean from_match?",
            "[reject]\nfrom_phish=perhaps": "neither true nor false",
        }.items():
            self.write("headers.ini", line + "\n")
            loaded = load_options(HeadersOptions, self.files(), "headers")
            self.assertIn(why, str(loaded.errors), line)
