"""
What a plugin sees of a session: the connection and its transaction.

Names and shapes are Haraka's (rows CO01 to CO15 and TX01 to TX17).
"""

import re
from collections.abc import Iterable, Mapping

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from harakatw.address import Address
from harakatw.interfaces.header import IHeader
from harakatw.interfaces.mime import AttachmentStart, FilterFunction, IBody
from harakatw.notes import Notes
from harakatw.results import Results


class ITransaction(Interface):
    """One mail transaction, from MAIL to the reply to the final dot."""

    uuid: str = Attribute("The connection's, a dot, and the number of the transaction.")
    mail_from: Address = Attribute("The reverse-path; a plugin may change its parts.")
    rcpt_to: list[Address] = Attribute("The recipients accepted so far.")
    mail_params: Mapping[str, str | None] = Attribute("What MAIL carried besides.")
    notes: Notes = Attribute("For plugins, and queued with the message.")
    results: Results = Attribute("What plugins found out about this message.")
    relaying: bool = Attribute("May this message go anywhere?")
    header: IHeader = Attribute(
        "The message's header, as it stands now; on C{data} only what plugins added."
    )
    data_bytes: int = Attribute("Octets of the message received so far.")
    parse_body: bool = Attribute(
        "Is C{body} wanted? To be set on C{data} or before (row TX03)."
    )
    body: IBody | None = Attribute(
        "The tree of the message's parts, if C{parse_body} was set in time."
    )
    mime_part_count: int = Attribute("Parts that C{body} has.")
    discard_data: bool = Attribute(
        "May the body be forgotten as it comes? C{body} and attachments are there all "
        "the same; the message cannot be queued (row TX12)."
    )

    def rcpt_params(recipient: Address) -> Mapping[str, str | None]:
        """
        What the RCPT of a recipient carried besides, such as C{NOTIFY}.

        @param recipient: the very object from C{rcpt_to}; changed parts do not matter.
        """

    def set_rcpt_params(recipient: Address, params: Mapping[str, str | None]) -> None:
        """
        Give a recipient parameters. A plugin that puts another address in the place of
        one gives it those that the first had: the sender asked for reports on it.

        @param params: what L{rcpt_params} returned; none to forget those that it had.
        @see: RFC 3461 section 5.2.7
        """

    def add_header(name: str, value: str) -> None:
        """
        Append a field to the header.

        @raise ValueError: if the name or the value cannot stand in a header.
        """

    def add_leading_header(name: str, value: str) -> None:
        """Put a field in front of the header; otherwise as L{add_header}."""

    def remove_header(name: str) -> None:
        """Remove every field of this name, in whatever case."""

    def replace_header(name: str, value: str, number: int = 0) -> None:
        """
        Put a field in the place of one; the others keep their octets.

        @param number: which of those with this name, from the top; the first is 0.
            Without any, the field is appended.
        @raise ValueError: as L{add_header}.
        @raise IndexError: if there are some, but not that many.
        """

    def read_body() -> "Deferred[IBody]":
        """
        The tree of the parts of a message that has come, whether or not C{parse_body}
        was set in time.

        @return: fails with L{harakatw.errors.StoreError} if it cannot be read.
        """

    def attachment_hooks(start: AttachmentStart) -> None:
        """
        Have attachments given to a plugin while they come (row TX09). Sets
        C{parse_body}.

        @param start: called as C{start(content_type, filename, body, stream)} when one
            begins; C{stream} is an L{harakatw.interfaces.mime.IAttachmentStream}.
        @raise ValueError: if the message comes already: call it on C{data} or before.
        """

    def add_body_filter(
        ct_match: "str | re.Pattern[str]", body_filter: FilterFunction
    ) -> None:
        """
        Have the content of parts changed before the message is queued (row TX11).
        Plugins on C{data_post} see the message as it came.

        @param ct_match: what the Content-Type begins with, or a pattern to be found in
            it; both are compared in lower case.
        @param body_filter: called as C{body_filter(ct, charset, octets)} with the whole
            content, transfer encoding undone; returns octets in the same charset, or
            L{None} to leave the part as it is.
        """

    def set_banner(text: str, html: str | None = None) -> None:
        """
        Have a text added to the message before it is queued (row TX10): at the end of
        text, in HTML before the end of the body.

        @param text: for text; C{""} for no banner.
        @param html: for HTML; if left out, C{text} with a C{<br/>} for each line end.
        @raise ValueError: for a control character, or a line of over 900 octets.
        """

    def skip_plugins(names: Iterable[str]) -> None:
        """Do not call these plugins for the rest of the transaction (row RG11)."""


class IConnection(Interface):
    """One client's session."""

    uuid: str = Attribute("Unique; every log line of the session begins with it.")
    remote = Attribute(
        "The client: C{ip}, C{port}, C{host}, C{info}, C{login}, C{is_private}, "
        "C{is_local}."
    )
    local = Attribute("Ourselves: C{ip}, C{port}, C{host}.")
    hello = Attribute("C{verb} and C{host} of HELO, EHLO or LHLO; empty before.")
    lmtp: bool = Attribute(
        "Does the client speak LMTP, so that each recipient has a reply of its own?"
    )
    tls = Attribute(
        "C{enabled}, C{cipher}, C{version}, C{verified}, C{certificate}, C{subject}, "
        "C{problem}, C{server_name}."
    )
    can_start_tls: bool = Attribute(
        "Is there a certificate, and may this session still become encrypted?"
    )
    proxy = Attribute(
        "Who passes the connection on to us: C{allowed}, C{ip}, C{type}, C{protocol}."
    )
    relaying: bool = Attribute(
        "May this client send mail to anywhere? The transaction's, while there is one."
    )
    transaction: ITransaction | None = Attribute("The open transaction.")
    notes: Notes = Attribute("For plugins; lives as long as the connection.")
    results: Results = Attribute("What plugins found out about this client.")
    early_talker: bool = Attribute("Did the client speak out of turn?")
    capabilities: list[str] = Attribute(
        "What EHLO announces; set before C{capabilities}."
    )
    errors: int = Attribute("Commands refused so far for their form or order.")

    def start_tls() -> None:
        """
        Encrypt the session, if the verdict on the command that is being answered is
        C{OK}: after that reply the handshake begins, and all that the client said
        before is forgotten. Only for a plugin in C{unrecognized_command}.

        @raise ValueError: unless C{can_start_tls}.
        """

    def challenge(text: str, code: int = 334) -> "Deferred[bytes]":
        """
        Ask the client for another line before a command is answered, as C{AUTH} does.

        Only while C{hook_unrecognized_command} has not given its verdict. The time that
        the client takes does not count as the plugin's; the session's own limits end
        the wait. The line is never logged.

        @param text: printable ASCII, for C{AUTH} in base64; may be C{""}.
        @param code: 300 to 399.
        @return: fires with the client's next line, without CRLF, up to 12,288 octets
            with it; fails with L{harakatw.errors.ProtocolError}, whose reply is what
            the plugin should answer, if the line is longer or malformed. It is
            cancelled when the client leaves.
        @raise ValueError: for another text or code.
        @raise RuntimeError: if no such command is being answered, or an answer is
            waited for already.
        @see: RFC 4954 section 4
        """

    def pause(seconds: float) -> "Deferred[None]":
        """
        Let the client wait before a plugin gives its verdict.

        @return: fires after so many seconds, which do not count as the plugin's. It is
            cancelled when the client leaves.
        """

    can_bind: bool = Attribute("Is there any L{channel_binding}?")

    def channel_binding(kind: str) -> bytes | None:
        """
        What identifies the encrypted channel, the same at both ends.

        @param kind: C{tls-server-end-point} or C{tls-exporter}.
        @return: L{None} if there is none of that kind: without encryption, too.
        @see: RFC 5929 section 4, RFC 9266
        """

    def disconnect() -> None:
        """Close the connection after what is written has been sent."""
