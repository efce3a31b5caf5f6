"""Addresses that others collected, and addresses by chance."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from harakatw.address import Address, parse_address
from harakatw.address_grammar import GrammarError
from harakatw.errors import ProtocolError
from tests.properties import given, settings, st

TEST_DATA = Path(
    os.environ.get("HARAKATW_TESTDATA")
    or Path(__file__).resolve().parents[2] / "shared" / "testdata"
)


class IsemailTests(SynchronousTestCase):
    """The addresses of the isemail collection."""

    WELL_FORMED = ("ISEMAIL_VALID_CATEGORY", "ISEMAIL_DNSWARN", "ISEMAIL_RFC5321")

    EXCEPTIONS: Mapping[tuple[str, str], str] = {
        ("tests", "71"): "C{::} for one group: RFC 4291 section 2.2 allows it, and the"
        " collection itself has other such addresses as well formed",
    }
    """Where we differ, with the reason: taken though listed as malformed."""

    def test_cases(self) -> None:
        """Well-formed paths are taken, others are refused, but for the exceptions."""
        cases = self._cases()
        self.assertGreater(len(cases), 200)
        for case in cases:
            expected = case["category"] in self.WELL_FORMED
            if (case["set"], str(case["id"])) in self.EXCEPTIONS:
                expected = not expected
            self.assertEqual(self._takes(case["address"]), expected, repr(case))

    def test_sent_on(self) -> None:
        """What is taken can be sent on, and is then the same mailbox."""
        for case in self._cases():
            if self._takes(case["address"]):
                address = parse_address(case["address"], utf8=False)
                self.assertEqual(parse_address(address.format(), utf8=False), address)

    def _cases(self) -> Sequence[Mapping[str, str]]:
        file = TEST_DATA / "address-isemail" / "cases.json"
        if not file.exists():
            raise SkipTest(f"no {file}")
        cases: Sequence[Mapping[str, str]] = json.loads(file.read_text("utf-8"))
        return cases

    def _takes(self, text: str) -> bool:
        try:
            parse_address(text, utf8=False)
        except ProtocolError:
            return False
        return True


NASTY = st.text(
    st.sampled_from('ab.@<>"\\ :,[]()%!ü\uff20\u3002\u00ad\r\n\0-IPv6:1')
    | st.characters(),
    max_size=80,
)


class RandomTests(SynchronousTestCase):
    """Whatever comes, there is an answer."""

    @settings(deadline=None)
    @given(st.binary(max_size=300), st.booleans(), st.booleans(), st.booleans())
    def test_octets(self, path: bytes, utf8: bool, postel: bool, null: bool) -> None:
        """Random octets are an address or a protocol error, and nothing else."""
        try:
            parse_address(path, utf8=utf8, postel=postel, null=null)
        except ProtocolError as error:
            self.assertGreaterEqual(error.reply.code, 501)

    @settings(deadline=None, max_examples=300)
    @given(NASTY, NASTY, st.booleans())
    def test_round_trip(self, local: str, domain: str, postel: bool) -> None:
        """What is taken in any spelling reads the same after it is written."""
        for text in (local, f"{local}@d.example", f"u@{domain}", f"{local}@{domain}"):
            try:
                address = parse_address(text, utf8=True, postel=postel)
            except ProtocolError:
                continue
            again = parse_address(address.format(), utf8=True)
            self.assertEqual(again, address)
            self.assertEqual(again.format(), address.format())

    @settings(deadline=None)
    @given(st.text(max_size=40))
    def test_any_user(self, user: str) -> None:
        """A user that a plugin may assign can be sent on and comes back the same."""
        address = Address("u", "d.example")
        try:
            address.user = user
        except GrammarError:
            return
        again = parse_address(address.format(), utf8=True)
        self.assertEqual(again.user, user)
