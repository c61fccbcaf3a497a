"""C26: sessions of the supplier or the grid, as what they do to the rates of their slots."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.wishes import Event


def with_events(outlook: Outlook, events: Sequence[Event]) -> Outlook:
    """The outlook with the rates that count in the slots of each event [p/kWh].

    A saving session pays its reward for each kWh not imported, or exported, beyond the usual: both
    rates rise by it. In a free session a further kWh imported costs nothing: the import rate is 0
    (what the house usually draws is still paid for, but no plan changes that).
    """
    if not events:
        return outlook
    import_rate, export_rate = outlook.import_rate.copy(), outlook.export_rate.copy()
    starts = outlook.horizon.starts
    for event in events:
        during = np.array([event.start <= start < event.end for start in starts])
        import_rate[during] += event.reward_p_per_kwh
        export_rate[during] += event.reward_p_per_kwh
        if event.free_import:
            import_rate[during] = np.minimum(import_rate[during], 0.0)
    return replace(outlook, import_rate=import_rate, export_rate=export_rate)
