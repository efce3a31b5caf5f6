"""
Dovecot's LMTP server, with Maildirs.

@see: U{https://doc.dovecot.org/2.3/configuration_manual/protocols/lmtp_server/}
"""

import subprocess
from pathlib import Path
from typing import Final

import attrs

from tests.functional.peers.daemon import (
    NOBODY,
    CleanUp,
    lacking,
    owned_folder,
    private_folder,
    run_daemon,
    which,
)

_CONFIGURATION: Final = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = lmtp
ssl = no
listen = 127.0.0.1
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
mail_location = maildir:~
auth_username_format = %Ln
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0600
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""


def lacks() -> str:
    """Why it cannot be run here, or C{""}."""
    reason = lacking("dovecot")
    if reason:
        return reason
    if not any(path.exists() for path in _LMTP):
        return "not installed: Dovecot's lmtp"
    version = subprocess.run([str(which("dovecot")), "--version"], capture_output=True)
    if not version.stdout.startswith(b"2.3."):
        return f"not Dovecot 2.3, but {version.stdout.decode().strip()}"
    return ""


_LMTP: Final = tuple(
    Path(folder, "dovecot/lmtp")
    for folder in ("/usr/lib", "/usr/libexec", "/usr/local/libexec")
)


@attrs.frozen(eq=False)
class Dovecot:
    """A running Dovecot."""

    folder: Path

    @property
    def socket(self) -> Path:
        """Where it takes mail."""
        return self.folder / "run/lmtp"

    def messages(self, user: str) -> list[bytes]:
        """What it has delivered to a user."""
        return [path.read_bytes() for path in self.folder.glob(f"mail/{user}/new/*")]

    def mend(self, user: str) -> None:
        """Give a broken user a folder."""
        path = self.folder / "mail" / user
        path.unlink()
        owned_folder(path, NOBODY)


def start_dovecot(users: str, broken: str, clean_up: CleanUp) -> Dovecot:
    """
    Start one.

    @param users: who gets mail, separated by spaces.
    @param broken: a user whose mail cannot be stored for now.
    @param clean_up: a test's C{addCleanup}.
    """
    folder = private_folder(clean_up)
    for user in users.split():
        owned_folder(folder / "mail" / user, NOBODY)
    (folder / "mail" / broken).touch()
    entries = (
        f"{user}:{{plain}}x:{NOBODY}:{NOBODY}::{folder}/mail/{user}::\n"
        for user in (*users.split(), broken)
    )
    (folder / "users").write_text("".join(entries))
    configuration = folder / "dovecot.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder))
    command = (str(which("dovecot")), "-F", "-c", configuration)
    daemon = run_daemon(command, folder, clean_up)
    dovecot = Dovecot(folder)
    daemon.until(dovecot.socket.is_socket)
    return dovecot
