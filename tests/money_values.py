"""Bills of made-up days."""

from dataclasses import replace
from datetime import date

from battery_optimizer.model.money import Account, Bill

DAY = date(2026, 1, 30)


def a_bill(day: date = DAY, **changes: object) -> Bill:
    """Bought for 100 p and sold for 30 p; 150 p more with Self Use, 50 p standing charge."""
    paid = Account(import_kwh=5, export_kwh=2, import_p=100, export_p=30, end_soc_kwh=4)
    bill = Bill(
        first=day,
        last=day,
        tariff="agile",
        house="a",
        is_demo=False,
        standing_p=50,
        n_no_standing=0,
        n_slots=48,
        n_estimated=0,
        n_missing=0,
        actual=paid,
        no_battery=Account(import_kwh=12, import_p=300),
        self_use=replace(paid, import_p=250, end_soc_kwh=1),
        reactive=replace(paid, import_p=90),
    )
    return replace(bill, **changes)
