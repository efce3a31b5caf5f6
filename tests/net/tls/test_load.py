"""Tests of C{harakatw.net.tls.load} and C{harakatw.net.tls.table}."""

from typing import Any

from harakatw.config.options import load_options
from harakatw.net.tls.load import Loaded, load_tls, pairs_by_name, stamp_files
from harakatw.net.tls.options import TLSOptions
from harakatw.net.tls.table import make_table, validity_problems
from tests.certificates import (
    NOW,
    encrypted_key,
    make_authority,
    own,
    pkcs12_file,
    write_pair,
)
from tests.config.folders import ConfigTestCase


class LoadTests(ConfigTestCase):
    """From files to what clients are shown."""

    def load(self, before: Loaded | None = None, **options: Any) -> Loaded:
        """Read everything."""
        chosen = TLSOptions(**options)
        return load_tls(chosen, self.files(), "mail.example", before)

    def shown(self, loaded: Loaded, name: str) -> list[set[str]]:
        """The names of the certificates that are there for who asks for a name."""
        assert loaded.table is not None
        wanted = loaded.table.find(name)
        for pairs, _ in loaded.table.recipes.values():
            entry = loaded.table.find(next(iter(pairs[0].names), ""))
            if entry is wanted:
                return [set(pair.names) for pair in pairs]
        return []

    def problems(self, loaded: Loaded) -> list[str]:
        """As a postmaster reads them."""
        return list(map(str, loaded.problems))

    def test_nothing(self) -> None:
        """Without a certificate there is no TLS, and nobody complains."""
        loaded = self.load()
        self.assertIsNone(loaded.table)
        self.assertEqual(loaded.problems, ())

    def test_usual(self) -> None:
        """The two files of Haraka are enough (row CF62)."""
        write_pair(self.directory, own("mail.example"))
        loaded = self.load()
        self.assertEqual(self.shown(loaded, ""), [{"mail.example"}])
        self.assertEqual(loaded.problems, ())

    def test_named_and_missing(self) -> None:
        """Files that somebody named have to be there."""
        loaded = self.load(key=("a.pem",), cert=("b.pem",))
        self.assertEqual(self.problems(loaded), ["config/b.pem: is not there"])

    def test_key_missing(self) -> None:
        """A certificate without its key is told with the name of that."""
        self.write("tls_cert.pem", own("mail.example").certificate)
        self.assertEqual(
            self.problems(self.load()),
            ["config/tls_cert.pem: its key config/tls_key.pem is not there"],
        )

    def test_wrong_key(self) -> None:
        """So is one with the key of another."""
        self.write("tls_cert.pem", own("mail.example").certificate)
        self.write("tls_key.pem", own("mail.example").key)
        (text,) = self.problems(self.load())
        self.assertIn("the key in config/tls_key.pem is not for it", text)

    def test_several(self) -> None:
        """One pair for each kind of key, as C{key[]} and C{cert[]}."""
        write_pair(self.directory, own("mail.example", use_rsa=True), "r")
        write_pair(self.directory, own("mail.example"), "e")
        loaded = self.load(
            key=("rkey.pem", "ekey.pem"), cert=("rcert.pem", "ecert.pem")
        )
        self.assertEqual(loaded.problems, ())
        self.assertEqual(self.shown(loaded, ""), [{"mail.example"}] * 2)

    def test_uneven(self) -> None:
        """Each certificate needs its key."""
        (text,) = self.problems(self.load(key=("a", "b"), cert=("c",)))
        self.assertIn("[main] key: there must be as many as of cert", text)

    def test_passphrase(self) -> None:
        """An encrypted key, and a PKCS #12 file (row CF72)."""
        signed = own("mail.example")
        self.write("tls_cert.pem", signed.certificate)
        self.write("tls_key.pem", encrypted_key(signed, "open"))
        self.write("more.pfx", pkcs12_file(own("pfx.example"), "open"))
        loaded = self.load(passphrase="open", pfx="more.pfx")
        self.assertEqual(loaded.problems, ())
        self.assertEqual(self.shown(loaded, "pfx.example"), [{"pfx.example"}])

    def test_names(self) -> None:
        """Who asks for a name is shown its certificate, others the usual one."""
        write_pair(self.directory, own("mail.example"))
        write_pair(self.directory, own("a.example", "*.wild.example"), "tls/a.")
        loaded = self.load()
        for name, wanted in (
            ("a.example", "a.example"),
            ("x.wild.example", "a.example"),
            ("x.y.wild.example", "mail.example"),
            ("wild.example", "mail.example"),
            ("", "mail.example"),
            ("stranger.example", "mail.example"),
        ):
            self.assertIn(wanted, self.shown(loaded, name)[0], name)

    def test_default_of_folder(self) -> None:
        """Without C{tls_cert.pem} the server's own name is the default."""
        write_pair(self.directory, own("a.example"), "tls/a.")
        write_pair(self.directory, own("mail.example"), "tls/m.")
        self.assertEqual(self.shown(self.load(), ""), [{"mail.example"}])

    def test_one_context_for_many_names(self) -> None:
        """What is for several names is made once: a thousand names cost little."""
        names = [f"n{number}.example" for number in range(50)]
        write_pair(self.directory, own(*names))
        table = self.load().table
        assert table is not None
        self.assertEqual({id(table.find(name)) for name in names}, {id(table.default)})

    def test_latest(self) -> None:
        """Of two certificates for a name the one that ends last is shown."""
        write_pair(self.directory, own("mail.example"))
        for days, stem in ((300, "tls/a."), (500, "tls/b."), (100, "tls/c.")):
            write_pair(self.directory, own("a.example", days=days), stem)
        table = self.load().table
        assert table is not None
        (pair,) = table.recipes["a.example"][0]
        self.assertEqual(pair.place, "config/tls/b.cert.pem")

    def test_section(self) -> None:
        """A name may have settings of its own, and what they leave out is main's."""
        write_pair(self.directory, own("mail.example"))
        write_pair(self.directory, own("old.example"), "tls/o.")
        self.write(
            "tls.ini",
            "minVersion=TLSv1.3\n[Old.example]\nminVersion=TLSv1.2\n"
            "requestCert=false\nrejectUnauthorized=no\n",
        )
        options = load_options(TLSOptions, self.files(), "tls").checked()
        table = load_tls(options, self.files(), "mail.example").table
        assert table is not None
        old, usual = table.find("old.example").profile, table.default.profile
        self.assertEqual(old.wanted.min_version, "TLSv1.2")
        self.assertEqual(usual.wanted.min_version, "TLSv1.3")
        self.assertEqual((old.wanted.asks, usual.wanted.asks), (False, True))

    def test_section_without_certificate(self) -> None:
        """A section for a name that no certificate has is a slip of the pen."""
        self.write("tls.ini", "[gone.example]\nminVersion=TLSv1.2\n")
        options = load_options(TLSOptions, self.files(), "tls").checked()
        loaded = load_tls(options, self.files(), "mail.example")
        (text,) = self.problems(loaded)
        self.assertIn("[gone.example]: there is no certificate for this name", text)

    def test_bad_ciphers(self) -> None:
        """Ciphers that OpenSSL does not know leave in force what was before."""
        write_pair(self.directory, own("mail.example"))
        before = self.load()
        after = self.load(before, ciphers="NONSENSE")
        self.assertIn("[main]: ciphers: OpenSSL knows none", self.problems(after)[0])
        assert before.table is not None and after.table is not None
        self.assertIs(after.table.default, before.table.default)
        self.assertIsNone(self.load(ciphers="NONSENSE").table)

    def test_bad_authorities(self) -> None:
        """A file of authorities that is broken means that nobody is trusted."""
        write_pair(self.directory, own("mail.example"))
        self.write("ca.pem", "nothing")
        loaded = self.load(ca="ca.pem")
        self.assertIn(
            "ca: config/ca.pem holds no certificate", self.problems(loaded)[0]
        )
        assert loaded.table is not None
        self.assertEqual(loaded.table.default.profile.trusted.authorities, ())

    def test_bad_list(self) -> None:
        """So does a list of revoked certificates that cannot be read."""
        write_pair(self.directory, own("mail.example"))
        self.write("ca.pem", make_authority().certificate)
        loaded = self.load(ca="ca.pem", crl="gone.pem")
        self.assertIn("crl: config/gone.pem is not there", self.problems(loaded)[0])
        assert loaded.table is not None
        self.assertEqual(loaded.table.default.profile.trusted.authorities, ())

    def test_broken_later(self) -> None:
        """A file that breaks leaves its certificate in use."""
        write_pair(self.directory, own("mail.example"))
        before = self.load()
        self.write("tls_cert.pem", "half a fi")
        after = self.load(before)
        self.assertEqual(self.shown(after, ""), [{"mail.example"}])
        self.assertIn(
            "config/tls_cert.pem: holds no certificate", self.problems(after)[0]
        )

    def test_dhparam(self) -> None:
        """A file of parameters that somebody named has to be there (row CF63)."""
        write_pair(self.directory, own("mail.example"))
        self.assertEqual(self.load().problems, ())
        loaded = self.load(dhparam="mine.pem")
        self.assertIn("dhparam: config/mine.pem is not there", self.problems(loaded)[0])

    def test_stamps(self) -> None:
        """A change of any file can be seen, also of one behind a link."""
        write_pair(self.directory, own("mail.example"))
        elsewhere = self.directory.parent / "elsewhere"
        write_pair(elsewhere, own("a.example"), "x")
        (self.directory / "tls").symlink_to(elsewhere.absolute())
        loaded = self.load()
        again = dict(stamp_files(TLSOptions(), self.files()))
        self.assertEqual(loaded.stamps, again)
        write_pair(elsewhere, own("longer.a.example"), "x")
        changed = dict(stamp_files(TLSOptions(), self.files()))
        self.assertNotEqual(loaded.stamps, changed)

    def test_by_name(self) -> None:
        """For mail that leaves, a certificate is found by its name (row CF77)."""
        write_pair(self.directory, own("a.example"), "tls/a.")
        found = pairs_by_name(TLSOptions(), self.files())
        self.assertEqual(set(found), {"a.example"})

    def test_renewed(self) -> None:
        """
        The keys of tickets change with new contexts, where there are tickets (RFC 9325
        section 3.4); all else stays.
        """
        write_pair(self.directory, own("mail.example"))
        for asks in (True, False):
            table = self.load(request_cert=asks).table
            assert table is not None
            renewed = table.renewed()
            is_same = renewed.default.context is table.default.context
            self.assertEqual(is_same, asks)
            self.assertEqual(renewed.recipes, table.recipes)

    def test_unchanged(self) -> None:
        """
        When a certificate changes the contexts of others stay as they are: with many
        names it would take long to make them all.
        """
        write_pair(self.directory, own("mail.example"))
        for name in ("a", "b"):
            write_pair(self.directory, own(f"{name}.example"), f"tls/{name}.")
        before = self.load()
        write_pair(self.directory, own("b.example"), "tls/b.")
        after = self.load(before)
        assert before.table is not None and after.table is not None
        for name, stays in (("", True), ("a.example", True), ("b.example", False)):
            old, new = before.table.find(name), after.table.find(name)
            self.assertEqual(old.context is new.context, stays, name)

    def test_other_settings(self) -> None:
        """Other settings need other contexts."""
        write_pair(self.directory, own("mail.example"))
        before = self.load()
        after = self.load(before, min_version="TLSv1.3")
        assert before.table is not None and after.table is not None
        self.assertIsNot(before.table.default.context, after.table.default.context)

    def test_validity(self) -> None:
        """Certificates that ended, that end soon, and that have not begun are told."""
        for days, word, severity in (
            (-1, "expired on 2025-12-31", "error"),
            (13, "expires in 13 days", "notice"),
        ):
            write_pair(self.directory, own("mail.example", days=days))
            table = self.load().table
            assert table is not None
            (problem,) = validity_problems(table.pairs, NOW.timestamp())
            self.assertIn(f"certificate of mail.example {word}", str(problem))
            self.assertEqual(problem.severity, severity)
            (problem,) = validity_problems(table.pairs, 0)
            self.assertIn("is not valid until", str(problem))
        write_pair(self.directory, own("mail.example", days=15))
        table = self.load().table
        assert table is not None
        self.assertEqual(list(validity_problems(table.pairs, NOW.timestamp())), [])

    def test_no_default(self) -> None:
        """Without a default there is no table."""
        self.assertEqual(make_table({}), (None, ()))


class OptionTests(ConfigTestCase):
    """C{tls.ini}."""

    def test_haraka(self) -> None:
        """Haraka's keys are read; those that mean nothing here say why."""
        self.write(
            "tls.ini",
            "key=k.pem\ncert=c.pem\nciphers=HIGH\nminVersion=TLSv1.2\n"
            "ecdhCurve=P-384\nhonorCipherOrder=false\nrequestCert=false\n"
            "requireAuthorized[]=465\nno_starttls_ports[]=2525\n"
            "secureProtocol=TLSv1_2_method\nrequestOCSP=true\n"
            "[no_tls_hosts]\n192.0.2.1\n172.16.0.0/16\n"
            "[redis]\ndisable_for_failed_hosts=true\nhost=127.0.0.1\n"
            "[outbound]\ndhparam=d.pem\n",
        )
        loaded = load_options(TLSOptions, self.files(), "tls")
        self.assertEqual(loaded.errors, ())
        options = loaded.options
        self.assertEqual((options.key, options.cert), (("k.pem",), ("c.pem",)))
        self.assertEqual(options.require_authorized, {465})
        self.assertEqual(list(options.no_tls_hosts), ["192.0.2.1", "172.16.0.0/16"])
        self.assertTrue(options.disable_for_failed_hosts)
        self.assertEqual(
            [problem.key for problem in loaded.problems],
            ["secureProtocol", "requestOCSP", "host", "dhparam"],
        )

    def test_mistakes(self) -> None:
        """A curve, a port, a network or a list of ciphers that is none is told."""
        for text, word in (
            ("ecdhCurve=X25519\n", "none of auto, P-256"),
            ("requireAuthorized[]=70000\n", "70000 is no port"),
            ("ciphers=a b;c\n", "no list of ciphers"),
            ("[no_tls_hosts]\nexample.org\n", "'example.org' is not an IP address"),
            ("minVersion=SSLv3\n", "TLSv1.2"),
        ):
            self.write("tls.ini", text)
            loaded = load_options(TLSOptions, self.files(), "tls")
            self.assertIn(word, str(loaded.errors[0]))

    def test_secret(self) -> None:
        """A passphrase is never shown."""
        self.write("tls.ini", "passphrase[]=a-secret\npassphrase[]=b\n")
        loaded = load_options(TLSOptions, self.files(), "tls")
        self.assertEqual(len(loaded.problems), 1)
        self.assertNotIn("a-secret", str(loaded.problems))
