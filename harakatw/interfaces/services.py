"""What the server gives to plugins and sessions: threads, names, the queue."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from harakatw.interfaces.session import IConnection
from harakatw.notes import Notes

_T = TypeVar("_T")


class IThreads(Interface):
    """
    Runs what blocks: files that may be slow, C libraries, look-ups without Twisted.
    """

    def call(function: Callable[..., _T], *args: object) -> "Deferred[_T]":
        """
        Run C{function(*args)} in a thread of the server's pool.

        @return: fires with its result, or fails with what it raised, in the reactor's
            thread.
        """


class IServer(Interface):
    """The running server, as plugins may use it."""

    name: str = Attribute("The server's own name, from C{config/me}.")
    directory: str = Attribute("The instance directory, an absolute path.")
    notes: Notes = Attribute("Shared by all plugins of this process (row RG22).")


class INameLookup(Interface):
    """Finds names by address."""

    def lookup_name(ip: str) -> "Deferred[str]":
        """
        Look the PTR record of an address up.

        @param ip: IPv4 or IPv6, as text.
        @return: fires with the name in lower case, without the last dot; C{NXDOMAIN} if
            there is none, C{DNSERROR} if nobody knows. It never fails and takes a few
            seconds at the most.
        @see: RFC 1035 section 3.5, RFC 3596 section 2.5, Haraka row HK06
        """


class IOutbound(Interface):
    """Takes mail that is to go elsewhere."""

    def queue(connection: IConnection) -> "Deferred[str]":
        """
        Queue the message of the open transaction.

        @return: fires once the message is durably on disk, with a text for the reply,
            C{""} for the usual one.
            Fails with L{harakatw.errors.StoreError} if it is not, nothing being kept.
        """

    def flush(domain: str, *, below: bool = False) -> "Deferred[int]":
        """
        Try mail now that was tried in vain and waits for its time.

        @param domain: of the recipients, A-labels in lower case.
        @param below: that for domains below it, too.
        @return: how many items are due now; fails with
            L{harakatw.errors.StoreError}.
        @see: RFC 1985
        """

    def send_email(
        sender: str,
        recipients: str | Iterable[str],
        contents: str | bytes | Iterable[bytes],
        notes: Mapping[str, object] | None = None,
    ) -> "Deferred[str]":
        """
        Send mail of a plugin's own. It is delivered like any other: the hooks
        C{pre_send_trans_email}, C{get_mx} and so on are run on it.

        @param sender: an address without brackets, C{""} for the null path: then nobody
            is told if it cannot be delivered.
        @param recipients: one address or several, each of whom gets it once.
        @param contents: the message, header and body, with line ends of any kind; kept
            in memory as a whole. A missing Date or Message-ID is added.
        @param notes: the transaction's, such as C{{"queue": {"next_hop": ...}}}.
        @return: fires with the uuid under which it is queued, once it is on disk. Fails
            with L{harakatw.errors.StoreError} if it is not, nothing being kept.
        @raise harakatw.errors.ProtocolError: for an address that is none.
        @raise ValueError: there is no recipient.
        @see: Haraka row OB51
        """


class IHostLogin(Interface):
    """Finds out at other mail servers whether a user's password is right."""

    def login(
        host: str, user: str, password: str, *, clear: bool = False
    ) -> "Deferred[bool]":
        """
        Log in at a mail server, and leave.

        The connection is encrypted if the host is not of a private network, or the
        password is not sent.

        @param host: C{name}, C{name:port} or C{smtps://name:port}.
        @param user: as the server knows it.
        @param clear: may the password be sent without TLS, wherever the host is?
        @return: fires with whether it is the user's password. Fails with
            L{harakatw.errors.TemporaryFailure} if the host cannot be asked, or does not
            say.
        @raise ValueError: if C{host} is none.
        @see: RFC 4954
        """
