"""How a problem reads."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.problems import BadFile, Problem, nearest


class ProblemTests(SynchronousTestCase):
    """A problem names the place first, so that an editor can jump to it."""

    def test_of_a_key(self) -> None:
        """A wrong key is shown with file, line and section."""
        problem = Problem(
            "config/tarpit.ini", 3, "main", "hooks_to_dely", "unknown key"
        )
        self.assertEqual(
            str(problem), "config/tarpit.ini:3: [main] hooks_to_dely: unknown key"
        )

    def test_of_a_section(self) -> None:
        """A wrong section is shown without a key."""
        problem = Problem("config/tls.ini", 9, "outbond", "", "unknown section")
        self.assertEqual(str(problem), "config/tls.ini:9: [outbond]: unknown section")

    def test_of_a_file(self) -> None:
        """A file that cannot be read is shown without a line."""
        self.assertEqual(
            str(BadFile("is a directory").problem("config/me")),
            "config/me: is a directory",
        )

    def test_of_a_line(self) -> None:
        """A file that breaks off somewhere is shown with the line."""
        problem = BadFile("is not JSON: Expecting value", 4).problem("config/x.json")
        self.assertEqual(str(problem), "config/x.json:4: is not JSON: Expecting value")

    def test_nearest(self) -> None:
        """A slip of the pen is met by the right name, nonsense by nothing."""
        names = ["hooks_to_delay", "delay"]
        self.assertEqual(
            nearest("hooks_to_dely", names), ", did you mean hooks_to_delay?"
        )
        self.assertEqual(nearest("xyzzy", names), "")
