"""How long files and functions are, and which long ones are explained."""

import ast
import io
import tokenize
from collections.abc import Iterator

import attrs

from tests.rules.source import SourceFile, functions

LONG_FUNCTION_LINES = 60
"""A function longer than this needs a comment that says why it is one piece."""


@attrs.frozen
class FunctionSize:
    """
    One function's length.

    @ivar where: file, line and name.
    @ivar lines: from C{def} to its last line, without docstring and decorators.
    @ivar is_explained: does a comment stand above it, or before its first statement?
    """

    where: str
    lines: int
    is_explained: bool


def function_sizes(source: SourceFile) -> Iterator[FunctionSize]:
    """Measure every function of a file; a nested one also counts for the outer."""
    commented = _comment_lines(source.text)
    for function in functions(source.tree):
        doc, first = _docstring_lines(function), _first_statement(function)
        top = min([function.lineno, *(each.lineno for each in function.decorator_list)])
        yield FunctionSize(
            f"{source.path}:{function.lineno}: {function.name}()",
            (function.end_lineno or function.lineno) - function.lineno + 1 - doc,
            not commented.isdisjoint(range(top - 1, first)),
        )


def _docstring_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    if ast.get_docstring(function, clean=False) is None:
        return 0
    text = function.body[0]
    return (text.end_lineno or text.lineno) - text.lineno + 1


def _first_statement(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The line of the first statement that is no docstring."""
    position = min(bool(_docstring_lines(function)), len(function.body) - 1)
    return function.body[position].lineno


def _comment_lines(text: str) -> set[int]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
