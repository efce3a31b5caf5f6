"""What C{haraka check} finds."""

from harakatw.cli.check import check
from harakatw.cli.create import write_files
from tests.cli.instances import InstanceTestCase

BROKEN = (
    '"""Has a hook that it does not declare."""\nclass P:\n  def hook_rcpt(self): 0\n'
)

HAS_OPTIONS = '''\
"""Has an option, and no patience."""

import attrs
from harakatw.plugin import *


@attrs.frozen(kw_only=True)
class Options:
    depth: int = attrs.field(default=3, validator=ge(1), metadata=doc("How deep."))


@implementer(IQuitHook)
@attrs.frozen
class Deep:
    options: Options

    def hook_quit(self, connection):
        return None
'''

REGISTERS = '''\
"""Reaches out when it is registered."""

from harakatw.plugin import *


@implementer(IQuitHook)
class Reaches:
    def register(self):
        raise RuntimeError("the network must not be touched")

    def hook_quit(self, connection):
        return None
'''


class CheckTests(InstanceTestCase):
    """What a postmaster is told before a server starts."""

    def check(self) -> int:
        """Look at the instance as it stands."""
        return check(self.instance(), self.services(), self.out)

    def test_nothing_wrong(self) -> None:
        """A right configuration is said to be right, and the status is 0."""
        self.write(smtp_ini="nodes=0\n", plugins="rcpt_to.in_host_list\n", me="a.b\n")
        self.assertEqual(self.check(), 0)
        self.assertEqual(self.printed(), "no problems found\n")

    def test_bad_value(self) -> None:
        """A mistake is told with file, line and key, and the status is 1."""
        self.write(smtp_ini="\nport=many\n")
        self.assertEqual(self.check(), 1)
        first, last = self.printed().splitlines()
        self.assertIn("error: config/smtp.ini:2: [main] port:", first)
        self.assertEqual(last, "1 error, 0 notices")

    def test_notice(self) -> None:
        """What is known and does nothing is told, and is no error."""
        self.write(smtp_ini="public_ip=192.0.2.1\n", foo_js="x")
        self.assertEqual(self.check(), 0)
        self.assertIn("notice: config/smtp.ini:1: [main] public_ip", self.printed())
        self.assertIn("0 errors, 1 notice\n", self.printed())

    def test_unknown_plugin(self) -> None:
        """A plugin that is not there is an error, with the name that was meant."""
        self.write(plugins="rcpt_to.in_hots_list\n")
        self.assertEqual(self.check(), 1)
        self.assertIn(
            "error: config/plugins: plugin rcpt_to.in_hots_list: not found",
            self.printed(),
        )
        self.assertIn("did you mean rcpt_to.in_host_list?", self.printed())

    def test_broken_plugin(self) -> None:
        """A plugin that breaks its contract is told before it does so in a session."""
        write_files(self.directory, {"plugins/broken.py": BROKEN})
        self.write(plugins="broken\n")
        self.assertEqual(self.check(), 1)
        self.assertIn("plugin broken: has hook_rcpt but does not say", self.printed())

    def test_options_of_plugins(self) -> None:
        """Files of the plugins in use are looked at like the server's, once each."""
        write_files(self.directory, {"plugins/deep.py": HAS_OPTIONS})
        self.write(plugins="deep\n", deep_ini="depth=0\ndepht=4\n")
        self.assertEqual(self.check(), 1)
        text = self.printed()
        self.assertEqual(text.count("config/deep.ini:1: [main] depth"), 1)
        self.assertEqual(text.count("config/deep.ini:2: [main] depht: unknown key"), 1)

    def test_what_plugins_find(self) -> None:
        """Plugins look at their files themselves, too, and share some with others."""
        self.write(
            plugins="auth/flat_file\n",
            auth_flat_file_ini="[users]\nann=pw\nbob=$6$x\n[api_keys]\nx=y\n",
            auth_ini="max_failure=1\n",
        )
        self.assertEqual(self.check(), 1)
        text = self.printed()
        for told in (
            "notice: config/auth_flat_file.ini: [users] ann: the password is not",
            "error: config/auth_flat_file.ini: [users] bob: a hash of an unknown kind",
            "error: config/auth_flat_file.ini: [api_keys] x: expected sha256:",
            "config/auth.ini:1: [main] max_failure: unknown key",
        ):
            self.assertIn(told, text)

    def test_time_out(self) -> None:
        """A plugin's time-out must be a number."""
        self.plugin("mine", "OK")
        write_files(self.directory, {"config/mine.timeout": "soon\n"})
        self.write(plugins="mine\n")
        self.assertEqual(self.check(), 1)
        self.assertIn("config/mine.timeout", self.printed())

    def test_outbound_certificates(self) -> None:
        """
        Certificates for mail that leaves are looked at: the server would not start.
        """
        for tls_ini, why in (
            ("[outbound]\nca=gone.pem\n", "gone.pem is not there"),
            ("[main]\nmutual_tls=true\n", "tls_cert.pem is not there"),
            (
                "[mutual_auth_hosts]\nmx.far.example=me.example\n",
                "there is no certificate of me.example for mx.far.example",
            ),
        ):
            self.write(plugins="\n", tls_ini=tls_ini)
            self.assertEqual(self.check(), 1)
            self.assertIn(f"error: config/tls.ini: [outbound]: {why}\n", self.printed())

    def test_lmtp_at_25(self) -> None:
        """LMTP at port 25 is an error: SMTP is spoken there (RFC 2033 section 5)."""
        self.write(plugins="\n", smtp_ini="listen=127.0.0.1:25\n")
        self.write(listeners_ini="[25]\nprotocol=lmtp\n")
        self.assertEqual(self.check(), 1)
        self.assertIn("config/listeners.ini: [127.0.0.1:25]: ", self.printed())

    def test_renamed_plugin(self) -> None:
        """A retired name is a notice that tells today's."""
        self.write(plugins="rcpt_to.access\n")
        self.assertEqual(self.check(), 0)
        self.assertIn("notice: config/plugins: plugin rcpt_to.access", self.printed())

    def test_files_of_others(self) -> None:
        """A file of a plugin that is not in use is nobody's slip of the pen."""
        write_files(self.directory, {"config/tarpit.timeout": "5\n"})
        self.write(plugins="\n", maildir_ini="path=x\n")
        self.assertEqual(self.check(), 0, self.printed())

    def test_not_registered(self) -> None:
        """A check does not begin what a plugin begins when a server starts."""
        write_files(self.directory, {"plugins/reaches.py": REGISTERS})
        self.write(plugins="reaches\n")
        self.assertEqual(self.check(), 0, self.printed())
