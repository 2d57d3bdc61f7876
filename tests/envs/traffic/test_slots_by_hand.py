"""Who is controlled, case by case and against a plain version."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.traffic.slots import Slots
from tests.envs.traffic.plain_traffic import PlainSlots


def after(*rounds: dict[str, float], number: int = 5) -> list[str]:
    slots = Slots(number, 500.0, 2300.0)
    for positions in rounds:
        slots.update(positions)
    return list(slots.controlled)


def line(*positions: float) -> dict[str, float]:
    """Vehicles a, b, c ... at these positions."""
    return dict(zip("abcdefghij", positions, strict=False))


def test_nobody() -> None:
    assert after({}) == []
    assert after({}, {}) == []


@pytest.mark.parametrize(("position", "expected"), [(499.999, []), (500.0, ["a"]), (500.1, ["a"])])
def test_entry(position: float, expected: list[str]) -> None:
    assert after(line(position)) == expected
    assert after(line(100), line(position)) == expected


@pytest.mark.parametrize(("position", "expected"), [(2299.9, ["a"]), (2300.0, ["a"]), (2300.001, [])])
def test_exit(position: float, expected: list[str]) -> None:
    assert after(line(1000), line(position)) == expected


@pytest.mark.parametrize(("position", "expected"), [(2299.9, ["a"]), (2300.0, []), (2400.0, [])])
def test_first_seen_near_the_end(position: float, expected: list[str]) -> None:
    assert after(line(position)) == expected


def test_vehicles_that_left_the_road_leave_their_place() -> None:
    assert after(line(2200, 1000), {"b": 1010.0}) == ["b"]


def test_newcomers_are_taken_from_downstream() -> None:
    assert after({"a": 600.0, "b": 1500.0, "c": 900.0}) == ["b", "c", "a"]


def test_all_behind_a_leaver_move_up() -> None:
    assert after(line(2290, 1500, 700), line(2301, 1510, 710)) == ["b", "c"]


def test_an_entry_takes_the_last_place() -> None:
    assert after(line(2290, 1500, 490), line(2291, 1510, 501)) == ["a", "b", "c"]


def test_leaver_and_entry_in_one_round() -> None:
    assert after(line(2290, 1500, 490), line(2301, 1510, 501)) == ["b", "c"]


def test_the_sixth_waits_until_a_place_is_free() -> None:
    six = line(2250, 2000, 1800, 1500, 1200, 900)
    assert after(six) == list("abcde")
    assert after(six, {**six, "a": 2310.0}) == list("bcdef")


def test_who_waits_keeps_its_turn() -> None:
    """Places go to those who were seen first, whoever is further downstream by then."""
    start = line(2290, 1000, 900)
    late = {"a": 2310.0, "b": 1010.0, "c": 910.0, "z": 1800.0}
    assert after(start, late, number=1) == ["b"]
    assert after(start, late, {**late, "b": 2301.0}, number=1) == ["c"]


def test_the_head_of_the_queue_holds_up_those_behind() -> None:
    assert after({"a": 400.0}, {"a": 450.0, "b": 600.0}) == []


def test_who_has_passed_before_a_place_was_free_never_gets_one() -> None:
    rounds = [line(2200, 2190, 600), line(2295, 2305, 700), line(2310, 2320, 800), line(2320, 1000, 900)]
    slots = Slots(1, 500.0, 2300.0)
    taken = []
    for positions in rounds:
        slots.update(positions)
        taken.append(list(slots.controlled))
    assert taken == [["a"], ["a"], ["c"], ["c"]]


def test_a_waiting_vehicle_that_left_the_road_is_forgotten() -> None:
    rounds = [line(2200, 2190, 600), {"a": 2250.0, "c": 610.0}, {"a": 2301.0, "c": 620.0}]
    assert after(*rounds, number=1) == ["c"]


def test_who_left_never_comes_back() -> None:
    assert after(line(2200), line(2301), line(2200)) == []


def test_of_neighbours_who_leave_at_once_one_waits_a_round() -> None:
    """As in the authors' code, which removes from the list that it goes through."""
    gone = line(2302, 2301, 1000, 900)
    assert after(line(2290, 2280, 990, 890), gone) == ["b", "c", "d"]
    assert after(line(2290, 2280, 990, 890), gone, gone) == ["c", "d"]
    assert after(line(2290, 2280, 990), {}) == ["b"]  # the first and the third
    assert after(line(2290, 2280, 990), {}, {}) == []


def drives(rounds: Sequence[list[float]]) -> list[dict[str, float]]:
    """Vehicles that move by the given distances, from where each is first seen."""
    places: dict[str, float] = {}
    seen = []
    for index, moves in enumerate(rounds):
        for place, (name, position) in enumerate(list(places.items())):
            moved = position + moves[place % len(moves)]
            if moved > 2800:
                del places[name]
            else:
                places[name] = moved
        places[f"new_{index}"] = moves[-1] % 600
        if len(moves) > 3:
            places[f"other_{index}"] = (moves[0] * 17) % 2500
        seen.append(dict(places))
    return seen


@given(
    number=st.integers(1, 6),
    rounds=st.lists(st.lists(st.floats(0, 700), min_size=1, max_size=6), min_size=1, max_size=30),
)
def test_slots_are_the_plain_ones(number: int, rounds: list[list[float]]) -> None:
    ours, plain = Slots(number, 500.0, 2300.0), PlainSlots(number)
    for positions in drives(rounds):
        ours.update(positions)
        plain.update(positions)
        assert list(ours.controlled) == plain.controlled
        assert len(ours.controlled) <= number
