"""
The whole table: for each hook of a session and each verdict the reply, and what becomes
of the session (inventory 1.1, rows HK05 to HK27).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.hook_rules import HOOK_RULES
from harakatw.reply import Reply
from harakatw.testing.server import MemoryClient, MemoryServer
from harakatw.verdict import (
    CONT,
    DENY,
    DENYDISCONNECT,
    DENYSOFT,
    DENYSOFTDISCONNECT,
    DISCONNECT,
    OK,
    Verdict,
)
from tests.fake_plugins import fake_plugin
from tests.sessions import ENVELOPE
from tests.smtp.test_rcpt import allow_relay

VERDICTS = (
    CONT,
    OK,
    DENY,
    DENYSOFT,
    DENYDISCONNECT,
    DENYSOFTDISCONNECT,
    DISCONNECT,
)

GREETED = ("EHLO client.example",)
OPEN = (*GREETED, ENVELOPE[0])
READY = (*GREETED, *ENVELOPE)
IN_DATA = (*READY, "DATA")

BEFORE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "mail": GREETED,
        "rcpt": OPEN,
        "rcpt_ok": OPEN,
        "data": READY,
        "data_post": IN_DATA,
        "queue": IN_DATA,
        "queue_outbound": IN_DATA,
        "queue_ok": IN_DATA,
        "max_data_exceeded": IN_DATA,
        "reset_transaction": READY,
    }
)
"""What the client has said when the hook is called."""

TRIGGER: Mapping[str, str] = MappingProxyType(
    {
        "helo": "HELO client.example",
        "ehlo": "EHLO client.example",
        "capabilities": "EHLO client.example",
        "unrecognized_command": "XFOO bar",
        "vrfy": "VRFY user",
        "noop": "NOOP",
        "rset": "RSET",
        "quit": "QUIT",
        "mail": ENVELOPE[0],
        "rcpt": ENVELOPE[1],
        "rcpt_ok": ENVELOPE[1],
        "data": "DATA",
        "data_post": ".",
        "queue": ".",
        "queue_outbound": ".",
        "queue_ok": ".",
        "max_data_exceeded": "a" * 20 + "\r\n.",
        "reset_transaction": "RSET",
    }
)
"""What makes the hook be called; connections make the others be."""

STAY, CLOSE, LOOP = "stay", "close", "loop"

_REFUSED = (
    "220",
    "220",
    "554 loop",
    "421 loop",
    "554 close",
    "421 close",
    "554 close",
)

TABLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {  # CONT, OK, DENY, DENYSOFT, DENYDISCONNECT, DENYSOFTDISCONNECT, DISCONNECT
        "connect_init": ("220",) * 7,
        "lookup_rdns": _REFUSED,
        "connect": _REFUSED,
        "helo": ("250", "250", "550", "450", "550 close", "450 close", "250"),
        "ehlo": ("250", "250", "550", "450", "550 close", "450 close", "250"),
        "capabilities": ("250",) * 7,
        "unrecognized_command": (
            ("500", "250", "500", "450", "521 close", "421 close", "500")
        ),
        "vrfy": ("252", "250", "550", "450", "550 close", "450 close", "252"),
        "noop": ("250", "250", "500", "250", "500 close", "250", "250"),
        "rset": ("250",) * 7,
        "quit": ("221 close",) * 7,
        "mail": ("250", "250", "550", "450", "550 close", "450 close", "250"),
        "rcpt": ("550", "250", "550", "450", "550 close", "450 close", "550"),
        "rcpt_ok": ("250", "250", "550", "450", "550 close", "450 close", "250"),
        "data": ("354", "354", "554", "451", "554 close", "451 close", "354"),
        "data_post": ("250", "250", "550", "450", "550 close", "450 close", "250"),
        "max_data_exceeded": ("552", "552", "552", "452", "552", "452", "552"),
        "queue": ("451", "250", "550", "450", "550 close", "450 close", "451"),
        "queue_outbound": (
            ("451", "250", "550", "450", "550 close", "450 close", "451")
        ),
        "queue_ok": ("250",) * 7,
        "reset_transaction": ("250",) * 7,
    }
)
"""Reply code, and "close" or "loop" where the session does not just go on."""

NOT_REACHED = frozenset(("disconnect", "deny"))
"""Hooks of a session to which no reply belongs; they have tests of their own."""


class TableTests(SynchronousTestCase):
    """Each hook with each verdict, seen from the client."""

    def _client(self, hook: str, verdict: Verdict) -> MemoryClient:
        """A client of a server where one plugin says it, and another the rest."""
        says: dict[str, Any] = {"rcpt": OK, "queue": OK}
        if hook == "queue_outbound":
            says["connect"] = allow_relay
        says.pop(hook, None)
        options = ConnectionOptions(max_bytes=10 if hook == "max_data_exceeded" else 0)
        plugins = fake_plugin(**{hook: verdict}), fake_plugin("Others", **says)
        return MemoryServer(plugins, limits=options).connect()

    def _tried(self, hook: str, verdict: Verdict) -> str:
        """The code, and what became of the session."""
        client = self._client(hook, verdict)
        if hook in TRIGGER:
            for line in BEFORE.get(hook, ()):
                client.say(line)
            client.hear()
            client.say(TRIGGER[hook])
        (code,) = client.codes()
        return f"{code} {self._fate(client, code)}".removesuffix(" stay")

    def _fate(self, client: MemoryClient, code: int) -> str:
        if client.transport.closed:
            return CLOSE
        if code == 354:
            return STAY
        client.say("HELP")
        (answer,) = client.codes()
        return LOOP if answer == code and code >= 400 else STAY

    def test_every_hook_is_in_the_table(self) -> None:
        """No hook of a session is left out."""
        lifecycle = {"init_master", "init_child", "init_http", "init_wss", "log"}
        outbound = {"pre_send_trans_email", "send_email", "get_mx", "deferred"}
        outbound |= {"bounce", "delivered"}
        session = HOOK_RULES.keys() - lifecycle - outbound - NOT_REACHED
        self.assertEqual(TABLE.keys(), session)
        self.assertEqual(len(HOOK_RULES), 34)

    def test_table(self) -> None:
        """Every hook and every verdict."""
        for hook, wanted in TABLE.items():
            for verdict, outcome in zip(VERDICTS, wanted, strict=True):
                tried = self._tried(hook, verdict)
                self.assertEqual(tried, outcome, (hook, verdict.kind))

    def test_transaction_after_a_denial(self) -> None:
        """Which denials end the transaction, and which leave it open."""
        for hook, open_after in (
            ("mail", False),
            ("rcpt", True),
            ("rcpt_ok", True),
            ("data", False),
            ("data_post", False),
            ("queue", False),
            ("max_data_exceeded", False),
        ):
            for verdict in (DENY, DENYSOFT):
                client = self._client(hook, verdict)
                client.say(*BEFORE[hook])
                client.say(TRIGGER[hook])
                found = client.protocol.connection.transaction is not None
                self.assertEqual(found, open_after, hook)

    def test_fault(self) -> None:
        """A fault counts as CONT, but on queue hooks as DENYSOFT (DESIGN)."""
        faults = {hook: rule.fault for hook, rule in HOOK_RULES.items()}
        soft = {hook for hook, verdict in faults.items() if verdict is DENYSOFT}
        self.assertEqual(soft, {"queue", "queue_outbound"})
        self.assertEqual({faults[hook] for hook in faults.keys() - soft}, {CONT})

    def test_late(self) -> None:
        """No verdict in time counts as DENYSOFT, but where that means silence."""
        late = {hook: rule.late for hook, rule in HOOK_RULES.items()}
        others = {hook for hook, verdict in late.items() if verdict is not DENYSOFT}
        self.assertEqual(others, {"bounce"})
        self.assertIs(late["bounce"], CONT)


class RuleTests(SynchronousTestCase):
    """The rows themselves."""

    def _replies(self, hook: str) -> list[Reply]:
        rule = HOOK_RULES[hook]
        replies = (rule.go_on, rule.accept, rule.deny, rule.soft)
        both = (*replies, rule.deny_close, rule.soft_close)
        return [each for each in both if each is not None]

    def test_names(self) -> None:
        """Each row stands under its own name, and says when it is called."""
        for name, rule in HOOK_RULES.items():
            self.assertEqual(rule.name, name)
            self.assertNotEqual(rule.when, "", name)

    def test_classes(self) -> None:
        """Denials for good are 5xx, for now 4xx."""
        for hook, rule in HOOK_RULES.items():
            for answer, first in (
                (rule.deny, "5"),
                (rule.deny_close, "5"),
                (rule.soft, "4"),
                (rule.soft_close, "4"),
            ):
                if answer is not None:
                    self.assertEqual(str(answer.code)[0], first, hook)

    def test_enhanced(self) -> None:
        """Every reply has an enhanced code, but for 354 (RFC 2034 section 4)."""
        for hook in HOOK_RULES:
            for answer in self._replies(hook):
                self.assertEqual(answer.enhanced == "", answer.code == 354, hook)

    def test_read_only(self) -> None:
        """Nobody can change the table."""
        with self.assertRaises(TypeError):
            HOOK_RULES["mail"] = HOOK_RULES["rcpt"]  # type: ignore[index]
        with self.assertRaises(TypeError):
            HOOK_RULES["rcpt"].meanings["OK"] = ""  # type: ignore[index]
