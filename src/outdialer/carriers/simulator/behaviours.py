"""What the phone with a given number does at its n-th try: a pure, seeded table.

The built-in phone network and the simulated carrier share this file and nothing else, so that a campaign can be
run on either with the same seed and meet the same people.

``behaviour_for(number, try_number, seed, mix)`` asks the rules of the mix in order (the first match decides), then
its weighted shares, by a hash of (seed, number, try): the answer depends on nothing else, not on the order of the
questions nor on PYTHONHASHSEED.

How a behaviour is written (command line, JSON):

- a preset's name, ``busy``;
- with parameters, ``hangup:hang_up_after_ms=500,final_after_ms=100``;
- a series, one for each try and the last one for all further ones, ``busy/no-answer/answer``.

How a rule is written: ``NUMBER=BEHAVIOUR`` where NUMBER is a whole number, ``+1202*`` (prefix), ``*0186`` (suffix)
or ``*`` (all); a behaviour alone stands for all numbers.
"""

import hashlib
from enum import StrEnum
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from outdialer.domain.units import Milliseconds


class Kind(StrEnum):
    """What people call the behaviour; what happens is in the parameters of ``Behaviour``."""

    ANSWER = "answer"
    HANGUP = "hangup"
    BUSY = "busy"
    DECLINE = "decline"
    NOT_FOUND = "not-found"
    UNAVAILABLE = "unavailable"
    OVERLOADED = "overloaded"
    NO_ANSWER = "no-answer"
    LATE = "late"
    LOSSY = "lossy"
    DIGEST = "digest"
    EARLY_MEDIA = "early-media"


class Challenge(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A demand for credentials before anything else happens (RFC 3261 section 22, RFC 8760)."""

    status: Literal[401, 407] = 401
    algorithm: Literal["MD5", "SHA-256"] = "MD5"
    endless: bool = False
    """True: right credentials are challenged again too."""


class Behaviour(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one phone does with one call. Times in ms; None means never.

    Raises:
        ValueError: a time is negative, the share of lost datagrams is not in 0..1, or the status is not final.
    """

    kind: Kind
    ring_after_ms: Milliseconds | None = 100
    """From the INVITE to 180 (183 with early media); None: no provisional answer but 100."""
    final_after_ms: Milliseconds | None = 1_000
    """From the INVITE to the final response; None: rings until CANCEL."""
    status: int = 200
    """The final response, 200 or 300..699."""
    hang_up_after_ms: Milliseconds | None = None
    """From the caller's ACK to the phone's BYE; None: listens until the caller hangs up."""
    retry_after_s: int | None = None
    """Seconds in a Retry-After header of the final response."""
    loss: float = 0.0
    """Share of datagrams lost in each direction, 0..1."""
    early_media: bool = False
    """Answers 183 with SDP instead of 180, and sends audio before the answer."""
    challenge: Challenge | None = None

    def __post_init__(self) -> None:
        times = (self.ring_after_ms, self.final_after_ms, self.hang_up_after_ms, self.retry_after_s)
        if any(value is not None and value < 0 for value in times):
            raise ValueError("times must not be negative")
        if not 0.0 <= self.loss <= 1.0:
            raise ValueError("loss must be in 0..1")
        if self.status != 200 and not 300 <= self.status <= 699:
            raise ValueError("status must be 200 or 300..699")

    @property
    def answers(self) -> bool:
        """Whether a caller who waits long enough (and can identify itself) is answered."""
        endless = self.challenge is not None and self.challenge.endless
        return self.status == 200 and self.final_after_ms is not None and not endless


Series: TypeAlias = tuple[str | Behaviour, ...]
"""One behaviour for each try, by name or whole; the last one goes for all further tries."""


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """The phones whose number matches ``number`` behave like ``behaviours``."""

    number: str
    """A whole number, ``PREFIX*``, ``*SUFFIX`` or ``*``."""
    behaviours: Series

    def matches(self, number: str) -> bool:
        """Whether the rule speaks of this number."""
        if self.number.startswith("*"):
            return number.endswith(self.number[1:])
        if self.number.endswith("*"):
            return number.startswith(self.number[:-1])
        return number == self.number


class Share(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a town: ``weight`` tries out of the sum of all weights."""

    weight: int
    behaviours: Series
    final_spread_ms: Milliseconds = 0
    """The final response comes up to this much later, evenly spread over the tries."""
    hang_up_spread_ms: Milliseconds = 0
    """The same for the phone's hang-up."""


class Mix(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A population of phones: rules first, then shares; where neither speaks, the phone answers and listens."""

    rules: tuple[Rule, ...] = ()
    shares: tuple[Share, ...] = ()

    def with_rules(self, rules: tuple[Rule, ...]) -> "Mix":
        """The same population with ``rules`` asked before its own."""
        return msgspec.structs.replace(self, rules=rules + self.rules)


PRESETS: dict[str, tuple[Behaviour, str]] = {
    "answer": (Behaviour(kind=Kind.ANSWER), "answers and listens until the caller hangs up"),
    "hangup": (Behaviour(kind=Kind.HANGUP, hang_up_after_ms=2_000), "answers and hangs up after 2 s"),
    "busy": (Behaviour(kind=Kind.BUSY, status=486, ring_after_ms=None, final_after_ms=100), "486 Busy Here"),
    "decline": (Behaviour(kind=Kind.DECLINE, status=603), "rings, then 603 Decline"),
    "not-found": (
        Behaviour(kind=Kind.NOT_FOUND, status=404, ring_after_ms=None, final_after_ms=50),
        "404 Not Found",
    ),
    "unavailable": (
        Behaviour(kind=Kind.UNAVAILABLE, status=480, ring_after_ms=None, final_after_ms=200),
        "480 Temporarily Unavailable",
    ),
    "overloaded": (
        Behaviour(kind=Kind.OVERLOADED, status=503, ring_after_ms=None, final_after_ms=0, retry_after_s=5),
        "503 Service Unavailable with Retry-After: 5",
    ),
    "no-answer": (Behaviour(kind=Kind.NO_ANSWER, final_after_ms=None), "rings until CANCEL, then 487"),
    "late": (Behaviour(kind=Kind.LATE, final_after_ms=25_000), "answers after 25 s"),
    "lossy": (Behaviour(kind=Kind.LOSSY, loss=0.25), "answers; a quarter of the datagrams is lost both ways"),
    "digest": (Behaviour(kind=Kind.DIGEST, challenge=Challenge()), "401 with digest MD5, then answers"),
    "proxy-digest": (
        Behaviour(kind=Kind.DIGEST, challenge=Challenge(status=407, algorithm="SHA-256")),
        "407 with digest SHA-256, then answers",
    ),
    "endless-digest": (
        Behaviour(kind=Kind.DIGEST, challenge=Challenge(endless=True)),
        "401 for whatever credentials come",
    ),
    "early-media": (
        Behaviour(kind=Kind.EARLY_MEDIA, early_media=True),
        "183 with SDP and audio before the answer, then answers",
    ),
}
"""Every behaviour by name, with what it does."""

SERIES: dict[str, tuple[Series, str]] = {
    "second-try": (("busy", "answer"), "busy, answers from the second try"),
    "third-try": (("no-answer", "busy", "answer"), "no answer, busy, answers from the third try"),
}
"""Named series of behaviours, one for each try."""

SUFFIXES: tuple[tuple[int, int, str], ...] = (
    (0, 59, "answer"),
    (60, 64, "hangup"),
    (65, 69, "busy"),
    (70, 72, "decline"),
    (73, 75, "not-found"),
    (76, 78, "unavailable"),
    (79, 81, "overloaded"),
    (82, 86, "no-answer"),
    (87, 88, "late"),
    (89, 90, "second-try"),
    (91, 91, "third-try"),
    (92, 93, "lossy"),
    (94, 95, "digest"),
    (96, 96, "proxy-digest"),
    (97, 97, "endless-digest"),
    (98, 99, "early-media"),
)
"""First and last of the two last digits xx of the fictional numbers +1NXX55501xx, and what those phones do."""

MIXES: dict[str, Mix] = {
    "answer": Mix(),
    "suffix": Mix(
        rules=tuple(
            Rule(f"*55501{digits:02d}", (name,)) for first, last, name in SUFFIXES for digits in range(first, last + 1)
        )
    ),
    "town": Mix(
        shares=(
            Share(weight=42, behaviours=("answer",), final_spread_ms=3_000),
            Share(weight=10, behaviours=("hangup",), final_spread_ms=3_000, hang_up_spread_ms=4_000),
            Share(weight=12, behaviours=("busy",)),
            Share(weight=18, behaviours=("no-answer",)),
            Share(weight=5, behaviours=("decline",), final_spread_ms=2_000),
            Share(weight=4, behaviours=("not-found",)),
            Share(weight=4, behaviours=("unavailable",)),
            Share(weight=2, behaviours=("late:final_after_ms=6000",), final_spread_ms=2_000),
            Share(weight=3, behaviours=("early-media",), final_spread_ms=1_000),
        )
    ),
}
"""Whole populations by name."""

EVERYBODY_ANSWERS = PRESETS["answer"][0]


def parse_behaviours(text: str) -> tuple[Behaviour, ...]:
    """The behaviours that ``busy/hangup:hang_up_after_ms=500`` names, one for each try.

    Raises:
        ValueError: an unknown name or parameter, or a value out of range; the message names it.
    """
    found: list[Behaviour] = []
    for part in text.split("/"):
        if part in SERIES:
            found.extend(_resolved(SERIES[part][0]))
        else:
            found.append(_parse_one(part))
    return tuple(found)


def parse_rule(text: str) -> Rule:
    """The rule that ``+1202*=busy`` (or ``busy``, for all numbers) writes.

    Raises:
        ValueError: as ``parse_behaviours``, or the number is empty.
    """
    number, equals, behaviour = text.partition("=")
    if not equals or ":" in number or number in PRESETS:
        number, behaviour = "*", text
    if not number:
        raise ValueError(f"no number in {text!r}")
    return Rule(number, parse_behaviours(behaviour))


def parse_mix(document: bytes) -> Mix:
    """The population written in a JSON document with the fields of ``Mix``.

    Raises:
        ValueError: the document is not JSON, has unknown fields, or names an unknown behaviour.
    """
    mix = msgspec.json.decode(document, type=Mix)
    for series in (*(rule.behaviours for rule in mix.rules), *(share.behaviours for share in mix.shares)):
        if not _resolved(series):
            raise ValueError("a rule or share has no behaviour")
    if any(share.weight < 1 for share in mix.shares):
        raise ValueError("the weight of a share must be at least 1")
    return mix


def behaviour_for(number: str, try_number: int, seed: int, mix: Mix) -> Behaviour:
    """What the phone ``number`` does when it is rung for the ``try_number``-th time (from 1).

    Raises:
        ValueError: ``try_number`` is less than 1, or the mix names an unknown behaviour.
    """
    if try_number < 1:
        raise ValueError("tries are counted from 1")
    for rule in mix.rules:
        if rule.matches(number):
            return _of_try(rule.behaviours, try_number)
    if not mix.shares:
        return EVERYBODY_ANSWERS
    share = _drawn_share(mix.shares, _draw("share", number, try_number, seed))
    return _spread(_of_try(share.behaviours, try_number), share, number, try_number, seed)


def scaled(behaviour: Behaviour, percent: int) -> Behaviour:
    """The same behaviour with its times of ringing and talking at ``percent`` of their length.

    Raises:
        ValueError: ``percent`` is negative.
    """
    return msgspec.structs.replace(
        behaviour,
        ring_after_ms=_percent(behaviour.ring_after_ms, percent),
        final_after_ms=_percent(behaviour.final_after_ms, percent),
        hang_up_after_ms=_percent(behaviour.hang_up_after_ms, percent),
    )


def table() -> str:
    """The behaviours, series, fictional numbers and populations, as text for people."""
    described = [(name, text) for name, (_, text) in PRESETS.items()] + [(n, text) for n, (_, text) in SERIES.items()]
    lines = ["behaviours (--behaviour [NUMBER=]NAME[:PARAMETER=VALUE,...][/NAME...])"]
    lines += [f"  {name:<15} {text}" for name, text in described]
    parameters = (name for name in Behaviour.__struct_fields__ if name != "challenge")
    lines += [f"  parameters: {', '.join(parameters)}"]
    lines += ["", "last digits of fictional numbers +1NXX55501xx (--mix suffix)"]
    lines += [f"  {f'{first:02d}-{last:02d}':<15} {name}" for first, last, name in SUFFIXES]
    lines += ["", "town (--mix town), shares of all tries"]
    total = sum(share.weight for share in MIXES["town"].shares)
    lines += [f"  {share.weight * 100 / total:>5.1f} %  {share.behaviours[0]}" for share in MIXES["town"].shares]
    return "\n".join(lines)


def _parse_one(text: str) -> Behaviour:
    name, _, parameters = text.partition(":")
    if name not in PRESETS:
        raise ValueError(f"unknown behaviour {name!r}; known: {', '.join([*PRESETS, *SERIES])}")
    base = PRESETS[name][0]
    if not parameters:
        return base
    fields: dict[str, object] = msgspec.structs.asdict(base)
    for item in parameters.split(","):
        key, _, value = item.partition("=")
        fields[key] = None if value == "none" else value
    try:
        return msgspec.convert(fields, Behaviour, strict=False)
    except msgspec.ValidationError as refusal:
        raise ValueError(f"behaviour {text!r}: {refusal}") from None


def _resolved(series: Series) -> tuple[Behaviour, ...]:
    found: list[Behaviour] = []
    for item in series:
        found.extend(parse_behaviours(item) if isinstance(item, str) else (item,))
    return tuple(found)


def _of_try(series: Series, try_number: int) -> Behaviour:
    behaviours = _resolved(series)
    return behaviours[min(try_number, len(behaviours)) - 1]


def _draw(label: str, number: str, try_number: int, seed: int) -> int:
    """64 bits that look random and depend on the arguments alone."""
    text = f"{label}|{seed}|{number}|{try_number}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def _drawn_share(shares: tuple[Share, ...], draw: int) -> Share:
    left = draw % sum(share.weight for share in shares)
    for share in shares:
        left -= share.weight
        if left < 0:
            return share
    raise AssertionError("the weights add up")


def _spread(behaviour: Behaviour, share: Share, number: str, try_number: int, seed: int) -> Behaviour:
    final, hang_up = behaviour.final_after_ms, behaviour.hang_up_after_ms
    if final is not None and share.final_spread_ms:
        final += _draw("final", number, try_number, seed) % share.final_spread_ms
    if hang_up is not None and share.hang_up_spread_ms:
        hang_up += _draw("hang-up", number, try_number, seed) % share.hang_up_spread_ms
    return msgspec.structs.replace(behaviour, final_after_ms=final, hang_up_after_ms=hang_up)


def _percent(length_ms: Milliseconds | None, percent: int) -> Milliseconds | None:
    return None if length_ms is None else length_ms * percent // 100
