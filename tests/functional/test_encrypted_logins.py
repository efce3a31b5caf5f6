"""
Users log in and send with clients that other people wrote, over STARTTLS and over TLS
from the first octet on, at ports for submission.
"""

import os
import smtplib
import ssl
from pathlib import Path
from typing import Final

import attrs
from twisted.internet.threads import deferToThread

from tests.certificates import Authority, make_authority, write_pair
from tests.functional.peers import haraka
from tests.functional.server import RunningServer
from tests.functional.test_clients import ClientTestCase
from tests.functional.test_logins import KEEPER
from tests.functional.tls_server import IMPLICIT

_NODEMAILER: Final = """
const nodemailer = require('nodemailer');
const [port, secure, ca] = process.argv.slice(2);
const transport = nodemailer.createTransport({
  host: '127.0.0.1', port: Number(port), secure: secure === 'true',
  requireTLS: true, auth: {user: 'ann', pass: 'p w'},
  tls: {ca: require('fs').readFileSync(ca)},
});
transport.sendMail({
  from: 'ann@far.example', to: 'b@far.example', subject: 'x', text: 'x',
}).then(() => process.exit(0), (error) => { console.log(error); process.exit(1); });
"""


@attrs.frozen
class Site:
    """
    A server for users.

    @ivar implicit: does it speak TLS from the first octet on?
    @ivar ca: the file with the authority that signed its certificate.
    """

    server: RunningServer
    implicit: bool
    ca: Path

    @property
    def port(self) -> str:
        """Its port."""
        return str(self.server.port)

    @property
    def sent(self) -> list[str]:
        """Who sent something, and how it logged in."""
        return (self.server.directory / "sent").read_text().splitlines()


class EncryptedLoginTests(ClientTestCase):
    """Each client checks the certificate, logs in, and sends to elsewhere."""

    authority: Authority

    def setUp(self) -> None:
        """An authority that the clients trust."""
        super().setUp()
        self.authority = make_authority()

    def sites(self) -> list[Site]:
        """A server of each kind."""
        return [self.site(implicit=False), self.site(implicit=True)]

    def site(self, *, implicit: bool) -> Site:
        """A server for submission, as port 587 or as port 465 has it."""
        directory = Path(self.mktemp()).absolute()
        write_pair(directory / "config", self.authority.sign("127.0.0.1"))
        ca = directory / "ca.pem"
        ca.write_bytes(self.authority.certificate)
        tls = IMPLICIT if implicit else "[0]\ntls=required\n"
        for name, text in {
            "config/me": "mx.here.example\n",
            "config/smtp.ini": "listen=127.0.0.1:0\n",
            "config/listeners.ini": f"{tls}submission=true\n",
            "config/plugins": "tls\nauth/flat_file\nkeeper\n",
            "config/auth_flat_file.ini": "[users]\nann=p w\n",
            "plugins/keeper.py": KEEPER,
        }.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Site(self.begin(directory), implicit, ca)

    async def test_swaks(self) -> None:
        """swaks."""
        for site in self.sites():
            await self.run_program(
                "swaks", "--server", "127.0.0.1", "--port", site.port,
                "--tls-on-connect" if site.implicit else "--tls",
                "--from", "ann@far.example", "--to", "b@far.example",
                "--auth", "PLAIN", "--auth-user", "ann", "--auth-password", "p w",
            )  # fmt: skip
            self.assertEqual(site.sent, ["ann PLAIN"])

    async def test_smtplib(self) -> None:
        """Python's client; without TLS or login it is told what is missing."""
        for site in self.sites():
            await deferToThread(self.smtplib_sends, site)
            self.assertEqual(site.sent, ["ann CRAM-MD5"])  # it likes that best

    def smtplib_sends(self, site: Site) -> None:
        """Send, after it was tried without what is needed."""
        context = ssl.create_default_context(cafile=str(site.ca))
        port = site.server.port
        client: smtplib.SMTP
        if site.implicit:
            client = smtplib.SMTP_SSL("127.0.0.1", port, timeout=20, context=context)
            client.ehlo()
        else:
            client = smtplib.SMTP("127.0.0.1", port, timeout=20)
            client.ehlo()
            for command in "MAIL FROM:<ann@far.example>", "AUTH PLAIN":
                code, text = client.docmd(command)
                self.assertEqual((code, b"STARTTLS" in text), (530, True))
            client.starttls(context=context)
            client.ehlo()
        code, text = client.mail("ann@far.example")
        self.assertEqual((code, text), (530, b"5.7.0 Authentication required"))
        client.login("ann", "p w")
        client.sendmail("ann@far.example", "b@far.example", b"Subject: x\r\n\r\nx")
        client.quit()

    async def test_curl(self) -> None:
        """curl."""
        for site in self.sites():
            message = site.server.directory / "message"
            message.write_bytes(b"Subject: x\r\n\r\nx\r\n")
            await self.run_program(
                "curl", "--silent", "--show-error", "--max-time", "20", "--ssl-reqd",
                "--cacert", str(site.ca), "--user", "ann:p w",
                f"smtp{'s' if site.implicit else ''}://127.0.0.1:{site.port}",
                "--login-options", "AUTH=PLAIN", "--mail-from", "ann@far.example",
                "--mail-rcpt", "b@far.example", "--upload-file", str(message),
            )  # fmt: skip
            self.assertEqual(site.sent, ["ann PLAIN"])

    async def test_msmtp(self) -> None:
        """msmtp, with SCRAM that is bound to the certificate where it can."""
        for site in self.sites():
            for method in "plain", "scram-sha-256":
                await self.run_program(
                    "sh", "-c",
                    "printf 'Subject: x\\n\\nx\\n' | msmtp --host=127.0.0.1"
                    f" --port={site.port} --tls=on --tls-trust-file={site.ca}"
                    f" --tls-starttls={'off' if site.implicit else 'on'}"
                    f" --auth={method} --user=ann --passwordeval='echo p w'"
                    " --from=ann@far.example b@far.example",
                )  # fmt: skip
            self.assertEqual(site.sent, ["ann PLAIN", "ann SCRAM-SHA-256"])

    async def test_nodemailer(self) -> None:
        """Node's nodemailer."""
        folder = Path(os.environ.get("PEERS", "/nowhere")) / "nodemailer"
        node = haraka.find_node()
        if node is None or not (folder / "node_modules/nodemailer").is_dir():
            self.skipTest("PEERS names no folder with Node.js and nodemailer")
        for site in self.sites():
            script = site.server.directory / "send.js"
            script.write_text(_NODEMAILER)
            await self.run_program(
                "env", f"NODE_PATH={folder}/node_modules", node, str(script),
                site.port, str(site.implicit).lower(), str(site.ca),
            )  # fmt: skip
            self.assertEqual(site.sent, ["ann PLAIN"])
