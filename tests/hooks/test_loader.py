"""Making one plugin: its class, its options, and what it is given."""

from harakatw.errors import PluginError
from harakatw.hooks.declared import DeclaredHook
from tests.hooks.instances import RCPT_PLUGIN, InstanceTestCase

WITH_OPTIONS = """
import attrs
from harakatw.plugin import OK, IRcptHook, doc, ge, implementer

@attrs.frozen(kw_only=True)
class LimitOptions:
    limit: int = attrs.field(
        default=5, validator=ge(1), metadata=doc("How many.", unit="things")
    )

@implementer(IRcptHook)
@attrs.frozen
class Limit:
    options: LimitOptions
    name: str
    clock: object
    extra: object = None

    def hook_rcpt(self, connection, recipient, params):
        return OK
"""

WITH_SHARED = """
import attrs
from harakatw.plugin import AuthPlugin

class Users(AuthPlugin):
    @property
    def problems(self):
        yield "mine"

    def get_plain_passwd(self, user, connection):
        return None
"""


class LoaderTests(InstanceTestCase):
    """What a plugin is made of."""

    def _wrong(self, code: str, name: str = "mine") -> str:
        self.write_plugin(name, code)
        return str(self.assertRaises(PluginError, self.loader().load, name))

    def test_simple(self) -> None:
        """A class with a hook is a plugin."""
        self.write_plugin("mine", RCPT_PLUGIN)
        plugin = self.loader().load("mine")
        self.assertEqual((plugin.name, plugin.timeout_seconds), ("mine", 30))
        self.assertEqual(plugin.hooks, (DeclaredHook("rcpt", "hook_rcpt", 0),))
        self.assertEqual(plugin.source, str((self.plugins / "mine.py").resolve()))

    def test_given(self) -> None:
        """It is given what it names: options, its own name, and services."""
        self.services["clock"] = self.clock
        self.write_plugin("mine", WITH_OPTIONS)
        (self.config / "mine.ini").write_text("limit = 7\n")
        plugin = self.loader().load("mine")
        self.assertEqual(plugin.instance.options.limit, 7)
        self.assertEqual(plugin.instance.name, "mine")
        self.assertIs(plugin.instance.clock, self.clock)
        self.assertIsNone(plugin.instance.extra)
        self.assertIn("mine.ini", plugin.files)

    def test_optional_service(self) -> None:
        """A service with a default is given where there is one."""
        self.services.update(clock=self.clock, extra="more")
        self.write_plugin("mine", WITH_OPTIONS)
        self.assertEqual(self.loader().load("mine").instance.extra, "more")

    def test_shared_options(self) -> None:
        """Options that plugins share come from the file that their class names."""
        self.write_plugin("mine", WITH_SHARED)
        (self.config / "auth.ini").write_text("max_failures = 2\nmax_delay = soon\n")
        plugin = self.loader().load("mine")
        self.assertEqual(plugin.instance.auth.max_failures, 2)
        self.assertIn("auth.ini", plugin.files)
        first, *rest = map(str, plugin.problems)
        self.assertIn("auth.ini:2: [main] max_delay", first)
        self.assertEqual(rest, ["mine"])

    def test_bad_option(self) -> None:
        """A bad value is reported with its file, and the default holds."""
        self.services["clock"] = self.clock
        self.write_plugin("mine", WITH_OPTIONS)
        (self.config / "mine.ini").write_text("limit = 0\n")
        plugin = self.loader().load("mine")
        self.assertEqual(plugin.instance.options.limit, 5)
        self.assertIn("mine.ini", str(plugin.problems[0]))

    def test_missing_service(self) -> None:
        """A plugin that wants what there is not: it is told what there is."""
        self.services["threads"] = None
        wrong = self._wrong(WITH_OPTIONS)
        self.assertIn("plugin mine: wants 'clock'", wrong)
        self.assertIn("threads", wrong)

    def test_cannot_be_made(self) -> None:
        """A constructor that raises is the plugin's mistake, by its name."""
        code = RCPT_PLUGIN + "\n    def __init__(self):\n        1 / 0\n"
        self.assertIn("plugin mine: cannot be made", self._wrong(code))

    def test_no_class(self) -> None:
        """A file without a plugin class is no plugin."""
        self.assertIn("no class with hooks", self._wrong("x = 1"))

    def test_imported_class(self) -> None:
        """A class that was only imported does not count."""
        code = "from tests.sessions import Mailbox\n"
        self.assertIn("no class with hooks", self._wrong(code))

    def test_several_classes(self) -> None:
        """Two classes with hooks: one must be said to be the plugin."""
        two = RCPT_PLUGIN + RCPT_PLUGIN.replace("class Plugin", "class Other")
        self.assertIn("several classes with hooks (Plugin, Other)", self._wrong(two))
        self.write_plugin("mine", two + "\nplugin = Other\n")
        self.assertEqual(type(self.loader().load("mine").instance).__name__, "Other")

    def test_forgotten_implementer(self) -> None:
        """A class that forgot to say @implementer is found, and told."""
        code = RCPT_PLUGIN.replace("@implementer(IRcptHook)", "")
        self.assertIn("@implementer(IRcptHook)", self._wrong(code))

    def test_time_out(self) -> None:
        """<plugin>.timeout says how long it may take (RG07); 0 is for ever."""
        self.write_plugin("mine", RCPT_PLUGIN)
        for text, seconds in (("7", 7), ("0", 0), ("1.5", 1.5)):
            (self.config / "mine.timeout").write_text(text + "\n")
            plugin = self.loader().load("mine")
            self.assertEqual(plugin.timeout_seconds, seconds)
            self.assertIn("mine.timeout", plugin.files)
            self.assertEqual(plugin.problems, ())

    def test_bad_time_out(self) -> None:
        """A time-out that is no number is reported, and the usual one holds."""
        self.write_plugin("mine", RCPT_PLUGIN)
        for text in ("soon", "nan", "inf", "-3"):
            (self.config / "mine.timeout").write_text(text)
            plugin = self.loader().load("mine")
            self.assertEqual(plugin.timeout_seconds, 30, text)
            self.assertIn("mine.timeout", str(plugin.problems[0]))

    def test_shipped_defaults(self) -> None:
        """A plugin may bring a config folder; the instance's lies over it (CL07)."""
        self.services["clock"] = self.clock
        self.write_plugin("mine", WITH_OPTIONS)
        shipped = self.plugins / "config"
        shipped.mkdir()
        (shipped / "mine.ini").write_text("limit = 9\n")
        self.assertEqual(self.loader().load("mine").instance.options.limit, 9)
        (self.config / "mine.ini").write_text("limit = 11\n")
        self.assertEqual(self.loader().load("mine").instance.options.limit, 11)
