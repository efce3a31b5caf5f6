"""
Hooks of a session, in the order of firing: when each is called and what each result
means.

The replies that verdicts lead to stand in C{harakatw.hook_rules}.
"""

from zope.interface import Interface

from harakatw.address import Address
from harakatw.interfaces.ruling import Denial, Ruling
from harakatw.interfaces.session import IConnection
from harakatw.wire.params import Params


class IConnectInitHook(Interface):
    """Runs on every new connection, before anything is said. All plugins run."""

    def hook_connect_init(connection: IConnection) -> Ruling:
        """
        Set the connection up.

        @param connection: the session; C{remote.host} is not known yet.
        @return: as for L{IConnectHook}, but the verdict does not matter.
        @see: Haraka row HK05
        """


class ILookupRDNSHook(Interface):
    """
    Finds the client's name. When nobody answers, the core looks its PTR record up.
    """

    def hook_lookup_rdns(connection: IConnection) -> Ruling:
        """
        Name the client.

        @param connection: the session; C{remote.ip} is known.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
            C{OK} with a value (or text) sets C{remote.host}; a denial refuses the
            client.
        @see: Haraka row HK06
        """


class IConnectHook(Interface):
    """Rules on the client once its name is known, before the greeting."""

    def hook_connect(connection: IConnection) -> Ruling:
        """
        Welcome or refuse the client.

        @param connection: the session.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
            The text of C{OK} replaces the greeting. After C{DENY} or C{DENYSOFT} every
            command gets the same reply until QUIT (RFC 5321 section 3.1).
        @see: Haraka row HK07
        """


class IHeloHook(Interface):
    """Rules on HELO."""

    def hook_helo(connection: IConnection, host: str) -> Ruling:
        """
        Accept or refuse the name.

        @param connection: the session; C{hello} is set already.
        @param host: what the client calls itself, unverified.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
        @see: RFC 5321 section 4.1.1.1, Haraka row HK08
        """


class IEhloHook(Interface):
    """Rules on EHLO."""

    def hook_ehlo(connection: IConnection, host: str) -> Ruling:
        """
        Accept or refuse the name.

        @param connection: the session; C{hello} is set already.
        @param host: what the client calls itself, unverified.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
        @see: RFC 5321 section 4.1.1.1, Haraka row HK09
        """


class ICapabilitiesHook(Interface):
    """Adds to what EHLO announces."""

    def hook_capabilities(connection: IConnection) -> Ruling:
        """
        Change C{connection.capabilities}, a list of lines such as C{SIZE 1000}. What is
        announced is what is taken: with a keyword its parameters of MAIL and RCPT come
        and go, if it stands in L{harakatw.wire.extensions}.

        @param connection: the session.
        @return: ignored but for its end.
        @see: RFC 5321 section 4.1.1.1, Haraka row HK10
        """


class IUnrecognizedCommandHook(Interface):
    """Answers verbs that the core does not know."""

    def hook_unrecognized_command(
        connection: IConnection, verb: str, argument: str
    ) -> Ruling:
        """
        Answer the command, or leave it.

        @param connection: the session.
        @param verb: in upper case.
        @param argument: the rest of the line, blanks trimmed.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
            The text, code and enhanced code of C{OK} are the reply.
        @see: RFC 5321 section 4.2.4, Haraka row HK11
        """


class IMailHook(Interface):
    """Rules on the sender, once per C{MAIL FROM}."""

    def hook_mail(connection: IConnection, sender: Address, params: Params) -> Ruling:
        """
        Accept or refuse the sender.

        @param connection: the session; its C{transaction} has just been opened.
        @param sender: the reverse-path; C{is_null} for C{<>}.
        @param params: ESMTP parameters, names in upper case.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
        @see: RFC 5321 section 4.1.1.2, Haraka row HK12
        """


class IRcptHook(Interface):
    """
    Rules on one recipient, once per C{RCPT TO}, in the order of C{config/plugins}.

    The first verdict other than C{CONT} ends the chain. Without an C{OK} the recipient
    is refused, unless the client may relay.
    """

    def hook_rcpt(
        connection: IConnection, recipient: Address, params: Params
    ) -> Ruling:
        """
        Accept, refuse or pass on C{recipient}.

        @param connection: the session; its C{transaction} is open.
        @param recipient: the forward-path, host in lower case; a plugin may change it.
        @param params: ESMTP parameters, names in upper case.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
        @see: RFC 5321 section 4.1.1.3, Haraka row HK13
        """


class IRcptOkHook(Interface):
    """Has the last word on a recipient that was accepted or may be relayed to."""

    def hook_rcpt_ok(connection: IConnection, recipient: Address) -> Ruling:
        """
        Let the recipient stand, or refuse it after all.

        @param connection: the session.
        @param recipient: the forward-path, as the C{rcpt} hooks left it.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
        @see: Haraka row HK14
        """


class IDataHook(Interface):
    """Rules on C{DATA}, before the client sends the message."""

    def hook_data(connection: IConnection) -> Ruling:
        """
        Ask for the message or refuse it; set up what must see it pass.

        @param connection: the session; its C{transaction} has at least one recipient.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
        @see: RFC 5321 section 4.1.1.4, Haraka row HK15
        """


class IDataPostHook(Interface):
    """Rules on the message, after the final dot."""

    def hook_data_post(connection: IConnection) -> Ruling:
        """
        Accept or refuse the message, or change its header.

        @param connection: the session; the transaction holds the whole message.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
        @see: Haraka row HK16
        """


class IMaxDataExceededHook(Interface):
    """Runs instead of C{data_post} when the message is bigger than C{max.bytes}."""

    def hook_max_data_exceeded(connection: IConnection) -> Ruling:
        """
        Say how to refuse it: it is refused whatever the verdict.

        @param connection: the session; the message is not kept.
        @return: C{DENYSOFT} makes it 452, all else 552.
        @see: RFC 1870 section 6.3, Haraka row HK17
        """


class IQueueHook(Interface):
    """Takes responsibility for a message whose sender may not relay."""

    def hook_queue(connection: IConnection) -> Ruling:
        """
        Store or hand over the message. C{OK} promises that it survives a crash.

        @param connection: the session; the transaction holds the whole message.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
            When nobody says C{OK} the client gets 451. If C{connection.lmtp}, C{OK}
            may have a mapping as its value: addresses of recipients, as they came, to
            what became of each, which the client is told.
        @see: RFC 5321 section 6.1, Haraka row HK18
        """


class IQueueOutboundHook(Interface):
    """Takes responsibility for a message whose sender may relay."""

    def hook_queue_outbound(connection: IConnection) -> Ruling:
        """
        Store or hand over the message. C{OK} promises that it survives a crash.

        @param connection: the session; the transaction holds the whole message.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
            When nobody answers, the outbound engine queues the message. The value of
            C{OK} is as in L{IQueueHook}.
        @see: RFC 5321 section 6.1, Haraka row HK19
        """


class IQueueOkHook(Interface):
    """Runs after a message was queued, before its reply."""

    def hook_queue_ok(connection: IConnection, text: str) -> Ruling:
        """
        Take note.

        @param connection: the session; the transaction is still open.
        @param text: what the queueing plugin said.
        @return: ignored but for its end.
        @see: Haraka row HK20
        """


class IResetTransactionHook(Interface):
    """Runs before a transaction is dropped, though the client may have left."""

    def hook_reset_transaction(connection: IConnection) -> Ruling:
        """
        Release what the plugin holds for this transaction.

        @param connection: the session; its C{transaction} is the one to go.
        @return: ignored but for its end.
        @see: Haraka row HK21
        """


class IRsetHook(Interface):
    """Runs on C{RSET}."""

    def hook_rset(connection: IConnection) -> Ruling:
        """
        Take note.

        @param connection: the session.
        @return: ignored but for its end.
        @see: RFC 5321 section 4.1.1.5, Haraka row HK22
        """


class IQuitHook(Interface):
    """Runs on C{QUIT}."""

    def hook_quit(connection: IConnection) -> Ruling:
        """
        Take note, or word the farewell.

        @param connection: the session.
        @return: the text of C{OK} replaces the farewell; all else is ignored.
        @see: RFC 5321 section 4.1.1.10, Haraka row HK23
        """


class IVrfyHook(Interface):
    """Answers C{VRFY}."""

    def hook_vrfy(connection: IConnection, argument: str) -> Ruling:
        """
        Say whether the user is known, or leave it open with 252.

        @param connection: the session.
        @param argument: what the client asked for, printable.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
        @see: RFC 5321 section 3.5, Haraka row HK24
        """


class INoopHook(Interface):
    """Runs on C{NOOP}."""

    def hook_noop(connection: IConnection) -> Ruling:
        """
        Let it pass, or refuse it.

        @param connection: the session.
        @return: a L{Verdict}, L{None} to go on, or a L{Deferred} or coroutine of these.
        @see: RFC 5321 section 4.1.1.9, Haraka row HK25
        """


class IDisconnectHook(Interface):
    """Runs when the connection is gone. All plugins run."""

    def hook_disconnect(connection: IConnection) -> Ruling:
        """
        Release what the plugin holds for this connection.

        @param connection: the session; nothing can be said any more.
        @return: ignored but for its end.
        @see: Haraka row HK26
        """


class IDenyHook(Interface):
    """Runs when a plugin denied on a hook of a session, before the client is told."""

    def hook_deny(connection: IConnection, denial: Denial) -> Ruling:
        """
        Let the denial stand or override it.

        @param connection: the session.
        @param denial: the verdict, and the plugin, method, hook and arguments behind
            it.
        @return: C{OK} overrides: the plugins after the denying one are asked. All else
            lets it stand.
        @see: Haraka row HK27
        """
