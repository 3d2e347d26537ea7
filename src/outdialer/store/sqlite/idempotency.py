"""Requests with an ``Idempotency-Key`` in the books."""

import msgspec

from outdialer.ports.idempotency import KEPT_US, KeptAnswer, KeptFull, Reservation
from outdialer.store.sqlite.books import Books, Database
from outdialer.store.sqlite.rows import Row, to_json
from outdialer.store.sqlite.statements import statements

SQL = statements("idempotency")


class Requests(Books):
    """What was asked for, once."""

    async def reserve_request(self, customer: int, wanted: Reservation, most: int) -> Reservation:
        """Put a request on the books, or return what is there under its name and still holds."""
        row = {**msgspec.structs.asdict(wanted), "customer": customer, "before": wanted.at - KEPT_US}

        def reserve(database: Database) -> Reservation:
            database.execute(SQL["forget_old"], row)
            if database.execute(SQL["reservation"], row).fetchone() is None:
                total = database.execute(SQL["total"], row).fetchone()
                if total is not None and total["bytes"] >= most:
                    raise KeptFull
                database.execute(SQL["reserve"], row)
            return _reservation(database.execute(SQL["reservation"], row).fetchone())

        return await self._write(reserve, wakes=False)

    async def keep_answer(self, customer: int, reserved: Reservation, answer: KeptAnswer) -> None:
        """Write down the answer of this very reservation."""
        row = {
            "customer": customer,
            "name": reserved.name,
            "at": reserved.at,
            "status": answer.status,
            "headers": to_json(answer.headers),
            "body": answer.body,
        }
        await self._write(lambda database: database.execute(SQL["keep_answer"], row).rowcount, wakes=False)

    async def free_request(self, customer: int, reserved: Reservation) -> None:
        """Forget this very reservation: it had no effect."""
        row = {"customer": customer, "name": reserved.name, "at": reserved.at}
        await self._write(lambda database: database.execute(SQL["free"], row).rowcount, wakes=False)


def _reservation(row: Row) -> Reservation:
    answer = None
    if row["status"] is not None:
        headers = msgspec.json.decode(row["headers"], type=dict[str, str])
        answer = KeptAnswer(status=row["status"], headers=headers, body=row["body"])
    return Reservation(
        name=row["name"],
        request=row["request"],
        fingerprint=row["fingerprint"],
        credential=row["credential"],
        at=row["tm"],
        answer=answer,
    )
