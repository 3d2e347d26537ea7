"""The people of a simulated world who make campaigns and change their minds. Every commit of theirs is traced."""

import random
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from outdialer.domain.campaign import EndHandle
from outdialer.domain.model import Action, Address, Campaign, NewTarget, Outdial, Outplan, Trunk
from outdialer.domain.units import NIL_ID, Id, Instant
from outdialer.ports.clock import Ids
from outdialer.simulation.loop import at_once
from outdialer.simulation.trace import Trace
from outdialer.store.sqlite.store import SqliteStore

CUSTOMER = 1
NO_ADDRESS = Address()
SCRIPTS: tuple[tuple[Action, ...], ...] = (
    (),
    (Action(type="sleep", option={"duration": 2_000}), Action(type="hangup")),
    (Action(type="talk", option={"text": "Hello, this is a call that tells you something."}),),
    (Action(type="sleep", option={"duration": 50_000}),),
)


class _Lists(Struct):
    campaign: Id
    outplan: Id
    outdial: Id
    targets: list[Id]


def number(n: int) -> str:
    """The n-th fictional number."""
    return f"+1{202 + n // 100}55501{n % 100:02d}"


class Operators:
    """What people do, through the store of whichever life there is."""

    def __init__(self, trace: Trace, ids: Ids, clock: Callable[[], Instant], chance: random.Random) -> None:
        self._trace = trace
        self._ids = ids
        self._clock = clock
        self._chance = chance
        self._lists: list[_Lists] = []
        self._people = chance.choice((3, 6, 12, 25))
        self._trunk = Trunk(
            id=self._new_id(),
            host="127.0.0.1",
            rate_per_s=chance.choice((0.0, 0.5, 2.0, 5.0, 20.0)),
            channels=chance.choice((0, 1, 2, 5)),
            max_ring_ms=chance.choice((60_000, 180_000)),
        )
        self.store: SqliteStore

    def furnish(self) -> None:
        """A trunk, and one to three campaigns that run."""
        self._put_trunk()
        for _ in range(self._chance.choice((1, 2, 2, 3))):
            self._make_campaign()
        for lists in self._lists:
            self._order_run(lists)

    def act(self) -> None:
        """Change something."""
        actions: tuple[tuple[int, Callable[[_Lists], None]], ...] = (
            (5, self._order_stop),
            (7, self._order_run),
            (3, self._edit_outplan),
            (3, self._edit_campaign),
            (2, self._edit_trunk),
            (5, self._delete_target),
            (3, self._add_targets),
            (1, self._delete_outdial),
        )
        weights = [weight for weight, _ in actions]
        (chosen,) = self._chance.choices([action for _, action in actions], weights)
        chosen(self._chance.choice(self._lists))

    def stop_some(self) -> None:
        """Stop some campaigns and start the others, so that a world ends either way."""
        for lists in self._lists:
            order = self._order_stop if self._chance.random() < 0.2 else self._order_run
            order(lists)

    def _new_id(self) -> Id:
        return self._ids.new(self._clock())

    def _put_trunk(self) -> None:
        self._trunk = at_once(self.store.put_trunk(CUSTOMER, self._trunk, self._clock()))
        self._trace.add("trunk", rate=self._trunk.rate_per_s, channels=self._trunk.channels)

    def _make_campaign(self) -> None:
        now = self._clock()
        outplan = self._with_terms(Outplan(id=self._new_id(), tm_create=now))
        at_once(self.store.create_outplan(CUSTOMER, outplan))
        self._note_outplan(outplan)
        outdial = at_once(self.store.create_outdial(CUSTOMER, Outdial(id=self._new_id(), tm_create=now)))
        campaign = Campaign(
            id=self._new_id(),
            outplan_id=outplan.id,
            outdial_id=outdial.id,
            actions=self._chance.choice(SCRIPTS),
            end_handle=self._chance.choice((EndHandle.STOP, EndHandle.CONTINUE)),
            next_campaign_id=self._lists[0].campaign if self._lists and self._chance.random() < 0.2 else NIL_ID,
            dial_rate=self._chance.choice((0.0, 0.0, 0.5, 3.0)),
            dial_channels=self._chance.choice((0, 0, 1, 3)),
            tm_create=now,
        )
        at_once(self.store.create_campaign(CUSTOMER, campaign))
        self._note_campaign(campaign)
        lists = _Lists(campaign.id, outplan.id, outdial.id, [])
        self._lists.append(lists)
        self._add_targets(lists, self._people)

    def _with_terms(self, outplan: Outplan) -> Outplan:
        return replace(
            outplan,
            dial_timeout_ms=self._chance.choice((5_000, 20_000, 30_000)),
            try_interval_ms=self._chance.choice((60_000, 90_000, 300_000)),
            max_tries=self._chance.choice(((1, 0, 0, 0, 0), (2, 0, 0, 0, 0), (2, 1, 0, 0, 0), (1, 2, 0, 1, 0))),
            redial_answered=self._chance.random() < 0.7,
        )

    def _note_outplan(self, outplan: Outplan) -> None:
        self._trace.add(
            "outplan",
            id=outplan.id.hex(),
            interval_ms=outplan.try_interval_ms,
            tries=outplan.max_tries,
            ring_ms=outplan.dial_timeout_ms,
        )

    def _note_campaign(self, campaign: Campaign) -> None:
        self._trace.add(
            "campaign",
            id=campaign.id.hex(),
            outplan=campaign.outplan_id.hex(),
            outdial=campaign.outdial_id.hex(),
            follower=campaign.next_campaign_id.hex(),
            rate=campaign.dial_rate,
            channels=campaign.dial_channels,
        )

    def _order_run(self, lists: _Lists) -> None:
        campaign = at_once(self.store.order_run(CUSTOMER, lists.campaign, self._clock()))
        assert campaign is not None
        self._trace.add("ordered", order="run", campaign=campaign.id.hex(), status=str(campaign.status))

    def _order_stop(self, lists: _Lists) -> None:
        campaign = at_once(self.store.order_stop(CUSTOMER, lists.campaign, self._clock()))
        assert campaign is not None
        self._trace.add("ordered", order="stop", campaign=campaign.id.hex(), status=str(campaign.status))

    def _edit_outplan(self, lists: _Lists) -> None:
        outplan = at_once(self.store.outplan(CUSTOMER, lists.outplan))
        assert outplan is not None
        saved = at_once(self.store.save_outplan(CUSTOMER, self._with_terms(outplan), self._clock()))
        self._note_outplan(saved)

    def _edit_campaign(self, lists: _Lists) -> None:
        campaign = at_once(self.store.campaign(CUSTOMER, lists.campaign))
        assert campaign is not None
        rate, channels = self._chance.choice((0.0, 0.5, 3.0)), self._chance.choice((0, 1, 3))
        campaign = replace(campaign, dial_rate=rate, dial_channels=channels)
        self._note_campaign(at_once(self.store.save_campaign(CUSTOMER, campaign, self._clock())))

    def _edit_trunk(self, _lists: _Lists) -> None:
        rate, channels = self._chance.choice((0.0, 0.5, 2.0, 20.0)), self._chance.choice((0, 1, 2, 5))
        self._trunk = replace(self._trunk, rate_per_s=rate, channels=channels)
        self._put_trunk()

    def _delete_target(self, lists: _Lists) -> None:
        target_id = self._chance.choice(lists.targets)
        target = at_once(self.store.delete_target(CUSTOMER, lists.outdial, target_id, self._clock()))
        assert target is not None
        self._trace.add("deleted", target=target_id.hex())

    def _add_targets(self, lists: _Lists, amount: int = 1) -> None:
        """Some have a second number; a few numbers are on several lists."""
        targets = []
        for _ in range(amount):
            first, second = self._chance.randrange(60), 100 + self._chance.randrange(60)
            numbers = [number(first), number(second) if self._chance.random() < 0.5 else "", "", "", ""]
            five = [Address(type="tel", target=text) if text else NO_ADDRESS for text in numbers]
            targets.append(NewTarget(id=self._new_id(), destinations=(five[0], five[1], five[2], five[3], five[4])))
        stored = at_once(self.store.create_targets(CUSTOMER, lists.outdial, targets, self._clock()))
        if stored is not None:
            lists.targets += [target.id for target in stored]
            self._trace.add("targets", outdial=lists.outdial.hex(), added=len(stored))

    def _delete_outdial(self, lists: _Lists) -> None:
        if self._chance.random() < 0.3:
            at_once(self.store.delete_outdial(CUSTOMER, lists.outdial, self._clock()))
            self._trace.add("list deleted", outdial=lists.outdial.hex())
