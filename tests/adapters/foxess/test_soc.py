import pytest

from battery_optimizer.adapters.foxess.soc import SocNumbers
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.house import SocLimits


@pytest.mark.parametrize(
    ("numbers", "least", "most"),
    [
        ({}, 0.0, 1.0),
        ({"min_soc": "10"}, 0.1, 1.0),
        ({"min_soc": "10", "min_soc_on_grid": "25", "max_soc": "90"}, 0.25, 0.9),
        ({"min_soc": "30", "min_soc_on_grid": "25"}, 0.3, 1.0),
        ({"min_soc": "unavailable", "max_soc": "nan"}, 0.0, 1.0),
        ({"min_soc": "400", "max_soc": "-3"}, 0.0, 1.0),
        ({"min_soc": "50", "max_soc": "40"}, 0.5, 1.0),
    ],
)
def test_limits_are_read_as_far_as_they_make_sense(
    numbers: dict[str, str], least: float, most: float
) -> None:
    states = {f"number.fox_{name}": EntityState(state=state) for name, state in numbers.items()}
    assert SocNumbers(states.get).limits("fox_") == SocLimits(least=least, most=most)


def test_what_was_read_stands_while_the_number_is_unavailable() -> None:
    states = {"number.min_soc": EntityState(state="20")}
    numbers = SocNumbers(states.get)
    numbers.limits("")
    states["number.min_soc"] = EntityState(state="unavailable")
    assert numbers.limits("") == SocLimits(least=0.2)
