"""Which names of a file other files may use, and which of them say nothing."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from tests.rules.source import SourceFile, functions

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_CAMEL_CASE = re.compile(r"[a-z]+[A-Z]\w*")


def interface_methods(
    sources: Iterable[SourceFile],
) -> Mapping[str, frozenset[str]]:
    """The methods of each class that derives from C{Interface}, by the class's name."""
    return {
        node.name: frozenset(method.name for method in functions(node))
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).endswith("Interface") for base in node.bases)
    }


def undocumented(
    source: SourceFile, contracts: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """
    The public names of a file that have no docstring.

    A method needs none where somebody else's contract holds: it implements a method of
    one of our interfaces, or it has a framework's spelling (C{camelCase}, which is kept
    for overriding Twisted's methods), or C{@overload} and property setters, whose
    description stands at the first of their name.

    @param contracts: as from L{interface_methods}.
    """
    if not source.is_package and ast.get_docstring(source.tree) is None:
        yield f"{source.path}:1: the module"
    yield from _in_block(source.path, source.tree, frozenset(), contracts)


def _in_block(
    path: str,
    block: ast.Module | ast.ClassDef,
    promised: Collection[str],
    contracts: Mapping[str, Collection[str]],
) -> Iterator[str]:
    for node in block.body:
        if not isinstance(node, Documented) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None and not _is_excused(node, block, promised):
            yield f"{path}:{node.lineno}: {node.name}"
        if isinstance(node, ast.ClassDef):
            yield from _in_block(path, node, _promised(node, contracts), contracts)


def _promised(
    node: ast.ClassDef, contracts: Mapping[str, Collection[str]]
) -> frozenset[str]:
    """The methods that a class's C{@implementer} takes on."""
    names = {
        ast.unparse(argument)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        and ast.unparse(decorator.func).endswith("implementer")
        for argument in decorator.args
    }
    return frozenset(method for name in names for method in contracts.get(name, ()))


def _is_excused(
    node: Documented, block: ast.Module | ast.ClassDef, promised: Collection[str]
) -> bool:
    if isinstance(node, ast.ClassDef):
        return False
    if isinstance(block, ast.ClassDef) and _CAMEL_CASE.fullmatch(node.name):
        return True
    decorators = {ast.unparse(each) for each in node.decorator_list}
    return (
        node.name in promised
        or f"{node.name}.setter" in decorators
        or not decorators.isdisjoint({"overload", "typing.overload"})
    )


def untold_tests(source: SourceFile) -> Iterator[str]:
    """The tests of a file that have no docstring."""
    for function in functions(source.tree):
        if function.name.startswith("test_") and ast.get_docstring(function) is None:
            yield f"{source.path}:{function.lineno}: {function.name}"
