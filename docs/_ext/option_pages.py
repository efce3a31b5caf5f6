"""
Writes the manual's page of all options, from the option classes.

A Sphinx extension; the page is C{configuration.md} among the manual's sources.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from docs._ext.pages import write_page
from harakatw.config.reference import render_reference
from tests.rules.option_classes import option_classes

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: "Sphinx") -> dict[str, bool]:
    """Have the page written before Sphinx looks for sources."""
    page = Path(app.srcdir) / "configuration.md"
    app.connect(
        "builder-inited",
        lambda _: write_page(page, render_reference(option_classes())),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
