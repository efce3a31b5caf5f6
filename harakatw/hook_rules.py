"""
The table: what each of the 34 hooks does with each verdict.

Replies stand here and nowhere else. The manual's hook page is made from this table and
the docstrings of C{harakatw.interfaces.hooks}.

@see: Haraka rows HK01 to HK34; RFC 5321 section 4.2.3 and RFC 3463 for the codes. Where
    the codes differ from Haraka's, C{docs/differences.md} says why.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from harakatw.reply import reply
from harakatw.verdict import CONT, DENYSOFT, HookRule

_DENIED = "Denied by policy"
_LATER = "Denied for now, try again later"

_LIFECYCLE: Final = (
    HookRule(
        name="init_master",
        when="once when the server starts, after its ports are bound; in the master "
        "process before it makes workers",
        meanings={"DENY and its kin": "logged, and the server exits with status 1"},
    ),
    HookRule(
        name="init_child",
        when="once in each worker, after its ports are bound",
        meanings={"DENY and its kin": "logged, and the server exits with status 1"},
    ),
    HookRule(name="init_http", when="once the web server listens"),
    HookRule(name="init_wss", when="once the web server speaks WebSocket"),
    HookRule(
        name="log",
        when="for each log record, before it is written",
        meanings={"any but CONT": "the record is not written to the standard log"},
    ),
)

_CONNECTION: Final = (
    HookRule(
        name="connect_init",
        when="on every new connection, before anything is said; all plugins run",
        runs_all=True,
    ),
    HookRule(
        name="lookup_rdns",
        when="after connect_init; the core looks the PTR record up when nobody answers",
        deny=reply(554, "5.7.1", _DENIED),
        soft=reply(421, "4.7.1", _LATER),
        loops=True,
        disconnects=True,
        meanings={"OK": "its value, or else its text, becomes remote.host"},
    ),
    HookRule(
        name="connect",
        when="when the client's name is known, before the greeting",
        deny=reply(554, "5.7.1", _DENIED),
        soft=reply(421, "4.7.1", _LATER),
        loops=True,
        disconnects=True,
        meanings={"OK": "its text replaces the greeting"},
    ),
    HookRule(
        name="helo",
        when="HELO",
        deny=reply(550, "5.7.1", "HELO denied"),
        soft=reply(450, "4.7.1", "HELO denied for now"),
    ),
    HookRule(
        name="ehlo",
        when="EHLO",
        deny=reply(550, "5.7.1", "EHLO denied"),
        soft=reply(450, "4.7.1", "EHLO denied for now"),
    ),
    HookRule(
        name="capabilities",
        when="within EHLO, before its reply; plugins add to connection.capabilities",
    ),
    HookRule(
        name="unrecognized_command",
        when="on a verb that the core does not know",
        go_on=reply(500, "5.5.2", "Unrecognized command"),
        deny=reply(500, "5.5.2", "Unrecognized command"),
        soft=reply(450, "4.5.0", "Not now"),
        deny_close=reply(521, "5.5.2", "Unrecognized command"),
        soft_close=reply(421, "4.5.0", "Not now"),
        meanings={
            "OK": "its text, with code and enhanced, is the reply, and 421 closes the "
            "connection; with a NewClient as its value the session begins again as "
            "that client's, from connect_init on",
            "NEXT_HOOK": "the hook it names runs instead",
        },
    ),
    HookRule(
        name="vrfy",
        when="VRFY",
        go_on=reply(252, "2.1.5", "Send some mail, I'll try my best"),
        accept=reply(250, "2.1.5", "User OK"),
        deny=reply(550, "5.7.1", "Access denied"),
        soft=reply(450, "4.7.1", "User lookup failed, try again later"),
    ),
    HookRule(
        name="noop",
        when="NOOP",
        go_on=reply(250, "2.0.0", "OK"),
        deny=reply(500, "5.5.0", "Stop wasting my time"),
        meanings={"DENYSOFT": "ignored", "DENYDISCONNECT": "500, then closed"},
    ),
    HookRule(name="rset", when="RSET", go_on=reply(250, "2.0.0", "OK")),
    HookRule(name="quit", when="QUIT", go_on=reply(221, "2.0.0", "Bye")),
    HookRule(
        name="disconnect",
        when="when the connection is gone; all plugins run",
        runs_all=True,
        required=True,
    ),
    HookRule(
        name="deny",
        when="when another hook's plugin denied; the argument tells who and what",
        meanings={
            "OK": "overrides the denial: the next plugin of the denied hook runs",
            "any other": "the denial stands",
        },
    ),
)

_TRANSACTION: Final = (
    HookRule(
        name="mail",
        when="MAIL FROM",
        go_on=reply(250, "2.1.0", "Sender OK"),
        deny=reply(550, "5.7.1", "Sender denied"),
        soft=reply(450, "4.7.1", "Sender denied for now, try again later"),
    ),
    HookRule(
        name="rcpt",
        when="RCPT TO, the recipient being in transaction.rcpt_to already",
        deny=reply(550, "5.7.1", "Recipient denied"),
        soft=reply(450, "4.7.1", "Recipient denied for now, try again later"),
        meanings={
            "CONT": "accepted if the connection may relay, else 550 5.1.1: a plugin "
            "must say OK",
            "OK": "rcpt_ok is called, with this text for its reply",
        },
    ),
    HookRule(
        name="rcpt_ok",
        when="after a plugin accepted the recipient, or the connection may relay",
        go_on=reply(250, "2.1.5", "Recipient OK"),
        deny=reply(550, "5.7.1", "Recipient denied"),
        soft=reply(450, "4.7.1", "Recipient denied for now, try again later"),
    ),
    HookRule(
        name="data",
        when="DATA, before 354",
        go_on=reply(354, "", "Go ahead, make my day"),
        deny=reply(554, "5.7.1", "Message denied"),
        soft=reply(451, "4.7.1", "Message denied for now, try again later"),
    ),
    HookRule(
        name="data_post",
        when="after the final dot",
        deny=reply(550, "5.7.1", "Message denied"),
        soft=reply(450, "4.7.1", "Message denied for now, try again later"),
    ),
    HookRule(
        name="max_data_exceeded",
        when="after the final dot of a message that is too big",
        go_on=reply(552, "5.3.4", "Message too big"),
        deny=reply(552, "5.3.4", "Message too big"),
        soft=reply(452, "4.3.4", "Message too big for now"),
        closes=False,
        meanings={"DENYDISCONNECT and DENYSOFTDISCONNECT": "the session goes on"},
    ),
    HookRule(
        name="queue",
        when="for an accepted message whose connection may not relay",
        go_on=reply(451, "4.3.5", "No plugin queued the message, try again later"),
        deny=reply(550, "5.7.1", "Message denied"),
        soft=reply(450, "4.3.0", "Message not queued, try again later"),
        fault=DENYSOFT,
        meanings={"OK": "queue_ok is called; the plugin has the message, durably"},
    ),
    HookRule(
        name="queue_outbound",
        when="for an accepted message whose connection may relay",
        go_on=reply(451, "4.3.5", "No plugin queued the message, try again later"),
        deny=reply(550, "5.7.1", "Message denied"),
        soft=reply(450, "4.3.0", "Message not queued, try again later"),
        fault=DENYSOFT,
        meanings={
            "CONT": "the outbound engine queues the message",
            "OK": "queue_ok is called; the plugin has the message, durably",
        },
    ),
    HookRule(
        name="queue_ok",
        when="after a message was queued, before its reply",
        go_on=reply(250, "2.0.0", "Message queued"),
    ),
    HookRule(
        name="reset_transaction",
        when="before a transaction is dropped; runs though the client has left",
        required=True,
    ),
)

_OUTBOUND: Final = (
    HookRule(
        name="pre_send_trans_email",
        when="before a message is put into the outbound queue",
    ),
    HookRule(
        name="send_email",
        when="before a delivery attempt",
        meanings={"DELAY": "the attempt is put off by its value, in seconds"},
    ),
    HookRule(
        name="get_mx",
        when="when the hosts for a domain are needed",
        meanings={
            "OK": "its value is the route: a hop, several, or a URL",
            "DENY and its kin": "the message bounces, 5.1.2",
            "DENYSOFT and its kin": "the attempt counts as a temporary failure",
        },
    ),
    HookRule(
        name="deferred",
        when="after a temporary failure",
        meanings={
            "OK, DENY": "the message is dropped",
            "DENYSOFT": "its value is the delay until the next attempt, in seconds",
        },
    ),
    HookRule(
        name="bounce",
        when="after a permanent failure",
        late=CONT,  # a plugin that hangs must not keep senders from being told
        meanings={"any but CONT": "no bounce message is sent"},
    ),
    HookRule(name="delivered", when="after a delivery"),
)

HOOK_RULES: Final[Mapping[str, HookRule]] = MappingProxyType(
    {rule.name: rule for rule in (*_LIFECYCLE, *_CONNECTION, *_TRANSACTION, *_OUTBOUND)}
)
"""Every hook by its name."""
