"""Faults of the house: sensors, calls, the link, Home Assistant, the inverter itself."""

from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

from battery_optimizer.model.entity import EntityState
from faults.fault import Change, Fault
from faults.world import SELECT, World
from fox_polled import Link

SOC = "sensor.foxess_battery_soc"
SENSORS = (
    SOC,
    "sensor.foxess_load_power",
    "sensor.foxess_pv_power",
    "sensor.foxess_grid_ct",
    "sensor.foxess_invbatpower",
)


def showing(*entity_ids: str, state: str | None = None, **attributes: object) -> Change:
    """These entities show something else."""

    def changed(shown: EntityState) -> EntityState:
        told = shown.state if state is None else state
        return replace(shown, state=told, attributes={**shown.attributes, **attributes})

    return lambda world: world.changed.update(dict.fromkeys(entity_ids, changed))


def gone(*entity_ids: str) -> Change:
    return lambda world: world.changed.update(dict.fromkeys(entity_ids, lambda _: None))


def frozen(world: World) -> None:
    """All that the inverter shows stays as it is, times too, while calls go through."""
    for entity_id, state in world.fox.entities().items():
        if entity_id in SENSORS:
            world.changed[entity_id] = lambda _, kept=state: kept


def swinging(world: World) -> None:
    """A sensor that shows 0, then the truth, then 0."""

    def changed(shown: EntityState) -> EntityState:
        return replace(shown, state="0") if world.true_time.minute % 10 < 5 else shown

    world.changed[SOC] = changed


def whole_again(world: World) -> None:
    world.changed.clear()


def answering(answer: object, *, after_s: float = 0.0, does: bool = False) -> Change:
    """Calls that set something are answered so, and are carried out or not."""

    def begin(world: World) -> None:
        def call(service: str, data: dict[str, Any]) -> object:
            if service.startswith("input_"):
                return world.answer(service, data)
            if does:
                world.answer(service, data)
            world._wait(after_s)
            if isinstance(answer, Exception):
                raise copy(answer)
            return answer

        world.calls = call

    return begin


def only_refusing(service: str) -> Change:
    def begin(world: World) -> None:
        def call(asked: str, data: dict[str, Any]) -> object:
            if asked == service:
                return {"success": False, "error": "Unknown option"}
            return world.answer(asked, data)

        world.calls = call

    return begin


def late(world: World) -> None:
    """Home Assistant does not answer in time, and does it half a minute later."""
    waiting: list[tuple[str, dict[str, Any]]] = []

    def call(service: str, data: dict[str, Any]) -> object:
        if service.startswith("input_"):
            return world.answer(service, data)
        world._wait(10)
        for each in waiting:
            world.answer(*each)
        waiting[:] = [(service, data)]
        return {"success": False, "ad_status": "TIMEOUT"}

    world.calls = call


def answers_again(world: World) -> None:
    world.calls = None


def link(to: Link) -> Change:
    return lambda world: setattr(world.link, "link", to)


def link_up(world: World) -> None:
    world.link.link = Link.UP


def home_assistant_gone(world: World) -> None:
    """AppDaemon stops the app, whose last words do not arrive."""
    world.link.link = Link.STOPPED
    world.is_there = False
    world.stop()


def home_assistant_back(world: World) -> None:
    world.link.link = Link.UP
    world.is_there = True
    world.begin()


def namespace_gone(world: World) -> None:
    """Home Assistant runs, and goes on forcing; AppDaemon sees and reaches nothing of it."""
    world.is_there = False


def namespace_back(world: World) -> None:
    world.is_there = True


def misfiring(**does: str) -> Change:
    options = {each.replace("_", " "): does[each] for each in does}
    return lambda world: setattr(world.inverter, "misfires", options)


def lost_force(world: World) -> None:
    """A short outage in which the inverter leaves the mode that the select goes on showing."""
    world.link.link = Link.REFUSED
    world._wait(28)
    world.link.link = Link.UP


def stuck(world: World) -> None:
    """The inverter goes on discharging, whatever mode it is told."""
    world.inverter.misfires = dict.fromkeys(
        ("Self Use", "Back-up", "Feed-in First"), "Force Discharge"
    )


def obeys(world: World) -> None:
    world.inverter.misfires = {}


def by_hand(option: str) -> Change:
    """Somebody sets the select."""

    def begin(world: World) -> None:
        world.fox.call("select/select_option", {"entity_id": SELECT, "option": option})

    return begin


REFUSED = {"success": False, "error": {"message": "Modbus error"}}
TIMEOUT = {"success": False, "ad_status": "TIMEOUT"}
DONE = {"success": True, "result": {}, "ad_status": "OK"}
BLIND = "self-use within an interval: nothing is forced unseen; planned again at once"
PLANNED = "planned without it, and said"
UNSENT = "said; after three failures in a row only self-use is tried, for half an hour"
WAITS = "waited for, and said; self-use with the first cycle after its end"
AWAITED: dict[str, Any] = {
    "expected": "waited for, and said; self-use as soon as it is back",
    "recovers_within": 1.0,
}
PAUSES: dict[str, Any] = {"expected": UNSENT, "recovers_within": 36.0}


def sensor(name: str, how: str, says: str, begin: Change, **more: Any) -> Fault:  # noqa: ANN401
    given = {"expected": BLIND, "end": whole_again, **more}
    return Fault(name=name, how=how, says=says, begin=begin, **given)


def call(name: str, how: str, says: str, begin: Change, **more: Any) -> Fault:  # noqa: ANN401
    given = {"end": answers_again, "is_deaf": True, **PAUSES, **more}
    return Fault(name=name, how=how, says=says, begin=begin, **given)


SENSOR_FAULTS = (
    sensor("charge unavailable", "battery_soc shows unavailable", "battery_soc is unavailable",
           showing(SOC, state="unavailable")),
    sensor("charge unknown", "battery_soc shows unknown", "battery_soc has no value",
           showing(SOC, state="unknown")),
    sensor("charge empty", "battery_soc shows an empty text", "battery_soc has an empty value",
           showing(SOC, state="")),
    sensor("charge no number", "battery_soc shows words", "battery_soc",
           showing(SOC, state="about half")),
    sensor("charge NaN", "battery_soc shows nan", "battery_soc", showing(SOC, state="nan")),
    sensor("charge absurd", "battery_soc shows 655.35 %", "battery_soc shows 655.35",
           showing(SOC, state="655.35")),
    sensor("charge negative", "battery_soc shows -1 %", "battery_soc shows -1",
           showing(SOC, state="-1")),
    sensor("charge in another unit", "battery_soc in V", "battery_soc has the unit 'V'",
           showing(SOC, unit_of_measurement="V")),
    sensor("charge without unit", "battery_soc has no unit", "battery_soc has no unit",
           showing(SOC, unit_of_measurement=None)),
    sensor("charge gone", "battery_soc does not exist any more", "battery_soc does not exist",
           gone(SOC)),
    sensor("charge swinging to 0", "battery_soc shows 0 for every other five minutes",
           "battery_soc shows 0 % but showed", swinging,
           expected="planned with the charge before, and said"),
    sensor("all sensors unavailable", "every sensor shows unavailable",
           "battery_soc is unavailable", showing(*SENSORS, state="unavailable")),
    sensor("all sensors frozen", "every sensor keeps value and time for an hour",
           "last reported at", frozen, minutes=60.0),
    sensor("load unavailable", "load_power shows unavailable", "load_power is unavailable",
           showing("sensor.foxess_load_power", state="unavailable"), expected=PLANNED),
    sensor("load absurd", "load_power shows 6553.5 kW", "load_power shows 6553.5",
           showing("sensor.foxess_load_power", state="6553.5"), expected=PLANNED),
    sensor("sun negative", "pv_power shows -4 kW", "pv_power shows -4",
           showing("sensor.foxess_pv_power", state="-4"), expected=PLANNED),
    sensor("grid in another unit", "grid_ct in A", "grid_ct has the unit 'A'",
           showing("sensor.foxess_grid_ct", unit_of_measurement="A"), expected=PLANNED),
    sensor("battery power reset to 0", "invbatpower shows 0 whatever the battery does",
           "battery should discharge", showing("sensor.foxess_invbatpower", state="0"),
           recovers_within=61.0, expected="taken for a mode that is not carried out: "
           "set again, and self-use"),
    sensor("select unavailable", "work_mode shows unavailable", "work_mode is unavailable",
           showing(SELECT, state="unavailable"), is_deaf=True, **AWAITED),
    sensor("select gone", "work_mode does not exist any more", "work_mode does not exist",
           gone(SELECT), is_deaf=True, expected=WAITS),
    sensor("select without its options", "work_mode offers only Peak Shaving", "Self Use",
           showing(SELECT, options=["Peak Shaving"]), recovers_within=36.0,
           expected="the force power is set to 0, and what is missing is said"),
    sensor("force power gone", "force_discharge_power does not exist", "force_discharge_power",
           gone("number.foxess_force_discharge_power"), expected="said; the mode is left all the "
           "same"),
    sensor("force power in another unit", "force_discharge_power in W", "is in W, not kW",
           showing("number.foxess_force_discharge_power", unit_of_measurement="W"),
           expected="said; the mode is left all the same"),
)  # fmt: skip

CALL_FAULTS = (
    call("calls refused", "every call answers success: false", "was refused",
         answering(REFUSED)),
    call("calls hang 10 s", "every call waits 10 s, then TIMEOUT", "did not answer in time",
         answering(TIMEOUT, after_s=10)),
    call("calls hang a minute", "every call waits 60 s, then None", "not connected",
         answering(None, after_s=60)),
    call("calls dropped", "every call succeeds, nothing is done", "still shows",
         answering(DONE)),
    call("calls answered by garbage", "every call answers a word", "the answer was",
         answering("OK")),
    call("calls raise", "every call raises RuntimeError", "cannot be called",
         answering(RuntimeError("Domain 'select' does not exist"))),
    call("calls carried out late", "each call says TIMEOUT and is done by the next one",
         "did not answer in time", late, is_deaf=False,
         expected="nothing is blamed on others; ends in self-use",
         limit=timedelta(minutes=11, seconds=30)),
    call("calls done but not confirmed", "each call is done, and answers TIMEOUT",
         "did not answer in time", answering(TIMEOUT, after_s=10, does=True), is_deaf=False,
         expected="read back at the next cycle: nothing more to send"),
    call("only the select refuses", "select_option is refused, numbers are taken",
         "was refused", only_refusing("select/select_option"), is_deaf=False,
         expected="the force power is set to 0 at once"),
    call("only numbers refuse", "set_value is refused, the select is taken", "",
         only_refusing("number/set_value"), is_deaf=False,
         expected="the mode is left all the same"),
)  # fmt: skip


def house(name: str, how: str, says: str, begin: Change, end: Change, **more: Any) -> Fault:  # noqa: ANN401
    return Fault(name=name, how=how, says=says, begin=begin, end=end, **more)


OWN: dict[str, Any] = {
    "expected": "the inverter's own watchdog ends the force; self-use as soon as the link is back",
    "recovers_within": 1.0,
}
LINK_FAULTS = (
    house("inverter's link refused", "Modbus refuses connections for 25 minutes",
          "Connection refused|is unavailable", link(Link.REFUSED), link_up, **OWN),
    house("inverter's link hangs", "the adapter does not answer for 25 minutes",
          "did not answer in time|is unavailable", link(Link.HANGING), link_up, **OWN),
    house("inverter away for 40 minutes", "Modbus refuses connections, and the order stands",
          "is unavailable", link(Link.REFUSED), link_up, minutes=38.0, recovers_within=4.0,
          stays=True, expected="waited for, and said; forced again as soon as it is back, and "
          "seen by its power not to be so only by the select"),
    house("inverter silent for 40 minutes", "its adapter does not answer, and the order stands",
          "is unavailable", link(Link.HANGING), link_up, minutes=38.0, recovers_within=4.0,
          stays=True, expected="waited for, and said; forced again as soon as it is back, and "
          "seen by its power not to be so only by the select"),
    house("force lost in silence", "28 s without link: the select goes on saying Force Discharge",
          "", lost_force, link_up, minutes=15.0,
          expected="the order is withdrawn: self-use is told, and taken"),
    house("Home Assistant gone a minute", "stopped; AppDaemon stops and starts the app",
          "not connected|no inverter|does not exist", home_assistant_gone, home_assistant_back,
          minutes=0.5, is_deaf=True, expected="the inverter falls into Feed-in First by itself; "
          "self-use when Home Assistant is back"),
    house("Home Assistant gone an hour", "stopped; AppDaemon stops and starts the app",
          "not connected|no inverter|does not exist", home_assistant_gone, home_assistant_back,
          minutes=60.0, is_deaf=True, expected="the inverter falls into Feed-in First by itself; "
          "self-use when Home Assistant is back"),
    house("connection to Home Assistant gone", "Home Assistant runs; AppDaemon sees nothing of it",
          "does not exist", namespace_gone, namespace_back, is_deaf=True, expected=WAITS),
    house("inverter discharges whatever it is told", "every mode does as Force Discharge",
          "battery should", stuck, obeys, minutes=25.0, is_deaf=True, recovers_within=65.0,
          expected="noticed by its power, told again, paused, and said"),
    house("Self Use does as Force Discharge", "until another mode was passed through",
          "battery should", misfiring(Self_Use="Force Discharge"), obeys, is_deaf=True,
          recovers_within=65.0, expected="noticed by its power, told again by way of Back-up"),
    house("Force Charge does nothing", "acts as Back-up", "battery should charge",
          misfiring(Force_Charge="Back-up"), obeys, order="Charge", minutes=15.0,
          expected="noticed while it is wanted, set again; self-use when it is not"),
    house("somebody sets Force Charge", "by the Fox app, while self-use is right",
          "somebody else set Charge", by_hand("Force Charge"), lambda _: None,
          order="Self use", minutes=20.0, recovers_within=60.0, is_deaf=True,
          expected="respected for an hour, said; then self-use"),
    house("the battery refuses to charge", "its BMS takes nothing", "battery should charge",
          lambda world: setattr(world.inverter, "bms_charge_kw", 0.0),
          lambda world: setattr(world.inverter, "bms_charge_kw", None), order="Charge",
          minutes=15.0, expected="noticed while it is wanted; self-use when it is not"),
)  # fmt: skip

FAULTS = (*SENSOR_FAULTS, *CALL_FAULTS, *LINK_FAULTS)
