import json

import pytest
from appdaemon.utils import clean_http_kwargs

from battery_optimizer.adapters.unpruned import unpruned


def posted(value: object) -> object:
    """What Home Assistant gets of it."""
    return json.loads(json.dumps(clean_http_kwargs(unpruned({"sent": value}))))["sent"]


@pytest.mark.parametrize("zero", [0, 0.0, -0.0])
def test_appdaemon_takes_zeros_away_and_so_they_are_disguised(zero: float) -> None:
    assert clean_http_kwargs({"sent": zero}) == {}
    assert posted(zero) == 0


def test_a_series_keeps_every_value_and_its_order() -> None:
    series = [{"start": "2026-01-01T00:00Z", "value": 0.0}, {"start": "later", "value": 1.5}]
    assert posted(series) == series
    assert posted([0, 0.5, None, float("nan"), 2]) == [0, 0.5, "unknown", "unknown", 2]


def test_truth_is_told_in_words() -> None:
    assert posted({"yes": True, "no": False}) == {"yes": "true", "no": "false"}


def test_what_is_not_known_is_left_out_of_a_dictionary() -> None:
    assert posted({"power_kw": None, "mode": "hold", "nan": float("nan")}) == {"mode": "hold"}
