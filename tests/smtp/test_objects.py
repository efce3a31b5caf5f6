"""What plugins see of a session: connection and transaction (rows CO and TX)."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.address import Address
from harakatw.config.connection import ConnectionOptions
from harakatw.interfaces.header import IHeader
from harakatw.interfaces.session import IConnection, ITransaction
from harakatw.smtp.connection import Remote
from tests.fake_plugins import fake_plugin
from tests.sessions import ENVELOPE, make_site


class ConnectionTests(SynchronousTestCase):
    """A client's session."""

    def test_interfaces(self) -> None:
        """Plugins can rely on what the interfaces promise."""
        site = make_site()
        site.greet()
        site.client.say(*ENVELOPE)
        verifyObject(IConnection, site.connection)
        transaction = site.connection.transaction
        verifyObject(ITransaction, transaction)
        verifyObject(IHeader, transaction.header)

    def test_ends(self) -> None:
        """Both ends of the connection are known from the start."""
        seen: list[Any] = []
        site = make_site(fake_plugin(connect_init=seen.append), ip="2001:db8::1")
        (connection,) = seen
        self.assertEqual(connection.remote.ip, "2001:db8::1")
        self.assertEqual(connection.remote.port, 54321)
        local = connection.local
        self.assertEqual((local.ip, local.port), ("192.0.2.25", 25))
        self.assertEqual(local.host, "mail.example")
        self.assertIs(site.connection, connection)

    def test_uuid(self) -> None:
        """Every session has an id of its own."""
        site = make_site()
        other = site.server.connect()
        self.assertNotEqual(site.connection.uuid, other.protocol.connection.uuid)
        self.assertRegex(site.connection.uuid, r"\A[0-9A-F]{8}(-[0-9A-F]{4}){3}-")

    def test_notes(self) -> None:
        """Notes are made when asked for, stay, and are nobody else's."""
        site = make_site()
        other = site.server.connect().protocol.connection
        site.connection.notes.set("a.b", 1)
        self.assertEqual(site.connection.notes.get("a.b"), 1)
        self.assertIsNone(other.notes.get("a.b"))

    def test_results(self) -> None:
        """Results likewise, of the connection and of each transaction."""
        site = make_site()
        site.greet()
        site.client.say("MAIL FROM:<>")
        connection, transaction = site.connection, site.connection.transaction
        self.assertIs(connection.results, connection.results)
        self.assertIs(transaction.results, transaction.results)
        self.assertIsNot(connection.results, transaction.results)

    def test_relaying(self) -> None:
        """
        Leave to relay goes to the transaction while there is one, and a transaction
        begins with the connection's (CO07).
        """
        site = make_site()
        site.greet()
        connection = site.connection
        site.client.say("MAIL FROM:<>")
        connection.relaying = True
        self.assertTrue(connection.transaction.relaying)
        site.client.say("RSET")
        self.assertFalse(connection.relaying)
        connection.relaying = True
        site.client.say("MAIL FROM:<>")
        self.assertTrue(connection.transaction.relaying)
        connection.relaying = False
        site.client.say("RSET")
        self.assertTrue(connection.relaying)

    def test_slots(self) -> None:
        """A misspelt attribute is a mistake that shows (and memory that is saved)."""
        connection = make_site().connection
        with self.assertRaises(AttributeError):
            connection.relayin = True

    def test_last_refusal(self) -> None:
        """The session remembers the last refusal, which may begin with its id."""
        site = make_site(options=ConnectionOptions(deny_chars=8, banner_chars=0))
        site.client.hear()
        said = site.client.ask("FOO")
        uuid = site.connection.uuid[:8]
        self.assertEqual(
            said, f"500 5.5.2 [{uuid}@mail.example] Unrecognized command\r\n"
        )
        self.assertEqual(site.connection.last_reply, "500 5.5.2 Unrecognized command")


class RemoteTests(SynchronousTestCase):
    """The client's address."""

    def test_local(self) -> None:
        """Local is this machine only: loopback and unix sockets (unlike WK24)."""
        for ip, local in (
            ("127.0.0.1", True),
            ("127.8.9.1", True),
            ("::1", True),
            ("", True),
            ("fe80::1%eth0", False),
            ("fc00::1", False),
            ("192.168.1.1", False),
            ("192.0.2.1", False),
            ("not an address", False),
        ):
            self.assertEqual(Remote(ip, 1).is_local, local, ip)

    def test_private(self) -> None:
        """Private is what the Internet does not route."""
        for ip, private in (
            ("10.1.2.3", True),
            ("192.168.1.1", True),
            ("172.16.0.1", True),
            ("fc00::1", True),
            ("fe80::1%eth0", True),
            ("8.8.8.8", False),
            ("2a00:1450::1", False),
            ("nonsense", False),
        ):
            self.assertEqual(Remote(ip, 1).is_private, private, ip)

    def test_follows_the_address(self) -> None:
        """When a plugin sets another address, what is said about it changes too."""
        remote = Remote("127.0.0.1", 1)
        remote.ip = "192.0.2.1"
        self.assertFalse(remote.is_local)


class TransactionTests(SynchronousTestCase):
    """One message."""

    def _transaction(self, *lines: str) -> Any:
        site = make_site()
        site.greet()
        site.client.say("MAIL FROM:<a@b.example> SIZE=5", *lines)
        self.site = site
        return site.connection.transaction

    def test_envelope(self) -> None:
        """Sender, parameters and recipients as they were accepted."""
        transaction = self._transaction(ENVELOPE[1])
        self.assertEqual(transaction.mail_from, Address("a", "b.example"))
        self.assertEqual(dict(transaction.mail_params), {"SIZE": "5"})
        self.assertEqual(transaction.rcpt_to, [Address("b", "here.example")])

    def test_before_data(self) -> None:
        """Before DATA there is no message, and asking for its size makes none."""
        transaction = self._transaction()
        self.assertEqual(transaction.data_bytes, 0)
        self.assertEqual(transaction.header.get("Subject"), "")

    def test_header_before_data(self) -> None:
        """A header added before the message came stands around what comes."""
        transaction = self._transaction(ENVELOPE[1])
        transaction.add_leading_header("X-A", "1")
        transaction.add_header("X-Z", "2")
        self.site.client.say("DATA")
        self.site.client.say("X-M: 3", "", "body", ".")
        octets = self.site.mailbox.messages[0].octets
        names = [line.partition(b":")[0] for line in octets.split(b"\r\n")]
        self.assertEqual(
            [name for name in names if name.startswith(b"X-")], [b"X-A", b"X-M", b"X-Z"]
        )

    def test_bad_header(self) -> None:
        """A header that would forge another is refused in the plugin that adds it."""
        transaction = self._transaction()
        for name, value in (("X: y\r\nZ", "v"), ("", "v"), ("X Y", "v")):
            self.assertRaises(ValueError, transaction.add_header, name, value)

    def test_data_bytes(self) -> None:
        """The size grows as the message comes."""
        transaction = self._transaction(ENVELOPE[1])
        self.site.client.say("DATA")
        self.site.client.send(b"12345\r\nx")
        self.assertEqual(transaction.data_bytes, 8)

    def test_new_each_time(self) -> None:
        """Nothing of a transaction is found in the next."""
        transaction = self._transaction(ENVELOPE[1])
        transaction.notes.set("seen", True)
        self.site.client.say("RSET", "MAIL FROM:<>")
        following = self.site.connection.transaction
        self.assertIsNone(following.notes.get("seen"))
        self.assertEqual((following.rcpt_to, following.rcpt_tried), ([], 0))
        self.assertTrue(following.uuid.endswith(".2"))


class SkipTests(SynchronousTestCase):
    """Plugins that are left out of one transaction (RG11)."""

    def test_rest_of_the_transaction(self) -> None:
        """A skipped plugin is not asked again, the rest of the same hook included."""

        def skip(connection: Any, *_: object) -> None:
            connection.transaction.skip_plugins(["Second"])

        second = fake_plugin("Second", mail=None, rcpt=None, data=None, noop=None)
        site = make_site(fake_plugin(mail=skip), second)
        site.greet()
        site.client.say(*ENVELOPE, "DATA")
        self.assertEqual(second.asked, [])

    def test_next_transaction(self) -> None:
        """In the next transaction it is asked as ever."""

        def skip(connection: Any, *_: object) -> None:
            if connection.tran_count == 1:
                connection.transaction.skip_plugins(("Second", "Third"))
                connection.transaction.skip_plugins(iter(["Fourth"]))

        second = fake_plugin("Second", rcpt=None)
        fourth = fake_plugin("Fourth", rcpt=None)
        site = make_site(fake_plugin(mail=skip), second, fourth)
        site.greet()
        site.client.say(*ENVELOPE, "RSET", *ENVELOPE)
        self.assertEqual((second.asked, fourth.asked), (["rcpt"], ["rcpt"]))

    def test_skips_itself(self) -> None:
        """A plugin may leave itself out of the rest of the transaction."""

        def skip(connection: Any, *_: object) -> None:
            connection.transaction.skip_plugins(["Itself"])

        plugin = fake_plugin("Itself", mail=skip, rcpt=None)
        site = make_site(plugin)
        site.greet()
        site.client.say(*ENVELOPE)
        self.assertEqual(plugin.asked, ["mail"])
