"""
Row 1: a second message hidden in the first (CVE-2023-51764 and its kin).

Whatever stands in a message, only CRLF, dot, CRLF ends it (RFC 5321 section 4.1.1.4).
"""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from tests.abuse.inputs import FALSE_ENDS, SMUGGLED
from tests.sessions import Site, make_site

BEFORE = b"Subject: harmless\r\n\r\nhello"


class SmugglingTests(SynchronousTestCase):
    """A client sends a message with a false end and commands behind it."""

    def _send(self, pieces: tuple[bytes, ...], policy: str = "refuse") -> Site:
        options = ConnectionOptions(bare_newline=policy)  # type: ignore[arg-type]
        site = make_site(options=options)
        site.begin_data()
        for piece in pieces:
            site.client.send(piece)
        return site

    def _check(self, site: Site, why: object) -> str:
        said = site.client.hear()
        self.assertEqual(said.count("\r\n"), 1, (why, said))
        self.assertEqual(site.connection.tran_count, 1, why)
        self.assertLessEqual(len(site.mailbox.messages), 1, why)
        return said

    def test_whole(self) -> None:
        """The whole in one segment: one reply, to one message."""
        for end in FALSE_ENDS:
            stream = BEFORE + end + SMUGGLED + b".\r\n"
            said = self._check(self._send((stream,)), end)
            alone = end.replace(b"\r\n", b"")
            expected = "554 5.6.0" if b"\r" in alone or b"\n" in alone else "250"
            self.assertTrue(said.startswith(expected), (end, said))

    def test_cut_anywhere(self) -> None:
        """The same, however the network cut it: at every place there is."""
        for end in FALSE_ENDS:
            stream = BEFORE + end + SMUGGLED + b".\r\n"
            whole = self._send((stream,))
            said = self._check(whole, end)[:3]
            for cut in range(1, len(stream)):
                site = self._send((stream[:cut], stream[cut:]))
                self.assertEqual(self._check(site, (end, cut))[:3], said)

    def test_octet_by_octet(self) -> None:
        """The same, an octet at a time."""
        for end in FALSE_ENDS:
            stream = BEFORE + end + SMUGGLED + b".\r\n"
            octets = tuple(stream[at : at + 1] for at in range(len(stream)))
            self._check(self._send(octets), end)

    def test_normalised(self) -> None:
        """
        Where bare line ends are repaired instead of refused, the false end still ends
        nothing: what is smuggled arrives as text of the one message.
        """
        for end in FALSE_ENDS:
            stream = BEFORE + end + SMUGGLED + b".\r\n"
            site = self._send((stream,), "normalise")
            self.assertEqual(self._check(site, end)[:3], "250", end)
            (message,) = site.mailbox.messages
            self.assertIn(b"Subject: smuggled", message.octets)
            rest = message.octets.replace(b"\r\n", b"")
            self.assertNotIn(b"\r", rest)
            self.assertNotIn(b"\n", rest)

    def test_first_octets(self) -> None:
        """A false end as the very first of the message ends it no more than later."""
        for end in FALSE_ENDS:
            for start in (end, end.lstrip(b"\r\n")):
                if start == b".\r\n":
                    continue  # that is the true end of an empty message
                stream = start + SMUGGLED + b".\r\n"
                self._check(self._send((stream,)), start)

    def test_true_end(self) -> None:
        """
        After the true end the rest is commands, as pipelining allows: two messages.
        """
        site = self._send((BEFORE + b"\r\n.\r\n" + SMUGGLED[: SMUGGLED.index(b"Sub")],))
        self.assertEqual(site.client.codes(), [250, 250, 250, 354])
