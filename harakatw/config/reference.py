"""The page of all options in MyST Markdown, written from the option classes."""

from collections.abc import Iterable, Iterator

from harakatw.config.samples import facts
from harakatw.config.schema import Option, OptionClass, item_type, options, shown


def render_reference(
    pairs: Iterable[tuple[str, OptionClass]], title: str = "Configuration reference"
) -> str:
    """
    One table for each file, in the order in which the classes name them.

    @param pairs: owners' names and their option classes.
    @return: a page that ends with a line end.
    """
    files: dict[str, list[Option]] = {}
    for name, cls in pairs:
        for option in options(cls, name):
            files.setdefault(option.source.file, []).append(option)
    lines = [f"# {title}"]
    for file, inside in files.items():
        lines += ["", f"## {file}", "", *_table(inside)]
    return "\n".join(lines) + "\n"


def _table(inside: list[Option]) -> Iterator[str]:
    yield "| Option | Default | Values | Meaning |"
    yield "|---|---|---|---|"
    for option in inside:
        yield from _rows(option)


def _rows(option: Option) -> Iterator[str]:
    yield _row(_place(option), option)
    if option.source.kind == "sections":
        for inner in options(item_type(option), ""):
            yield _row(f"`[...] {inner.source.key}`", inner)


def _row(place: str, option: Option) -> str:
    default = "" if isinstance(option.default, dict) else shown(option.default)
    cells = (place, f"`{default}`" if default else "", facts(option))
    text = " | ".join(_cell(cell) for cell in (*cells, option.source.text))
    return f"| {text} |"


def _place(option: Option) -> str:
    source = option.source
    places = {
        "key": f"`[{source.section}] {source.key}`",
        "section": f"`[{source.section}]`, any key",
        "sections": "any other section",
        "list": "a line for each item",
        "value": "its first line",
        "data": "all lines",
        "json": "JSON or YAML",
    }
    return places[source.kind]


def _cell(text: str) -> str:
    """Text that may stand in a table."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
