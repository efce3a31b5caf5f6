"""Verdicts: what plugins can say, and what a hook's row of the table makes of it."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.hook_rules import HOOK_RULES
from harakatw.verdict import (
    CONT,
    DENY,
    DENYDISCONNECT,
    DENYSOFT,
    DENYSOFTDISCONNECT,
    DISCONNECT,
    OK,
    STOP,
    Kind,
    Then,
    Verdict,
    decide,
    delay,
    deny,
    deny_soft,
    next_hook,
    ok,
)
from tests.properties import given, st


class VerdictTests(SynchronousTestCase):
    """What a plugin says."""

    def test_numbers(self) -> None:
        """The verdicts have the numbers of Haraka's constants."""
        numbers = {kind.name: kind.value for kind in Kind}
        self.assertEqual(
            numbers,
            {
                "CONT": 900,
                "STOP": 901,
                "DENY": 902,
                "DENYSOFT": 903,
                "DENYDISCONNECT": 904,
                "DISCONNECT": 905,
                "OK": 906,
                "NEXT_HOOK": 907,
                "DELAY": 908,
                "DENYSOFTDISCONNECT": 909,
            },
        )

    def test_denials(self) -> None:
        """Four of them are denials."""
        denials = {DENY, DENYSOFT, DENYDISCONNECT, DENYSOFTDISCONNECT}
        for kind in Kind:
            self.assertEqual(Verdict(kind).denies, Verdict(kind) in denials, kind)

    def test_plain(self) -> None:
        """Without words and codes the makers give the constants."""
        self.assertEqual((ok(), deny(), deny_soft()), (OK, DENY, DENYSOFT))
        self.assertEqual(deny(disconnect=True), DENYDISCONNECT)
        self.assertEqual(deny_soft(disconnect=True), DENYSOFTDISCONNECT)

    def test_words(self) -> None:
        """Words are one line or several; empty ones are left out."""
        self.assertEqual(deny("no").lines, ("no",))
        self.assertEqual(deny(["no", "", "never"]).lines, ("no", "never"))
        self.assertEqual(deny(["no", "never"]).text, "no never")
        self.assertEqual(deny("").lines, ())

    def test_values(self) -> None:
        """Some carry a value instead of words."""
        self.assertEqual((delay(5).kind, delay(5).value), (Kind.DELAY, 5))
        self.assertEqual(next_hook("vrfy").value, "vrfy")
        self.assertEqual(ok(value="mx.example").value, "mx.example")
        self.assertEqual(deny_soft(value=60).value, 60)
        self.assertEqual(deny_soft(value=60).kind, Kind.DENYSOFT)

    def test_codes_that_fit(self) -> None:
        """A denial may have any code of its class."""
        self.assertEqual(deny(code=554, enhanced="5.7.25").code, 554)
        self.assertEqual(deny_soft(enhanced="4.7.1").enhanced, "4.7.1")
        self.assertEqual(ok(code=252, enhanced="2.1.5").code, 252)

    def test_codes_that_do_not_fit(self) -> None:
        """Others are a mistake in the plugin, found where it is made."""
        for make, code, enhanced in (
            (deny, 450, ""),
            (deny, 0, "4.7.1"),
            (deny, 550, "4.7.1"),
            (deny, 5, ""),
            (deny, 600, ""),
            (deny, 0, "5.7"),
            (deny, 0, "5.7.1\r\n"),
            (deny_soft, 550, ""),
            (deny_soft, 0, "5.7.1"),
            (ok, 550, ""),
            (ok, 0, "5.0.0"),
        ):
            with self.assertRaises(ValueError, msg=(make, code, enhanced)):
                make("x", code=code, enhanced=enhanced)
        self.assertRaises(ValueError, Verdict, Kind.DENYDISCONNECT, (), 250)
        self.assertRaises(ValueError, Verdict, Kind.CONT, (), 0, "2.0.0")


class DecideTests(SynchronousTestCase):
    """What the table makes of a plugin's words."""

    def _said(self, hook: str, verdict: Verdict) -> str:
        answer = decide(HOOK_RULES[hook], verdict).reply
        return "" if answer is None else answer.encoded.decode().rstrip()

    def test_stock_replies(self) -> None:
        """Without words the reply is the hook's own, made once."""
        rule = HOOK_RULES["mail"]
        self.assertIs(decide(rule, DENY).reply, rule.deny)
        self.assertIs(decide(rule, CONT), rule.continued)
        self.assertIs(decide(rule, OK), rule.accepted)

    def test_own_words(self) -> None:
        """The plugin's words, with the hook's codes where it gave none."""
        self.assertEqual(self._said("mail", deny("no")), "550 5.7.1 no")
        self.assertEqual(self._said("mail", deny("5.1.8 no")), "550 5.1.8 no")
        self.assertEqual(self._said("mail", deny("no", code=553)), "553 5.7.1 no")
        self.assertEqual(
            self._said("mail", deny("no", enhanced="5.1.8")), "550 5.1.8 no"
        )
        self.assertEqual(self._said("mail", deny_soft("no")), "450 4.7.1 no")
        self.assertEqual(self._said("mail", ok("yes")), "250 2.1.0 yes")

    def test_codes_without_words(self) -> None:
        """The plugin's code with the hook's words."""
        self.assertEqual(self._said("mail", deny(code=553)), "553 5.7.1 Sender denied")
        self.assertEqual(
            self._said("mail", deny(enhanced="5.1.8")), "550 5.1.8 Sender denied"
        )

    def test_class_is_kept(self) -> None:
        """No plugin makes a 250 of a 354, or gives it an enhanced code."""
        self.assertEqual(self._said("data", ok("2.0.0 go", code=250)), "354 go")
        self.assertEqual(self._said("data", ok(enhanced="2.0.0"))[:5], "354 G")
        impossible = Verdict(Kind.OK, ("x",), 535, "5.7.8")
        self.assertEqual(self._said("mail", impossible), "250 2.1.0 x")

    def test_several_lines(self) -> None:
        """Several lines make one reply."""
        said = self._said("mail", deny(["no", "never"]))
        self.assertEqual(said, "550-5.7.1 no\r\n550 5.7.1 never")

    @given(
        st.sampled_from(sorted(HOOK_RULES)),
        st.sampled_from(list(Kind)),
        st.lists(st.text(max_size=30), max_size=3),
        st.sampled_from([0, 220, 250, 354, 421, 450, 550, 599]),
        st.sampled_from(["", "2.0.0", "4.7.1", "5.7.1"]),
    )
    def test_any(
        self, hook: str, kind: Kind, lines: list[str], code: int, enhanced: str
    ) -> None:
        """
        Whatever verdict can be made, on whatever hook, leads to a decision; only a
        denial or DISCONNECT refuses or closes.
        """
        try:
            verdict = Verdict(kind, tuple(lines), code, enhanced)
        except ValueError:
            return
        decision = decide(HOOK_RULES[hook], verdict)
        self.assertFalse(decision.refused and kind in (Kind.OK, Kind.CONT, Kind.STOP))
        if decision.then is not Then.STAY:
            self.assertTrue(decision.refused)
            self.assertTrue(verdict.denies or kind is Kind.DISCONNECT)
        if decision.refused:
            assert decision.reply is not None
            self.assertGreaterEqual(decision.reply.code, 400)

    def test_ignored(self) -> None:
        """STOP and its like mean nothing to a session: the command goes on."""
        for verdict in (STOP, delay(5), next_hook("vrfy"), DISCONNECT):
            decision = decide(HOOK_RULES["mail"], verdict)
            self.assertEqual((decision.refused, decision.then), (False, Then.STAY))
