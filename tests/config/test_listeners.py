"""Tests of C{harakatw.config.listeners}."""

from harakatw.config.core import ServerOptions
from harakatw.config.endpoints import ListenAddress
from harakatw.config.listeners import (
    Listener,
    ListenersOptions,
    listeners,
    misplaced_lmtp,
    unused_sections,
)
from harakatw.config.options import Loaded, load_options
from tests.config.folders import ConfigTestCase

LISTEN = "[::0]:25, 192.0.2.1:587, [2001:db8::1]:465, /run/haraka.sock:660"


class ListenersTests(ConfigTestCase):
    """What listeners.ini makes of the addresses in smtp.ini."""

    def load(self, ini: str) -> Loaded[ListenersOptions]:
        """Read listeners.ini."""
        self.write("listeners.ini", ini)
        return load_options(ListenersOptions, self.files(), "listeners")

    def profiles(self, ini: str, **server: object) -> dict[str, Listener]:
        """The listeners by their address as text; no mistake is in the file."""
        options = ServerOptions(listen=LISTEN, **server)  # type: ignore[arg-type]
        found = listeners(options, self.load(ini).checked())
        return {str(address): profile for address, profile in found.items()}

    def unused(self, ini: str) -> list[str]:
        """Sections that are reported, as the postmaster reads it."""
        options = self.load(ini).options
        server = ServerOptions(listen=LISTEN)
        return list(map(str, unused_sections(server, options, self.files())))

    def test_none(self) -> None:
        """
        Without the file, smtps_port speaks TLS at once and all else STARTTLS; nothing
        is submission, whatever its number.
        """
        found = self.profiles("")
        self.assertEqual(
            {name: profile.tls for name, profile in found.items()},
            {
                "[::]:25": "starttls",
                "192.0.2.1:587": "starttls",
                "[2001:db8::1]:465": "implicit",
                "/run/haraka.sock:660": "starttls",
            },
        )
        self.assertFalse(any(profile.submission for profile in found.values()))

    def test_smtps_port(self) -> None:
        """Haraka's key makes another port the one that speaks TLS at once."""
        found = self.profiles("", smtps_port=587)
        self.assertEqual(found["192.0.2.1:587"].tls, "implicit")
        self.assertEqual(found["[2001:db8::1]:465"].tls, "starttls")

    def test_file_before_smtps_port(self) -> None:
        """What listeners.ini says of a port counts more than smtps_port."""
        found = self.profiles("[465]\ntls=none\n")
        self.assertEqual(found["[2001:db8::1]:465"].tls, "none")

    def test_all_keys(self) -> None:
        """
        Every key reaches the listener, such as that it is for users only (RFC 6409);
        keywords of EHLO in capitals.
        """
        found = self.profiles(
            "[587]\nprotocol=lmtp\ntls=required\nsubmission=true\nproxy=true\n"
            "no_extensions[]=chunking\nno_extensions[]=DSN\n"
        )
        self.assertEqual(
            found["192.0.2.1:587"],
            Listener(
                address="192.0.2.1:587",
                protocol="lmtp",
                tls="required",
                submission=True,
                proxy=True,
                no_extensions=frozenset(("CHUNKING", "DSN")),
            ),
        )

    def test_names(self) -> None:
        """A section is named by address, port or path, in any spelling of these."""
        found = self.profiles(
            "[[::0]:25]\nproxy=true\n[192.0.2.1:587]\nsubmission=true\n"
            "[[2001:DB8:0::1]:465]\nsubmission=true\n[/run/haraka.sock]\n"
            "protocol=lmtp\n"
        )
        self.assertTrue(found["[::]:25"].proxy)
        self.assertTrue(found["192.0.2.1:587"].submission)
        self.assertTrue(found["[2001:db8::1]:465"].submission)
        self.assertEqual(found["/run/haraka.sock:660"].protocol, "lmtp")

    def test_address_before_port(self) -> None:
        """The section of an address stands in for that of its port, as a whole."""
        found = self.profiles("[587]\nsubmission=true\n[192.0.2.1:587]\nproxy=true\n")
        profile = found["192.0.2.1:587"]
        self.assertEqual((profile.submission, profile.proxy), (False, True))

    def test_a_port_of_two_addresses(self) -> None:
        """The section of a port is for each address with it."""
        server = ServerOptions(listen="192.0.2.1:25, 192.0.2.2:25")
        found = listeners(server, self.load("[25]\nproxy=true\n").checked())
        self.assertEqual([at.proxy for at in found.values()], [True, True])
        self.assertIn(ListenAddress("192.0.2.2", 25), found)

    def test_bad_value(self) -> None:
        """A value that is none is reported with what there is."""
        (problem,) = self.load("[587]\ntls=maybe\n").problems
        self.assertIn("config/listeners.ini:2: [587] tls:", str(problem))
        self.assertIn("starttls", str(problem))

    def test_bad_keyword(self) -> None:
        """What cannot be a keyword of EHLO is reported."""
        (problem,) = self.load("[587]\nno_extensions[]=SIZE 10\n").problems
        self.assertIn("'SIZE 10' is no keyword of EHLO", str(problem))

    def test_unknown_key(self) -> None:
        """A slip of the pen is reported with the key that was meant."""
        (problem,) = self.load("[587]\nsubmision=true\n").problems
        self.assertIn("did you mean submission?", str(problem))

    def test_lmtp_at_port_25(self) -> None:
        """
        Port 25 is for SMTP whatever the file says (RFC 2033 section 5), and the
        postmaster is told so.
        """
        text = "[25]\nprotocol=lmtp\nproxy=true\n"
        profile = self.profiles(text)["[::]:25"]
        self.assertEqual((profile.protocol, profile.proxy), ("smtp", True))
        server = ServerOptions(listen=LISTEN)
        found = misplaced_lmtp(server, self.load(text).options, self.files())
        (problem,) = map(str, found)
        self.assertIn("config/listeners.ini: [[::]:25]: protocol: port 25", problem)
        text = "[587]\nprotocol=lmtp\n[/run/haraka.sock]\nprotocol=lmtp\n"
        found = misplaced_lmtp(server, self.load(text).options, self.files())
        self.assertEqual(found, ())

    def test_no_listener(self) -> None:
        """A section about a port at which nothing listens is reported."""
        self.assertEqual(
            self.unused("[25]\nproxy=true\n[2525]\nproxy=true\n"),
            [
                "config/listeners.ini:3: [2525]: is about no listener of smtp.ini",
            ],
        )

    def test_no_address(self) -> None:
        """A section that names nothing one can listen on is reported."""
        (text,) = self.unused("[submission]\nsubmission=true\n")
        self.assertIn("[submission]: names no port, IP address with a port", text)
