"""What must be true of a campaign before it is stored or run: its actions, and what it refers to."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from outdialer.api.errors import FieldError
from outdialer.api.operations import Context
from outdialer.api.wire import ActionBody, read_id
from outdialer.domain.model import Action, Campaign
from outdialer.domain.units import NIL_ID, format_id
from outdialer.flow.actions import ProblemKind, validate_actions

REFERENCES = ("outplan_id", "outdial_id", "queue_id", "next_campaign_id")
_PROBLEM_REASONS = {
    ProblemKind.UNKNOWN_TYPE: "INVALID_ACTION_TYPE",
    ProblemKind.UNAVAILABLE: "FEATURE_UNAVAILABLE",
    ProblemKind.INVALID: "INVALID_ARGUMENT",
}


def read_actions(body: Sequence[ActionBody] | None, default: tuple[Action, ...]) -> tuple[Action, ...]:
    """The actions that a client sent, checked; left out keeps ``default``.

    Raises:
        FieldError: one cannot be used; the first problem is told.
    """
    if body is None:
        return default
    actions = tuple(_read_action(action, f"actions[{index}]") for index, action in enumerate(body))
    for problem in validate_actions(actions):
        raise FieldError(problem.field, problem.message, _PROBLEM_REASONS[problem.kind])
    return actions


def _read_action(body: ActionBody, field: str) -> Action:
    return Action(
        id=read_id(body.id, f"{field}.id"),
        next_id=read_id(body.next_id, f"{field}.next_id"),
        type=body.type or "",
        option=body.option or {},
    )


def read_references(campaign: Campaign, sent: Mapping[str, Any]) -> Campaign:
    """The campaign with the references that a client sent; those left out keep their value.

    Raises:
        FieldError: one is not a UUID.
    """
    ids = {name: read_id(sent.get(name), name, getattr(campaign, name)) for name in REFERENCES}
    return structs.replace(campaign, **ids)


async def check_campaign(context: Context, wanted: Campaign, stored: Campaign | None) -> None:
    """Check what of ``wanted`` differs from ``stored``; all of it, and that it can dial, where ``stored`` is None.

    Raises:
        FieldError: a reference names nothing that can be used.
    """
    _check_available(wanted)
    if stored is None:
        _check_complete(wanted)
    for name, check in _CHECKS.items():
        value = getattr(wanted, name)
        if value != NIL_ID and (stored is None or value != getattr(stored, name)):
            await check(context, wanted)


def _check_available(campaign: Campaign) -> None:
    if campaign.queue_id != NIL_ID:
        raise FieldError("queue_id", 'queues are not available in this release; write ""', "FEATURE_UNAVAILABLE")
    if campaign.type == "flow":
        message = "campaigns of the type flow are not available in this release; write call"
        raise FieldError("type", message, "FEATURE_UNAVAILABLE")


def _check_complete(campaign: Campaign) -> None:
    for name in ("outplan_id", "outdial_id"):
        if getattr(campaign, name) == NIL_ID:
            raise FieldError(name, "it is not set; set it by PUT /campaigns/{id}/resource_info before the run")


def _unusable(name: str, value: bytes) -> FieldError:
    thing = name.removesuffix("_id").removeprefix("next_")
    return FieldError(name, f'there is no {thing} {format_id(value)}; write the id of one, or "" for none')


async def _check_outplan(context: Context, campaign: Campaign) -> None:
    outplan = await context.store.outplan(context.customer, campaign.outplan_id)
    if outplan is None or outplan.tm_delete is not None:
        raise _unusable("outplan_id", campaign.outplan_id)


async def _check_outdial(context: Context, campaign: Campaign) -> None:
    outdial = await context.store.outdial(context.customer, campaign.outdial_id)
    if outdial is None or outdial.tm_delete is not None:
        raise _unusable("outdial_id", campaign.outdial_id)
    if outdial.campaign_id not in (NIL_ID, campaign.id):
        owner = format_id(outdial.campaign_id)
        message = f"the outdial belongs to the campaign {owner}; free it by PUT /outdials/{{id}}/campaign_id"
        raise FieldError("outdial_id", message)


async def _check_next(context: Context, campaign: Campaign) -> None:
    if campaign.next_campaign_id == campaign.id:
        raise FieldError("next_campaign_id", "a campaign cannot follow itself; name another one")
    following = await context.store.campaign(context.customer, campaign.next_campaign_id)
    if following is None or following.tm_delete is not None:
        raise _unusable("next_campaign_id", campaign.next_campaign_id)


_CHECKS = {"outplan_id": _check_outplan, "outdial_id": _check_outdial, "next_campaign_id": _check_next}
