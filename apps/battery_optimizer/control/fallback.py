"""What to do when no plan can be had: stated rules on the rates of the day, and no foresight."""

import numpy as np

from battery_optimizer.model.house import Battery
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.slots import Floats
from battery_optimizer.model.tariff import RateClass, classify


def reactive_command(battery: Battery, import_rate: float, day_rates: Floats) -> InverterCommand:
    """The rules: charge when the rate is negative or cheap, hold while below the day's median.

    Else self-use. `day_rates` are the published rates of the day [p/kWh].
    """
    if classify(import_rate, day_rates) in (RateClass.NEGATIVE, RateClass.CHEAP):
        return InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=battery.max_charge_kw)
    known = day_rates[np.isfinite(day_rates)]
    if known.size and import_rate < float(np.median(known)):
        return InverterCommand(mode=Mode.HOLD)
    return SELF_USE
