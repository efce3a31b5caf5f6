"""What a set of hosts is called."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.routes.sites import MAX_NAME, common_name, site_name


class SiteTests(SynchronousTestCase):
    """Domains with the same hosts are one site."""

    def test_names(self) -> None:
        """A name says which hosts, and what they have in common."""
        cases = {
            ("mx.test",): "mx.test",
            ("mx.test", "mx.test"): "mx.test",
            ("b.mx.test", "a.mx.test"): "(a|b).mx.test",
            ("alt1.smtp.l.google.com", "smtp.l.google.com"): (
                "(alt1.smtp|smtp).l.google.com"
            ),
            ("a.test", "b.example"): "(a.test|b.example)",
            ("test", "a.test"): "(a.test|test)",
            ("mx.test", "a.mx.test"): "(a.mx|mx).test",
            ("mx.test:25",): "mx.test:25",
            ("[2001:db8::1]:25",): "[2001:db8::1]:25",
            ("/run/lmtp",): "/run/lmtp",
        }
        for hosts, name in cases.items():
            self.assertEqual(site_name(hosts), name)
            self.assertEqual(site_name(reversed(hosts)), name)

    def test_long(self) -> None:
        """A hundred hosts have a name that can be shown; other hosts have another."""
        hosts = [f"host-number-{number}.mx.test" for number in range(100)]
        name = site_name(hosts)
        self.assertEqual(len(name), MAX_NAME)
        self.assertTrue(name.endswith(").mx.test"), name)
        self.assertEqual(common_name(name), "mx.test")
        self.assertNotEqual(name, site_name(hosts[:-1]))
        self.assertLessEqual(len(site_name([f"/{'x' * 300}"])), MAX_NAME)

    def test_common(self) -> None:
        """Limits are found by what all hosts of a site have in common."""
        cases = {
            "mx.test": "mx.test",
            "(a|b).mx.test": "mx.test",
            "(a.test|b.example)": "",
            "mx.test:2525": "mx.test",
            "(a|b).mx.test:2525": "mx.test",
        }
        for site, name in cases.items():
            self.assertEqual(common_name(site), name)
