"""C{access}: who is turned away by lists (row PN01)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.address import Address
from harakatw.config.options import Loaded, load_options
from harakatw.plugin import (
    CONT,
    IConnectHook,
    IDataPostHook,
    IEhloHook,
    IHeloHook,
    IMailHook,
    IRcptHook,
)
from harakatw.plugins._access_options import AccessOptions
from harakatw.plugins.access import Access
from harakatw.results import Result
from harakatw.testing.server import MemoryClient, MemoryServer
from tests.config.folders import ConfigTestCase
from tests.plugins.keeper import AcceptAll, Keeper, deliver, greet

NOTHING: Mapping[str, Any] = MappingProxyType(
    dict.fromkeys(("any", "data", "conn", "helo", "mail", "rcpt"), False)
)


def access(**settings: Any) -> Access:
    """The plugin with these settings; checks that are not named are off."""
    return Access(options=AccessOptions(**{**NOTHING, **settings}), name="access")


def connect(tested: Access, ip: str = "192.0.2.1", host: str = "") -> MemoryClient:
    """A client whose name is C{host}."""
    server = MemoryServer([tested, AcceptAll(), Keeper()], names=None)
    client = server.connect(ip)
    client.hear()
    client.protocol.connection.remote.host = host
    return client


def found(client: MemoryClient) -> Result:
    """What the plugin found out about a client."""
    return client.protocol.connection.results.get("access")


def mail_found(client: MemoryClient) -> Result:
    """What the plugin found out about a message."""
    transaction = client.protocol.connection.transaction
    assert transaction is not None
    return transaction.results.get("access")


class ClientTests(SynchronousTestCase):
    """The lists connect.rdns_access."""

    def _ruled(self, tested: Access, ip: str, host: str = "") -> tuple[str, Result]:
        client = connect(access(), ip, host)
        verdict = tested.hook_connect(client.protocol.connection)
        return verdict.text, found(client)

    def test_turned_away(self) -> None:
        """A listed client is told so in place of the greeting, and is cut off."""
        server = MemoryServer([access(conn=True, conn_black=("192.0.2.1",))])
        client = server.connect("192.0.2.1")
        self.assertRegex(
            client.hear(),
            r"^554 5\.7\.1 \S+ \[192\.0\.2\.1\] You are not allowed to co",
        )
        self.assertTrue(client.transport.closed)
        self.assertEqual(server.connect("192.0.2.2").codes(), [220])

    def test_forms(self) -> None:
        """Addresses, networks, names in any case, and patterns of both."""
        for settings in (
            {"conn_black": ("192.0.2.7",)},
            {"conn_black": ("192.0.2.0/28",)},
            {"conn_black": ("Bad.Example",)},
            {"conn_black_regex": (r"192\.0\.2\..*",)},
            {"conn_black_regex": (r".*\.?bad\.example",)},
        ):
            tested = access(conn=True, **settings)
            text, result = self._ruled(tested, "192.0.2.7", "bad.EXAMPLE")
            self.assertEqual(
                text, "bad.EXAMPLE [192.0.2.7] You are not allowed to connect"
            )
            self.assertIn(
                result["fail"][0],
                (
                    "connect.rdns_access.blacklist",
                    "connect.rdns_access.blacklist_regex",
                ),
            )

    def test_whole_name(self) -> None:
        """A pattern is for the whole name: one that is longer is not meant."""
        tested = access(conn=True, conn_black_regex=("bad", r"192\.0\.2\.1"))
        text, result = self._ruled(tested, "192.0.2.11", "bad.example")
        self.assertEqual((text, result["msg"]), ("", ["unlisted(conn)"]))

    def test_welcome(self) -> None:
        """Who is in a whitelist is not looked for in a blacklist."""
        tested = access(
            conn=True, conn_white=("192.0.2.7",), conn_black=("192.0.2.0/24",)
        )
        text, result = self._ruled(tested, "192.0.2.7")
        self.assertEqual((text, result["whitelist"]), ("", True))
        self.assertEqual(result["pass"], ["connect.rdns_access.whitelist"])
        self.assertNotEqual(self._ruled(tested, "192.0.2.8")[0], "")

    def test_words(self) -> None:
        """The postmaster's words are used; those of the old file come first."""
        tested = access(conn=True, conn_black=("192.0.2.7",), deny_conn="No.")
        self.assertIn("No.", self._ruled(tested, "192.0.2.7")[0])
        tested = access(
            conn=True, conn_black=("192.0.2.7",), deny_conn="No.", old_deny_conn="Out!"
        )
        self.assertIn("Out!", self._ruled(tested, "192.0.2.7")[0])

    def test_off(self) -> None:
        """With conn=false the lists count for nothing."""
        text, result = self._ruled(access(conn_black=("192.0.2.7",)), "192.0.2.7")
        self.assertEqual((text, result), ("", {}))


class HelloTests(SynchronousTestCase):
    """The list helo.checks.regexps."""

    def test_turned_away(self) -> None:
        """HELO and EHLO with a listed name are refused, other names are not."""
        tested = access(helo=True, helo_black_regex=(r".*\.bad\.example", "ylmf-pc"))
        for verb in "HELO", "EHLO":
            client = connect(tested)
            self.assertEqual(
                client.ask(f"{verb} YLMF-pc"),
                "550 5.7.1 YLMF-pc That HELO is not allowed to connect\r\n",
            )
            self.assertEqual(client.ask(f"{verb} bad.example")[:3], "250")
            self.assertEqual(found(client)["fail"], ["helo.checks.regexps"])

    def test_off(self) -> None:
        """As in Haraka, names are not checked unless helo=true."""
        self.assertFalse(AccessOptions().helo)
        client = connect(access(helo_black_regex=(".*",)))
        self.assertEqual(client.ask("EHLO ylmf-pc")[:3], "250")


class SenderTests(SynchronousTestCase):
    """The lists mail_from.access."""

    def test_turned_away(self) -> None:
        """A listed sender is refused, however the address is spelt."""
        for settings, file in (
            ({"mail_black": ("Spam@Bad.example",)}, "mail_from.access.blacklist"),
            (
                {"mail_black_regex": (r".*@bad\.example",)},
                "mail_from.access.blacklist_regex",
            ),
            ({"mail_blocklist": ("SPAM@bad.example",)}, "mail_from.blocklist"),
        ):
            tested = access(mail=True, **settings)
            client = connect(tested)
            self.assertEqual(
                greet(client, "spam@BAD.example"),
                "550 5.7.1 spam@bad.example That sender cannot send mail here\r\n",
            )
            self.assertEqual(greet(client, "ham@good.example")[:3], "250")
            self.assertEqual(mail_found(client)["msg"], ["unlisted(mail)"])
            spammer = Address("spam", "bad.example")
            tested.hook_mail(client.protocol.connection, spammer, {})
            self.assertEqual(mail_found(client)["fail"], [file])

    def test_welcome(self) -> None:
        """A sender in a whitelist is not looked for in a blacklist."""
        black = (r".*@bad\.example",)
        for settings in (
            {"mail_white": ("friend@bad.example",)},
            {"mail_white_regex": (r"fri.*@bad\.example",)},
        ):
            tested = access(mail=True, mail_black_regex=black, **settings)
            client = connect(tested)
            self.assertEqual(greet(client, "friend@bad.example")[:3], "250")
            self.assertEqual(len(mail_found(client)["pass"]), 1)

    def test_international(self) -> None:
        """An address listed with its own letters is found by its A-labels."""
        tested = access(mail=True, mail_black=("spam@bücher.example",))
        said = greet(connect(tested), "spam@xn--bcher-kva.example")
        self.assertEqual(said[:3], "550")

    def test_bounce(self) -> None:
        """The sender of a bounce is in no list, whatever the patterns say."""
        client = connect(access(mail=True, mail_black_regex=(".*",)))
        self.assertEqual(greet(client, "")[:3], "250")
        self.assertEqual(mail_found(client)["skip"], ["null sender"])

    def test_off(self) -> None:
        """With mail=false the lists count for nothing."""
        client = connect(access(mail_black=("spam@bad.example",)))
        self.assertEqual(greet(client, "spam@bad.example")[:3], "250")


class RecipientTests(SynchronousTestCase):
    """The lists rcpt_to.access."""

    def _rcpt(self, tested: Access, recipient: str, *others: object) -> str:
        client = MemoryServer([tested, *others]).connect()
        greet(client)
        return client.ask(f"RCPT TO:<{recipient}>")

    def test_turned_away(self) -> None:
        """A listed recipient is refused though another plugin would take it."""
        for settings in (
            {"rcpt_black": ("old@here.example",)},
            {"rcpt_black_regex": (r"o.d@.*",)},
        ):
            tested = access(rcpt=True, **settings)
            self.assertEqual(
                self._rcpt(tested, "old@here.example", AcceptAll()),
                "550 5.7.1 old@here.example That recipient is not allowed\r\n",
            )
            said = self._rcpt(tested, "new@here.example", AcceptAll())
            self.assertEqual(said[:3], "250")

    def test_whitelist(self) -> None:
        """A whitelist keeps from the blacklist, and accepts only if told to."""
        for white in (
            {"rcpt_white": ("u@here.example",)},
            {"rcpt_white_regex": (r"u@here\..*",)},
        ):
            lists = {"rcpt_black_regex": (".*",), **white}
            said = self._rcpt(access(rcpt=True, **lists), "u@here.example")
            self.assertEqual(said[:9], "550 5.1.1")
            tested = access(rcpt=True, accept=True, **lists)
            self.assertEqual(self._rcpt(tested, "u@here.example")[:3], "250")
            self.assertEqual(self._rcpt(tested, "v@here.example")[:3], "550")

    def test_postmaster(self) -> None:
        """Postmaster without a domain can be listed too."""
        tested = access(rcpt=True, accept=True, rcpt_white=("Postmaster",))
        self.assertEqual(self._rcpt(tested, "postmaster")[:3], "250")

    def test_off(self) -> None:
        """With rcpt=false the lists count for nothing."""
        tested = access(rcpt_black_regex=(".*",))
        self.assertEqual(self._rcpt(tested, "u@here.example", AcceptAll())[:3], "250")


class AnywhereTests(SynchronousTestCase):
    """The list access.domains."""

    def _listed(self, *domains: str) -> Access:
        return access(any=True, data=True, domains=domains)

    def test_everywhere(self) -> None:
        """A listed organization is refused as client, in HELO, sender and recipient."""
        tested = self._listed("mail.bad.co.uk")  # stands for bad.co.uk
        connection = connect(access(), host="dsl.BAD.co.uk").protocol.connection
        self.assertEqual(tested.hook_connect(connection).code, 550)
        client = connect(tested)
        for verb in "HELO", "EHLO":
            self.assertEqual(
                client.ask(f"{verb} x.bad.co.uk"),
                "550 5.7.1 You are not welcome here.\r\n",
            )
        self.assertEqual(greet(client, "a@bad.co.uk")[:9], "550 5.7.1")
        self.assertEqual(greet(client, "a@good.co.uk")[:3], "250")
        self.assertEqual(client.ask("RCPT TO:<u@x.bad.co.uk>")[:9], "550 5.7.1")
        self.assertEqual(client.ask("RCPT TO:<u@bad.example>")[:3], "250")
        self.assertEqual(found(client)["blacklist"], True)
        self.assertIn("access.domains(bad.co.uk)", found(client)["fail"])

    def test_author(self) -> None:
        """A listed organization is refused in the From header."""
        client = connect(self._listed("bad.example"))
        for line, code in (
            ("From: A <a@x.bad.example>", 550),
            ("From: b@good.example, a@bad.example", 550),
            ("From: b@good.example\r\nFrom: a@bad.example", 550),
            ('From: "a@bad.example" <b@good.example>', 250),
            ("Subject: no author", 250),
        ):
            said = deliver(client, "a@good.example", "u@here.example", line, "")
            self.assertEqual(int(said[:3]), code, line)

    def test_author_is_not_checked(self) -> None:
        """With data=false the From header is not looked at."""
        client = connect(access(any=True, domains=("bad.example",)))
        lines = "From: a@bad.example", ""
        said = deliver(client, "a@good.example", "u@here.example", *lines)
        self.assertEqual(said[:3], "250")

    def test_exceptions(self) -> None:
        """A domain or address after an exclamation mark is taken all the same."""
        tested = self._listed("bad.example", "!ok.bad.example", "!Friend@bad.example")
        for sender, code in {
            "a@ok.bad.example": "250",
            "friend@bad.example": "250",
            "FRIEND@bad.example": "250",
            "foe@bad.example": "550",
            "a@notok.bad.example": "550",
            "a@sub.ok.bad.example": "550",
        }.items():
            self.assertEqual(greet(connect(tested), sender)[:3], code, sender)

    def test_excepted_author_excuses_nobody(self) -> None:
        """A friend named beside an author who is listed does not let the mail pass."""
        client = connect(self._listed("bad.example", "!friend@bad.example"))
        for value, code in {
            "friend@bad.example": 250,
            "friend@bad.example, foe@bad.example": 550,
        }.items():
            said = deliver(
                client, "a@good.example", "u@here.example", f"From: {value}", ""
            )
            self.assertEqual(int(said[:3]), code, value)

    def test_address(self) -> None:
        """An address in the list stands for itself, not for its organization."""
        tested = self._listed("foe@mixed.example")
        self.assertEqual(greet(connect(tested), "foe@mixed.example")[:3], "550")
        self.assertEqual(greet(connect(tested), "friend@mixed.example")[:3], "250")

    def test_nameless(self) -> None:
        """Clients without a name, literals, and the null sender are in no list."""
        tested = self._listed("bad.example")
        for host in "", "NXDOMAIN", "DNSERROR", "Unknown":
            connection = connect(access(), host=host).protocol.connection
            self.assertIs(tested.hook_connect(connection), CONT)
        client = connect(tested)
        for name in "[192.0.2.1]", "192.0.2.1", "[IPv6:2001:db8::1]":
            self.assertEqual(client.ask(f"EHLO {name}")[:3], "250")
        self.assertEqual(greet(client, "")[:3], "250")
        self.assertNotIn("fail", found(client))

    def test_single_label(self) -> None:
        """A name without a dot is noted as a failing, and let go."""
        client = connect(self._listed("bad.example"))
        self.assertEqual(client.ask("EHLO localhost")[:3], "250")
        self.assertEqual(found(client)["fail"], ["invalid domain: localhost"])

    def test_long_session(self) -> None:
        """A session that goes on and on does not fill the memory (row 21)."""
        client = connect(self._listed("bad.example"))
        for number in range(200):
            client.ask(f"EHLO host{number}", "EHLO good.example", "EHLO x.bad.example")
        self.assertEqual(len(found(client)["fail"]), 50)
        self.assertEqual(found(client)["msg"], ["unlisted(ehlo:any)"])

    def test_public_suffix(self) -> None:
        """An entry that would block a whole registry is left out and reported."""
        tested = self._listed("co.uk", "com", "bad.example", "no domain")
        self.assertEqual(tested.domains.blocked, {"bad.example"})
        with capturedLogs() as events:
            tested.register()
        said = [event["mistake"] for event in events]
        self.assertEqual(len(said), 3)
        self.assertIn("'co.uk' has no organizational domain", said)

    def test_off(self) -> None:
        """With any=false the list counts for nothing and is not even made."""
        tested = access(data=True, domains=("bad.example",))
        self.assertIsNone(tested.organizations)
        self.assertEqual(greet(connect(tested), "a@bad.example")[:3], "250")


class FileTests(ConfigTestCase):
    """The files."""

    def _load(self) -> Loaded[AccessOptions]:
        return load_options(AccessOptions, self.files(), "access")

    def test_ini(self) -> None:
        """The keys and sections are Haraka's."""
        self.write(
            "access.ini",
            "[check]\nany=false\ndata=false\nconn=false\nhelo=true\nmail=false\nrcpt=no\n"
            "[deny_msg]\nconn=c\nhelo=h\nmail=m\nrcpt=r\n[rcpt]\naccept=true\n",
        )
        loaded = self._load()
        self.assertEqual(loaded.problems, ())
        options = loaded.options
        self.assertEqual(
            (options.any, options.data, options.conn, options.helo, options.mail),
            (False, False, False, True, False),
        )
        self.assertEqual((options.rcpt, options.accept), (False, True))
        self.assertEqual(
            (
                options.deny_conn,
                options.deny_helo,
                options.deny_mail,
                options.deny_rcpt,
            ),
            ("c", "h", "m", "r"),
        )

    def test_old_words(self) -> None:
        """The files of the three plugins that this one replaced still word refusals."""
        for name in "connect.rdns_access", "mail_from.access", "rcpt_to.access":
            self.write(f"{name}.ini", f"[general]\ndeny_msg=by {name}\n")
        options = self._load().options
        self.assertEqual(options.old_deny_conn, "by connect.rdns_access")
        self.assertEqual(options.old_deny_mail, "by mail_from.access")
        self.assertEqual(options.old_deny_rcpt, "by rcpt_to.access")

    def test_lists(self) -> None:
        """Each list is in the file of its name, and turns away whom it should."""
        for stem in "connect.rdns_access", "mail_from.access", "rcpt_to.access":
            for kind in "whitelist", "whitelist_regex", "blacklist", "blacklist_regex":
                self.write(f"{stem}.{kind}", f"{kind}@{stem}\n")
        self.write("access.domains", "bad.example\n")
        self.write("helo.checks.regexps", "ylmf-pc\n")
        self.write("mail_from.blocklist", "spam@bad.example\n")
        loaded = self._load()
        self.assertEqual(loaded.problems, ())
        options = loaded.options
        for field, stem in {
            "conn": "connect.rdns_access",
            "mail": "mail_from.access",
            "rcpt": "rcpt_to.access",
        }.items():
            for suffix, kind in {
                "white": "whitelist",
                "white_regex": "whitelist_regex",
                "black": "blacklist",
                "black_regex": "blacklist_regex",
            }.items():
                entries = getattr(options, f"{field}_{suffix}")
                self.assertEqual(entries, (f"{kind}@{stem}",))
        self.assertEqual(options.domains, ("bad.example",))
        self.assertEqual(options.helo_black_regex, ("ylmf-pc",))
        self.assertEqual(options.mail_blocklist, ("spam@bad.example",))

    def test_mistakes(self) -> None:
        """A pattern or network that is none is reported by file and entry."""
        for file, entry, why in (
            ("mail_from.access.blacklist_regex", "(", "'(' is no regular expression"),
            ("connect.rdns_access.whitelist", "10.0.0.0/40", "'10.0.0.0/40' is not an"),
            ("helo.checks.regexps", "[", "'[' is no regular expression"),
        ):
            self.write(file, f"good\n{entry}\n")
            (problem,) = self._load().problems
            self.assertEqual(problem.file, f"config/{file}")
            self.assertIn(why, problem.message)
            (self.directory / file).unlink()

    def test_interfaces(self) -> None:
        """The plugin has the methods that the server will call."""
        for interface in (
            IConnectHook,
            IHeloHook,
            IEhloHook,
            IMailHook,
            IRcptHook,
            IDataPostHook,
        ):
            verifyObject(interface, access())
