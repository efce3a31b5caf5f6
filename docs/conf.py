"""How Sphinx builds the manual."""

import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

from harakatw.version import __version__  # noqa: E402  # only now it can be found

project = "harakatw"
author = "The harakatw authors"
project_copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "docs._ext.hook_pages",
    "docs._ext.option_pages",
    "docs._ext.specification_pages",
]
exclude_patterns = ["_build", "_ext"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
html_theme = "alabaster"
html_theme_options = {"description": "An SMTP server made of plugins"}
