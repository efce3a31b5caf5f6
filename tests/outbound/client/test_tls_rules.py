"""With which host TLS is used."""

import attrs
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.options import load_options
from harakatw.outbound.client.tls_rules import (
    NO_TLS,
    OPPORTUNISTIC,
    OutboundTLSOptions,
    TLSPolicy,
    TLSRules,
    parse_hosts,
)
from harakatw.outbound.hop import Hop, TLSWish
from tests.config.folders import ConfigTestCase

HOST = Hop(host="mx.example", ip="192.0.2.1")


def verified(*names: str) -> TLSPolicy:
    """TLS with a certificate for one of these names."""
    return TLSPolicy(required=True, verified=True, names=names)


class HostsTests(SynchronousTestCase):
    """Lists of hosts."""

    def test_contain(self) -> None:
        """Names in any case, addresses, and addresses of networks."""
        hosts = parse_hosts(
            ["MX.example.", "192.0.2.0/24", "2001:db8::1", "b\u00fccher.example"]
        )
        for inside in (
            "mx.EXAMPLE",
            "mx.example.",
            "192.0.2.77",
            "::ffff:192.0.2.1",
            "2001:db8:0::1",
            "xn--bcher-kva.example",
        ):
            self.assertTrue(hosts.contain(inside), inside)
        for outside in ("a.mx.example", "example", "192.0.3.1", "2001:db8::2", ""):
            self.assertFalse(hosts.contain(outside), outside)

    def test_wrong(self) -> None:
        """What is no host is a mistake of the postmaster's."""
        for entry in ("a b", "192.0.2.0/99", "mx.example/24"):
            self.assertRaises(ValueError, parse_hosts, [entry])


class PolicyTests(SynchronousTestCase):
    """What a connection needs."""

    def test_default(self) -> None:
        """
        TLS if the host can do it, with any certificate (row OB35, RFC 7435 section 3).
        """
        rules = TLSRules(OutboundTLSOptions())
        self.assertEqual(rules.policy(HOST), OPPORTUNISTIC)

    def test_off(self) -> None:
        """C{enable_tls = false} turns it off, but not where it is forced."""
        rules = TLSRules(
            OutboundTLSOptions(enable_tls=False, force_tls_hosts=("bank.example",))
        )
        self.assertEqual(rules.policy(HOST), NO_TLS)
        self.assertTrue(rules.policy(HOST, "bank.example").verified)

    def test_spared(self) -> None:
        """Hosts in C{no_tls_hosts} get mail in clear: by name, address or domain."""
        for entry in ("mx.example", "192.0.2.0/28", "d.example"):
            rules = TLSRules(OutboundTLSOptions(no_tls_hosts=(entry,)))
            self.assertEqual(rules.policy(HOST, "d.example"), NO_TLS)
            self.assertEqual(rules.policy(Hop(host="other.example")), OPPORTUNISTIC)

    def test_forced(self) -> None:
        """Hosts in C{force_tls_hosts} must have a certificate, come what may (OB36)."""
        for entry in ("mx.example", "192.0.2.1", "d.example"):
            rules = TLSRules(
                OutboundTLSOptions(force_tls_hosts=(entry,), no_tls_hosts=(entry,))
            )
            self.assertEqual(
                rules.policy(HOST, "d.example"), verified("mx.example", "d.example")
            )
            found = rules.policy(attrs.evolve(HOST, from_dns="d.example"))
            self.assertTrue(found.verified, "the hop knows whose MX host it is")

    def test_strict(self) -> None:
        """
        What the DNS says is not trusted: an MX host needs a certificate of the domain,
        whatever the files say; a host that is written down one of its own.
        """
        options = OutboundTLSOptions(enable_tls=False, no_tls_hosts=("mx.example",))
        for rules in (TLSRules(OutboundTLSOptions()), TLSRules(options)):
            hop = attrs.evolve(HOST, tls="strict")
            self.assertEqual(rules.policy(hop), verified("mx.example"))
            found = attrs.evolve(hop, from_dns="d.example")
            self.assertEqual(rules.policy(found), verified("d.example"))

    def test_relaxed(self) -> None:
        """As the files say, but that any certificate does; forced hosts stay so."""
        hop = attrs.evolve(HOST, tls="relaxed")
        for options, policy in (
            (OutboundTLSOptions(), OPPORTUNISTIC),
            (OutboundTLSOptions(reject_unauthorized=True), OPPORTUNISTIC),
            (OutboundTLSOptions(enable_tls=False), NO_TLS),
            (OutboundTLSOptions(no_tls_hosts=("mx.example",)), NO_TLS),
            (
                OutboundTLSOptions(force_tls_hosts=("mx.example",)),
                verified("mx.example"),
            ),
        ):
            self.assertEqual(TLSRules(options).policy(hop), policy)

    def test_reject_unauthorized(self) -> None:
        """C{rejectUnauthorized} asks for a certificate where there is TLS."""
        rules = TLSRules(OutboundTLSOptions(reject_unauthorized=True))
        self.assertEqual(rules.policy(HOST), TLSPolicy(verified=True))

    def test_hop(self) -> None:
        """What a hop asks for goes before the lists, except before a forced host."""
        rules = TLSRules(
            OutboundTLSOptions(
                no_tls_hosts=("mx.example",), force_tls_hosts=("f.example",)
            )
        )
        wishes: list[tuple[TLSWish, TLSPolicy]] = [
            ("default", NO_TLS),
            ("never", NO_TLS),
            ("may", OPPORTUNISTIC),
            ("must", TLSPolicy(required=True)),
            ("verify", verified("mx.example")),
        ]
        for wish, policy in wishes:
            self.assertEqual(rules.policy(Hop(host="mx.example", tls=wish)), policy)
        forced = rules.policy(Hop(host="f.example", tls="never"))
        self.assertEqual(forced, verified("f.example"))

    def test_implicit(self) -> None:
        """C{smtps://} is TLS at once (RFC 8314), whatever the lists say."""
        rules = TLSRules(OutboundTLSOptions(no_tls_hosts=("mx.example",)))
        policy = rules.policy(Hop(host="mx.example", implicit_tls=True))
        self.assertTrue(policy.required)

    def test_unix_socket(self) -> None:
        """A Unix socket needs no TLS."""
        rules = TLSRules(OutboundTLSOptions())
        self.assertEqual(rules.policy(Hop(path="/run/lmtp", using_lmtp=True)), NO_TLS)


class OptionTests(ConfigTestCase):
    """What C{tls.ini} and C{outbound.ini} say."""

    def test_read(self) -> None:
        """Haraka's keys are read where Haraka has them (row CF78)."""
        self.write("outbound.ini", "enable_tls=false\n")
        self.write(
            "tls.ini",
            "mutual_tls=true\n[mutual_auth_hosts]\na.example\nb.example=c.example\n"
            "[outbound]\nkey=a.pem\ncert=b.pem\nminVersion=TLSv1.3\nciphers=HIGH:!aNULL\nrejectUnauthorized=true\n"
            "no_tls_hosts[]=127.0.0.1\nno_tls_hosts[]=192.168.0.0/16\n"
            "force_tls_hosts[]=bank.example\n",
        )
        loaded = load_options(OutboundTLSOptions, self.files(), "client")
        self.assertEqual(loaded.problems, ())
        self.assertEqual(
            loaded.options,
            OutboundTLSOptions(
                enable_tls=False,
                no_tls_hosts=("127.0.0.1", "192.168.0.0/16"),
                force_tls_hosts=("bank.example",),
                reject_unauthorized=True,
                mutual_tls=True,
                ciphers="HIGH:!aNULL",
                mutual_auth_hosts={"a.example": "", "b.example": "c.example"},
                key="a.pem",
                cert="b.pem",
                min_version="TLSv1.3",
            ),
        )

    def test_wrong(self) -> None:
        """A host that is none, and a version that is none, are reported."""
        self.write("tls.ini", "[outbound]\nforce_tls_hosts[]=a b\nminVersion=SSLv3\n")
        loaded = load_options(OutboundTLSOptions, self.files(), "client")
        self.assertEqual(loaded.options, OutboundTLSOptions())
        self.assertEqual(len(loaded.problems), 2)
        self.assertIn("'a b' is no host", str(loaded.problems))
