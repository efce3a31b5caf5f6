"""What there is to report after an attempt."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import QueuedRecipient
from harakatw.outbound.attempt import AttemptResult, Settlement, Undelivered
from harakatw.outbound.client.result import Peer
from harakatw.outbound.dsn.outcomes import outcomes
from harakatw.outbound.dsn.recipients import Action, RemoteMTA, ReportedRecipient
from harakatw.reply import reply
from tests.outbound.dsn.reports import NOW, REMOTE, SENDER
from tests.outbound.dsn.test_dead_letter import queue_item

BOB = QueuedRecipient("bob@far.example", notify="SUCCESS")
CAROL = QueuedRecipient("carol@far.example")
REFUSED = reply(550, "5.1.1", "no such user")
BUSY = reply(451, "4.3.2", "busy")
SMTP = Peer(host="mx.far.example", ip="192.0.2.7", port=25, mode="ESMTP")
LMTP = Peer(host="/run/lmtp.sock", ip="", port=0, mode="LMTP")
WITH_DSN = Peer(host="mx.far.example", ip="192.0.2.7", port=25, mode="ESMTP", dsn=True)


class OutcomeTests(SynchronousTestCase):
    """Each recipient with what was done, and who said why."""

    def _outcomes(
        self, result: AttemptResult, **settled: object
    ) -> tuple[ReportedRecipient, ...]:
        given: dict[str, object] = {"item": queue_item(SENDER), "result": result}
        return outcomes(Settlement(**(given | settled)), NOW)  # type: ignore[arg-type]

    def test_undelivered(self) -> None:
        """Failure with the peer's words, delay with ours and how long it is tried."""
        failed = Undelivered(recipient=BOB, reply=REFUSED, peer=SMTP)
        waiting = Undelivered(recipient=CAROL, reply=BUSY)
        found = self._outcomes(
            AttemptResult(failed=(failed,), deferred=(waiting,)),
            bounces=(failed,),
            warnings=(waiting,),
            expires_at=NOW + 99,
        )
        self.assertEqual(
            found,
            (
                ReportedRecipient(
                    recipient=BOB,
                    action=Action.FAILED,
                    reply=REFUSED,
                    remote=REMOTE,
                    last_attempt=NOW,
                ),
                ReportedRecipient(
                    recipient=CAROL,
                    action=Action.DELAYED,
                    reply=BUSY,
                    last_attempt=NOW,
                    retry_until=NOW + 99,
                ),
            ),
        )

    def test_no_warning(self) -> None:
        """Who is only tried again, and not late yet, is not reported on."""
        waiting = Undelivered(recipient=CAROL, reply=BUSY)
        self.assertEqual(self._outcomes(AttemptResult(deferred=(waiting,))), ())

    def test_given_up(self) -> None:
        """After too many attempts the last temporary refusal is the reason."""
        waiting = Undelivered(recipient=CAROL, reply=BUSY)
        result = AttemptResult(deferred=(waiting,))
        (found,) = self._outcomes(result, bounces=(waiting,), gave_up="too many")
        self.assertIs(found.action, Action.FAILED)
        self.assertEqual(found.status, "4.3.2")

    def test_delivered(self) -> None:
        """
        A host that takes DSN reports success itself; a mail store has delivered, any
        other host has been given the message.
        """
        for peer, action, remote in (
            (SMTP, Action.RELAYED, REMOTE),
            (LMTP, Action.DELIVERED, RemoteMTA("/run/lmtp.sock")),
            (None, Action.RELAYED, None),
        ):
            result = AttemptResult(delivered=(BOB, CAROL), peer=peer)
            found = self._outcomes(result)
            self.assertEqual([each.recipient for each in found], [BOB, CAROL])
            self.assertEqual({each.action for each in found}, {action})
            self.assertEqual({each.remote for each in found}, {remote})
        result = AttemptResult(delivered=(BOB,), peer=WITH_DSN)
        self.assertEqual(self._outcomes(result), ())
