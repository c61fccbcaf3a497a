"""Why a command is given that is not simply the new plan's, in words."""

from typing import Final

from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.plan import Plan, SlotPlan
from battery_optimizer.model.slots import UK
from battery_optimizer.model.wording import MODE_WORDS

PAUSED: Final = "Paused by the household: the inverter was put in Self Use and is then left alone."
BY_RULES: Final = (
    "No plan could be made: charging when cheap, holding when below the day's middle price, else "
    "serving the house."
)


def ordered_reason(order: InverterCommand, command: InverterCommand, modes: frozenset[Mode]) -> str:
    """Of a person's order, and of the command that came of it; `modes` are the inverter's."""
    now, ordered = MODE_WORDS[command.mode], MODE_WORDS[order.mode]
    if command.mode is order.mode:
        return f"{now}, as ordered."
    is_empty = command.mode is Mode.HOLD and order.mode is not Mode.FORCE_CHARGE
    why = "the battery is at its reserve" if is_empty else "it cannot be had now"
    if order.mode not in modes:
        why = "the inverter has no such mode"
    return f"{now} instead of {ordered}, which was ordered: {why}."


def kept_reason(plan: Plan, slot: SlotPlan, *, soc_is_known: bool) -> str:
    """Of a slot of an older plan, followed since there is no new one."""
    made = f"the plan of {plan.made_at.astimezone(UK):%H:%M}"
    if not soc_is_known and slot.mode.is_forced:
        return f"Self Use: {made} forces the battery, but how full it is cannot be read."
    return f"By {made}: {slot.reason}"
