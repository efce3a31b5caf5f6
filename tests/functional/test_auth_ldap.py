"""Users whom OpenLDAP knows."""

import base64
import smtplib

from twisted.internet.threads import deferToThread

from tests.functional.peers import slapd
from tests.functional.peers.slapd import BASE, Person, Slapd, start_slapd
from tests.functional.server import ServerTestCase
from tests.outbound.client.certificates import Authority, make_authority

ANN = Person(uid="ann", escaped="ann", mail="ann@a.test", password="p w")
ODD = Person(
    uid="b,ö+#", escaped=r"b\,ö\+#", mail="odd*(x)@a.test", password="geheim ü"
)

NAMES = f"[dns]\na=uid=%u,ou=nobody,{BASE}\nb=uid=%u,ou=people,{BASE}\n"
SEARCH = (
    f"[search]\nbase={BASE}\nfilter=(&(objectClass=person)(|(uid=%u)(mail=%u)))\n"
    f"bind_dn=cn=mx,{BASE}\nbind_password=sesam\n"
)


class SlapdTests(ServerTestCase):
    """One server asks the other."""

    skip = slapd.lacks() or None
    timeout = 120

    def setUp(self) -> None:
        """Start OpenLDAP."""
        super().setUp()
        self.authority = make_authority()
        self.directory = self.slapd("127.0.0.1", self.authority)

    def slapd(self, name: str, authority: Authority) -> Slapd:
        """A directory with a certificate for this name."""
        return start_slapd(
            ANN, ODD, authority=authority, name=name, clean_up=self.addCleanup
        )

    async def codes(self, core: str, rest: str, *logins: tuple[str, str]) -> list[int]:
        """What logins are answered, with this C{auth_ldap.ini}."""
        server = self.start(
            {
                "config/plugins": "auth-ldap\n",
                "config/auth.ini": "require_tls=false\nmax_delay=0\nmax_failures=0\n",
                "config/auth_ldap.ini": f"[core]\n{core}\n{rest}",
                "config/ca.pem": self.authority.certificate.decode(),
            }
        )
        try:
            return await deferToThread(log_in, server.port, logins)
        finally:
            await server.stop()

    @property
    def clear(self) -> str:
        """Where it is asked without TLS."""
        return f"server=ldap://127.0.0.1:{self.directory.port}"

    async def test_names(self) -> None:
        """By their names, whatever is in these."""
        codes = await self.codes(
            self.clear,
            NAMES,
            ("ann", "p w"), ("ann", "wrong"), ("nobody", "p w"), ("*", "p w"),
            (ODD.uid, ODD.password), (ODD.uid, "x"), ("ann,ou=people", "p w"),
        )  # fmt: skip
        self.assertEqual(codes, [235, 535, 535, 535, 235, 535, 535])

    async def test_search(self) -> None:
        """By what is found, and by that alone."""
        codes = await self.codes(
            self.clear,
            SEARCH,
            ("ann", "p w"), ("ann@a.test", "p w"), (ODD.mail, ODD.password),
            ("ann@a.test", "wrong"), ("*", "p w"), ("a*", "p w"), ("ann)(uid=*", "p w"),
            ("nobody", "p w"),
        )  # fmt: skip
        self.assertEqual(codes, [235, 235, 235, 535, 535, 535, 535, 535])

    async def test_filters(self) -> None:
        """Filters of every kind mean to OpenLDAP what they should (RFC 4515)."""
        for wanted, code in (
            ("(&(uid=%u)(cn=a*)(sn=*n)(mail=a*@*.te*t)(sn=*))", 235),
            ("(&(uid=%u)(!(sn=b*))(cn~=ann))", 235),
            ("(&(uid=%u)(createTimestamp>=20200101000000Z))", 235),
            ("(&(uid=%u)(createTimestamp<=20200101000000Z))", 535),
            (r"(&(uid=%u)(sn:caseExactMatch:=\61nn)(sn:=ann))", 235),
            ("(&(uid=%u)(ou:dn:=people)(:caseIgnoreMatch:=people))", 535),
            ("(&(uid=%u)(ou:dn:=people))", 235),
            ("(&(uid=%u)(|(cn=b*)(!(sn=*))(sn:caseExactMatch:=ANN)))", 535),
        ):
            search = SEARCH.replace(
                "(&(objectClass=person)(|(uid=%u)(mail=%u)))", wanted
            )
            codes = await self.codes(self.clear, search, ("ann", "p w"))
            self.assertEqual(codes, [code], wanted)

    async def test_wrong_administrator(self) -> None:
        """The postmaster's mistake is not the user's."""
        wrong = SEARCH.replace("sesam", "wrong")
        self.assertEqual(await self.codes(self.clear, wrong, ("ann", "p w")), [454])

    async def test_tls(self) -> None:
        """Over TLS, by either way, with a certificate that is trusted."""
        secure = f"server=ldaps://127.0.0.1:{self.directory.tls_port}"
        logins = ("ann", "p w"), ("ann", "wrong")
        for core in f"{self.clear}\nstarttls=true", secure:
            codes = await self.codes(f"{core}\nca=ca.pem", NAMES, *logins)
            self.assertEqual(codes, [235, 535], core)
            codes = await self.codes(core, NAMES, *logins)
            self.assertEqual(codes, [454, 454], core)
            codes = await self.codes(
                f"{core}\nrejectUnauthorized=false", NAMES, *logins
            )
            self.assertEqual(codes, [235, 535], core)

    async def test_wrong_name(self) -> None:
        """A certificate of somebody else is not good."""
        other = self.slapd("ldap.b.test", self.authority)
        core = f"server=ldaps://127.0.0.1:{other.tls_port}\nca=ca.pem"
        self.assertEqual(await self.codes(core, NAMES, ("ann", "p w")), [454])


def log_in(port: int, logins: tuple[tuple[str, str], ...]) -> list[int]:
    """What logins are answered, each on a connection of its own. It blocks."""
    codes = []
    for user, password in logins:
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            client.ehlo("client.example")
            token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
            codes.append(client.docmd("AUTH", f"PLAIN {token}")[0])
    return codes
