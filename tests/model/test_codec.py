import zlib
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum, StrEnum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_optimizer.model.codec import (
    COMPRESS_ABOVE_BYTES,
    Undecodable,
    decode,
    encode,
    from_plain,
    to_plain,
)
from battery_optimizer.model.decision import CycleInputs, CycleOutcome
from battery_optimizer.model.house import Abilities, SocLimits
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import Bools, Floats, Horizon
from battery_optimizer.model.telemetry import SolarForecast
from battery_optimizer.model.wishes import Event, Override, Target, Wishes
from builders import a_house
from store_values import NOW, a_forecast, a_plan, an_outcome, an_outlook


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Level(Enum):
    LOW = 1


@dataclass(frozen=True, kw_only=True)
class Leaf:
    name: str
    weight: float
    colour: Colour = Colour.RED


@dataclass(frozen=True, kw_only=True)
class Tree:
    leaves: tuple[Leaf, ...]
    pair: tuple[Leaf, Leaf] | None = None
    points: tuple[tuple[float, float], ...] = ()
    maybe: tuple[float | None, ...] = ()
    at: datetime | None = None
    day: date | None = None
    span: timedelta = timedelta(0)
    level: Level = Level.LOW
    numbers: dict[str, float] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    colours: frozenset[Colour] = frozenset()
    count: int = 0
    flag: bool = False


def same(left: object, right: object) -> bool:
    """Equality that looks into arrays, where NaN equals NaN."""
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return left.dtype == right.dtype and np.array_equal(left, right, equal_nan=True)
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if is_dataclass(left) and type(left) is type(right):
        return all(same(getattr(left, f.name), getattr(right, f.name)) for f in fields(left))
    return type(left) is type(right) and left == right


@pytest.mark.parametrize("n_slots", [1, 2, 48, 96])
def test_a_plan_comes_back_the_same(n_slots: int) -> None:
    plan = a_plan(n_slots=n_slots)
    assert decode(Plan, encode(plan)) == plan
    assert same(decode(Plan, encode(plan)), plan)


def test_an_outcome_with_everything_in_it_comes_back_the_same() -> None:
    outcome = an_outcome()
    assert same(decode(CycleOutcome, encode(outcome)), outcome)


def test_an_outlook_without_futures_comes_back_the_same() -> None:
    outlook = an_outlook(n_futures=0)
    assert same(decode(Outlook, encode(outlook)), outlook)


def test_a_forecast_with_gaps_comes_back_with_its_gaps() -> None:
    forecast = a_forecast()
    forecast.p10_kw.values[3] = np.nan
    assert same(decode(SolarForecast, encode(forecast)), forecast)


def test_wishes_come_back_the_same() -> None:
    hour = timedelta(hours=1)
    wishes = Wishes(
        targets=(Target(by=NOW, soc_kwh=5), Target(by=NOW, soc_kwh=6.5)),
        overrides=(Override(start=NOW, end=NOW + hour, command=a_plan().slots[8].command),),
        events=(Event(start=NOW, end=NOW + hour, free_import=True),),
    )
    assert decode(Wishes, encode(wishes)) == wishes


any_float = st.floats(allow_nan=False)
any_leaf = st.builds(Leaf, name=st.text(), weight=any_float, colour=st.sampled_from(Colour))
any_tree = st.builds(
    Tree,
    leaves=st.lists(any_leaf, max_size=4).map(tuple),
    pair=st.none() | st.tuples(any_leaf, any_leaf),
    points=st.lists(st.tuples(any_float, any_float), max_size=3).map(tuple),
    maybe=st.lists(st.none() | any_float, max_size=4).map(tuple),
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
    day=st.none() | st.dates(),
    span=st.timedeltas(),
    level=st.sampled_from(Level),
    numbers=st.dictionaries(st.text(), any_float, max_size=3),
    names=st.lists(st.text(), max_size=3),
    colours=st.frozensets(st.sampled_from(Colour)),
    count=st.integers(),
    flag=st.booleans(),
)


@given(any_tree)
def test_whatever_a_value_holds_it_comes_back_the_same(tree: Tree) -> None:
    assert same(decode(Tree, encode(tree)), tree)


@dataclass(frozen=True, kw_only=True)
class Forest:
    trees: tuple[Tree, ...]


@given(st.lists(any_tree, max_size=4))
def test_rows_of_rows_come_back_the_same(trees: list[Tree]) -> None:
    forest = Forest(trees=tuple(trees))
    assert same(decode(Forest, encode(forest)), forest)


@dataclass(frozen=True, kw_only=True)
class Arrays:
    numbers: Floats
    flags: Bools


@given(st.lists(st.floats(), max_size=5), st.lists(st.booleans(), max_size=5))
def test_arrays_come_back_the_same(numbers: list[float], flags: list[bool]) -> None:
    arrays = Arrays(numbers=np.array(numbers, dtype=float), flags=np.array(flags, dtype=bool))
    assert same(decode(Arrays, encode(arrays)), arrays)


def test_numbers_of_numpy_come_back_as_plain_ones() -> None:
    leaf = Leaf(name="x", weight=np.float64(0.1) + 0.2)
    tree = Tree(leaves=(leaf,), count=np.int64(3), flag=np.bool_(1))  # type: ignore[arg-type]
    read = decode(Tree, encode(tree))
    assert type(read.leaves[0].weight) is float
    assert (read.leaves[0].weight, read.count, read.flag) == (0.1 + 0.2, 3, True)


def test_what_is_short_is_readable_and_what_is_long_is_compressed() -> None:
    assert encode(Leaf(name="é", weight=1.5)).startswith(b'{"v":1,"is":{"name":')
    body = encode(a_plan())
    assert len(zlib.decompress(body)) > COMPRESS_ABOVE_BYTES
    assert len(body) < 8000


@dataclass(frozen=True, kw_only=True)
class OldLeaf:
    name: str
    weight: float
    gone: int = 0


@dataclass(frozen=True, kw_only=True)
class OldTree:
    leaves: tuple[OldLeaf, ...]


@pytest.mark.parametrize("n_leaves", [0, 1, 5])
def test_a_field_that_an_older_row_lacks_takes_its_default(n_leaves: int) -> None:
    old = OldTree(leaves=tuple(OldLeaf(name=f"{n}", weight=n / 3) for n in range(n_leaves)))
    leaves = tuple(Leaf(name=leaf.name, weight=leaf.weight) for leaf in old.leaves)
    assert decode(Tree, encode(old)) == Tree(leaves=leaves)


def test_an_inverters_abilities_are_read_of_records_that_had_them_one_by_one() -> None:
    can = Abilities(modes=frozenset({Mode.SELF_USE}), soc_limits=SocLimits(least=0.2))
    house = replace(a_house(), abilities=can)
    inputs = CycleInputs(house=house, settings=PlannerSettings(), learned=frozenset({"cold_limit"}))
    older = to_plain(inputs)
    abilities = older["house"].pop("abilities")
    older["house"] |= {"modes": [mode.value for mode in Mode], "sets_powers": True}
    assert from_plain(CycleInputs, older | abilities) == inputs
    assert from_plain(CycleInputs, to_plain(inputs)) == inputs


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"rubbish",
        b"{",
        b'{"v":1}',
        b'{"v":1,"is":7}',
        b'{"v":1,"is":{"name":"x"}}',
        b'{"v":1,"is":{"name":"x","weight":"heavy"}}',
        b'{"v":1,"is":{"name":"x","weight":1,"colour":"green"}}',
        b'{"v":2,"is":{"name":"x","weight":1}}',
        encode(a_plan())[:-100],
    ],
)
def test_bytes_that_hold_no_such_value_are_undecodable(body: bytes) -> None:
    with pytest.raises(Undecodable, match="stored Leaf"):
        decode(Leaf, body)


def test_a_value_that_its_class_refuses_is_undecodable() -> None:
    horizon = encode(Horizon(start=NOW, n_slots=2)).replace(b'"n_slots":2', b'"n_slots":0')
    with pytest.raises(Undecodable, match="at least one slot"):
        decode(Horizon, horizon)


def test_a_type_that_the_codec_does_not_know_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="can be a complex"):
        encode(replace(Tree(leaves=()), names=1j))  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Unclear:
    value: int | str


def test_a_hint_that_does_not_say_the_type_is_a_mistake_of_ours() -> None:
    with pytest.raises(Undecodable, match="cannot tell apart"):
        decode(Unclear, encode(Unclear(value=1)))
    with pytest.raises(Undecodable, match="bytes"):
        decode(bytes, encode([1]))
