"""How results of plugins are shown in the log (Haraka rows CF85 and RS03)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import attrs

from harakatw.config.options import doc, other_sections
from harakatw.results import ResultDisplay, ResultSettings


@attrs.frozen(kw_only=True)
class ResultSection:
    """One plugin's section."""

    hide: tuple[str, ...] = attrs.field(
        default=(), metadata=doc("Values that are not shown.")
    )
    order: tuple[str, ...] = attrs.field(
        default=(), metadata=doc("Values that stand first.")
    )
    debug: bool = attrs.field(
        default=False, metadata=doc("Log the results each time that they change?")
    )


@attrs.frozen(kw_only=True)
class ResultsOptions:
    """A section for each plugin whose results are to be shown in another way."""

    config_file: ClassVar[str] = "results.ini"
    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"main.redis_publish": "results are not published yet"}
    )

    plugins: Mapping[str, ResultSection] = attrs.field(
        factory=lambda: MappingProxyType({}),
        metadata=other_sections("What to show of the results of the plugin so named."),
    )

    @property
    def settings(self) -> ResultSettings:
        """The same as a value that L{harakatw.results} understands."""
        return ResultSettings(
            {
                name: ResultDisplay(frozenset(each.hide), each.order, each.debug)
                for name, each in self.plugins.items()
            }
        )
