"""Organizational domains, and the lists made of them."""

import os
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from harakatw.plugins._access_lists import (
    Organizations,
    is_name,
    make_domain_list,
    make_list,
)

TEST_DATA = Path(
    os.environ.get("HARAKATW_TESTDATA")
    or Path(__file__).resolve().parents[3] / "shared" / "testdata"
)


class OrganizationTests(SynchronousTestCase):
    """To which organization a domain belongs."""

    def test_some(self) -> None:
        """The domain below a public suffix, in any spelling."""
        organizations = Organizations()
        for domain, found in {
            "mail.example.com": "example.com",
            "EXAMPLE.com.": "example.com",
            "a.b.example.co.uk": "example.co.uk",
            "co.uk": "",
            "com": "",
            "": "",
            "not a domain": "",
            "x." * 200 + "com": "",
            "www.食狮.公司.cn": "xn--85x722f.xn--55qx5d.cn",
        }.items():
            self.assertEqual(organizations.of(domain), found, domain)

    def test_collection(self) -> None:
        """The tests that come with the Public Suffix List."""
        file = TEST_DATA / "psl" / "tests.txt"
        if not file.exists():
            raise SkipTest(f"no {file}")
        organizations = Organizations()
        cases = [
            line.split()
            for line in file.read_text("utf-8").split("\n")
            if line.strip() and not line.startswith("//")
        ]
        self.assertGreater(len(cases), 70)
        for domain, wanted in cases:
            expected = "" if wanted == "null" else wanted.encode("idna").decode()
            self.assertEqual(organizations.of(domain), expected, domain)


class ListTests(SynchronousTestCase):
    """Lists as they are looked up."""

    def test_domains(self) -> None:
        """Entries, exceptions, and what can match nothing."""
        domains = make_domain_list(
            ("a.Bad.example", "! ok.bad.example", "!", "me@x.test", "com"),
            Organizations(),
        )
        self.assertEqual(domains.blocked, {"bad.example", "me@x.test"})
        self.assertEqual(domains.allowed, {"ok.bad.example"})
        self.assertEqual(len(domains.mistakes), 2)

    def test_empty_text(self) -> None:
        """An empty text, such as the null sender, is in no list."""
        found = make_list("file", (), (".*",))
        self.assertEqual(found.found_in(""), "")
        self.assertEqual(found.found_in("a"), "file_regex")

    def test_backreference(self) -> None:
        """Each pattern has groups of its own."""
        found = make_list("file", (), (r"(x)(y)", r"(a|b)\1@z"))
        self.assertEqual(found.found_in("aa@z"), "file_regex")
        self.assertEqual(found.found_in("ab@z"), "")

    def test_names(self) -> None:
        """Addresses and what stands for a missing name are no names."""
        for host in "host", "mail.example.com", "1.2.3.example":
            self.assertTrue(is_name(host), host)
        for host in "", "NXDOMAIN", "192.0.2.1", "2001:db8::1", "[192.0.2.1]":
            self.assertFalse(is_name(host), host)
