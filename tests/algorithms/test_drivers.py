"""Which drivers a preset asks for, and what each of them is."""

import pytest

from algorithms import config, drivers, studies
from algorithms.config import ConfigError, merge
from algorithms.registry import DRIVERS
from envs.names import TASKS


@pytest.fixture(scope="module")
def paper():
    return config.load_preset("paper")


def job(preset, driver="human", task="ring_road", seeds=(0, 1), **overrides):
    return drivers.resolve(preset, task, driver, seeds=seeds, overrides=overrides)


def test_the_paper_asks_for_every_driver_on_every_task_with_traffic(paper):
    jobs = drivers.planned(paper)
    tasks = [task for task in paper["tasks"] if TASKS[task].is_traffic]
    assert "ring_road" in tasks
    assert [job.key for job in jobs] == [f"{task}/{driver}" for task in tasks for driver in DRIVERS]
    assert all(job.seeds == paper["seeds"] for job in jobs)


def test_no_drivers_are_planned_without_traffic_or_without_names(paper):
    assert drivers.planned(paper | {"drivers": []}) == []
    assert drivers.planned(paper | {"tasks": ["ant_gather", "ant_maze"]}) == []


def test_drivers_meet_the_final_evaluation_of_the_learners(paper):
    learner = config.resolve(paper, "ring_road", "hrl", seeds=[0])
    for name in DRIVERS:
        one = job(paper, name)
        assert (one.step, one.episodes) == (learner.run.steps, learner.run.final_evaluation_episodes)
        assert one.environment == learner.environment | {"human_only": name == "human"}


def test_the_parameters_are_those_of_the_registry(paper):
    assert job(paper, "follower_stopper").parameters == {
        "standstill_gaps": [4.5, 5.25, 6.0],
        "decelerations": [1.5, 1.0, 0.5],
        "uniform_share": 0.97,
    }
    assert job(paper, "human").parameters == job(paper, "random").parameters == {}


def test_hash_depends_on_what_decides_the_numbers_alone(paper, monkeypatch):
    one = job(paper)
    assert one.hash == job(merge(paper, {"learner": {"default": {"tau": 0.5}}, "algorithms": ["td3"]})).hash
    assert one.hash == job(merge(paper, {"run": {"default": {"checkpoint_every": 1}}, "seeds_per_job": 5})).hash
    others = [
        job(paper, "constant"),
        job(paper, seeds=[0]),
        job(paper, run={"steps": 2_000}),
        job(paper, run={"final_evaluation_episodes": 2}),
        job(paper, environment={"noise": 0.0}),
    ]
    monkeypatch.setitem(DRIVERS, "human", DRIVERS["follower_stopper"])
    others.append(job(paper))
    assert len({one.hash, *(other.hash for other in others)}) == 1 + len(others)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"driver": "robot"}, "driver 'robot' is not known; allowed: human, follower_stopper, random, constant"),
        ({"task": "ring"}, "task 'ring' is not known; allowed: ant_gather, "),
        ({"task": "ant_gather"}, "task 'ant_gather' has no traffic; allowed: ring_road"),
        ({"learner": {"tau": 1}}, "setting 'learner' does not belong to human; allowed: run, environment"),
        ({"environment": {"noize": 1}}, "environment: key 'noize' is not known; allowed: horizon, "),
        ({"run": {"steps": -2_000}}, "run: steps = -2000 is not allowed; it must be greater"),
        ({"seeds": []}, "seeds = [] is not allowed"),
        ({"seeds": [1, 1]}, "seeds: [1, 1] must not repeat an entry"),
    ],
)
def test_wrong_drivers_are_refused_in_one_line(paper, arguments, message):
    with pytest.raises(ConfigError) as caught:
        job(paper, **arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_presets_with_unknown_drivers_are_refused(paper):
    with pytest.raises(ConfigError, match=r"^drivers 'robot' is not known; allowed: human, follower_stopper, "):
        studies.validate(paper | {"drivers": ["robot"]})
    with pytest.raises(ConfigError, match=r"^drivers: \['human', 'human'\] must not repeat an entry"):
        studies.validate(paper | {"drivers": ["human", "human"]})
