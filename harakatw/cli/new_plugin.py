"""
C{haraka -p}: begin a plugin, with a page and a test that passes.

@see: Haraka row CI07
"""

import re
from pathlib import Path
from typing import Final, TextIO

from harakatw.cli.create import write_files
from harakatw.cli.failure import CommandError
from harakatw.cli.instance import OpenInstance
from harakatw.cli.plugin_files import Origin, list_plugins
from harakatw.cli.skeleton import PAGE, PLUGIN, TEST

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*(/[a-z0-9][a-z0-9_.-]*)*", re.I)


def check_name(name: str) -> str:
    """
    Take a plugin's name if it is one: it becomes the names of files.

    @raise CommandError: if it is none.
    """
    if not _NAME.fullmatch(name) or ".." in name or name.endswith((".py", ".")):
        raise CommandError(
            f"{name!r} cannot be a plugin's name: letters, digits and . _ - only, in "
            "parts that / separates"
        )
    return name


def new_plugin(instance: OpenInstance, name: str, out: TextIO, *, force: bool) -> int:
    """
    Write the plugin's three files, and print what to do next.

    @param force: overwrite files that are there, or take a bundled plugin's name.
    @raise CommandError: if the name is none or taken, or a file cannot be written.
    """
    files = plugin_files(check_name(name))
    if not force:
        _refuse_to_hide(instance, name)
        _refuse_to_overwrite(instance.directory, files)
    write_files(instance.directory, files)
    test = list(files)[-1]
    print("written:", *(f"  {path}" for path in files), sep="\n", file=out)
    print(_next_steps(instance, name, test), file=out)
    return 0


def plugin_files(name: str) -> dict[str, str]:
    """
    What a new plugin consists of: plugin, page and test.

    @return: text by path within the instance.
    """
    test = f"tests/test_{re.sub('[^A-Za-z0-9]', '_', name)}.py"
    words = {"name": name, "cls": class_name(name), "test": test}
    return {
        f"plugins/{name}.py": PLUGIN.format(**words),
        f"docs/plugins/{name}.md": PAGE.format(**words),
        test: TEST.format(**words),
    }


def class_name(name: str) -> str:
    """
    A name for the plugin's class: C{RcptToDisposablePlugin} for
    C{rcpt_to.disposable}.

    With its ending it is no keyword, and none of the names that plugins import.
    """
    words = "".join(word.capitalize() for word in re.split("[^A-Za-z0-9]+", name))
    return f"{'' if words[:1].isalpha() else 'The'}{words}Plugin"


def _refuse_to_hide(instance: OpenInstance, name: str) -> None:
    for plugin in list_plugins(instance.search):
        if plugin.name == name and plugin.origin is not Origin.LOCAL:
            raise CommandError(
                f"{name} is a plugin that there is already, which yours would hide: "
                "take another name, or say -f"
            )


def _refuse_to_overwrite(directory: Path, files: dict[str, str]) -> None:
    there = [path for path in files if (directory / path).exists()]
    if there:
        raise CommandError(f"there is {there[0]} already; -f overwrites it")


def _next_steps(instance: OpenInstance, name: str, test: str) -> str:
    directory = instance.directory
    return f"""
next:
  edit plugins/{name}.py; the reference of hooks is in the manual
  try its test:       cd {directory} && trial {test}
  have it asked:      put {name} into config/plugins, before the plugins that accept
  check the whole:    haraka check -c {directory}"""
