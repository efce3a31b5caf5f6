"""Finds state that all servers of one process would share."""

import ast
from collections.abc import Iterator

from tests.rules.source import SourceFile

_MUTABLE_DISPLAYS = (
    ast.List,
    ast.Dict,
    ast.Set,
    ast.ListComp,
    ast.DictComp,
    ast.SetComp,
)

_MUTABLE_FACTORIES = frozenset(
    (
        "Counter",
        "OrderedDict",
        "Queue",
        "SimpleQueue",
        "WeakKeyDictionary",
        "WeakSet",
        "WeakValueDictionary",
        "bytearray",
        "count",
        "cycle",
        "defaultdict",
        "deque",
        "dict",
        "list",
        "set",
    )
)

_FROZEN_TYPES = frozenset(
    (
        "Collection",
        "Iterable",
        "Mapping",
        "Sequence",
        "Set",
        "AbstractSet",
        "Container",
    )
)
"""Without a method that changes them, so that mypy refuses a change."""


def shared_state(source: SourceFile) -> Iterator[str]:
    """
    Module and class attributes that can change, and C{global} statements.

    A table is fine when its name is a constant's (at module level) and nobody can
    change it: wrapped in C{MappingProxyType}, C{frozenset} or C{tuple}, or declared as
    a type without a method for it, such as C{Mapping}. C{Final} alone only keeps the
    name from being bound again.
    """
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Global):
            yield f"{source.path}:{node.lineno}: global {', '.join(node.names)}"
        if isinstance(node, ast.Module | ast.ClassDef):
            yield from _in_block(source, node)


def _in_block(source: SourceFile, block: ast.Module | ast.ClassDef) -> Iterator[str]:
    for statement in block.body:
        for name, annotation, value in _assignments(statement):
            if name == "__all__" or not _is_mutable(value):
                continue
            where = f"{source.path}:{statement.lineno}: {name}"
            if not _is_frozen_type(annotation):
                yield f"{where} can be changed: wrap it or declare it as Mapping"
            elif isinstance(block, ast.Module) and not name.isupper():
                yield f"{where} is a constant: spell it in capitals"


def _assignments(
    statement: ast.stmt,
) -> Iterator[tuple[str, ast.expr | None, ast.expr]]:
    """The names that a statement binds, with annotation and value."""
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        yield ast.unparse(statement.target), statement.annotation, statement.value
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield ast.unparse(target), None, statement.value


def _is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return _last_name(value.func) in _MUTABLE_FACTORIES
    return isinstance(value, _MUTABLE_DISPLAYS)


def _is_frozen_type(annotation: ast.expr | None) -> bool:
    """Is this C{Mapping[...]} or the like, perhaps in C{Final[...]}?"""
    if isinstance(annotation, ast.Subscript):
        outer = _last_name(annotation.value)
        if outer in ("Final", "ClassVar"):
            return _is_frozen_type(annotation.slice)
        return outer in _FROZEN_TYPES
    return annotation is not None and _last_name(annotation) in _FROZEN_TYPES


def _last_name(expression: ast.expr) -> str:
    return ast.unparse(expression).rpartition(".")[2]
