"""Files of the postmaster's words."""

from harakatw.config.options import Loaded, load_options
from harakatw.outbound.dsn.options import BounceOptions
from tests.config.folders import ConfigTestCase
from tests.outbound.dsn.reports import HARAKAS, IMAGE


class OptionTests(ConfigTestCase):
    """What the files may say."""

    def _loaded(self) -> Loaded[BounceOptions]:
        return load_options(BounceOptions, self.files(), "bounce")

    def test_none(self) -> None:
        """Without files the words are built in."""
        loaded = self._loaded()
        self.assertEqual(loaded.options, BounceOptions())
        self.assertEqual(loaded.problems, ())

    def test_templates(self) -> None:
        """Haraka's three files are read as they are."""
        self.write("outbound.bounce_message", "\n".join(HARAKAS) + "\n")
        self.write("outbound.bounce_message_html", "<p>\n{reason}</p>\n")
        self.write("outbound.bounce_message_image", "\n".join(IMAGE))
        loaded = self._loaded()
        self.assertEqual(loaded.problems, ())
        self.assertEqual(loaded.options.message, HARAKAS)
        self.assertEqual(loaded.options.html, ("<p>", "{reason}</p>"))
        self.assertEqual(loaded.options.image, IMAGE)

    def test_others(self) -> None:
        """Reports of delay and of success have files of their own."""
        self.write("outbound.delay_message", "Subject: wait\n\ntext\n")
        self.write("outbound.success_message", "\ntext\n")
        options = self._loaded().checked()
        self.assertEqual(options.delay_message, ("Subject: wait", "", "text"))
        self.assertEqual(options.success_message, ("", "text"))

    def test_bad_template(self) -> None:
        """
        A template that cannot be used is named, and the built-in words are used: mail
        does not bounce without a text.
        """
        for name in ("bounce_message", "delay_message", "success_message"):
            self.write(f"outbound.{name}", "Sorry!\n")
        loaded = self._loaded()
        self.assertEqual(loaded.options, BounceOptions())
        self.assertEqual(
            [problem.file.rpartition(".")[2] for problem in loaded.errors],
            ["bounce_message", "delay_message", "success_message"],
        )
        self.assertIn("line 1 is no header field", str(loaded.errors[0]))

    def test_image_alone(self) -> None:
        """A picture that no HTML shows is a mistake."""
        self.write("outbound.bounce_message_image", "\n".join(IMAGE))
        loaded = self._loaded()
        self.assertEqual(loaded.options.image, ())
        self.assertIn("bounce_message_html", str(loaded.errors[0]))

    def test_bad_image(self) -> None:
        """A picture that is no MIME part is a mistake."""
        self.write("outbound.bounce_message_html", "<p>x</p>\n")
        self.write("outbound.bounce_message_image", "iVBORw0KGgo=\n")
        (error,) = self._loaded().errors
        self.assertIn("outbound.bounce_message_image", str(error))

    def test_size(self) -> None:
        """How much comes back is a key of outbound.ini, beside those of the engine."""
        self.write("outbound.ini", "[bounce]\nmax_returned_bytes=64k\n")
        self.assertEqual(self._loaded().checked().max_returned_bytes, 65536)
