"""Errors: what goes out, and what stays in."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import (
    ConfigError,
    DeliveryError,
    HarakaError,
    PermanentFailure,
    PluginError,
    ProtocolError,
    StoreError,
    TemporaryFailure,
)
from harakatw.reply import reply


class ErrorTests(SynchronousTestCase):
    """Every error of ours has one root, and two faces where strangers may see it."""

    def test_two_faces(self) -> None:
        """The reply is for the peer, the detail for the log."""
        for error_type in (ProtocolError, DeliveryError, TemporaryFailure):
            error = error_type(reply(451, "4.3.0", "later"), path="/var/spool/x")
            self.assertEqual(error.reply.code, 451)
            self.assertEqual(error.detail, {"path": "/var/spool/x"})
            self.assertEqual(str(error), "later")

    def test_one_root(self) -> None:
        """Whoever catches HarakaError catches all of them."""
        for error_type in (
            ProtocolError,
            DeliveryError,
            StoreError,
            ConfigError,
            PluginError,
        ):
            self.assertTrue(issubclass(error_type, HarakaError))

    def test_what_to_do_next(self) -> None:
        """A failure is temporary or permanent, never both."""
        self.assertTrue(issubclass(TemporaryFailure, DeliveryError))
        self.assertTrue(issubclass(PermanentFailure, DeliveryError))
        self.assertFalse(issubclass(TemporaryFailure, PermanentFailure))
        self.assertFalse(issubclass(PermanentFailure, TemporaryFailure))

    def test_config(self) -> None:
        """All problems of the configuration are told at once."""
        error = ConfigError(("a.ini:1: no", "b.ini:2: neither"))
        self.assertEqual(str(error), "a.ini:1: no; b.ini:2: neither")
        self.assertEqual(len(error.problems), 2)

    def test_plugin(self) -> None:
        """A plugin's error names the plugin."""
        error = PluginError("limit", "not found")
        self.assertEqual(str(error), "plugin limit: not found")
        self.assertEqual(error.plugin, "limit")
