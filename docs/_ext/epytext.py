"""Turns the docstrings of interfaces, which are epytext, into Markdown."""

import inspect
import re

_MARKUP = re.compile(r"([CLIB])\{([^{}]*)\}")
_AROUND = (("C", "`"), ("L", "`"), ("I", "*"), ("B", "**"))
_FIELD = re.compile(r"@(\w+)(?: +(\w+))?: *")
_TITLES = (("return", "Returns"), ("raise", "Raises"), ("see", "See"))


def to_markdown(docstring: str) -> str:
    """
    Convert a docstring: its paragraphs, then its fields as a list.

    @param docstring: as it stands in the source, indented.
    @return: text without a line end.
    """
    body: list[str] = []
    fields: list[list[str]] = []
    for line in inspect.cleandoc(docstring).split("\n"):
        start = _FIELD.match(line)
        if start:
            fields.append([_title(start[1], start[2] or ""), line[start.end() :]])
        elif fields and line.strip():
            fields[-1].append(line.strip())
        elif not fields:
            body.append(line)
    listed = [f"- {' '.join(words)}" for words in fields]
    paragraphs = ["\n".join(body).strip(), "\n".join(listed)]
    return _inline("\n\n".join(filter(None, paragraphs)))


def _title(field: str, argument: str) -> str:
    if field == "param":
        return f"`{argument}`:"
    title = dict(_TITLES).get(field, field.capitalize())
    return f"{title} `{argument}`:" if argument else f"{title}:"


def _inline(text: str) -> str:
    around = dict(_AROUND)
    return _MARKUP.sub(lambda m: f"{around[m[1]]}{m[2]}{around[m[1]]}", text)
