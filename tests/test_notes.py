"""Tests of C{harakatw.notes}."""

import sys

from twisted.trial.unittest import SynchronousTestCase

from harakatw.notes import Notes


class NotesTests(SynchronousTestCase):
    """What plugins leave for each other (row NT01)."""

    def test_set_and_get(self) -> None:
        """A note is found under the path that it was left under."""
        notes = Notes()
        notes.set("queue.wants", "smtp_forward")
        notes["discard"] = True
        self.assertEqual(notes.get("queue.wants"), "smtp_forward")
        self.assertEqual(notes["queue"], {"wants": "smtp_forward"})
        self.assertIs(notes["discard"], True)
        self.assertEqual(list(notes), ["queue", "discard"])
        self.assertEqual(len(notes), 2)

    def test_path_in_parts(self) -> None:
        """A name with a dot, such as a domain, is given as one part of a list."""
        notes = Notes()
        notes.set(["seen", "e.example"], 1)
        self.assertEqual(notes["seen"], {"e.example": 1})
        self.assertEqual(notes.get(("seen", "e.example")), 1)
        self.assertIsNone(notes.get("seen.e.example"))

    def test_missing(self) -> None:
        """What nobody left is the default, or an error for those who insist."""
        notes = Notes()
        for path in ("a", "a.b", "a.b.c"):
            self.assertIsNone(notes.get(path))
            self.assertEqual(notes.get(path, 5), 5)
            self.assertNotIn(path, notes)
            self.assertRaises(KeyError, notes.__getitem__, path)
            self.assertRaises(KeyError, notes.__delitem__, path)

    def test_none_is_a_note(self) -> None:
        """A note may be None, and then is there."""
        notes = Notes()
        notes["a"] = None
        self.assertIn("a", notes)
        self.assertIsNone(notes.get("a", 5))

    def test_only_when_unset(self) -> None:
        """The first plugin wins where it is asked for, even with None."""
        notes = Notes()
        for value in (None, 2):
            notes.set("a.b", value, only_when_unset=True)
        self.assertIsNone(notes["a.b"])
        notes.set("a.b", 3)
        self.assertEqual(notes["a.b"], 3)

    def test_delete(self) -> None:
        """A note or a group can be taken away."""
        notes = Notes({"a": {"b": 1, "c": 2}, "d": 3})
        del notes["a.b"]
        self.assertEqual(notes.as_dict(), {"a": {"c": 2}, "d": 3})
        del notes["a"]
        self.assertEqual(notes.as_dict(), {"d": 3})
        self.assertRaises(KeyError, notes.__delitem__, "d.e")

    def test_not_a_group(self) -> None:
        """A plugin that takes another's note for a group is told so; the note stays."""
        notes = Notes({"a": "text"})
        self.assertRaises(ValueError, notes.set, "a.b", 1)
        self.assertIsNone(notes.get("a.b"))
        self.assertNotIn("a.upper", notes)
        self.assertEqual(notes["a"], "text")

    def test_magic_names(self) -> None:
        """Names that mean something to a program are names like others (row 12)."""
        notes = Notes()
        for name in ("__class__", "__proto__", "_values", "get", "__init__"):
            self.assertNotIn(name, notes)
            notes.set(f"{name}.x", name)
            self.assertEqual(notes[name], {"x": name})
        self.assertIsInstance(notes, Notes)
        self.assertEqual(notes.get("get.x"), "get")

    def test_bad_path(self) -> None:
        """A path with an empty name is a mistake of the plugin."""
        notes = Notes({"a": {"": 1}})
        for path in ("", ".", "a.", ".a", "a..b", [], ["a", ""]):
            self.assertRaises(ValueError, notes.set, path, 1)
            self.assertRaises(ValueError, notes.get, path)
        self.assertEqual(notes.as_dict(), {"a": {"": 1}})

    def test_copies(self) -> None:
        """What is queued does not change when a plugin goes on leaving notes."""
        values: dict[str, object] = {"a": {"b": 1}}
        notes = Notes(values)
        queued = notes.as_dict()
        notes["a.b"] = 2
        self.assertEqual(values, {"a": {"b": 1}})
        self.assertEqual(queued, {"a": {"b": 1}})
        self.assertEqual(Notes().as_dict(), {})

    def test_secrets(self) -> None:
        """Notes that are printed show no values: passwords are among them."""
        notes = Notes({"auth_passwd": "hunter2", "a\nb": 1})
        self.assertEqual(repr(notes), "<Notes 'auth_passwd', 'a\\nb'>")

    def test_size(self) -> None:
        """Thousands of idle sessions have notes that nobody uses."""
        self.assertLessEqual(sys.getsizeof(Notes()), 40)
        self.assertIsNone(Notes({})._values)
