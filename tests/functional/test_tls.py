"""TLS with clients that other people wrote."""

import smtplib
import ssl
from pathlib import Path

from twisted.internet.threads import deferToThread

from harakatw.process import certificates
from tests.certificates import make_authority, own, write_pair
from tests.functional.server import RunningServer
from tests.functional.tls_server import IMPLICIT, TLSTestCase, any_certificate

MESSAGE = b"Subject: hello\r\n\r\nhello\r\n"


class SMTPLibTests(TLSTestCase):
    """Python's own client."""

    def send(self, client: smtplib.SMTP) -> None:
        """Send a message."""
        client.sendmail("a@client.example", ["b@here.example"], MESSAGE)

    def check(self, server: RunningServer, count: int = 1) -> None:
        """So many messages came, encrypted."""
        messages = server.delivered()
        self.assertEqual(len(messages), count)
        for message in messages:
            self.assertIn(b" with ESMTPS ", message)
            self.assertIn(b"TLS", message.partition(b"\r\n\r\n")[0])

    async def test_starttls(self) -> None:
        """STARTTLS, with a certificate that the client checks; many in one session."""
        authority = make_authority()
        server = self.start_tls_server(authority.sign("127.0.0.1"))
        context = ssl.create_default_context(cadata=authority.certificate.decode())

        def send() -> None:
            with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
                client.starttls(context=context)
                for _ in range(3):
                    self.send(client)

        await deferToThread(send)
        self.check(server, 3)

    async def test_implicit(self) -> None:
        """TLS from the first octet on (RFC 8314 section 3.3)."""
        server = self.start_tls_server(listeners=IMPLICIT)

        def send() -> None:
            with smtplib.SMTP_SSL(
                "127.0.0.1", server.port, timeout=20, context=any_certificate()
            ) as client:
                self.send(client)

        await deferToThread(send)
        self.check(server)

    async def test_large(self) -> None:
        """Ten megabytes come through, octet by octet."""
        server = self.start_tls_server(listeners=IMPLICIT)
        text = MESSAGE + b"0123456789abcdef" * 4 * 16000 * 10
        text = b"\r\n".join([text[at : at + 900] for at in range(0, len(text), 900)])

        def send() -> None:
            with smtplib.SMTP_SSL(
                "127.0.0.1", server.port, timeout=25, context=any_certificate()
            ) as client:
                client.sendmail("a@client.example", ["b@here.example"], text)

        await deferToThread(send)
        (body,) = self.bodies(server)
        self.assertEqual(body, text + b"\r\n")

    async def test_certificates_of_clients(self) -> None:
        """
        With C{rejectUnauthorized} who has no good certificate is told so in SMTP; who
        has one gets through (row CF67).
        """
        authority = make_authority()
        known = authority.sign("client.example")
        folder = Path(self.mktemp())
        write_pair(folder, known)
        server = self.start_tls_server(tls_ini="ca=ca.pem\nrejectUnauthorized=true\n")
        server.write("config/ca.pem", authority.certificate.decode())
        server.service.certificates.load(server.service.settings)

        def send(with_certificate: bool) -> int:
            context = any_certificate()
            if with_certificate:
                context.load_cert_chain(folder / "tls_cert.pem", folder / "tls_key.pem")
            with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
                client.starttls(context=context)
                code, _ = client.ehlo()
                if code == 250:
                    self.send(client)
                return code

        self.assertEqual(await deferToThread(send, False), 554)
        self.assertEqual(await deferToThread(send, True), 250)
        self.check(server)


class ProgramTests(TLSTestCase):
    """swaks and curl."""

    def to(self, server: RunningServer) -> list[str]:
        """Where swaks sends a message."""
        return [
            f"--server=127.0.0.1:{server.port}",
            "--from=a@client.example",
            "--to=b@here.example",
            "--ehlo=client.example",
        ]

    async def test_swaks(self) -> None:
        """C{swaks} with C{--tls} and C{--tls-on-connect}."""
        for listeners, flag in (("", "--tls"), (IMPLICIT, "--tls-on-connect")):
            server = self.start_tls_server(listeners=listeners)
            out = await self.run_program("swaks", *self.to(server), flag)
            self.assertIn(b"TLS started with cipher TLSv1.", out)
            self.assertEqual(len(server.delivered()), 1)

    async def test_curl(self) -> None:
        """C{curl}, which checks the certificate, with STARTTLS and with smtps."""
        authority = make_authority()
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        (folder / "ca.pem").write_bytes(authority.certificate)
        (folder / "message").write_bytes(MESSAGE)
        for listeners, scheme in (("", "smtp"), (IMPLICIT, "smtps")):
            server = self.start_tls_server(
                authority.sign("127.0.0.1"), listeners=listeners
            )
            await self.run_program(
                "curl",
                "--silent",
                "--show-error",
                "--ssl-reqd",
                *("--cacert", str(folder / "ca.pem")),
                f"{scheme}://127.0.0.1:{server.port}/client.example",
                *("--mail-from", "a@client.example"),
                *("--mail-rcpt", "b@here.example"),
                *("--upload-file", str(folder / "message")),
            )
            self.assertEqual(len(server.delivered()), 1)


class RenewalTests(TLSTestCase):
    """C{openssl s_client} looks at certificates (row CF80)."""

    async def shown(self, server: RunningServer, name: str) -> str:
        """The subject and serial number of what is shown to who asks for a name."""
        out = await self.run_program(
            "sh",
            "-c",
            "echo QUIT | openssl s_client -starttls smtp -connect "
            f"127.0.0.1:{server.port} -servername {name} 2>&1 | "
            "openssl x509 -noout -subject -serial",
        )
        return out.decode()

    def subject(self, shown: str) -> str:
        """The common name."""
        return shown.partition("\n")[0].rpartition("=")[2].strip()

    async def test_names(self) -> None:
        """Each name has its certificate; others see the usual one."""
        server = self.start_tls_server(
            a=own("a.example"), b=own("b.example", "*.wild.example", use_rsa=True)
        )
        for name, wanted in (
            ("a.example", "a.example"),
            ("A.EXAMPLE", "a.example"),
            ("x.wild.example", "b.example"),
            ("mx.here.example", "mx.here.example"),
            ("stranger.example", "mx.here.example"),
        ):
            self.assertEqual(self.subject(await self.shown(server, name)), wanted)

    async def test_renewal(self) -> None:
        """
        A new certificate is shown without a restart: one that is written over the old
        one, and one to which a link is turned, as C{certbot} does it. A session that is
        open goes on.
        """
        server = self.start_tls_server(a=own("a.example"))
        archive = server.directory / "archive"
        link = server.directory / "config/tls/b"
        for number in (1, 2):
            write_pair(archive / str(number), own("b.example"), "")
        link.symlink_to(archive / "1")
        await self.log.wait_for("changed: tls/b")
        open_session = await self.greeted(server)
        before = [await self.shown(server, name) for name in ("a.example", "b.example")]
        self.assertEqual(list(map(self.subject, before)), ["a.example", "b.example"])
        write_pair(server.directory / "config/tls/a", own("a.example"), "")
        turned = link.with_name("turned")
        turned.symlink_to(archive / "2")
        turned.replace(link)
        self.log.events.clear()
        await self.log.wait_for("changed: tls/a")
        after = [await self.shown(server, name) for name in ("a.example", "b.example")]
        self.assertEqual(list(map(self.subject, after)), ["a.example", "b.example"])
        for old, new in zip(before, after, strict=True):
            self.assertNotEqual(old, new)
        self.assertIn("250", await open_session.ask("NOOP"))

    async def test_broken(self) -> None:
        """A file that breaks is named in the log, and the old certificate is shown."""
        server = self.start_tls_server(a=own("a.example"))
        before = await self.shown(server, "a.example")
        pem = "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n"
        server.write("config/tls/a/cert.pem", pem)
        await self.log.wait_for("config/tls/a/cert.pem:1: holds a certificate")
        self.assertEqual(await self.shown(server, "a.example"), before)

    async def test_elsewhere(self) -> None:
        """A file outside of the instance, of which the kernel tells nothing, too."""
        self.patch(certificates, "LOOK_SECONDS", 0.5)
        elsewhere = Path(self.mktemp()).absolute()
        write_pair(elsewhere, own("mx.here.example"))
        ini = f"key={elsewhere}/tls_key.pem\ncert={elsewhere}/tls_cert.pem\n"
        server = self.start_tls_server(tls_ini=ini)
        before = await self.shown(server, "mx.here.example")
        write_pair(elsewhere, own("mx.here.example"))
        await self.log.wait_for("a key or certificate changed")
        self.assertNotEqual(await self.shown(server, "mx.here.example"), before)
