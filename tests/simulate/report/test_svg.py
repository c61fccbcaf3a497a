from xml.etree import ElementTree as ET

import pytest

from battery_optimizer.simulate.report.svg import Line, line_chart, ticks

SPACE = "{http://www.w3.org/2000/svg}"


def drawn(*lines: Line, title: str = "Time") -> ET.Element:
    return ET.fromstring(line_chart(title, "slots", "time [ms]", lines))  # noqa: S314 (our own)


def texts(chart: ET.Element) -> list[str]:
    return [str(text.text) for text in chart.iter(f"{SPACE}text")]


def test_every_point_is_on_the_page_and_higher_values_stand_higher() -> None:
    chart = drawn(Line(name="warm", points=[(24, 1.0), (48, 2.5), (168, 9.0)]))
    dots = [
        (float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in chart.iter(f"{SPACE}circle")
    ]
    _, _, width, height = map(float, chart.attrib["viewBox"].split())
    assert len(dots) == 3
    assert all(0 < x < width and 0 < y < height for x, y in dots)
    assert dots == sorted(dots, key=lambda dot: dot[0])
    assert [y for _, y in dots] == sorted((y for _, y in dots), reverse=True)


def test_title_labels_and_names_are_there_as_they_are() -> None:
    chart = drawn(Line(name="a < b & c", points=[(1, 1), (2, 2)]), title="1 > 0")
    assert {"1 > 0", "a < b & c", "slots", "time [ms]"} <= set(texts(chart))


def test_lines_have_colours_of_their_own() -> None:
    chart = drawn(*(Line(name=f"{n}", points=[(0, n), (1, n)]) for n in range(4)))
    assert len({dot.attrib["fill"] for dot in chart.iter(f"{SPACE}circle")}) == 4


def test_one_point_and_equal_values_can_be_drawn() -> None:
    assert len(list(drawn(Line(name="one", points=[(5, 0)])).iter(f"{SPACE}circle"))) == 1


def test_no_points_are_no_chart() -> None:
    with pytest.raises(ValueError, match="at least one point"):
        drawn(Line(name="none", points=[]))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0, 147.7, [0, 50, 100, 150]),
        (0, 0.55, pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])),
        (-3, 9, [-4, -2, 0, 2, 4, 6, 8, 10]),
        (0, 0, [0, 1]),
    ],
)
def test_ticks_are_round_and_hold_the_data(low: float, high: float, expected: object) -> None:
    assert ticks(low, high) == expected
