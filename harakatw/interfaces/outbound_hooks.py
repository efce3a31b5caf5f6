"""Hooks of the outbound engine."""

from zope.interface import Attribute, Interface

from harakatw.address import Address
from harakatw.interfaces.ruling import Ruling
from harakatw.interfaces.session import IConnection


class IHMail(Interface):
    """A queued message and the recipients of one attempt, as outbound hooks see it."""

    uuid: str = Attribute("The transaction's, followed by the number of the part.")
    domain: str = Attribute("The recipients' domain.")
    mail_from: Address = Attribute("The reverse-path.")
    rcpt_to: list[Address] = Attribute("The recipients of this attempt.")
    notes = Attribute(
        "The transaction's notes, as they were queued. What is noted here lasts until"
        " the end of the attempt."
    )


class IPreSendTransEmailHook(Interface):
    """
    Runs before a message is put into the outbound queue, also one that the server
    wrote.
    """

    def hook_pre_send_trans_email(connection: IConnection) -> Ruling:
        """
        Sign or change the message.

        @param connection: the session, or for mail of the server itself a stand-in with
            the same C{transaction}, C{notes} and C{results}.
        @return: ignored but for its end.
        @see: Haraka row HK29
        """


class ISendEmailHook(Interface):
    """Runs before each delivery attempt."""

    def hook_send_email(hmail: IHMail) -> Ruling:
        """
        Let the attempt begin, or put it off.

        @param hmail: the queued message and the recipients of this attempt.
        @return: C{delay(seconds)} parks the item; all else goes on.
        @see: Haraka row HK30
        """


class IGetMXHook(Interface):
    """Finds the hosts for a domain; without an answer DNS is asked."""

    def hook_get_mx(hmail: IHMail, domain: str) -> Ruling:
        """
        Route the mail.

        @param hmail: the queued message.
        @param domain: the recipients' domain, an A-label.
        @return: C{ok(value=...)} with a hop, a list of hops, a host name or a URL;
            C{DENY} bounces; C{DENYSOFT} tries again later.
        @see: RFC 5321 section 5.1, Haraka rows HK31 and OB23
        """


class IDeferredHook(Interface):
    """Runs after a temporary failure."""

    def hook_deferred(hmail: IHMail, deferral: object) -> Ruling:
        """
        Let it be tried again, change the delay, or drop it.

        @param hmail: the queued message.
        @param deferral: a L{harakatw.outbound.told.Deferral}: C{recipients}, each with
            C{recipient}, C{reply} and C{peer}, and C{error}, the first reply.
        @return: C{OK} drops the message; C{deny_soft(value=seconds)} sets the delay.
        @see: Haraka row HK32
        """


class IBounceHook(Interface):
    """Runs after a permanent failure."""

    def hook_bounce(hmail: IHMail, error: object) -> Ruling:
        """
        Let a bounce be sent, or not.

        @param hmail: the queued message.
        @param error: a L{harakatw.outbound.told.Bounce}: C{recipients}, each with
            C{recipient}, C{reply} and C{peer}, and C{text}, the first reply.
        @return: C{CONT} has the bounce sent, all else none.
        @see: Haraka row HK33
        """


class IDeliveredHook(Interface):
    """Runs after the peer took the message."""

    def hook_delivered(hmail: IHMail, delivery: object) -> Ruling:
        """
        Take note.

        @param hmail: the queued message.
        @param delivery: a L{harakatw.outbound.told.Delivery}: C{host}, C{ip}, C{port},
            C{response}, C{delay} in seconds, C{mode}, C{recipients}, C{secured},
            C{authenticated}.
        @return: ignored but for its end.
        @see: Haraka row HK34
        """
