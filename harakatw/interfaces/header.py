"""What a plugin sees of a header (Haraka rows HB01 and TX02)."""

from zope.interface import Interface


class IHeader(Interface):
    """
    The fields of a message or of one of its parts, to read; names in any case.

    To change a message's fields there are C{add_header} and its like in
    L{harakatw.interfaces.session.ITransaction}.
    """

    def get(name: str) -> str:
        """
        The values of all fields of this name, from the top, parted by line ends.

        @return: C{""} if there is none.
        """

    def get_all(name: str) -> list[str]:
        """
        The values of all fields of this name, from the top: unfolded, trimmed, without
        a line end.
        """

    def get_decoded(name: str) -> str:
        """
        As L{get}, with encoded words and parameters as the text that they stand for.

        @see: RFC 2047, RFC 2231
        """

    def names() -> list[str]:
        """The names of all fields as they are spelt, from the top."""

    def lines() -> list[bytes]:
        """All fields as they stand, from the top, folds and all, each with its CRLF."""
