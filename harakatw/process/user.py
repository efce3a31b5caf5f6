"""
Become another user once the ports are open (Haraka rows CF07 and CF08, weakness WK20).
"""

import grp
import os
import pwd
from pathlib import Path

from twisted.python.util import switchUID

from harakatw.errors import ConfigError


def become(user: str, group: str) -> None:
    """
    Give the rights of root up, for good: user, group and supplementary groups.

    @param user: a name or number; C{""} to stay who we are.
    @param group: a name or number; C{""} for the user's own.
    @raise ConfigError: if there is no such user or group, or we may not become it.
    """
    if not user and not group:
        return
    try:
        uid, gid = _ids(user, group)
        if os.geteuid() == uid and os.getegid() == gid:
            return
        if not user:
            os.setgroups([gid])
            os.setgid(gid)
        else:
            switchUID(uid, gid)
    except OSError as error:
        raise _problem(f"cannot become {user or group}: {error.strerror}") from None


def _ids(user: str, group: str) -> tuple[int, int]:
    uid, gid = os.geteuid(), os.getegid()
    try:
        if user:
            known = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
            uid, gid = known.pw_uid, known.pw_gid
        if group:
            gid = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except (KeyError, ValueError):
        raise _problem(f"there is no user {user!r} or group {group!r}") from None
    return uid, gid


def _problem(why: str) -> ConfigError:
    return ConfigError((f"config/smtp.ini: [main] {why}",))


def give_to(path: Path, user: str, group: str) -> None:
    """
    Make C{user} the owner of what we made as root (weakness WK21).

    @raise ConfigError: if there is no such user or group, or the disk refuses.
    """
    if not user or os.geteuid() != 0:
        return
    uid, gid = _ids(user, group)
    try:
        os.chown(path, uid, gid)
    except OSError as error:
        raise _problem(f"cannot give {path} to {user}: {error.strerror}") from None
