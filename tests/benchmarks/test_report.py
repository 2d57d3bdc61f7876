from __future__ import annotations

from samples import MACHINE

from benchmarks import goals, machine
from benchmarks.report import document, goal_table, ms, table, times


def test_a_table():
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_numbers_carry_their_quartiles():
    value = {"median": 1.2345, "lower": 1.1, "upper": 13.0, "repeats": 5}
    assert ms(value) == "1.23 (1.1 to 13)"
    assert times(value) == "1.23 x (1.10 to 13.00)"


def test_a_missed_goal_is_visible():
    rows = [
        goals.judge("fast", 0.4, 0.5),
        goals.judge("small", 800, 700, "MB"),
        goals.judge("lean", 0.06, 0.05, "%"),
    ]
    assert goal_table(rows).splitlines()[2:] == [
        "| fast | 0.400 x | <= 0.500 x | met |",
        "| small | 800 MB | <= 700 MB | **missed** |",
        "| lean | 6.0 % | <= 5.0 % | **missed** |",
    ]


def test_the_limit_itself_meets_a_goal():
    assert goals.judge("just so", 0.5, 0.5)["met"]
    assert not goals.judge("not quite", 0.5000001, 0.5)["met"]


def test_sections_of_several_runs_name_their_machines():
    busy = {**MACHINE, "load_average": [1.9, 0, 0]}
    sections = {"one": {"machine": MACHINE}, "two": {"machine": busy}}
    text = document(sections, {"one": "One", "two": "Two"}, {"one": "first", "two": "second"}, [])
    assert text.count("Measured on Abacus, 2 cores, 1 thread per process") == 2
    assert text.count("Warning") == 1
    assert text.index("## One") < text.index("first") < text.index("## Two") < text.index("Warning")


def test_a_machine_that_is_common_to_all_is_named_once():
    sections = {"one": {"machine": MACHINE}, "two": {"machine": MACHINE}}
    text = document(sections, {"one": "One", "two": "Two"}, {"one": "first", "two": "second"}, [])
    assert text.count("Measured on Abacus") == 1
    assert text.index("Measured on Abacus") < text.index("## One")


def test_a_quiet_machine_gives_no_warning():
    assert machine.warning(MACHINE) is None
    warning = machine.warning({**MACHINE, "load_average": [1.5, 0, 0]})
    assert warning == "the machine was not quiet: load average 1.5 on 2 cores at the start"


def test_this_machine_is_described():
    described = machine.describe()
    assert described["threads"] == 1
    assert described["hardware"]["cores"] >= described["usable_cores"] >= 1
    assert described["versions"]["torch"] in machine.line(described)
