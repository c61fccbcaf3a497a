"""Forecasts against outcomes, out of the real store."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.adapters.web.forecasts import forecasts
from battery_optimizer.adapters.web.history import Past
from battery_optimizer.errors import RatesUnavailable
from battery_optimizer.model.loss import ForecastErrors, Split, Yesterday
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import EnergyKind, SlotEnergy
from builders import MIDNIGHT
from store_values import put_energy

DAY = timedelta(days=1)
NOW = MIDNIGHT + 2 * DAY


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store.db")
    yield made
    made.close()


def no_rates(*_: object) -> KnownRates:
    raise RatesUnavailable("the source is away")


def keep(
    store: Store, kind: EnergyKind, t: int, *, load: float, solar: float | None, days: int = 0
) -> None:
    energy = SlotEnergy(
        start=MIDNIGHT + days * DAY + t * SLOT, load_kwh=load, solar_kwh=solar, n_samples=6
    )
    put_energy(store, kind, energy)


def told(store: Store, yesterday: Yesterday | str = "") -> dict[str, object]:
    return forecasts(Past(records=store, known_rates=no_rates), NOW, yesterday)


def test_each_day_has_its_sums_and_its_mean_error(store: Store) -> None:
    for t, (expected, came) in enumerate([(0.5, 0.6), (0.5, 0.3)]):
        keep(store, EnergyKind.EXPECTED, t, load=expected, solar=0.2)
        keep(store, EnergyKind.METERED, t, load=came, solar=0.2)
    keep(store, EnergyKind.EXPECTED, 3, load=1.0, solar=0.0)  # never metered
    keep(store, EnergyKind.EXPECTED, 0, load=0.4, solar=0.1, days=1)
    keep(store, EnergyKind.METERED, 0, load=0.4, solar=None, days=1)
    found = told(store)
    second, first = found["days"]  # type: ignore[misc]
    assert first["day"] == MIDNIGHT.date().isoformat()
    assert first["load"] == {
        "n_slots": 2, "expected_kwh": 1.0, "metered_kwh": 0.9,
        "error_kw": pytest.approx(0.3), "bias_kw": pytest.approx(0.1),
    }  # fmt: skip
    assert first["solar"]["error_kw"] == 0.0
    assert second["solar"] is None
    assert found["all"]["load"]["n_slots"] == 3  # type: ignore[index]
    assert found["reason"] is None
    assert found["yesterday"] is None


def test_before_anything_was_both_expected_and_metered_it_says_so(store: Store) -> None:
    keep(store, EnergyKind.METERED, 0, load=0.4, solar=0.1)
    keep(store, EnergyKind.EXPECTED, 0, load=0.4, solar=0.1, days=2)  # the half hour that runs
    keep(store, EnergyKind.METERED, 0, load=0.4, solar=0.1, days=2)
    found = told(store)
    assert found["days"] == []
    assert found["all"] == {"load": None, "solar": None}
    assert "no half hour" in str(found["reason"])


def test_yesterdays_errors_are_by_lead_time(store: Store) -> None:
    errors = ForecastErrors(
        by_hour_kw=(0.1,),
        by_hour_bias_kw=(0.1,),
        by_lead_kw=(0.25, None),
        by_lead_bias_kw=(-0.1, None),
    )
    split = Split(
        start=MIDNIGHT,
        bill_p=1,
        load_p=0,
        solar_p=0,
        rates_p=0,
        inverter_p=0,
        mode_p=0,
        optimizer_p=0,
    )
    found = told(store, Yesterday(split=split, load=errors, solar=errors))["yesterday"]
    assert found["load"] == [  # type: ignore[index]
        {"hours_ahead": 0, "error_kw": 0.25, "bias_kw": -0.1},
        {"hours_ahead": 1, "error_kw": None, "bias_kw": None},
    ]
