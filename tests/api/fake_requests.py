"""The part of the store in memory that keeps requests with an ``Idempotency-Key``."""

from msgspec import structs

from outdialer.ports.idempotency import KEPT_US, REQUEST_BYTES, KeptAnswer, KeptFull, Reservation
from tests.api.fake_events import MemoryEvents


class MemoryRequests(MemoryEvents):
    """The IdempotencyStore protocol over a dictionary by (customer, name)."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: dict[tuple[int, bytes], Reservation] = {}

    async def reserve_request(self, customer: int, wanted: Reservation, most: int) -> Reservation:
        self._check()
        there = self.requests.get((customer, wanted.name))
        if there is None or there.at <= wanted.at - KEPT_US:
            self.requests.pop((customer, wanted.name), None)
            if self._total(customer) >= most:
                raise KeptFull
            there = self.requests[customer, wanted.name] = wanted
        return there

    def _total(self, customer: int) -> int:
        kept = [one.answer for (owner, _), one in self.requests.items() if owner == customer]
        return sum(REQUEST_BYTES + (len(answer.body) if answer else 0) for answer in kept)

    async def keep_answer(self, customer: int, reserved: Reservation, answer: KeptAnswer) -> None:
        self._check()
        if self.requests[customer, reserved.name].at == reserved.at:
            self.requests[customer, reserved.name] = structs.replace(reserved, answer=answer)

    async def free_request(self, customer: int, reserved: Reservation) -> None:
        self._check()
        if self.requests[customer, reserved.name].at == reserved.at:
            del self.requests[customer, reserved.name]
