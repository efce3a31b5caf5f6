"""Instances to try the command on."""

import io
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.cli.create import write_files
from harakatw.cli.instance import OpenInstance, open_instance
from harakatw.cli.services import make_services

RULES = '''\
"""Rules on recipients."""

from harakatw.plugin import *


@implementer(IRcptHook)
class Rules:
    def hook_rcpt(self, connection, recipient, params):
        return {verdict}
'''


class InstanceTestCase(SynchronousTestCase):
    """
    Has an instance of its own.

    @ivar directory: where it is.
    @ivar out: what was printed.
    """

    def setUp(self) -> None:
        """Make an empty instance."""
        self.directory = Path(self.mktemp())
        (self.directory / "config").mkdir(parents=True)
        self.out = io.StringIO()

    def write(self, **files: str) -> None:
        """Write files of C{config/}; C{smtp_ini} is C{smtp.ini}."""
        for name, text in files.items():
            path = f"config/{name.replace('_ini', '.ini')}"
            write_files(self.directory, {path: text})

    def plugin(self, name: str, verdict: str) -> None:
        """Write a plugin of the instance that gives a verdict on recipients."""
        text = RULES.format(verdict=verdict)
        write_files(self.directory, {f"plugins/{name}.py": text})

    def instance(self) -> OpenInstance:
        """The instance as it stands now."""
        return open_instance(self.directory)

    def services(self, reactor: Any = None) -> Any:
        """What its plugins may ask for."""
        return make_services(self.instance(), reactor or Clock())

    def printed(self) -> str:
        """All that was printed."""
        return self.out.getvalue()
