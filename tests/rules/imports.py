"""What a file of the package imports, and which arrows that draws."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from tests.rules.source import SourceFile, functions


@attrs.frozen
class Import:
    """
    One name that a file imports.

    @ivar importer: the module that the statement stands in.
    @ivar target: the module imported from, as far as the statement tells: the longest
        dotted name, of which the last part may be a name inside the module.
    @ivar line: where the statement stands, counted from 1.
    @ivar for_types_only: does it stand under C{if TYPE_CHECKING}?
    """

    importer: str
    target: str
    line: int
    for_types_only: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def imports_of(source: SourceFile) -> Iterator[Import]:
    """Every name that a file imports by a statement, wherever the statement stands."""
    typing_only = {
        child
        for node in ast.walk(source.tree)
        if isinstance(node, ast.If) and _is_type_checking(node.test)
        for statement in node.body
        for child in ast.walk(statement)
    }
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for target in _targets(node):
            yield Import(source.name, target, node.lineno, node in typing_only)


def _targets(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{node.module or ''}.{alias.name}" for alias in node.names]


def _is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def imports_from(target: str, module: str) -> bool:
    """Does an import of C{target} reach C{module} or something in it?"""
    return target == module or target.startswith(f"{module}.")


def forbidden_forms(source: SourceFile) -> Iterator[str]:
    """Imports that are relative, take everything, or hide in a function."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                yield f"{source.path}:{node.lineno}: relative import"
            if any(alias.name == "*" for alias in node.names):
                yield f"{source.path}:{node.lineno}: wildcard import"
    for function in functions(source.tree):
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield f"{source.path}:{node.lineno}: import in {function.name}()"


def module_graph(
    sources: Iterable[SourceFile], *, with_types: bool
) -> Mapping[str, frozenset[str]]:
    """
    Which module of the given ones imports which others of them.

    @param with_types: count imports that only a type checker carries out?
    """
    sources = tuple(sources)
    known = frozenset(source.name for source in sources)
    return {
        source.name: frozenset(
            module
            for found in imports_of(source)
            if with_types or not found.for_types_only
            for module in (resolve(found.target, known),)
            if module and module != source.name
        )
        for source in sources
    }


def resolve(target: str, known: frozenset[str]) -> str:
    """The module that C{target} is or is in, or C{""} if it is none of ours."""
    while target and target not in known:
        target = target.rpartition(".")[0]
    return target


def reachable(graph: Mapping[str, frozenset[str]], starts: Iterable[str]) -> set[str]:
    """The modules that are loaded when C{starts} are, these included."""
    waiting = list(starts)
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += graph.get(module, ())
    return seen


def find_cycle(graph: Mapping[str, frozenset[str]]) -> Sequence[str]:
    """One ring of modules that import each other, shortest first; empty if none."""
    rings = [ring for module in sorted(graph) if (ring := _way_back(graph, module))]
    return min(rings, key=len, default=())


def _way_back(graph: Mapping[str, frozenset[str]], start: str) -> tuple[str, ...]:
    """The shortest way from a module to itself, breadth first."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for following in sorted(graph.get(way[-1], ())):
            if following == start:
                return (*way, start)
            if following not in seen:
                seen.add(following)
                ways.append((*way, following))
    return ()
