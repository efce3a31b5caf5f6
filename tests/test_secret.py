"""A password in memory shows itself only to who asks."""

import copy
import json
import pickle

from twisted.trial.unittest import SynchronousTestCase

from harakatw.secret import Secret


class SecretTests(SynchronousTestCase):
    """What can be done with it."""

    def test_shown(self) -> None:
        """Printed, formatted or in a list it is a mask; it can be asked for."""
        secret = Secret("geheim")
        for text in (
            repr(secret),
            str(secret),
            f"{secret}",
            str([secret]),
            f"{secret!s}",
        ):
            self.assertNotIn("geheim", text)
        self.assertEqual(secret.reveal(), "geheim")

    def test_stored(self) -> None:
        """It goes into no file: neither pickled, nor as JSON, nor copied."""
        for store in pickle.dumps, json.dumps, copy.copy:
            with self.assertRaises(TypeError):
                store(Secret("geheim"))

    def test_compared(self) -> None:
        """Two of the same text are equal; a text is no secret."""
        self.assertEqual(Secret("a"), Secret("a"))
        self.assertEqual(hash(Secret("a")), hash(Secret("a")))
        self.assertNotEqual(Secret("a"), Secret("b"))
        self.assertNotEqual(Secret("a"), "a")
        self.assertTrue(Secret("a"))
        self.assertFalse(Secret(""))
