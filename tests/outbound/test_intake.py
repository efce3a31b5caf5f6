"""What of a transaction is queued."""

import os
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.address import parse_address
from harakatw.message.store import Message, StoreSettings
from harakatw.notes import Notes
from harakatw.outbound.intake import Parcel, content_of, pack, plain_notes
from harakatw.outbound.letter import Letter, LetterWriter
from harakatw.testing.threads import NoThreads
from harakatw.wire.params import Params
from tests.outbound.post_office import MESSAGE, PostOffice, PostOfficeTestCase

NOW = 1_700_000_000.0


class Submitted(Letter):
    """
    A transaction with parameters.

    @ivar asked: of recipients, by address.
    """

    asked: dict[str, dict[str, str | None]]

    def rcpt_params(self, recipient: Any) -> Params:
        """What was asked for."""
        return self.asked.get(recipient.address, {})


class PackTests(PostOfficeTestCase):
    """From a transaction to a parcel."""

    def transaction(
        self,
        *recipients: str,
        octets: bytes = MESSAGE,
        params: dict[str, str | None] | None = None,
        asked: dict[str, dict[str, str | None]] | None = None,
    ) -> Submitted:
        """A transaction whose message is whole."""
        office: PostOffice = self.office()
        writer = LetterWriter(office.messages, "me.example", lambda: "ID", lambda: NOW)
        to = [
            parse_address(f"<{each}>", utf8=True, bare_postmaster=True)
            for each in recipients
        ]
        letter = writer.write(parse_address("<a@b.example>", utf8=True), to, octets)
        submitted = Submitted(
            letter.uuid, letter.mail_from, to, letter.message, params or {}
        )
        submitted.asked = asked or {}
        return submitted

    def pack(self, *recipients: str, split_all: bool = False, **more: Any) -> Parcel:
        """What is queued of it."""
        transaction = self.transaction(*recipients, **more)
        return pack(transaction, now=NOW, split_all=split_all)

    def parts(self, parcel: Parcel) -> list[tuple[str, ...]]:
        """The items: the domain, then the recipients."""
        return [
            (item.domain, *(each.address for each in item.recipients))
            for item in parcel.items
        ]

    def test_domains(self) -> None:
        """
        One item for each domain, in the order of the recipients, whoever writes the
        domain how; the message is there once (weakness WK02).
        """
        parcel = self.pack("a@x.example", "b@Y.example", "c@X.EXAMPLE")
        self.assertEqual(
            self.parts(parcel),
            [("x.example", "a@x.example", "c@x.example"), ("y.example", "b@y.example")],
        )
        assert isinstance(parcel.body, bytes)
        self.assertEqual(parcel.message.size, len(parcel.body))

    def test_split_all(self) -> None:
        """With C{always_split}, one for each recipient."""
        parcel = self.pack("a@x.example", "c@x.example", split_all=True)
        expected = [("x.example", "a@x.example"), ("x.example", "c@x.example")]
        self.assertEqual(self.parts(parcel), expected)

    def test_twice(self) -> None:
        """Who was named twice gets it once, with C{always_split} too."""
        for split_all in (False, True):
            parcel = self.pack("a@x.example", "a@X.example", split_all=split_all)
            self.assertEqual(self.parts(parcel), [("x.example", "a@x.example")])
        parcel = self.pack("a@x.example", "A@x.example")
        self.assertEqual(
            self.parts(parcel), [("x.example", "a@x.example", "A@x.example")]
        )

    def test_postmaster(self) -> None:
        """C{<Postmaster>} without a domain is here (RFC 5321 section 4.5.1)."""
        self.assertEqual(self.parts(self.pack("Postmaster"))[0][0], "localhost")

    def test_dsn(self) -> None:
        """What the sender asks for with RFC 3461's parameters is kept."""
        parcel = self.pack(
            "a@x.example",
            "b@x.example",
            params={"RET": "full", "ENVID": "QQ314159"},
            asked={"b@x.example": {"NOTIFY": "success,Delay", "ORCPT": "rfc822;c@d.e"}},
        )
        self.assertEqual(parcel.message.ret, "FULL")
        self.assertEqual(parcel.message.envid, "QQ314159")
        plain, asking = parcel.items[0].recipients
        self.assertEqual((plain.notify, plain.orcpt), ("", ""))
        self.assertEqual(
            (asking.notify, asking.orcpt), ("SUCCESS,DELAY", "rfc822;c@d.e")
        )

    def test_nothing_asked(self) -> None:
        """A message without any of that says so."""
        message = self.pack("a@x.example").message
        self.assertEqual((message.ret, message.envid), ("", ""))
        self.assertFalse(message.is_utf8 or message.is_8bit)
        self.assertEqual(message.queued_at, NOW)

    def test_8bit(self) -> None:
        """Octets above 127 anywhere make it 8bit."""
        for octets in (b"X: \xc3\xa9\r\n\r\n", MESSAGE + b"\xe9"):
            self.assertTrue(self.pack("a@x.example", octets=octets).message.is_8bit)

    def test_utf8(self) -> None:
        """
        SMTPUTF8 is needed for a sender or a field beyond ASCII, and for what may be in
        the parts; not for text, nor because a client always says so (RFC 6531).
        """
        parts = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
        for octets, is_needed in (
            (MESSAGE, False),
            (b"Subject: x\r\n\r\n\xc3\xa9\r\n", False),
            (b"Subject: \xc3\xa9\r\n\r\n", True),
            (parts + b"plain\r\n", False),
            (parts + b"\xc3\xa9\r\n", True),
        ):
            for params in ({"SMTPUTF8": None}, {}):
                message = self.pack("a@x.example", octets=octets, params=params).message
                self.assertEqual(message.is_utf8, is_needed and bool(params), octets)

    def test_notes(self) -> None:
        """Notes are queued."""
        transaction = self.transaction("a@x.example")
        transaction.notes.set("queue.next_hop", "relay.example:26")
        parcel = pack(transaction, now=NOW, split_all=False)
        self.assertEqual(
            parcel.message.notes, {"queue": {"next_hop": "relay.example:26"}}
        )


class SpooledTests(SynchronousTestCase):
    """A message that is in a file by now."""

    def letter(self, octets: bytes) -> Letter:
        """A transaction with it."""
        folder = self.mktemp()
        os.mkdir(folder)
        settings = StoreSettings(
            in_thread=NoThreads().call, spool_dir=folder, spool_after=0
        )
        message = Message(settings)
        self.addCleanup(message.destroy)
        message.append(octets)
        self.successResultOf(message.spool())
        message.finish()
        self.assertTrue(message.is_spooled)
        sender = parse_address("<a@b.example>", utf8=False)
        return Letter("U", sender, [sender], message)

    def test_size(self) -> None:
        """Its size is what is stored, whatever its header has become."""
        letter = self.letter(b"Subject: x\r\n\r\n" + b"y" * 100 + b"\r\n")
        letter.add_leading_header("Received", "from here; now")
        letter.add_header("X-Added", "é" * 50)
        content = content_of(letter.message.chunks())
        parcel = pack(letter, now=NOW, split_all=False, content=content)
        assert not isinstance(parcel.body, bytes)
        self.assertEqual(parcel.message.size, len(b"".join(parcel.body)))
        self.assertFalse(parcel.message.is_8bit)
        self.assertTrue(content_of((b"a", "é".encode(), b"b")).is_8bit)


class NotesTests(SynchronousTestCase):
    """What of the notes is written to disk."""

    def test_plain(self) -> None:
        """Numbers, texts, lists and groups of them are."""
        notes = {"a": 1, "b": [1, "x", None], "c": {"d": {"e": True}}}
        self.assertEqual(plain_notes(notes), notes)

    def test_secrets(self) -> None:
        """A password of the client is not, however deep it lies (weakness WK41)."""
        notes = Notes()
        notes.set("auth_passwd", "secret")
        notes.set("auth.password", "secret")
        notes.set("auth.user", "alice")
        notes.set("a.b.auth_password", "secret")
        kept = plain_notes(notes.as_dict())
        self.assertEqual(kept, {"auth": {"user": "alice"}, "a": {"b": {}}})
        self.assertNotIn("secret", repr(kept))

    def test_objects(self) -> None:
        """Plugins' objects are left out, and what is beside them stays."""
        endless: list[Any] = []
        endless.append(endless)
        deep: list[Any] = []
        for _ in range(100_000):
            deep = [deep]
        notes = {"x": object(), "y": {"z": self, "n": 1}, "e": endless, "d": deep}
        self.assertEqual(plain_notes(notes), {"y": {"n": 1}})
        del deep, notes["d"]

    def test_names(self) -> None:
        """What has no name cannot be found again."""
        keys: Any = {1: "x", ("a", "b"): "y", "z": 1}
        self.assertEqual(plain_notes(keys), {"z": 1})

    def test_session(self) -> None:
        """What concerns the session only is left there."""
        self.assertEqual(plain_notes({"skip_plugins": ["x"]}), {})
