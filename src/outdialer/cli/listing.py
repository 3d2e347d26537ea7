"""The campaign of one list inside its store: found again by the list's name, created, or extended."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from msgspec import Struct

from outdialer.app import DEFAULT_CUSTOMER, App
from outdialer.cli.exits import Stop
from outdialer.cli.people import SHOWN_REFUSALS, Person, target_of
from outdialer.client import AsyncClient
from outdialer.domain.model import CampaignCall, Target
from outdialer.domain.numbers import person_key
from outdialer.domain.units import parse_id
from outdialer.ports.store import ExportStore

RUN_MARK = "made by outdialer run"
ROWS_PER_READ = 1_000


class Terms(Struct, frozen=True, kw_only=True):
    """How a list is called, as the REST API takes it."""

    outplan: dict[str, Any]
    """``source``, ``dial_timeout``, ``try_interval``, ``max_try_count_0`` to ``_4``, ``redial_answered``."""
    actions: list[dict[str, Any]]


class Run(Struct, frozen=True):
    """The ids of one list's campaign."""

    campaign_id: str
    outdial_id: str


async def find_run(client: AsyncClient, name: str) -> Run | None:
    """The newest campaign of the list with this name."""
    async for campaign in client.campaigns.list():
        if campaign.name == name and campaign.detail == RUN_MARK:
            return Run(campaign.id, campaign.outdial_id)
    return None


async def create_run(client: AsyncClient, name: str, terms: Terms, people: Sequence[Person]) -> Run:
    """Make outplan, outdial, targets and campaign."""
    outplan = await client.outplans.create(name=name, detail=RUN_MARK, **terms.outplan)
    outdial = await client.outdials.create(name=name, detail=RUN_MARK)
    await add_people(client, outdial.id, people)
    campaign = await client.campaigns.create(
        name=name,
        detail=RUN_MARK,
        type="call",
        service_level=100,
        end_handle="stop",
        actions=terms.actions,
        outplan_id=outplan.id,
        outdial_id=outdial.id,
    )
    return Run(campaign.id, outdial.id)


async def add_people(client: AsyncClient, outdial_id: str, people: Sequence[Person]) -> int:
    """Put people on a list; how many.

    Raises:
        Stop: a row was refused, although it was checked before.
    """
    results = await client.targets.add(outdial_id, map(target_of, people))
    for person, row in zip(people, results, strict=True):
        if row.error is not None:
            raise Stop(f"line {person.line} was refused: {row.error.message}")
    return len(people)


async def change_terms(client: AsyncClient, run: Run, terms: Terms) -> None:
    """Let an existing campaign go on under the terms given now."""
    campaign = await client.campaigns.get(run.campaign_id)
    await client.outplans.update_dial_info(campaign.outplan_id, **terms.outplan)
    await client.campaigns.update_actions(run.campaign_id, actions=terms.actions)


async def stored_targets(store: ExportStore, outdial_id: str) -> AsyncIterator[Target]:
    """The targets of an outdial in the order of the list, deleted ones left out."""
    after = 0
    while True:
        rows = await store.targets_in_order(DEFAULT_CUSTOMER, parse_id(outdial_id), after, ROWS_PER_READ)
        if not rows:
            return
        after = rows[-1][0]
        for _, target in rows:
            if target.tm_delete is None:
                yield target


async def stored_attempts(store: ExportStore, campaign_id: str) -> AsyncIterator[CampaignCall]:
    """The attempts of a campaign in the order they were made."""
    after = 0
    while True:
        rows = await store.campaigncalls_in_order(DEFAULT_CUSTOMER, parse_id(campaign_id), after, ROWS_PER_READ)
        if not rows:
            return
        after = rows[-1][0]
        for _, attempt in rows:
            yield attempt


def identity_of(target: Target) -> tuple[str, ...]:
    """What ``Person.identity`` is for a row of the list."""
    return (target.name, target.detail, target.data, *(address.target for address in target.destinations))


class Difference(Struct, frozen=True):
    """What changed in a list since it was stored."""

    added: tuple[Person, ...]
    gone: tuple[tuple[str, ...], ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.gone)

    def __str__(self) -> str:
        """The counts and the first of each, for a person."""
        lines = [f"new or changed rows: {len(self.added)}; gone or changed rows: {len(self.gone)}"]
        lines += [f"  + line {person.line}: {_shown(person.identity)}" for person in self.added[:SHOWN_REFUSALS]]
        lines += [f"  - {_shown(identity)}" for identity in self.gone[:SHOWN_REFUSALS]]
        return "\n".join(lines)


def _shown(identity: tuple[str, ...]) -> str:
    return ", ".join(part for part in identity if part)


async def difference(app: App, run: Run, people: Sequence[Person]) -> Difference:
    """Hold the list against what is stored."""
    stored = {identity_of(target): None async for target in stored_targets(app.store, run.outdial_id)}
    given = {person.identity for person in people}
    return Difference(
        tuple(person for person in people if person.identity not in stored),
        tuple(identity for identity in stored if identity not in given),
    )


async def append(app: App, client: AsyncClient, run: Run, changed: Difference) -> int:
    """Add the new rows to the stored list; how many.

    Raises:
        Stop: a row has a number that is stored already, in another row.
    """
    numbers = {
        person_key(address.target)
        async for target in stored_targets(app.store, run.outdial_id)
        for address in target.destinations
        if address.target
    }
    for person in changed.added:
        for destination in filter(None, person.destinations):
            if person_key(destination) in numbers:
                raise Stop(
                    f"line {person.line}: {destination} is on the stored list already, in another row; "
                    "a stored row cannot be changed by --append"
                )
    return await add_people(client, run.outdial_id, changed.added)
