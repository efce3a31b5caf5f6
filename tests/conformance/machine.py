"""
A client that does anything in any order, against the server and the model.

One step of it says a group of lines, or a message, cut by the network at any place,
while plugins answer at once or late. Both must give the same answers, and then have the
same in hand.
"""

from twisted.internet.defer import Deferred

from harakatw.config.connection import ConnectionOptions
from harakatw.wire.session import Phase
from tests.conformance.lines import (
    DATA,
    HELLO,
    LINES,
    MAX_LINE_OCTETS,
    OPENING,
    QUIT,
    bodies,
    chunks,
)
from tests.conformance.model import Model
from tests.conformance.values import (
    MAX_MESSAGE_OCTETS,
    MAX_RECIPIENTS,
    Line,
    Message,
)
from tests.fake_plugins import fake_plugin
from tests.properties import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    st,
)
from tests.sessions import Delivered, Site, make_site

CUTS = st.one_of(st.just(0), st.integers(1, 60))
"""Octets of each piece that the network makes; 0 for all in one."""

PATIENCE_SECONDS = 200
"""
In all; section 4.5.3.2.7 gives a client 300, and what is slow on purpose is row 20's.
"""

_OPEN = precondition(lambda self: not (self.model.is_reading or self.model.is_closed))
_READING = precondition(lambda self: self.model.is_reading)
_GROUPS = st.lists(LINES, min_size=1, max_size=8)
_CHUNKS = st.lists(st.tuples(chunks(), st.booleans()), min_size=1, max_size=4)
_OPENINGS = st.sampled_from((OPENING, OPENING, OPENING[1:], OPENING[2:], ()))


class ClientMachine(RuleBasedStateMachine):
    """
    A client.

    @ivar model: what should be.
    @ivar site: what is.
    """

    model: Model
    site: Site

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[Deferred[None]] = []
        self._is_slow = False
        self._waited = 0

    @initialize(
        max_errors=st.sampled_from((4, 1000, 1000)),
        is_slow=st.booleans(),
        is_greeted=st.sampled_from((True, True, False)),
    )
    def connect(self, max_errors: int, is_slow: bool, is_greeted: bool) -> None:
        """Connect, hear the greeting, and mostly say EHLO."""
        self._is_slow, self._waited = is_slow, 0
        options = ConnectionOptions(
            max_errors=max_errors,
            max_line_length=MAX_LINE_OCTETS,
            max_bytes=MAX_MESSAGE_OCTETS,
            max_recipients=MAX_RECIPIENTS,
            strict_rfc1869=True,  # the model knows no other grammar
        )
        hooks = ("mail", "rcpt", "data", "data_post", "reset_transaction", "quit")
        plugin = fake_plugin(**dict.fromkeys(hooks, self._verdict))
        self.model = Model(max_errors)
        self.site = make_site(plugin, options=options)
        self._check([220])
        if is_greeted:
            self._say([HELLO], 0)

    def _verdict(self, *_: object) -> "Deferred[None] | None":
        if not self._is_slow:
            return None
        self._waiting.append(Deferred())
        return self._waiting[-1]

    # ---- what a client does ----------------------------------------------------------

    @_OPEN
    @rule(lines=_GROUPS, cut=CUTS)
    def say(self, lines: list[Line], cut: int) -> None:
        """Say something."""
        self._say(lines, cut)

    @_OPEN
    @rule(opening=_OPENINGS, lines=st.lists(LINES, max_size=2), cut=CUTS)
    def say_in_order(
        self, opening: tuple[Line, ...], lines: list[Line], cut: int
    ) -> None:
        """Say something at a time when it should be in order."""
        self._say([*opening, *lines], cut)

    @_OPEN
    @rule(opening=_OPENINGS, lines=st.lists(LINES, max_size=2), cut=CUTS)
    def begin_message(
        self, opening: tuple[Line, ...], lines: list[Line], cut: int
    ) -> None:
        """Say DATA after something, mostly after what makes it a good time."""
        self._say([*lines, *opening, DATA], cut)

    @_READING
    @rule(octets=bodies(), lines=st.lists(LINES, max_size=3), cut=CUTS)
    def send_message(self, octets: bytes, lines: list[Line], cut: int) -> None:
        """Send a message, and at once what comes after it."""
        codes = [self.model.take(octets), *self.model.hear(lines)]
        rest = b"".join(line.octets for line in lines)
        self._send(octets + b".\r\n" + rest, cut)
        self._check(codes)

    @_OPEN
    @rule(
        opening=_OPENINGS, chunks=_CHUNKS, lines=st.lists(LINES, max_size=2), cut=CUTS
    )
    def send_chunks(
        self,
        opening: tuple[Line, ...],
        chunks: list[tuple[bytes, bool]],
        lines: list[Line],
        cut: int,
    ) -> None:
        """Send a message by BDAT, or some of it, at a good time or a bad one."""
        codes, sent = self.model.hear(opening), [line.octets for line in opening]
        for octets, is_last in chunks:
            codes += self.model.take_chunk(octets, is_last)
            sent.append(b"BDAT %d%b\r\n" % (len(octets), b" LAST" * is_last) + octets)
        codes += self.model.hear(lines)
        sent += [line.octets for line in lines]
        self._send(b"".join(sent), cut)
        self._check(codes)

    @precondition(lambda self: not self._waited)
    @_OPEN
    @rule(line=LINES, cut=CUTS)
    def add_recipients(self, line: Line, cut: int) -> None:
        """Give more recipients than one wants to hear of, after little else."""
        self._waited = 1
        self._say([*OPENING, *[OPENING[-1]] * MAX_RECIPIENTS, line], cut)

    @_OPEN
    @rule(more=st.sampled_from((b"x", b".\r\n", b"QUIT\r\n", b"\r\n.\r\n")))
    def be_impatient(self, more: bytes) -> None:
        """Send a message together with DATA."""
        self._say(list(OPENING), 0)
        expected = self.model.hear_impatient(DATA)
        self._send(DATA.octets + more, 0)
        self._check(expected)

    @_OPEN
    @rule(lines=_GROUPS, cut=CUTS)
    def quit(self, lines: list[Line], cut: int) -> None:
        """Say QUIT, and then more that nobody listens to."""
        self._say([QUIT, *lines], cut)

    @precondition(lambda self: self._waited < PATIENCE_SECONDS)
    @rule(seconds=st.integers(50, 99))
    def wait(self, seconds: int) -> None:
        """Be silent for less than the server's patience."""
        self._waited += seconds
        self.site.server.clock.advance(seconds)
        self._check([])

    @rule(
        octets=st.sampled_from((b"", b"MAIL FROM:<", b"\r\n.", b"\r\n.\r")),
        is_greeted=st.booleans(),
    )
    def leave(self, octets: bytes, is_greeted: bool) -> None:
        """Go, maybe in the middle of something, and come again."""
        if octets:
            self.site.client.send(octets)
        self._go()
        assert self.site.connection.transaction is None
        self.connect(self.model.max_errors, self._is_slow, is_greeted)

    # ---- what must be so -------------------------------------------------------------

    @invariant()
    def has_the_same_in_hand(self) -> None:
        """The state of the session, and the messages taken, are the model's."""
        taken, expected = self.site.mailbox.messages, self.model.messages
        assert len(taken) == len(expected)
        for one, other in zip(taken, expected, strict=True):
            _check_message(one, other)
        closed = self.site.client.transport.closed
        assert closed == self.model.is_closed
        if closed:
            return
        connection = self.site.connection
        assert self.site.client.protocol.phase is _phase_of(self.model)
        transaction = connection.transaction
        sender = None if transaction is None else transaction.mail_from.address
        assert sender == self.model.sender
        known = [] if transaction is None else transaction.rcpt_to
        assert [each.address for each in known] == self.model.recipients

    def teardown(self) -> None:
        """The client goes for good."""
        self._go()

    # ---- how -------------------------------------------------------------------------

    def _go(self) -> None:
        """Leave; nothing stays behind."""
        self.site.client.leave()
        self._answer_all()
        assert self.site.server.clock.getDelayedCalls() == []

    def _say(self, lines: list[Line], cut: int) -> None:
        expected = self.model.hear(lines)
        self._send(b"".join(line.octets for line in lines), cut)
        self._check(expected)

    def _send(self, octets: bytes, cut: int) -> None:
        """Send octets in pieces, each as soon as the server reads."""
        step = cut or len(octets) or 1
        for at in range(0, len(octets), step):
            while self.site.client.transport.producerState == "paused":
                self._answer_one()
            self.site.client.send(octets[at : at + step])
        self._answer_all()

    def _answer_one(self) -> None:
        """A plugin comes to its verdict, which is always: go on."""
        assert self._waiting, "reads no more, and waits for nobody"
        self._waiting.pop(0).callback(None)

    def _answer_all(self) -> None:
        while self._waiting:
            self._answer_one()

    def _check(self, expected: list[int]) -> None:
        said = self.site.client.codes()
        assert said == expected, f"the server says {said}, the model {expected}"


def _check_message(taken: Delivered, expected: Message) -> None:
    """It is that message, with a blank line after its header if it had none."""
    assert (taken.sender, taken.recipients) == (expected.sender, expected.recipients)
    octets, sent = taken.received, expected.octets
    if octets != sent:
        assert octets.replace(b"\r\n", b"") == sent.replace(b"\r\n", b"")
        assert octets.count(b"\r\n") == sent.count(b"\r\n") + 1


def _phase_of(model: Model) -> Phase:
    if model.is_reading:
        return Phase.DATA
    if model.chunks is not None:
        return Phase.CHUNKS
    if model.recipients:
        return Phase.RCPT
    if model.sender is not None:
        return Phase.MAIL
    return Phase.READY if model.hello else Phase.START
