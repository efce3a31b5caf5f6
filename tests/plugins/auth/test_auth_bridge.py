"""C{auth/auth_bridge}: users whom one mail server knows (row PB04)."""

from harakatw.config.options import load_options
from harakatw.plugins.auth.auth_bridge import AuthBridge, AuthBridgeOptions
from tests.auth.sites import auth_site, offered, plain, say
from tests.config.folders import ConfigTestCase
from tests.plugins.auth.test_auth_proxy import FAILED, LATER, SUCCESS, Hosts


class BridgeTests(ConfigTestCase):
    """Who may log in, and where that is asked."""

    def bridge(self, text: str, hosts: Hosts | None = None) -> AuthBridge:
        """The plugin with this C{smtp_bridge.ini}."""
        self.write("smtp_bridge.ini", text)
        loaded = load_options(AuthBridgeOptions, self.files(), "auth/auth_bridge")
        errors = [each for each in loaded.problems if each.severity == "error"]
        self.assertEqual(errors, [])
        host_login = hosts or Hosts()
        return AuthBridge(
            "auth/auth_bridge", options=loaded.options, host_login=host_login
        )

    def test_login(self) -> None:
        """The one server says whose password is right, whatever the domain."""
        hosts = Hosts({("mx:587", "ann@a.test"): "secret"})
        plugin = self.bridge("host=mx\nport=587\n", hosts)
        self.assertEqual(list(plugin.problems), [])
        for user, password, answer in (
            ("ann@a.test", "secret", SUCCESS),
            ("ann@a.test", "wrong", FAILED),
            ("eve", "secret", FAILED),
        ):
            self.assertEqual(say(auth_site(plugin), plain(user, password)), answer)
        hosts.down = {"mx:587"}
        said = say(auth_site(plugin), plain("ann@a.test", "secret"))
        self.assertEqual(said[:9], LATER)

    def test_places(self) -> None:
        """A port may stand by itself, or behind the server's name."""
        for text, place in (
            ("host=mx\n", "mx"),
            ("host=mx:26\n", "mx:26"),
            ("host=mx\nport=26\n", "mx:26"),
            ("host=2001:db8::1\nport=26\n", "[2001:db8::1]:26"),
        ):
            self.assertEqual(self.bridge(text)._hosts, (place,))

    def test_mistakes(self) -> None:
        """Without a server nothing is offered, and the postmaster is told."""
        for text in "", "host=\n", "host=mx:x\n", "host=lmtp:/run/x\n":
            plugin = self.bridge(text)
            (problem,) = plugin.problems
            self.assertEqual((problem.file, problem.key), ("smtp_bridge.ini", "host"))
            self.assertEqual(offered(auth_site(plugin)), [])

    def test_of_the_queue_plugin(self) -> None:
        """Keys that another plugin of Haraka's has in this file are known."""
        self.write("smtp_bridge.ini", "host=mx\nauth_type=plain\npriority=10\n")
        loaded = load_options(AuthBridgeOptions, self.files(), "auth/auth_bridge")
        self.assertEqual([each.severity for each in loaded.problems], ["notice"] * 2)
