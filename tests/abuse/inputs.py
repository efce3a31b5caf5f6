"""
What hostile clients send: data only, for sessions in memory and over sockets alike.

The rows are those of the survey of bug classes in other mail servers.
"""

from typing import Final

FALSE_ENDS: Final = (
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\n.\r",
    b"\r\n.\r",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\r\n.\r\r\n",
    b"\r\n.\r\r\n",
)
"""Row 1: what some servers take for the end of a message, and some do not."""

SMUGGLED: Final = (
    b"MAIL FROM:<evil@client.example>\r\n"
    b"RCPT TO:<victim@here.example>\r\n"
    b"DATA\r\n"
    b"Subject: smuggled\r\n\r\nboo\r\n"
)
"""Row 1: what follows the false end, hoping to be taken for commands."""

BAD_ENVELOPES: Final = (
    b'RCPT TO:<"a\rBcc: z"@here.example>',
    b'RCPT TO:<"a\nBcc: z"@here.example>',
    b"RCPT TO:<b@here.example\0.victim.example>",
    b"RCPT TO:<b@here.example> ORCPT=rfc822;a+0D+0ABcc",
    b"RCPT TO:<b@here.example\x1b[2J>",
    b"RCPT TO:<b\x7f@here.example>",
    b"MAIL FROM:<a@b.example> ENVID=a+0D+0Ab",
    b"MAIL FROM:<a@b.example> AUTH=a+0D+0Ab",
    b"MAIL FROM:<a@b.example>\x0bRCPT TO:<c@d.example>",
    b"EHLO a\x1b[2J",
    b"EHLO a\rb",
    b"HELO a\0b",
    b"HELO a\x1b[2J",
    b"HELO a\rb",
    b"VRFY a\x1b[2J",
    b"\x1b]0;title\x07",
)
"""Row 9: commands that would put line ends or terminal escapes where they do harm."""

BAD_HEADER_VALUES: Final = (
    "a\nBcc: victim@d.example",
    "a\r\nBcc: victim@d.example",
    "a\rBcc: victim@d.example",
    "a\r\n\r\nbody",
    "a\0b",
)
"""Row 10: values that would end a header field, and begin another or the body."""

ODD_HEADER_VALUES: Final = tuple(
    f"a{separator}Bcc: victim@d.example"
    for separator in "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
)
"""Row 10: what Python's C{splitlines} takes for line ends, and mail does not."""

HOSTILE_TEXTS: Final = (
    "",
    " ",
    "\r\n",
    "5.7.2",
    "5.7.2 5.7.2",
    " 5.7.2 go away",
    "2.0.0 fine",
    "line one\r\nline two",
    "line one\r\n250 OK\r\n",
    "bare\rCR",
    "bare\nLF",
    "x" * 65536,
    "word " * 13000,
    "\n" * 5000,
    "\x1b[2J\x1b]0;pwned\x07",
    "nul\0nul",
    "bücher \u2028 \x85 \udcff",
    "%s %d {uuid} {0} {",
)
"""Row 11: what plugins, block lists and peers give as the text of a refusal."""

MAGIC_FIELDS: Final = (
    b"__proto__: x\r\n",
    b"__class__: x\r\n",
    b"__init__: x\r\n",
    b"items: x\r\nget: y\r\n",
    b": x\r\n",
    b":\r\n",
    b"With Blank: x\r\n",
    b"no colon at all\r\n",
    b" starts with a blank\r\n",
    b"\xff\xfe: \xff\r\n",
    b"X: " + b"y" * 990 + b"\r\n",
    b"Subject:\r\n \r\n \r\n",
)
"""Row 12: header fields whose names have a meaning elsewhere, or none."""

SLOW_PATTERNS: Final = (
    b'MAIL FROM:<"' + b'"' * 2000 + b"@d.example>",
    b"MAIL FROM:<" + b"a." * 1000 + b"@d.example>",
    b"MAIL FROM:<a@" + b"b." * 1000 + b">",
    b"MAIL FROM:<" + b"@a," * 600 + b"@b:c@d.example>",
    b'MAIL FROM:<"' + b"\\" * 2001 + b'"@d.example>',
    b"MAIL FROM:<a@[" + b"1." * 1000 + b"]>",
    b"MAIL FROM:<a@[IPv6:" + b"1:" * 1000 + b"]>",
    b"MAIL FROM:" + b" " * 2000 + b"x",
    b"MAIL FROM:<a@b.example>" + b" A=" * 600,
    b"MAIL FROM:<a@b.example>" + b" " * 2000 + b"\t",
    b"EHLO " + b" " * 2000 + b"x\0",
    b"RCPT TO:" + b"<" * 2000,
    b"RCPT TO:<" + b"a" * 2000,
    b"VRFY " + b"\\" * 2000,
)
"""Row 19: commands that take some parsers forever."""

SIZES: Final = (
    (b"SIZE=999999999999", 552),
    (b"SIZE=99999999999999999999", 552),
    (b"SIZE=" + b"9" * 30, 501),
    (b"SIZE=-1", 501),
    (b"SIZE=+1", 501),
    (b"SIZE=1e9", 501),
    (b"SIZE=0x10", 501),
    (b"SIZE=1_000", 501),
    ("SIZE=\u0661".encode(), 501),
    (b"SIZE=1 SIZE=2", 501),
    (b"SIZE=", 501),
    (b"SIZE", 501),
)
"""Row 24: declared sizes, and the reply to each."""

RELAY_ATTEMPTS: Final = (
    b"<u%victim.example@here.example>",
    b'<"u@victim.example"@here.example>',
    b'<"u%victim.example"@here.example>',
    b"<victim.example!u@here.example>",
    b"<@here.example:u@victim.example>",
    b"<@a.example,@here.example:u@victim.example>",
    b"<u@victim.example@here.example>",
    b"<u@here.example@victim.example>",
    b"<u@here.example.>",
    b"<u@[127.0.0.1]>",
    b"<u@[IPv6:::1]>",
    b"<u@here.example\0.victim.example>",
    "<u\uff20victim.example@here.example>".encode(),
    "<u@victim.example\u3002here.example>".encode(),
    b"<=?utf-8?q?u=40victim.example?=@here.example>",
    b"<u@victim.example(@here.example)>",
    b"<u@victim.example> <v@here.example>",
    b"<u@victim.example>,<v@here.example>",
    b"u@victim.example",
    b"<u@victim.example",
    b"u@victim.example>",
    b"<Postmaster>",
    b"Postmaster",
    b"<Postmaster@victim.example>",
    b"<>",
)
"""
Row 25: forward-paths that some server relays though its owner did not mean it to.

The server's own domain is C{here.example}; nothing may go to C{victim.example}.
"""

NOT_UTF8: Final = (
    b"EHLO \xff",
    b"HELO \xc3",
    b"MAIL FROM:<\xff@client.example> SMTPUTF8",
    b"MAIL FROM:<\xff@client.example>",
    b"MAIL FROM:<a@\xff.example> SMTPUTF8",
    b"MAIL FROM:<a@client.example> SMTPUTF8 ENVID=\xff",
    b"MAIL FROM:<a@client.example> \xff",
    b"MAIL FROM:<\xed\xa0\x80@client.example> SMTPUTF8",
    b"MAIL FROM:<\xc0\xbca@client.example\xc0\xbe> SMTPUTF8",
    b"VRFY \xff",
    b"RSET \xff",
    b"QUIT \xff",
)
"""Row 36: commands that are not UTF-8: each is answered 501."""

NOT_UTF8_RECIPIENTS: Final = (
    b"RCPT TO:<\xff@here.example>",
    b"RCPT TO:<b@\xff.example>",
    b"RCPT TO:<b@here.example> ORCPT=utf-8;\xff",
    b"RCPT TO:<\xf5\x80\x80\x80@here.example>",
)
"""Row 36: the same in a transaction that has SMTPUTF8."""

CHUNK_ENVELOPE: Final = (
    b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@here.example>\r\n",
    b"MAIL FROM:<a@client.example>\r\nRCPT TO:<v@victim.example>\r\n",
)
"""Row 3: with a recipient who is taken, and without."""

CHUNKS: Final = (
    (0, b"BDAT 5\r\nab\r\n.\r\nBDAT 0 LAST\r\n", [250, 500, 250], 1),
    (0, b"BDAT 7\r\nab\r\n.\r\nBDAT 0 LAST\r\n", [250, 250], 1),
    (0, b"BDAT 10\r\nQUIT\r\nQUITBDAT 0 LAST\r\n", [250, 250], 1),
    (0, b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", [250, 250], 1),
    (0, b"BDAT 0 LAST\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", [250, 503, 250], 1),
    (0, b"BDAT 4\r\nab\r\nDATA\r\nBDAT 0 LAST\r\n", [250, 503, 250], 1),
    (0, b"BDAT 4\r\nab\r\nRSET\r\nBDAT 6 LAST\r\nQUIT\r\n", [250, 250, 503], 0),
    (0, b"BDAT 8 LAST\r\na\r\n.\r\nxx\r\nNOOP\r\n", [250, 500, 250], 1),
    (1, b"BDAT 10\r\nQUIT\r\nQUITNOOP\r\n", [554, 250], 0),
    (1, b"BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", [554, 554, 250], 0),
)
"""
Row 3: which envelope, what follows it, the replies to that, and how many messages are
taken. The session goes on.
"""

ABSURD_CHUNKS: Final = (
    b"BDAT 99999999999999999999",
    b"BDAT " + b"9" * 30,
    b"BDAT -1",
    b"BDAT",
    b"BDAT LAST",
    b"BDAT 0x10",
    b"BDAT 1e3 LAST",
    b"BDAT 5 LAST LAST",
    "BDAT \u0665".encode(),
)
"""Row 3: after these nobody knows where the next command begins: 501, and the end."""

BAD_AUTH: Final = (
    (b"AUTH", 501),
    (b"AUTH PLAIN =", 501),
    (b"AUTH PLAIN ====", 501),
    (b"AUTH PLAIN not*base64", 501),
    (b"AUTH PLAIN AGE=AGI=", 501),
    (b"AUTH PLAIN AGE A", 501),
    (b"AUTH PLAIN YQ==", 501),
    (b"AUTH PLAIN AAAA", 501),
    (b"AUTH PLAIN YQBiAGMAZA==", 501),
    (b"AUTH PLAIN AP8A/g==", 501),
    (b"AUTH PLAIN\r\n*", 501),
    (b"AUTH PLAIN\r\n=", 501),
    (b"AUTH PLAIN\r\n" + b"A" * 65_536, 500),
    (b"AUTH PLAIN " + b"A" * 65_536, 500),
    (b"AUTH LOGIN\r\n*", 501),
    (b"AUTH LOGIN\r\nYQ==\r\n*", 501),
    (b"AUTH LOGIN /w==\r\nYQ==", 501),
    (b"AUTH CRAM-MD5 YQ==", 501),
    (b"AUTH CRAM-MD5\r\nYQ==", 501),
    (b"AUTH ..%2f..%2f PLAIN", 501),
    (b"AUTH NTLM", 504),
    (b"AUTH \xff\xfe", 500),
)
"""
Row 8: commands with what a client says to the challenges that follow, in one go; and
the code of the last reply.
"""

BAD_NAMES: Final = (
    "*)(uid=*",
    "*",
    "ann)(|(uid=*",
    "a' OR 1=1--",
    "ann' --",
    '"; DROP TABLE users; --',
    "../../etc/passwd",
    "__class__",
    "constructor",
    "ANN",
    "ann ",
    " ann",
)
"""Row 27: names that a careless look-up takes for somebody."""

LOOKUPS: Final = (
    b"a'OR'1'='1'--",
    b'"a\' OR 1=1--"',
    b'"a\'; DROP TABLE items;--"',
    b'"a\') UNION SELECT 1--"',
    b"*",
    b"%",
    b"_____",
    b"?",
    b"b*",
    b"b%",
    b'"*)(uid=*"',
    b'"b)(|(uid=*"',
    b'".*"',
    b'"[a-z]"',
    b'"b|.*"',
    b'"^b$"',
    b'"b\\\\"',
    b'"${jndi:ldap://x}"',
    b"{b}",
    b"$b",
    b'"b\\"\\";"',
    b"`id`",
)
"""
Row 27: local parts that mean more to SQL, LDAP, patterns and shells than a name does.

None of them is C{b}, who is the only known user of C{here.example}.
"""
