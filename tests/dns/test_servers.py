"""Tests of C{harakatw.dns.servers}."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from harakatw.dns.servers import name_servers

LOCAL = (("127.0.0.1", 53),)


class NameServersTests(SynchronousTestCase):
    """Which name servers are asked."""

    def _servers(self, content: bytes) -> tuple[tuple[str, int], ...]:
        path = Path(self.mktemp())
        path.write_bytes(content)
        return name_servers(path)

    def test_in_order(self) -> None:
        """Those of resolv.conf, of both families, in its order."""
        self.assertEqual(
            self._servers(b"nameserver 192.0.2.53\nnameserver\t2001:db8::53 # two\n"),
            (("192.0.2.53", 53), ("2001:db8::53", 53)),
        )

    def test_other_lines(self) -> None:
        """Search lists, options, comments and broken lines are no servers."""
        self.assertEqual(
            self._servers(
                b"search nameserver 192.0.2.1\n# nameserver 192.0.2.2\nnameserver\n"
                b"nameserver ns.example\n; nameserver 192.0.2.3\n\xff\xfe\n"
                b"options ndots:1\nnameserver 192.0.2.4\n"
            ),
            (("192.0.2.4", 53),),
        )

    def test_none(self) -> None:
        """A file that names none means the machine itself, as resolv.conf(5) says."""
        self.assertEqual(self._servers(b""), LOCAL)

    def test_no_file(self) -> None:
        """So does a file that is not there."""
        self.assertEqual(name_servers(Path(self.mktemp())), LOCAL)

    def test_no_file_but_folder(self) -> None:
        """And one that cannot be read."""
        folder = Path(self.mktemp())
        folder.mkdir()
        self.assertEqual(name_servers(folder), LOCAL)
