"""Saving sessions and free electricity sessions as the Octopus Energy integration shows them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_optimizer.adapters.octopus.sessions import OctopusSessions, SessionKind
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.wishes import Event

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SAVING = "event.octopus_energy_a_1234abcd_octoplus_saving_session_events"
FREE = "event.octopus_energy_a_1234abcd_octoplus_free_electricity_session_events"
UPDATED = "2026-01-15T11:30:00.000+00:00"


def a_row(hours: float, length: float = 1.0, **more: object) -> dict[str, object]:
    """A session that begins so many hours from now, as Home Assistant shows it."""
    start = NOW + hours * HOUR
    return {
        "start": start.isoformat(),
        "end": (start + length * HOUR).isoformat(),
        "duration_in_minutes": 60 * length,
    } | more


def joined(hours: float, points: object = 176, **more: object) -> dict[str, object]:
    """One of the list of joined saving sessions."""
    told = {"id": 1500, "rewarded_octopoints": None, "octopoints_per_kwh": points}
    return a_row(hours, **(told | more))


def free(hours: float, **more: object) -> dict[str, object]:
    """One of the list of free sessions."""
    return a_row(hours, **({"code": "FREE_1"} | more))


def source(states: dict[str, EntityState], **chosen: str) -> OctopusSessions:
    return OctopusSessions(
        read_state=states.get,
        list_entities=lambda: ["sensor.x", *states],
        chosen={SessionKind(kind): entity_id for kind, entity_id in chosen.items()},
    )


def saving_sessions(*rows: object, **attributes: object) -> OctopusSessions:
    shown = {"event_type": "octopus_energy_all_octoplus_saving_sessions", "joined_events": [*rows]}
    return source({SAVING: EntityState(state=UPDATED, attributes=shown | attributes)})


def free_sessions(*rows: object) -> OctopusSessions:
    return source({FREE: EntityState(state=UPDATED, attributes={"events": [*rows]})})


def told_by(sessions: OctopusSessions) -> str:
    """What it says of sessions of which it counts none; never the account."""
    assert sessions.sessions(NOW) == ()
    (problem,) = sessions.problems()
    assert "1234" not in problem
    return problem


def test_a_joined_session_pays_an_eighth_of_a_penny_for_a_point() -> None:
    sessions = saving_sessions(joined(5.5, 1800))
    expected = Event(start=NOW + 5.5 * HOUR, end=NOW + 6.5 * HOUR, reward_p_per_kwh=225.0)
    assert sessions.sessions(NOW) == (expected,)
    assert sessions.problems() == ()


def test_a_session_that_nobody_joined_does_not_count() -> None:
    sessions = saving_sessions(available_events=[joined(5, code="EVENT_1")])
    assert sessions.sessions(NOW) == ()
    assert sessions.problems() == ()


def test_free_sessions_are_read() -> None:
    [event] = free_sessions(free(20, length=2)).sessions(NOW)
    assert event == Event(start=NOW + 20 * HOUR, end=NOW + 22 * HOUR, free_import=True)


def test_a_test_is_no_session() -> None:
    sessions = free_sessions(free(3, is_test_event=True), free(5, is_test=True))
    assert sessions.sessions(NOW) == ()
    assert sessions.problems() == ()


def test_past_sessions_are_known_whatever_they_paid_and_come_first() -> None:
    sessions = saving_sessions(joined(3), joined(-70, None), joined(-100, None))
    starts = [event.start for event in sessions.sessions(NOW)]
    assert starts == [NOW - 100 * HOUR, NOW - 70 * HOUR, NOW + 3 * HOUR]
    assert sessions.problems() == ()


def test_one_that_is_on_is_still_to_come() -> None:
    [event] = saving_sessions(joined(-0.5)).sessions(NOW)
    assert event.reward_p_per_kwh == 22


def test_local_times_with_their_offset_are_read() -> None:
    row = joined(0, start="2026-07-15T18:00:00+01:00", end="2026-07-15T19:00:00+01:00")
    [event] = saving_sessions(row).sessions(datetime(2026, 7, 15, 9, tzinfo=UTC))
    assert event.start == datetime(2026, 7, 15, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("soon", "it is str, no session"),
        ({}, "it has no start and end that are times"),
        (joined(5, start=None), "it has no start and end that are times"),
        (joined(5, start="at six"), "it has no start and end that are times"),
        (joined(5, end="2026-01-15T20:00:00"), "times with a time zone"),
        (joined(5, start="0001-01-01T00:00:00Z"), "it is of the year 1"),
        (joined(5, end="9999-12-31T23:00:00-01:00"), "it has no start and end that are times"),
        (joined(5, length=-1), "it of Thu 15 Jan 17:00 does not end in the twelve hours after"),
        (joined(5, length=30), "does not end in the twelve hours after its start"),
        (joined(24 * 30), "it is too far ahead, Sat 14 Feb 12:00"),
        (joined(5, None), "it of Thu 15 Jan 17:00 does not tell its octopoints_per_kwh"),
        (joined(5, "176"), "pays octopoints_per_kwh '176', which is no number from 1 to 8000"),
        (joined(5, "many"), "pays octopoints_per_kwh 'many', which is no number"),
        (joined(5, float("nan")), "which is no number"),
        (joined(5, points=True), "which is no number"),
        (joined(5, 0), "pays octopoints_per_kwh 0, which is no number from 1"),
        (joined(5, -20), "which is no number from 1"),
        (joined(5, 22000), "which is no number from 1 to 8000"),
    ],
)
def test_a_session_that_makes_no_sense_is_told_and_the_others_count(
    row: object, words: str
) -> None:
    assert words in told_by(saving_sessions(row))
    beside = saving_sessions(row, joined(30))
    assert [event.start for event in beside.sessions(NOW)] == [NOW + 30 * HOUR]
    assert len(beside.problems()) == 1


def test_of_sessions_that_overlap_none_counts() -> None:
    problem = told_by(saving_sessions(joined(5), joined(5.5)))
    assert problem == (
        "two of Octopus's saving sessions overlap, at Thu 15 Jan 17:00 and Thu 15 Jan 17:30: "
        "neither is counted"
    )


def test_sessions_that_follow_each_other_or_are_said_twice_do_not_overlap() -> None:
    sessions = saving_sessions(joined(5), joined(6), joined(5))
    assert len(sessions.sessions(NOW)) == 2
    assert sessions.problems() == ()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (EntityState(state="unavailable"), "the Octopus Energy integration is unavailable"),
        (
            EntityState(state="unknown", attributes={"event_type": None}),
            "is unknown: if it stays so enable the integration's calendar of these sessions, too",
        ),
        (EntityState(state=UPDATED), "the integration's entity has no list joined_events"),
        (
            EntityState(state=UPDATED, attributes={"joined_events": "none"}),
            "the integration's entity has no list joined_events",
        ),
    ],
)
def test_an_entity_that_tells_nothing_is_told_of(state: EntityState, words: str) -> None:
    problem = told_by(source({SAVING: state}))
    assert problem.startswith("Octopus's saving sessions are not known: ")
    assert words in problem


def test_where_the_integration_has_no_sessions_nothing_is_missing() -> None:
    sessions = source({})
    assert sessions.sessions(NOW) == ()
    assert sessions.problems() == ()


def test_of_several_accounts_the_one_that_is_set_counts() -> None:
    other = "event.octopus_energy_a_9999ffff_octoplus_saving_session_events"
    states = {
        each: EntityState(state=UPDATED, attributes={"joined_events": [joined(5, points)]})
        for each, points in ((SAVING, 176), (other, 80))
    }
    assert told_by(source(states)).endswith(
        "has those of 2 accounts; set sessions.saving_event to the entity of the one that is meant"
    )
    [event] = source(states, saving=other).sessions(NOW)
    assert event.reward_p_per_kwh == 10


def test_a_name_that_leads_nowhere_is_told_by_its_setting() -> None:
    problem = told_by(source({}, saving="event.octopus_energy_a_1234abcd_x"))
    assert "there is no entity as sessions.saving_event names it" in problem


def test_problems_go_when_what_was_wrong_is_mended() -> None:
    states = {SAVING: EntityState(state="unavailable")}
    sessions = source(states)
    sessions.sessions(NOW)
    assert sessions.problems()
    states[SAVING] = EntityState(state=UPDATED, attributes={"joined_events": []})
    sessions.sessions(NOW)
    assert sessions.problems() == ()


_TIMES = st.sampled_from(
    [UPDATED, "2026-01-15T17:00:00Z", "2026-01-15T18:00:00+00:00", "0001-01-01T00:00:00Z", ""]
)
_JUNK = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | _TIMES
_KEYS = ("start", "end", "octopoints_per_kwh", "is_test", "id")
_ROWS = st.lists(_JUNK | st.dictionaries(st.sampled_from(_KEYS), _JUNK | st.lists(_JUNK)))


@given(st.sampled_from(SessionKind), _ROWS | _JUNK)
def test_whatever_the_entity_shows_nothing_breaks(kind: SessionKind, rows: object) -> None:
    shown = {"joined_events": rows, "events": rows}
    sessions = source({SAVING: EntityState(state=UPDATED, attributes=shown)}, **{kind: SAVING})
    for event in sessions.sessions(NOW):
        assert event.start < event.end
        assert 0 <= event.reward_p_per_kwh <= 1000
