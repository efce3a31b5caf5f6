"""Puts generated pages among the written ones."""

from pathlib import Path


def write_page(path: Path, text: str) -> bool:
    """
    Write a page unless it says so already, so that Sphinx does not read it again.

    @return: was it written?
    """
    if path.is_file() and path.read_text("utf-8") == text:
        return False
    path.write_text(text, "utf-8")
    return True
