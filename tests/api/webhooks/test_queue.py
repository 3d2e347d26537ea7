"""The queue of one endpoint: order, pauses, what is written down, and what a crash at any moment leaves."""

from collections import defaultdict

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from outdialer.api.webhooks.queue import AT_ONCE, MOST_WAITING_BYTES, EndpointQueue, Event, Item, Outcome
from outdialer.api.webhooks.schedule import DELAYS_S, TROUBLED_AFTER
from outdialer.ports.webhooks import Endpoint, Progress, Waiting

NOW = 1_767_225_600_000_000
SECOND = 1_000_000
ENDPOINT = Endpoint(customer=1, id=bytes(16), uri="https://a.example/", method="POST")
FAILED = Outcome(500, "it answered 500")


def event(number: int, subject: int = 0) -> Event:
    return Event(f"evt_{number}", "call_hangup", bytes([subject]) * 16, b"{}")


def queue_of(*subjects: int) -> EndpointQueue:
    queue = EndpointQueue(ENDPOINT)
    for number, subject in enumerate(subjects):
        queue.offer(number + 1, [event(number, subject)], NOW)
    return queue


def out(queue: EndpointQueue, now: int = NOW) -> list[Item]:
    found = []
    while (item := queue.next(now)) is not None:
        found.append(item)
    return found


def names(items: list[Item]) -> list[str]:
    return [item.event_id for item in items]


def test_one_subject_goes_one_at_a_time_and_others_beside_it() -> None:
    queue = queue_of(1, 1, 2, 1, 3)
    first = out(queue)
    assert names(first) == ["evt_0", "evt_2", "evt_4"]
    queue.delivered(first[0])
    assert names(out(queue)) == ["evt_1"]


def test_no_more_than_eight_at_once() -> None:
    assert len(out(queue_of(*range(20)))) == AT_ONCE


def test_what_fails_keeps_everything_behind_it_in_its_line() -> None:
    queue = queue_of(1, 1, 2)
    first, other = out(queue)
    queue.failed(first, FAILED, NOW, 0)
    queue.delivered(other)
    queue.offer(4, [event(3, 1)], NOW)
    assert out(queue, NOW + 4 * SECOND) == []
    assert out(queue, NOW + 5 * SECOND) == [first]
    progress = queue.take_progress()
    assert progress is not None
    assert progress.cursor == 4
    assert [one.event_id for one in progress.put] == ["evt_0", "evt_1", "evt_3"]
    assert (progress.put[0].tries, progress.put[0].code) == (1, 500)


def test_the_cursor_waits_for_the_oldest_that_is_under_way() -> None:
    queue = queue_of(1, 2, 3)
    first, second, third = out(queue)
    queue.delivered(second)
    queue.delivered(third)
    assert queue.take_progress() is None
    queue.delivered(first)
    progress = queue.take_progress()
    assert progress is not None
    assert (progress.cursor, progress.put, progress.gone) == (3, (), ())


def test_what_waits_already_is_not_taken_from_the_outbox_again() -> None:
    """A life ended while an older event was under way, so that the cursor is behind one that waits."""
    queue = queue_of(1, 2)
    _, second = out(queue)
    queue.failed(second, FAILED, NOW, 0)
    progress = queue.take_progress()
    assert progress is not None
    assert (progress.cursor, len(progress.put)) == (0, 1)
    next_life = EndpointQueue(ENDPOINT, progress.put)
    for number, subject in enumerate((1, 2)):
        next_life.offer(number + 1, [event(number, subject)], NOW)
    assert len(next_life) == 2
    first, waited = out(next_life, NOW + 5 * SECOND)
    assert (waited.event_id, waited.tries) == ("evt_1", 1)
    next_life.delivered(first)
    next_life.delivered(waited)
    assert len(next_life) == 0
    assert out(next_life, NOW + 5 * SECOND) == []


def test_410_disables_and_keeps_what_is_there() -> None:
    queue = queue_of(1, 1, 2)
    first, _ = out(queue)
    queue.failed(first, Outcome(410, "it answered 410"), NOW, 0)
    assert "410" in queue.disabled
    assert (queue.next(NOW + 10**15), queue.room, queue.wakes_at()) == (None, 0, None)
    progress = queue.take_progress()
    assert progress is not None
    assert progress.disabled
    assert progress.cursor == 2


def test_retry_after_of_429_holds_up_everything() -> None:
    queue = queue_of(1, 2)
    first, second = out(queue)
    queue.failed(first, Outcome(429, "it answered 429", NOW + 100 * SECOND), NOW, 0)
    queue.delivered(second)
    queue.offer(9, [event(9, 9)], NOW)
    assert out(queue, NOW + 99 * SECOND) == []
    assert names(out(queue, NOW + 100 * SECOND)) == ["evt_9", "evt_0"]


def test_retry_after_of_other_failures_holds_up_that_event() -> None:
    queue = queue_of(1, 2)
    first, second = out(queue)
    queue.failed(first, Outcome(500, "it answered 500", NOW + 100 * SECOND), NOW, 0)
    queue.delivered(second)
    queue.offer(9, [event(9, 9)], NOW)
    assert names(out(queue, NOW + 99 * SECOND)) == ["evt_9"]
    assert names(out(queue, NOW + 100 * SECOND)) == ["evt_0"]


def test_an_endpoint_in_trouble_gets_one_at_a_time_with_growing_pauses() -> None:
    queue = queue_of(*range(40))
    now, tried = NOW, 0
    while tried < TROUBLED_AFTER:
        (item, *rest) = out(queue, now)
        queue.failed(item, FAILED, now, 0)
        for other in rest:
            queue.unsent(other, now)
        tried += 1
    pauses = []
    for _ in range(12):
        at = queue.wakes_at()
        assert at is not None
        pauses.append((at - now) // SECOND)
        now = at
        items = out(queue, now)
        assert len(items) == 1
        queue.failed(items[0], FAILED, now, 0)
    assert pauses == [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600, 3_600]
    (item,) = out(queue, now + 3_600 * SECOND)
    queue.delivered(item)
    assert len(out(queue, now + 3_600 * SECOND)) == AT_ONCE


def _exhaust(queue: EndpointQueue, item: Item, now: int, between: Event | None) -> tuple[bool, int]:
    """Let all tries of an item fail; ``between`` is taken in the middle. Whether it was given up, and when."""
    given_up = False
    for number in range(len(DELAYS_S) + 1):
        if number:
            now = max(queue.wakes_at() or 0, now)
            (found,) = out(queue, now)
            assert found is item
        given_up = queue.failed(item, FAILED, now, 0)
        if between is not None and number == 4:
            queue.offer(queue.read + 1, [between], now)
            now = max(queue.wakes_at() or 0, now)
            (taken,) = [one for one in out(queue, now) if one.event_id == between.id]
            queue.delivered(taken)
    return given_up, now


def test_an_endpoint_that_took_nothing_for_days_is_disabled_and_nothing_is_lost() -> None:
    queue = queue_of(1)
    (item,) = out(queue)
    given_up, now = _exhaust(queue, item, NOW, None)
    assert not given_up
    assert now - NOW >= 75 * 3_600 * SECOND
    assert "10 tries" in queue.disabled
    assert len(queue) == 1


def test_an_event_that_alone_is_refused_is_given_up_and_its_line_goes_on() -> None:
    queue = queue_of(1, 1)
    (item,) = out(queue)
    given_up, now = _exhaust(queue, item, NOW, event(50, 2))
    assert given_up
    assert not queue.disabled
    assert names(out(queue, now + 3_600 * SECOND)) == ["evt_1"]


def test_what_is_on_the_books_is_not_kept_in_memory_too() -> None:
    queue = queue_of(1)
    (item,) = out(queue)
    queue.failed(item, FAILED, NOW, 0)
    progress = queue.take_progress()
    assert progress is not None
    assert progress.put[0].body == b"{}"
    queue.kept(progress)
    assert item.body is None


class Receiver(RuleBasedStateMachine):
    """A queue over an outbox and books, with receivers that fail and crashes at any moment.

    What is delivered, in which order, is judged from outside.
    """

    @initialize()
    def begin(self) -> None:
        self.outbox: list[Event] = []
        self.cursor = 0
        self.waiting: dict[str, Waiting] = {}
        self.taken: dict[bytes, list[str]] = defaultdict(list)
        self.lost: set[str] = set()
        self.now = NOW
        self._live()

    def _live(self) -> None:
        start = Endpoint(customer=1, id=bytes(16), uri="x", method="", cursor=self.cursor)
        self.queue = EndpointQueue(start, list(self.waiting.values()))
        self.flying: list[Item] = []

    @rule(subjects=st.lists(st.integers(0, 3), min_size=1, max_size=5))
    def happen(self, subjects: list[int]) -> None:
        for subject in subjects:
            self.outbox.append(event(len(self.outbox), subject))

    @rule(count=st.integers(1, 5))
    def read(self, count: int) -> None:
        for one in self.outbox[self.queue.read : self.queue.read + count]:
            self.queue.offer(self.queue.read + 1, [one], self.now)

    @rule(seconds=st.sampled_from([0, 1, 10, 4_000, 90_000]))
    def send(self, seconds: int) -> None:
        self.now += seconds * SECOND
        self.flying += out(self.queue, self.now)

    @rule(data=st.data(), good=st.booleans())
    def answer(self, data: st.DataObject, good: bool) -> None:
        if not self.flying:
            return
        item = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        if good:
            self.taken[item.subject].append(item.event_id)
            self.queue.delivered(item)
        elif self.queue.failed(item, FAILED, self.now, 0.5):
            self.lost.add(item.event_id)

    @rule()
    def write(self) -> None:
        progress = self.queue.take_progress()
        if progress is not None:
            self._keep(progress)
            self.queue.kept(progress)
            if progress.disabled:
                self._enable()

    def _enable(self) -> None:
        for name, one in self.waiting.items():
            self.waiting[name] = Waiting(event_id=name, type=one.type, subject=one.subject, body=one.body, due=self.now)
        self._live()

    def _keep(self, progress: Progress) -> None:
        self.cursor = progress.cursor
        for one in progress.put:
            self.waiting[one.event_id] = one
        for name in progress.gone:
            self.waiting.pop(name, None)

    @rule()
    def crash(self) -> None:
        self._live()

    @invariant()
    def none_overtakes_an_earlier_one_of_its_subject(self) -> None:
        for subject, taken in self.taken.items():
            order = [one.id for one in self.outbox if one.subject == subject and one.id not in self.lost]
            firsts = [name for name in dict.fromkeys(taken) if name not in self.lost]
            assert firsts == order[: len(firsts)]

    def teardown(self) -> None:
        """In the end a good receiver gets everything, whatever happened before."""
        for _ in range(10 * len(self.outbox) + 10):
            self.write()
            self.read(5)
            self.send(90_000)
            while self.flying:
                item = self.flying.pop()
                self.taken[item.subject].append(item.event_id)
                self.queue.delivered(item)
        got = {name for taken in self.taken.values() for name in taken}
        assert got | self.lost == {one.id for one in self.outbox}
        self.write()
        assert self.cursor == len(self.outbox)
        assert not self.waiting


TestReceiver = Receiver.TestCase
TestReceiver.settings = settings(max_examples=60, stateful_step_count=40)


@given(st.lists(st.integers(0, 2), max_size=12))
def test_a_row_of_the_outbox_may_make_several_events(subjects: list[int]) -> None:
    queue = EndpointQueue(ENDPOINT)
    queue.offer(7, [event(number, subject) for number, subject in enumerate(subjects)], NOW)
    while items := out(queue):
        assert queue.take_progress() is None
        for item in items:
            queue.delivered(item)
    progress = queue.take_progress()
    assert progress is not None
    assert progress.cursor == 7


def test_what_waits_is_bounded_in_bytes_too_also_after_a_restart() -> None:
    body = b"x" * 20_000
    queue = EndpointQueue(ENDPOINT)
    offered = 0
    while queue.room:
        offered += 1
        queue.offer(offered, [Event(f"evt_{offered}", "call_hangup", bytes(16), body)], NOW)
        if offered == 1:
            queue.failed(out(queue)[0], FAILED, NOW, 0)
    assert offered == MOST_WAITING_BYTES // len(body)
    progress = queue.take_progress()
    assert progress is not None
    books = [msgspec.structs.replace(one, body=b"") for one in progress.put]
    again = EndpointQueue(ENDPOINT, books)
    assert (len(again), again.room) == (offered, 0)
    again.delivered(out(again, NOW + 3_600 * SECOND)[0])
    assert again.room > 0
