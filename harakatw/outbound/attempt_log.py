"""
What the log says of attempts: a line for each outcome, with the names of one scheme.

@see: Haraka row OB54
"""

from collections.abc import Callable

import attrs
from twisted.logger import Logger

from harakatw.outbound.attempt import Settlement, Undelivered, in_one_line
from harakatw.outbound.client.result import Peer


@attrs.frozen(eq=False)
class AttemptLog:
    """
    Writes down what became of items.

    @ivar now: seconds since 1970.
    """

    now: Callable[[], float]
    _log = Logger()

    def write(self, settlement: Settlement) -> None:
        """One line for all who have got it, and one for each who has not."""
        result = settlement.result
        if result.delivered:
            to = ",".join(f"<{each.address}>" for each in result.delivered)
            said = response_of(settlement)
            self._line(settlement, "delivered", to, said, result.peer)
        for each in settlement.bounces:
            self._undelivered(settlement, "bounced", each)
        bounced = {id(each) for each in settlement.bounces}
        for each in result.deferred:
            if id(each) not in bounced:
                word = "deferred" if settlement.retry is not None else "dropped"
                self._undelivered(settlement, word, each)

    def kept_dead(self, settlement: Settlement, why: str) -> None:
        """An item needs the postmaster."""
        self._log.error(
            "{uuid} is kept in the queue as dead, domain={domain}: {why}",
            uuid=settlement.item.message.uuid,
            domain=settlement.item.domain,
            why=why,
        )

    def _undelivered(
        self, settlement: Settlement, word: str, each: Undelivered
    ) -> None:
        to = f"<{each.recipient.address}>"
        self._line(settlement, word, to, each.said, each.peer)

    def _line(
        self, settlement: Settlement, word: str, to: str, said: str, peer: Peer | None
    ) -> None:
        message = settlement.item.message
        tls = peer is not None and peer.tls
        self._log.info(
            "{uuid} {word} from=<{sender}> to={rcpts} domain={domain} host={host}"
            " tls={tls} attempts={attempts} delay={delay:.1f} reply={said}",
            uuid=message.uuid,
            word=word,
            sender=message.sender,
            rcpts=to,
            domain=settlement.item.domain,
            host="none" if peer is None else f"{peer.host}[{peer.ip}]:{peer.port}",
            tls=tls.version if tls else "no",
            attempts=settlement.item.attempts + 1,
            delay=self.now() - message.queued_at,
            said=said,
        )


def response_of(settlement: Settlement) -> str:
    """What the peer said that took it, in one line."""
    response = settlement.result.response
    return "" if response is None else in_one_line(response.reply)
