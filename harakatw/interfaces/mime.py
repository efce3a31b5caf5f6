"""What a plugin sees of a message's MIME structure (Haraka rows HB02, TX03, TX09)."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeAlias

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from harakatw.interfaces.header import IHeader

Done: TypeAlias = "Deferred[Any] | Coroutine[Any, Any, Any] | None"
"""What a callback returns: L{None}, or what has to be waited for."""


class IBody(Interface):
    """
    One part of a message; the first is the message itself.

    What a part says of itself comes from its sender and may be a lie.
    """

    ct: str = Attribute("The Content-Type field as it stands; C{''} without one.")
    content_type: str = Attribute("Type and subtype in lower case.")
    parameters: Mapping[str, str] = Attribute("Of the content type, decoded.")
    header: IHeader = Attribute("The part's header, to read.")
    filename: str = Attribute("What the sender calls it; no name for a file of ours.")
    is_html: bool = Attribute("Is it HTML?")
    is_attachment: bool = Attribute("Is it an attachment, not text and no container?")
    body_encoding: str = Attribute("The charset that C{bodytext} was written in.")
    bodytext: str = Attribute(
        "The text, decoded; of a multipart, what stands before its parts; of an "
        "attachment, nothing."
    )
    is_truncated: bool = Attribute("Is there more text than C{bodytext} has?")
    size: int = Attribute("Octets, transfer encoding undone; of a container 0.")
    state: str = Attribute(
        "C{body}, C{multipart_preamble} or C{attachment} while it comes, then C{end}."
    )
    children: "Sequence[IBody]" = Attribute("The parts within it.")

    def walk() -> "Sequence[IBody]":
        """This part and all within it, in the order of the message."""


class IAttachmentStream(Interface):
    """
    The octets of one attachment while they come, transfer encoding undone.

    While it is paused, nothing more of the message is taken from the client.
    """

    size: int = Attribute("Octets given out so far.")

    def on_data(receive: "Callable[[bytes], Done]") -> None:
        """
        Have the content given to C{receive}, in pieces of at most
        C{mailparser.bufsize} octets.

        Call it when the attachment begins, or L{pause} then: what nobody takes is
        dropped. If C{receive} returns a Deferred or a coroutine, nothing more comes
        until it is done; if that fails, or C{receive} raises, the message is refused
        with 451.
        """

    def on_end(done: "Callable[[], Done]") -> None:
        """
        Have C{done} called once all is given out. C{data_post} waits for the Deferred
        or coroutine that it may return.
        """

    def pause() -> None:
        """Give nothing more out for now."""

    def resume() -> None:
        """Go on."""


AttachmentStart: TypeAlias = Callable[[str, str, IBody, IAttachmentStream], Done]
"""
Hears of an attachment: content type, file name, part, and content. It is called when
the attachment begins; if it has to wait for something, so has the content.
"""

FilterFunction: TypeAlias = Callable[[str, str, bytes], bytes | None]
"""
Makes other content of a part's: gets its Content-Type, its charset and its octets,
transfer encoding undone; returns octets in the same charset, or L{None} to leave it.
"""
