"""
C{haraka -h NAME}: the page of a plugin or of a topic.

@see: Haraka row CI03
"""

import difflib
import inspect
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

import harakatw
from harakatw.cli.failure import CommandError
from harakatw.cli.instance import OpenInstance
from harakatw.cli.plugin_files import bundled_options, list_plugins, options_of
from harakatw.config.reference import render_reference
from harakatw.errors import PluginError
from harakatw.hook_rules import HOOK_RULES
from harakatw.hooks.declared import HOOK_INTERFACES, declared_hooks
from harakatw.hooks.loader import plugin_class
from harakatw.hooks.search import PluginSearch, relative_paths, successor
from harakatw.process.plugin_host import plugin_search
from harakatw.process.settings import CORE

_NAME: Final = re.compile(r"\w[\w.@-]*(/\w[\w.-]*)*", re.ASCII)
_MARKUP: Final = re.compile(r"[CLIB]\{([^{}]*)\}")


def show_page(
    name: str, instance: OpenInstance | None, pager: str | None, out: TextIO
) -> int:
    """
    Show a page.

    @param name: of a plugin, which C{plugins/} may precede, or of a page of the manual.
    @param instance: whose pages come first, if any.
    @param pager: the command of C{$PAGER}, asked only if C{out} is a terminal.
    @raise CommandError: if there is no such page.
    """
    text = find_page(name, instance)
    if not (pager and out.isatty() and _paged(text, pager)):
        out.write(text)
    return 0


def _paged(text: str, pager: str) -> bool:
    """Did the pager take it?"""
    try:
        command = shlex.split(pager)
        subprocess.run(command, input=text, text=True, check=False)
    except (OSError, ValueError, IndexError):
        return False
    return True


def find_page(name: str, instance: OpenInstance | None) -> str:
    """
    A page's text: the instance's own, then the manual's, which a checkout has; a plugin
    without a page is described by its code.

    @raise CommandError: if there is none.
    """
    plain = name.removesuffix(".md").removeprefix("plugins/")
    if not _NAME.fullmatch(plain) or ".." in plain:
        raise CommandError(f"{name!r} is no name of a page")
    for candidate in dict.fromkeys((plain, successor(plain))):
        for folder in _folders(instance):
            for path in _paths(candidate):
                if (folder / path).is_file():
                    return (folder / path).read_text("utf-8")
    return _made_page(successor(plain), instance)


def _folders(instance: OpenInstance | None) -> Iterator[Path]:
    if instance is not None:
        yield instance.directory / "docs"
    checkout = manual_folder()
    if checkout is not None:
        yield checkout


def manual_folder() -> Path | None:
    """
    The manual's sources, if this is a checkout: beside an installed package C{docs/}
    would be somebody else's.
    """
    root = Path(next(iter(harakatw.__path__))).parent
    return root / "docs" if (root / "setup.cfg").is_file() else None


def _paths(name: str) -> Iterator[str]:
    """Where a page may be below a folder of pages, best first."""
    forms = [path.removesuffix(".py") for path in relative_paths(name)]
    for form in dict.fromkeys((*forms, name.replace("/", "."))):
        yield f"plugins/{form}.md"
    yield f"{name}.md"


def _made_page(name: str, instance: OpenInstance | None) -> str:
    """A page from the code."""
    search = plugin_search() if instance is None else instance.search
    if name == "configuration":
        return render_reference([*CORE, *bundled_options(search)])
    if name == "hooks":
        return _hooks_page()
    names = [plugin.name for plugin in list_plugins(search)]
    if name not in names:
        known = (*names, "configuration", "hooks")
        near = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]}?" if near else "; haraka -l lists plugins"
        raise CommandError(f"there is no page about {name}{hint}")
    try:
        return _plugin_page(name, search)
    except PluginError as error:
        raise CommandError(str(error)) from error


def _hooks_page() -> str:
    rows = [
        f"| {hook} | {HOOK_INTERFACES[hook].__name__} | {rule.when} |"
        for hook, rule in HOOK_RULES.items()
    ]
    head = ("# Hooks", "", "| hook | interface | when |", "|---|---|---|")
    return "\n".join((*head, *rows)) + "\n"


def _prose(docstring: str | None) -> str:
    """A docstring without its fields, which are for those who read the code."""
    text = re.split(r"^@", inspect.cleandoc(docstring or ""), maxsplit=1, flags=re.M)[0]
    return text.strip()


def _plugin_page(name: str, search: PluginSearch) -> str:
    """
    What a plugin's code says of it.

    @raise PluginError: if it cannot be imported.
    """
    module = search.load(name)
    cls = plugin_class(name, module)
    words = [_prose(it.__doc__) for it in (module, cls)]
    hooks = [f"- {hook.hook}: {hook.method}" for hook in declared_hooks(name, cls)]
    parts = [f"# {name}", *filter(None, words), "## Hooks", "\n".join(hooks)]
    options = options_of(search, name)
    if options is not None:
        table = render_reference([(name, options)], "Options")
        parts.append(re.sub("^#", "##", table, flags=re.M))
    return _MARKUP.sub(r"\1", "\n\n".join(parts)) + "\n"
