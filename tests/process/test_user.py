"""Tests of C{harakatw.process.user}."""

import errno
from pathlib import Path
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import ConfigError
from harakatw.process import user
from harakatw.process.user import become, give_to

_MAIL = SimpleNamespace(pw_uid=8, pw_gid=12)


class UserTests(SynchronousTestCase):
    """C{user} and C{group} in smtp.ini."""

    def setUp(self) -> None:
        """We are root on a machine with the user mail and the group spool."""
        self._did: list[tuple[object, ...]] = []
        self._refusal: OSError | None = None
        self._we_are(0, 0)
        self.patch(
            user, "pwd", SimpleNamespace(getpwnam=self._name, getpwuid=self._number)
        )
        groups = {"spool": SimpleNamespace(gr_gid=13)}
        self.patch(user, "grp", SimpleNamespace(getgrnam=groups.__getitem__))
        self.patch(user, "switchUID", lambda *ids: self._do("switch", *ids))

    def _we_are(self, uid: int, gid: int) -> None:
        system = SimpleNamespace(
            geteuid=lambda: uid,
            getegid=lambda: gid,
            setgroups=lambda groups: self._do("groups", *groups),
            setgid=lambda group: self._do("group", group),
            chown=lambda path, *ids: self._do("chown", str(path), *ids),
        )
        self.patch(user, "os", system)

    def _do(self, *what: object) -> None:
        if self._refusal is not None:
            raise self._refusal
        self._did.append(what)

    def _name(self, name: str) -> SimpleNamespace:
        return {"mail": _MAIL}[name]

    def _number(self, number: int) -> SimpleNamespace:
        return {8: _MAIL}[number]

    def test_nobody_asked(self) -> None:
        """Without either the server stays who it is."""
        become("", "")
        self.assertEqual(self._did, [])

    def test_user(self) -> None:
        """With a user alone its group is that of the password file."""
        become("mail", "")
        self.assertEqual(self._did, [("switch", 8, 12)])

    def test_user_and_group(self) -> None:
        """With both, both are as they are asked for."""
        become("mail", "spool")
        self.assertEqual(self._did, [("switch", 8, 13)])

    def test_numbers(self) -> None:
        """Either may be a number."""
        become("8", "99")
        self.assertEqual(self._did, [("switch", 8, 99)])

    def test_group_alone(self) -> None:
        """With a group alone, root's other groups are given up all the same."""
        become("", "spool")
        self.assertEqual(self._did, [("groups", 13), ("group", 13)])

    def test_already(self) -> None:
        """Whoever starts the server as that user need not be root."""
        self._we_are(8, 12)
        become("mail", "")
        self.assertEqual(self._did, [])

    def test_unknown(self) -> None:
        """A user or group that does not exist is named; nothing is half done."""
        for who in (("nobody-here", ""), ("4711", ""), ("mail", "no-group"), ("²", "")):
            error = self.assertRaises(ConfigError, become, *who)
            self.assertIn(
                f"there is no user {who[0]!r} or group {who[1]!r}", str(error)
            )
        self.assertEqual(self._did, [])

    def test_not_permitted(self) -> None:
        """Whoever may not become that user is told so."""
        self._we_are(1000, 1000)
        self._refusal = PermissionError(errno.EPERM, "Operation not permitted")
        error = self.assertRaises(ConfigError, become, "mail", "")
        self.assertIn("cannot become mail: Operation not permitted", str(error))

    def test_give(self) -> None:
        """What root makes for the server will be the server's (weakness WK21)."""
        give_to(Path("/q"), "mail", "")
        self.assertEqual(self._did, [("chown", "/q", 8, 12)])

    def test_give_as_other(self) -> None:
        """Who is not root makes what is theirs anyway."""
        self._we_are(8, 12)
        give_to(Path("/q"), "mail", "")
        self.assertEqual(self._did, [])

    def test_give_to_root(self) -> None:
        """Where the server stays root, so does the owner."""
        give_to(Path("/q"), "", "")
        self.assertEqual(self._did, [])

    def test_give_to_unknown(self) -> None:
        """
        The queue comes before the change of user: it is the first to find out that
        there is no such user, and says it as clearly.
        """
        error = self.assertRaises(ConfigError, give_to, Path("/q"), "nobody-here", "")
        self.assertIn("there is no user 'nobody-here'", str(error))

    def test_give_refused(self) -> None:
        """A disk that knows no owners is named, with its reason."""
        self._refusal = PermissionError(errno.EPERM, "Operation not permitted")
        error = self.assertRaises(ConfigError, give_to, Path("/q"), "mail", "")
        self.assertIn("cannot give /q to mail: Operation not permitted", str(error))
