from datetime import timedelta

import pytest

from battery_optimizer.model.settings import PlannerSettings


def test_the_step_is_a_length_of_time() -> None:
    assert PlannerSettings(step_minutes=15).step == timedelta(minutes=15)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"step_minutes": 7}, "step_minutes must divide 30, as 7 does not"),
        ({"step_minutes": 60}, "step_minutes must be from 5 to 30, not 60"),
        ({"horizon_hours": 5}, "horizon_hours must be from 6 to 168, not 5"),
        ({"time_limit_s": 0}, "time_limit_s must be from 0.1 to 60, not 0"),
        ({"switching_price_p": -1}, "switching_price_p must be from 0 to 100, not -1"),
        ({"max_plan_age_minutes": 1}, "max_plan_age_minutes must be from 5 to 720, not 1"),
    ],
)
def test_settings_that_no_plan_can_be_made_with_are_refused(
    changes: dict[str, float], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        PlannerSettings(**changes)
