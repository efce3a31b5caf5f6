"""
Results: what plugins found out, for other plugins, for the log, and for whoever asks
why.

Each plugin has five lists, C{pass}, C{fail}, C{msg}, C{err} and C{skip}, and as many
values of its own as it likes. Because C{pass} is a word of Python, the argument is
C{passed}; the list keeps its name: C{results.get("karma")["pass"]}. The core keeps
results too, under the names C{local}, C{remote}, C{helo}, C{mail_from}, C{rcpt_to},
C{queue}, C{outbound}, C{auth}, C{relay}, C{disconnect} and C{reset}.

@see: Haraka rows RS01 to RS04
"""

import re
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

import attrs

LISTS: Final = ("pass", "fail", "msg", "err", "skip")
"""The lists that every plugin has, in the order in which they are logged."""

MAX_LOGGED_CHARACTERS: Final = 512
"""Of one value; a list of a thousand URLs shall not fill the log."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_LOGGED = frozenset(("hide", "order", "human", "human_html"))


class Named(Protocol):
    """A plugin, as far as results are concerned."""

    @property
    def name(self) -> str:
        """Its name in C{config/plugins}."""


Source = str | Named
"""Who found out: a plugin, or the name of one or of a well-known store."""


@attrs.frozen
class ResultDisplay:
    """
    One plugin's section of C{config/results.ini}.

    @ivar hide: values that L{Results.collate} leaves out.
    @ivar order: values that stand first.
    @ivar debug: log the results each time they change.
    """

    hide: frozenset[str] = frozenset()
    order: tuple[str, ...] = ()
    debug: bool = False


@attrs.frozen
class ResultSettings:
    """
    C{config/results.ini}.

    @ivar plugins: a section by the name of its plugin.
    """

    plugins: Mapping[str, ResultDisplay] = MappingProxyType({})

    def of(self, name: str) -> ResultDisplay:
        """The section of one plugin, or an empty one."""
        return self.plugins.get(name, _PLAIN)


_PLAIN: Final = ResultDisplay()
_DEFAULTS: Final = ResultSettings()


class Result(dict[str, Any]):
    """What one plugin found out. Each of L{LISTS} may be asked for, also when empty."""

    __slots__ = ()

    def __missing__(self, name: str) -> tuple[()]:
        if name in LISTS:
            return ()
        raise KeyError(name)


@attrs.define(eq=False)
class Results:
    """
    The results of one connection or transaction. Allocates nothing until the first.

    @ivar emit: is given one line for the log when a plugin asks for it, reports an
        error, or is debugged; L{None} drops it.
    @ivar watch: is given each new result as it is stored, with the name of its plugin,
        for C{redis_publish} and the like; L{None} for nobody.
    """

    _settings: ResultSettings = _DEFAULTS
    emit: Callable[[str], None] | None = None
    watch: Callable[[str, Mapping[str, object]], None] | None = None
    _stored: dict[str, Result] | None = attrs.field(default=None, init=False)

    def add(
        self,
        plugin: Source,
        /,
        *,
        passed: object = None,
        fail: object = None,
        msg: object = None,
        err: object = None,
        skip: object = None,
        emit: bool = False,
        **values: object,
    ) -> None:
        """
        Store what was found.

        The first five append to their lists: one thing, or all of a list; L{None} is
        nothing. An C{err} is logged at once, an exception as its text.

        @param emit: log all that is known of this plugin, once this is stored.
        @param values: replace what was stored under their names. C{hide} and C{order}
            are lists of names and replace what C{results.ini} says, C{human} is logged
            instead of everything, a name that begins with C{_} never is.
        """
        if "pass" in values:  # add(..., **{"pass": "spf"})
            passed = (*_as_list(passed), *_as_list(values.pop("pass")))
        name, result = self._result(plugin)
        news: dict[str, object] = {}
        given = (passed, fail, msg, err, skip)
        for key, found in zip(LISTS, given, strict=True):
            if found is not None:  # mostly one of five: this runs for each message
                items = list(_as_list(found))
                if items:
                    news[key] = items
                    result.setdefault(key, []).extend(items)
        if values:
            result.update(values)
            news.update(values)
        self._tell(name, news, emit or "err" in news)

    def push(self, plugin: Source, /, **items: object) -> None:
        """
        Append to lists, made as needed.

        @raise ValueError: if something else is stored under such a name.
        """
        name, result = self._result(plugin)
        for key, item in items.items():
            stored = result.setdefault(key, [])
            if not isinstance(stored, list):
                raise ValueError(f"result {key!r} of {name} is not a list")
            stored.extend(_as_list(item))
        self._tell(name, items)

    def incr(self, plugin: Source, /, **amounts: float) -> None:
        """
        Add to counters, which begin at 0.

        @raise ValueError: if something else than a number is stored under such a name.
        """
        name, result = self._result(plugin)
        for key, amount in amounts.items():
            stored = result.get(key, 0)
            if not isinstance(stored, int | float):
                raise ValueError(f"result {key!r} of {name} is not a number")
            result[key] = stored + amount
        self._tell(name, amounts)

    def has(self, plugin: Source, name: str, wanted: object) -> bool:
        """
        Was this found?

        @param name: a list or a value.
        @param wanted: what is stored there, in full; or a compiled pattern that matches
            somewhere in it.
        """
        stored = self.get(plugin).get(name, ())
        for item in stored if isinstance(stored, list | tuple) else (stored,):
            if isinstance(wanted, re.Pattern):
                if wanted.search(str(item)):
                    return True
            elif item == wanted:
                return True
        return False

    def get(self, plugin: Source) -> Result:
        """What a plugin stored; empty, hence false, if it stored nothing."""
        found = self._stored and self._stored.get(_name(plugin))
        return found or Result()

    def forget(self, plugin: Source) -> None:
        """Drop all that a plugin stored."""
        if self._stored:
            self._stored.pop(_name(plugin), None)

    def get_all(self) -> Mapping[str, Result]:
        """What all plugins stored, by their names."""
        return MappingProxyType(self._stored or {})

    def collate(self, plugin: Source) -> str:
        """
        One line for the log: first what C{order} names, then the plugin's own values,
        then the lists. No control character is in it, and empty lists are not.
        """
        result = self.get(plugin)
        if "human" in result:
            return _text(result["human"])
        display = self._settings.of(_name(plugin))
        hide = _as_list(result.get("hide", display.hide))
        order = _as_list(result.get("order", display.order))
        own = [name for name in result if name not in LISTS]
        return "; ".join(
            f"{_text(name)}: {_text(result[name])}"
            for name in dict.fromkeys((*order, *own, *LISTS))
            if result.get(name) not in (None, [], "")
            and not (name in hide or name in _NOT_LOGGED or name.startswith("_"))
        )

    def _result(self, plugin: Source) -> tuple[str, Result]:
        if self._stored is None:
            self._stored = {}
        name = _name(plugin)
        result = self._stored.get(name)
        if result is None:
            result = self._stored[name] = Result()
        return name, result

    def _tell(self, name: str, news: Mapping[str, object], emit: bool = False) -> None:
        if self.watch is not None:
            self.watch(name, news)
        if self.emit is not None and (emit or self._settings.of(name).debug):
            self.emit(f"{_text(name)}: {self.collate(name)}")


def _name(plugin: Source) -> str:
    return plugin if isinstance(plugin, str) else plugin.name


def _as_list(found: object) -> Collection[Any]:
    if found is None:
        return ()
    if isinstance(found, list | tuple | set | frozenset):
        return found
    return (str(found) if isinstance(found, BaseException) else found,)


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    text = str(value)
    if len(text) > MAX_LOGGED_CHARACTERS:
        text = text[:MAX_LOGGED_CHARACTERS] + "..."
    return _CONTROL.sub("?", text)
