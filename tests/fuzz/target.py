"""What a target is, and what all of them are made of."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs

from harakatw.errors import ProtocolError
from tests.properties import st


@attrs.frozen
class Target:
    """
    A parser, and what must hold whatever it is given.

    @ivar modules: of the package, by the end of their name, such as C{wire.path}.
    @ivar inputs: each is a tuple of the arguments of C{check}.
    @ivar check: raises what the parser must not raise, or an AssertionError.
    """

    modules: tuple[str, ...]
    inputs: st.SearchStrategy[tuple[Any, ...]]
    check: Callable[..., None]

    @property
    def name(self) -> str:
        """What the target is called on the command line."""
        return self.check.__name__.removeprefix("check_")


def octets(*words: bytes, most: int = 30) -> st.SearchStrategy[bytes]:
    """
    Octets in which these words come often, whole, cut and joined.

    @param most: words of one input.
    """
    word = st.one_of(st.sampled_from(words), st.binary(max_size=8))
    return st.lists(word, max_size=most).map(b"".join)


def text(*words: str, most: int = 30) -> st.SearchStrategy[str]:
    """
    Text in which these words come often; also what is no Unicode, as files have it.
    """
    word = st.one_of(st.sampled_from(words), st.text(st.characters(), max_size=6))
    return st.lists(word, max_size=most).map("".join)


def cuts() -> st.SearchStrategy[tuple[int, ...]]:
    """Lengths of the pieces that the network makes of a stream; the last is a rest."""
    return st.lists(st.integers(1, 40), max_size=20).map(tuple)


def cut(stream: bytes, lengths: Iterable[int]) -> Iterator[bytes]:
    """Cut a stream; no piece is empty."""
    at = 0
    for length in lengths:
        if stream[at : at + length]:
            yield stream[at : at + length]
        at += length
    if stream[at:]:
        yield stream[at:]


def refusal(
    codes: tuple[int, ...], call: Callable[..., object], *args: object, **named: object
) -> bool:
    """
    Does the parser refuse it? Only so may it fail, and with one of these codes.

    @param call: the parser; its arguments follow.
    """
    try:
        call(*args, **named)
    except ProtocolError as error:
        assert error.reply.code in codes, error.reply
        check_reply(error.reply.encoded)
        return True
    return False


def check_reply(encoded: bytes) -> None:
    """A reply is lines of printable ASCII that no client finds too long."""
    assert encoded.endswith(b"\r\n")
    for line in encoded[:-2].split(b"\r\n"):
        assert len(line) <= 510, line
        assert line[:3].isdigit() and line[3:4] in (b" ", b"-"), line
        assert line.isascii() and line.decode().isprintable(), line
