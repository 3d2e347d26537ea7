"""INVITEs whose call is over: what is still needed when a response is repeated or comes late (Timers D and M).

Each is one small record, which is made a transaction again only if something comes to it.
"""

from msgspec import Struct

from outdialer.carriers.sip.core.answers import Answers, SentAck
from outdialer.carriers.sip.core.endpoint import Endpoint
from outdialer.carriers.sip.core.message import Message
from outdialer.carriers.sip.core.outputs import Address
from outdialer.carriers.sip.core.timers import Remembered
from outdialer.carriers.sip.core.transaction import TIMEOUT, ClientTransaction, Request, State
from outdialer.domain.identity import CallIdParts
from outdialer.domain.units import Id


class _Finished(Struct, frozen=True, gc=False):
    """One INVITE that got its final response."""

    request: Request
    address: Address
    state: State
    attempt_id: Id
    leg_number: int
    answered: bool
    acks: tuple[SentAck, ...]


class FinishedInvites:
    """All of one user agent's, by branch, for 64*T1 after the end of their calls."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._kept: Remembered[str, _Finished] = Remembered(endpoint.transactions.timers, TIMEOUT)

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._kept)

    def keep(self, now: float, invite: ClientTransaction, answers: Answers) -> None:
        """Remember ``invite``, completed or accepted, instead of its transaction."""
        invite.stop()
        finished = _Finished(
            invite.request, invite.address, invite.state, *answers.owner, answers.answered, answers.sent_acks()
        )
        self._kept.put(now, invite.request.branch, finished)

    def hear(self, now: float, branch: str, message: Message, source: Address) -> bool:
        """Take a response; False when no such INVITE is remembered."""
        finished = self._kept.take(branch)
        if finished is None:
            return False
        owner = CallIdParts(finished.attempt_id, finished.leg_number)
        answers = Answers(self._endpoint, owner, finished.acks, answered=finished.answered)
        transaction = ClientTransaction(self._endpoint.transactions, finished.request, finished.address, answers, None)
        transaction.resume(now, finished.state)
        transaction.hear(now, message, source)
        return True
