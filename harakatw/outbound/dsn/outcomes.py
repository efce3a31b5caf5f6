"""From what became of an attempt to what is to be said of each recipient."""

from collections.abc import Iterator
from typing import Final

from harakatw.outbound.attempt import Settlement, Undelivered
from harakatw.outbound.client.result import Peer
from harakatw.outbound.dsn.recipients import (
    Action,
    RemoteMTA,
    ReportedRecipient,
    success_action,
)
from harakatw.reply import Reply, reply

_DONE: Final[Reply] = reply(250, "2.0.0", "OK")


def outcomes(settlement: Settlement, now: float) -> tuple[ReportedRecipient, ...]:
    """
    All that there is to report after an attempt, whether anybody asked for it or not.

    @param now: when the attempt ended, in seconds since 1970.
    @return: for L{harakatw.outbound.dsn.report.Reporter.report}, once for each kind.
    """
    return (
        *(_undelivered(each, Action.FAILED, now) for each in settlement.bounces),
        *(
            _undelivered(each, Action.DELAYED, now, settlement.expires_at)
            for each in settlement.warnings
        ),
        *_delivered(settlement, now),
    )


def _undelivered(
    failed: Undelivered, action: Action, now: float, retry_until: float | None = None
) -> ReportedRecipient:
    return ReportedRecipient(
        recipient=failed.recipient,
        action=action,
        reply=failed.reply,
        remote=None if failed.peer is None else _remote(failed.peer),
        last_attempt=now,
        retry_until=retry_until,
    )


def _delivered(settlement: Settlement, now: float) -> Iterator[ReportedRecipient]:
    peer = settlement.result.peer
    is_final = peer is not None and peer.mode == "LMTP"
    is_traced = settlement.item.message.demands.is_traced and not is_final
    action = success_action(
        is_final=is_final,
        peer_takes_dsn=peer is not None and peer.dsn and not is_traced,
    )
    if action is None:
        return
    remote = None if peer is None else _remote(peer)
    for recipient in settlement.result.delivered:
        yield ReportedRecipient(
            recipient=recipient,
            action=action,
            reply=_DONE,
            remote=remote,
            last_attempt=now,
            is_traced=is_traced,
        )


def _remote(peer: Peer) -> RemoteMTA:
    return RemoteMTA(peer.host, peer.ip, peer.port)
