"""Reading a configuration directory, whatever is in it."""

import errno
import os
from pathlib import Path

from harakatw.config.files import ConfigFiles, Read, normal_name
from harakatw.config.problems import BadFile
from tests.config.folders import ConfigTestCase


def complaints(read: Read[object]) -> list[str]:
    """What is wrong, as it is shown."""
    return [str(problem) for problem in read.problems]


class ReadTests(ConfigTestCase):
    """One file, in each of the formats."""

    def test_formats(self) -> None:
        """A file is read as whoever asks wants it."""
        self.write("x", "# c\n one \ntwo\n")
        files = self.files()
        self.assertEqual(files.read_list("x").value, ("one", "two"))
        self.assertEqual(files.read_value("x").value, "one")
        self.assertEqual(files.read_data("x").value, ("# c", " one ", "two"))
        self.assertEqual(files.read_binary("x").value, b"# c\n one \ntwo\n")

    def test_ini(self) -> None:
        """A key knows its file as a postmaster would name it."""
        self.write("x.ini", "a=1\nwhat is this\n")
        read = self.files().read_ini("x.ini")
        self.assertEqual(read.value.section("main")["a"].file, "config/x.ini")
        self.assertEqual(
            complaints(read),
            ["config/x.ini:2: 'what is this' is neither [section] nor key = value"],
        )

    def test_absent(self) -> None:
        """A file that is not there is no problem."""
        read = self.files().read_list("host_list")
        self.assertEqual((read.value, read.is_present, read.problems), ((), False, ()))
        self.assertIn("host_list", read.names)
        self.assertFalse(self.files().read_value("a/b/c").is_present)

    def test_no_directory(self) -> None:
        """An instance without config runs on defaults."""
        files = ConfigFiles(self.directory / "none")
        self.assertFalse(files.read_ini("smtp.ini").is_present)
        self.assertEqual(files.names(), ())

    def test_file_in_the_way(self) -> None:
        """A file where a folder is looked for is as good as no folder."""
        self.write("tls", "x")
        self.assertFalse(self.files().read_binary("tls/key.pem").is_present)

    def test_unreadable(self) -> None:
        """Folders, pipes, circles of links and foreign letters are told, not raised."""
        (self.directory / "me").mkdir()
        os.mkfifo(self.directory / "pipe")
        (self.directory / "loop").symlink_to("loop")
        self.write("latin", b"ok\n\xfc\n")
        files = self.files()
        long = "n" * 300
        wrong = {
            "me": "config/me: is a directory, not a file",
            "pipe": "config/pipe: is a pipe, socket or device, not a file",
            "loop": f"config/loop: cannot be read: {os.strerror(errno.ELOOP)}",
            "latin": "config/latin:2: is not UTF-8 text",
            long: f"config/{long}: cannot be read: {os.strerror(errno.ENAMETOOLONG)}",
        }
        for name, expected in wrong.items():
            read = files.read_value(name)
            self.assertEqual(complaints(read), [expected])
            self.assertEqual((read.value, read.is_present), ("", False))

    def test_cached(self) -> None:
        """All that is loaded together sees one state; a fresh look sees the next."""
        self.write("me", "one")
        files = self.files()
        self.assertEqual(files.read_value("me").value, "one")
        self.write("me", "two")
        self.assertEqual(files.read_value("me").value, "one")
        self.assertEqual(files.fresh().read_value("me").value, "two")

    def test_names(self) -> None:
        """The files of folders are named with their folder."""
        self.write("me", "x")
        self.write("tls/example.com/key.pem", "x")
        self.assertEqual(self.files().names(), ("me", "tls/example.com/key.pem"))


class PathTests(ConfigTestCase):
    """A name never leads out of the directory, unless a postmaster says where."""

    def test_escapes(self) -> None:
        """Dots do not climb out of the directory, nor does a NUL end a name."""
        self.write("secret", "x", self.directory.parent)
        files = self.files()
        for name in ("../secret", "a/../../secret", "..", ".", "", "a\0b"):
            self.assertRaises(BadFile, normal_name, name)
            self.assertRaises(BadFile, files.path, name)
            read = files.read_value(name)
            self.assertEqual((read.value, len(read.problems)), ("", 1))

    def test_within(self) -> None:
        """Dots within the directory, and in a name, are fine."""
        self.write("a/b", "x")
        files = self.files()
        self.assertEqual(files.read_value("a/../a/./b").value, "x")
        self.assertEqual(files.path("a//..b"), self.directory / "a" / "..b")

    def test_absolute(self) -> None:
        """A postmaster may keep a key elsewhere."""
        elsewhere = self.directory.parent.absolute()
        self.write("key.pem", "k", elsewhere)
        read = self.files().read_binary(f"{elsewhere}/key.pem")
        self.assertEqual((read.value, read.file), (b"k", f"{elsewhere}/key.pem"))

    def test_link(self) -> None:
        """A link that a postmaster made is followed."""
        self.write("real", "x", self.directory.parent)
        (self.directory / "me").symlink_to("../real")
        self.assertEqual(self.files().read_value("me").value, "x")


class JSONTests(ConfigTestCase):
    """JSON, or YAML in its place."""

    def test_json_first(self) -> None:
        """JSON is taken where both are there."""
        self.write("x.json", '{"a": 1}')
        self.write("x.yaml", "a: 2")
        self.assertEqual(self.files().read_json("x.json").value, {"a": 1})

    def test_yaml_instead(self) -> None:
        """YAML is found where JSON is asked for; each name counts as looked for."""
        for suffix in ("yaml", "yml"):
            self.write(f"{suffix}.{suffix}", "a: 2")
            read = self.files().read_json(f"{suffix}.json")
            self.assertEqual(read.value, {"a": 2})
            self.assertEqual(read.file, f"config/{suffix}.{suffix}")
            self.assertIn(f"{suffix}.json", read.names)
            self.assertIn(f"{suffix}.{suffix}", read.names)

    def test_hjson(self) -> None:
        """Hjson, which Haraka may read, is told and not passed over."""
        self.write("x.hjson", "a: 1")
        self.assertEqual(
            complaints(self.files().read_json("x.json")),
            ["config/x.hjson: Hjson is not supported: write it as .json or .yaml"],
        )

    def test_broken(self) -> None:
        """Broken JSON is told with its line."""
        self.write("x.json", '{\n"a" 1}')
        read = self.files().read_json("x.json")
        self.assertIsNone(read.value)
        self.assertEqual(
            complaints(read),
            ["config/x.json:2: is not JSON: Expecting ':' delimiter"],
        )


class DefaultsTests(ConfigTestCase):
    """A plugin may be installed with a configuration of its own."""

    shipped: Path

    def setUp(self) -> None:
        """Make the plugin's folder."""
        super().setUp()
        self.shipped = self.directory.parent / "plugin" / "config"

    def _files(self) -> ConfigFiles:
        return self.files().with_defaults(self.shipped)

    def test_ini_and_json(self) -> None:
        """The instance says what differs; the rest comes from the plugin."""
        self.write("x.ini", "a=1\nb=1\n", self.shipped)
        self.write("x.json", '{"a": {"x": 1, "y": 1}}', self.shipped)
        self.write("x.ini", "b=2\n")
        self.write("x.yaml", "a: {y: 2}")
        main = self._files().read_ini("x.ini").value.section("main")
        self.assertEqual((main["a"].text, main["b"].text), ("1", "2"))
        self.assertEqual(main["a"].file, f"{self.shipped}/x.ini")
        self.assertEqual(
            self._files().read_json("x.json").value, {"a": {"x": 1, "y": 2}}
        )

    def test_lists(self) -> None:
        """A list of the instance replaces the plugin's, even by nothing."""
        self.write("zones", "a\nb\n", self.shipped)
        self.assertEqual(self._files().read_list("zones").value, ("a", "b"))
        self.write("zones", "# none\n")
        self.assertEqual(self._files().read_list("zones").value, ())

    def test_broken_instance_file(self) -> None:
        """Where the instance's file cannot be read, the plugin's counts."""
        self.write("x.json", "{}", self.shipped)
        self.write("x.json", "{")
        read = self._files().read_json("x.json")
        self.assertEqual(read.value, {})
        self.assertEqual(read.problems[0].file, "config/x.json")


class OneFileTests(ConfigTestCase):
    """smtp.json may hold the whole configuration."""

    def test_replaces(self) -> None:
        """What it says under !name counts instead of the file."""
        self.write("smtp.ini", "listen=[::0]:25\nnodes=1\n")
        self.write(
            "smtp.json",
            '{"!smtp.ini": {"main": {"nodes": 4}}, "!plugins": ["a", "b"],'
            ' "!me": "mx.example", "!x.json": {"a": 1}, "!tls/key.pem": "k"}',
        )
        files = self.files()
        main = files.read_ini("smtp.ini").value.section("main")
        self.assertEqual({key: e.text for key, e in main.items()}, {"nodes": "4"})
        self.assertEqual(files.read_list("plugins").value, ("a", "b"))
        self.assertEqual(files.read_value("me").value, "mx.example")
        self.assertEqual(files.read_json("x.json").value, {"a": 1})
        self.assertEqual(files.read_binary("tls/key.pem").value, b"k")
        self.assertEqual(main["nodes"].file, "config/smtp.json (!smtp.ini)")

    def test_yaml(self) -> None:
        """smtp.yaml does the same."""
        self.write("smtp.yaml", "'!plugins':\n  - a\n")
        self.assertEqual(self.files().read_list("plugins").value, ("a",))

    def test_looked_for(self) -> None:
        """When it comes to be, everything is loaded anew."""
        self.assertIn("smtp.json", self.files().read_list("plugins").names)
        self.assertIn("smtp.yaml", self.files().read_list("plugins").names)

    def test_wrong_shapes(self) -> None:
        """What cannot stand for a file is told, and the default counts."""
        self.write("smtp.json", '{"!me": ["a", "b"], "!plugins": [{}], "!../x": 1}')
        files = self.files()
        self.assertEqual(
            complaints(files.read_value("me")),
            [
                "config/smtp.json: !../x: is outside of the configuration directory",
                "config/smtp.json (!me): expected one text",
            ],
        )
        self.assertIn(
            "config/smtp.json (!plugins): expected a list of texts",
            complaints(files.read_list("plugins")),
        )

    def test_without_mark(self) -> None:
        """A name without its exclamation mark would do nothing, and is told."""
        self.write("smtp.json", '{"me": "x"}')
        self.assertEqual(
            complaints(self.files().read_value("me")),
            ["config/smtp.json: me: write !me to replace the file me"],
        )

    def test_broken(self) -> None:
        """A broken smtp.json is told with every file that it might have held."""
        self.write("me", "mx.example")
        for content, why in (("{", ":1: is not JSON"), ("[]", ": expected an object")):
            self.write("smtp.json", content)
            read = self.files().read_value("me")
            self.assertEqual(read.value, "mx.example")
            self.assertIn(f"config/smtp.json{why}", complaints(read)[0])
