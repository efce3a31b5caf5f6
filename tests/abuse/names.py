"""
What hostile clients and senders call themselves and others: data only, for sessions in
memory and over sockets alike.

The rows are those of the survey of bug classes in other mail servers.
"""

from typing import Final

MAILBOXES: Final = (
    ('"x@victim.example y"', '"x@victim.example y"'),
    ('"x@victim.example"', '"x@victim.example"'),
    ('"x y"', '"x y"'),
    ('"<x@victim.example>"', '"<x@victim.example>"'),
    ('"x,y@victim.example"', '"x,y@victim.example"'),
    ('"x@victim.example;"', '"x@victim.example;"'),
    ('"x\\"@victim.example, \\"y"', '"x\\"@victim.example, \\"y"'),
    ('"x\\\\"', '"x\\\\"'),
    ('"(x@victim.example)"', '"(x@victim.example)"'),
    ('"x:y"', '"x:y"'),
    ('"x.."', '"x.."'),
    ('" "', '" "'),
    ('"plain"', "plain"),
    ('"pl\\ain"', "plain"),
    ("x=40victim.example", "x=40victim.example"),
    ("x%victim.example", "x%victim.example"),
)
"""
Row 26: local parts as a client writes them, and as everybody else must see them.

None of the mailboxes is C{victim.example}'s.
"""

SHELL_WORDS: Final = (
    ";touch pwned;",
    "|touch${IFS}pwned",
    "`touch${IFS}pwned`",
    "$(touch pwned)",
    "$(touch${IFS}pwned)",
    "&touch pwned&",
    "x\\$(touch pwned)",
    "'; touch pwned #",
    "--help",
    "-oQ/tmp",
    "%{run{/usr/bin/touch pwned}}",
    "${run{/usr/bin/touch pwned}}",
    "!touch pwned",
    "|/usr/bin/touch pwned",
    "/dev/null",
    "~root",
    "*",
    "() { :; }; touch pwned",
    "${jndi:ldap://127.0.0.1/a}",
)
"""Row 28: local parts, for what a shell or a template makes of them (CVE-2020-7247)."""

PATHS: Final = (
    "../../x",
    "..",
    ".",
    "/",
    "/etc/passwd",
    "/tmp/x",
    "a/../../../b",
    "..\\..\\x",
    "%2e%2e%2fx",
    "~/x",
    "-rf",
    ".forward",
    "x\\\0y",
    "CON",
    "a" * 60 + "/",
)
"""Row 29: local parts that would lead out of a folder."""

FORGED_RESULTS: Final = (
    b"Authentication-Results: mx.here.example; dmarc=pass",
    b"authentication-results: mx.here.example; dmarc=pass",
    b"AUTHENTICATION-RESULTS:mx.here.example; dmarc=pass",
    b"Authentication-Results : mx.here.example; dmarc=pass",
    b"Authentication-Results\t: mx.here.example; dmarc=pass",
    b"Authentication-Results:\r\n mx.here.example;\r\n\tdmarc=pass",
    b"Authentication-Results:\r\n\t\r\n mx.here.example; dmarc=pass",
    b"Authentication-Results: (me) mx.here.example (v1); dmarc=pass",
    b"Authentication-Results: mx.here.example 1; dmarc=pass",
    b"Authentication-Results: mx.here.example 1 ; dmarc=(x)pass",
    b'Authentication-Results: "mx.here.example"; dmarc=pass',
    b"Authentication-Results: MX.HERE.EXAMPLE; dmarc=pass",
    b"Authentication-Results: mx.here.example.; dmarc=pass",
    b"Authentication-Results: other.example; dmarc=pass",
    b"Authentication-Results: \xff; dmarc=pass",
    b"Authentication-Results:",
)
"""Row 34: verdicts in our name, that we have not said (RFC 8601 section 5)."""

AUTHORS: Final = (
    (b"From: a@good.example", b"From: b@evil.example"),
    (b"From: b@evil.example", b"From: a@good.example"),
    (b"From: a@good.example, b@evil.example",),
    (b"From: b@evil.example, a@good.example",),
    (b"From: Us: a@good.example, b@evil.example;",),
    (b"From: Us: b@evil.example;",),
    (b"From: =?utf-8?q?a=40good.example?= <b@evil.example>",),
    (b"From: b@=?utf-8?q?evil.example?=",),
    (b"From: a@good.example <b@evil.example>",),
    (b'From: "a@good.example" <b@evil.example>',),
    (b"From: a@good.example,", b"\tb@evil.example"),
    (b"From: <@good.example:b@evil.example>",),
    (b"From: undisclosed:;",),
    (b"From: a@good.example\xff.evil.example",),
    (b"From:",),
    (b"X-From: a@good.example",),
)
"""
Row 35: header lines by which a message seems to be from C{a@good.example}, its sender,
to some program, and is from somebody else or nobody to another.
"""
