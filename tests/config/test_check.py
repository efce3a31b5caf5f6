"""A look at the whole configuration."""

from collections.abc import Mapping
from types import MappingProxyType

from harakatw.config.check import check_files
from harakatw.config.connection import ConnectionOptions
from harakatw.config.core import LogOptions, ServerOptions
from harakatw.config.schema import OptionClass
from tests.config.folders import ConfigTestCase

CORE: Mapping[str, OptionClass] = MappingProxyType(
    {"smtp": ServerOptions, "connection": ConnectionOptions, "log": LogOptions}
)


class CheckTests(ConfigTestCase):
    """What a postmaster is told before a server starts."""

    def _wrong(self, *known: str) -> list[str]:
        found = check_files(self.files(), CORE, known)
        return [f"{problem.severity} {problem}" for problem in found]

    def test_nothing_wrong(self) -> None:
        """A right configuration is passed over in silence, strange files included."""
        self.write("smtp.ini", "nodes=2\n")
        self.write("me", "mx.example\n")
        self.write("README", "x")
        self.write("dkim/example.com/private", "x")
        self.assertEqual(self._wrong(), [])

    def test_sorted_and_once(self) -> None:
        """Problems come by file and line, each once."""
        self.write("smtp.json", "[]")
        self.write("smtp.ini", "nodse=2\nnodes=x\n")
        self.write("connection.ini", "[mox]\na=1\n")
        self.assertEqual(
            self._wrong(),
            [
                "error config/connection.ini:1: [mox]: unknown section, did you mean "
                "max?",
                "error config/smtp.ini:1: [main] nodse: unknown key, did you mean "
                "nodes?",
                "error config/smtp.ini:2: [main] nodes: 'x' is neither a number of "
                "processes nor cpus; 0 is used",
                "error config/smtp.json: expected an object",
            ],
        )

    def test_slip_in_a_file_name(self) -> None:
        """A name that is nearly right is told; copies of editors are not."""
        for name in ("smpt.ini", "host_lists", "loglevel~", "log.ini.bak", ".me.swp"):
            self.write(name, "")
        self.assertEqual(
            self._wrong("host_list"),
            [
                "error config/host_lists: nothing reads it, did you mean host_list?",
                "error config/smpt.ini: nothing reads it, did you mean smtp.ini?",
            ],
        )

    def test_known_folder(self) -> None:
        """A whole folder may be known."""
        self.write("tls/mx.example/key.pem", "")
        self.write("tls_key.pen", "")
        self.assertEqual(
            self._wrong("tls/*", "tls_key.pem"),
            ["error config/tls_key.pen: nothing reads it, did you mean tls_key.pem?"],
        )

    def test_retired(self) -> None:
        """Files of old Harakas are told with what to write instead."""
        self.write("databytes", "1000\n")
        self.write("outbound.disabled", "true\n")
        self.assertEqual(
            self._wrong(),
            [
                "notice config/databytes: has no effect: write connection.ini [max] "
                "bytes",
                "error config/outbound.disabled: has no effect: write outbound.ini "
                "disabled",
            ],
        )

    def test_javascript(self) -> None:
        """A configuration in JavaScript is not run."""
        self.write("smtp.ini.js", "module.exports = {}")
        self.assertEqual(
            self._wrong(),
            ["notice config/smtp.ini.js: is JavaScript, which is not run here"],
        )
