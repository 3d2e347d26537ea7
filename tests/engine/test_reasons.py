"""Every hangup reason, end to end, with the result and the target's fate that it means."""

from msgspec import Struct

from outdialer.carriers.simulator.media import SimulatorMedia
from outdialer.domain.outcome import HangupReason
from outdialer.domain.units import format_id
from outdialer.ports.media import PreparedPrompt, Prompt, PromptError
from tests.engine.conftest import MakeWorld
from tests.engine.world import ANSWERS, HANGS_UP, RINGS, World, action, done_by, number

TALKS = "talks"
RINGS_ON = "rings on"
LONG = "long"
HUNG_UP = "hung up by an operator"
FLOW = "the script fails"
SILENT = "answer:loss=1.0"


class Case(Struct, frozen=True):
    """What happens, and what the books say of it."""

    phone: str
    reason: str
    detail: str
    script: str = TALKS
    answered: bool = False
    sip_code: int = 0


def refuses(status: int) -> str:
    return f"busy:status={status},final_after_ms=20"


CASES = (
    Case(ANSWERS, "normal", "end-of-script", answered=True, sip_code=200),
    Case(HANGS_UP, "normal", "bye", script=LONG, answered=True, sip_code=200),
    Case(ANSWERS, "normal", "operator", script=HUNG_UP, answered=True, sip_code=200),
    Case(refuses(404), "failed", "refused (SIP 404)", sip_code=404),
    Case(refuses(484), "failed", "refused (SIP 484)", sip_code=484),
    Case(refuses(500), "failed", "refused (SIP 500)", sip_code=500),
    Case(refuses(503), "failed", "refused (SIP 503)", sip_code=503),
    Case(refuses(302), "failed", "refused (SIP 302)", sip_code=302),
    Case(ANSWERS, "failed", "flow-failed", script=FLOW, answered=True, sip_code=200),
    Case(refuses(486), "busy", "refused (SIP 486)", sip_code=486),
    Case(refuses(600), "busy", "refused (SIP 600)", sip_code=600),
    Case(RINGS, "cancel", "operator", script=HUNG_UP, sip_code=487),
    Case(ANSWERS, "timeout", "call-limit", script=LONG, answered=True, sip_code=200),
    Case(RINGS, "noanswer", "ring-limit", script=RINGS_ON, sip_code=487),
    Case(refuses(480), "noanswer", "refused (SIP 480)", sip_code=480),
    Case(refuses(603), "noanswer", "refused (SIP 603)", sip_code=603),
    Case(refuses(403), "noanswer", "refused (SIP 403)", sip_code=403),
    Case(SILENT, "dialout", "no-response"),
)

OUT_OF_REACH = {
    HangupReason.NONE: "a call that lives",
    HangupReason.AMD: "nothing listens for answering machines yet",
}

SCRIPTS = {
    TALKS: [action("sleep", duration=20)],
    RINGS_ON: [action("sleep", duration=20)],
    LONG: [action("sleep", duration=60_000)],
    HUNG_UP: [action("sleep", duration=60_000)],
    FLOW: [action("play", stream_urls=["${voipbin.outdialtarget.data}"])],
}


class Broken(SimulatorMedia):
    """Media without the files that scripts ask for."""

    async def prepare(self, prompt: Prompt) -> PreparedPrompt:
        if prompt.source:
            raise PromptError("no such file")
        return await super().prepare(prompt)


def test_every_reason_has_a_case() -> None:
    assert {case.reason for case in CASES} == {reason.value for reason in HangupReason if reason not in OUT_OF_REACH}


async def test_every_reason_and_its_result(make_world: MakeWorld) -> None:
    who = {number(n): case for n, case in enumerate(CASES)}
    world = await make_world(*(f"{n}={case.phone}" for n, case in who.items()), media=Broken(), longest_call_ms=3_000)
    await world.rest()
    campaigns = {}
    for script, actions in SCRIPTS.items():
        people = [n for n, case in who.items() if case.script == script]
        ring_ms = 500 if script == RINGS_ON else 10_000
        campaigns[script] = await world.campaign(*people, ring_ms=ring_ms, actions=actions)
    for n, case in who.items():
        if case.script == HUNG_UP:
            await _hang_up(world, n, answered=case.answered)
    await world.until_ended(len(CASES) - 1)
    await world.let_silence_pass()
    for lists in campaigns.values():
        await world.until_status(lists)
    for attempt in await world.attempts():
        case = who[attempt.destination.target]
        found = Case(case.phone, attempt.hangup_reason, attempt.hangup_detail, case.script, attempt.answered)
        assert found == Case(case.phone, case.reason, case.detail, case.script, case.answered)
        assert attempt.sip_code == case.sip_code
        assert attempt.result == ("success" if case.reason == "normal" else "fail")
        assert attempt.charged
    succeeded = sum(case.reason == "normal" for case in CASES)
    done = [reason for lists in campaigns.values() for reason in done_by(await world.targets(lists))]
    assert (done.count("success"), done.count("exhausted")) == (succeeded, len(CASES) - succeeded)
    stats = [await world.stats(lists) for lists in campaigns.values()]
    assert sum(found.succeeded for found in stats) == succeeded
    assert sum(n for found in stats for n in found.failed.values()) == len(CASES) - succeeded


async def _hang_up(world: World, who: str, *, answered: bool) -> None:
    async def up() -> bool:
        return any(
            a.destination.target == who and (a.tm_progressing if answered else a.tm_ringing) is not None
            for a in await world.attempts()
        )

    await world.until(up)
    [attempt] = [a for a in await world.attempts() if a.destination.target == who]
    rest = await world.rest()
    await rest.calls.hang_up(format_id(attempt.reference_id))
