"""Presets, what they resolve to, and how wrong ones are refused."""

import argparse
import json
import shlex
from functools import partial

import jsonschema
import pytest
import yaml

from algorithms import config, studies
from algorithms.config import ConfigError
from algorithms.registry import ALGORITHMS, DRIVERS
from algorithms.settings import SECTIONS, format_seeds
from envs.names import TASKS


@pytest.fixture(scope="module")
def paper():
    return config.load_preset("paper")


@pytest.mark.parametrize("name", ["paper", "quick", "smoke"])
def test_presets_are_valid(name):
    assert studies.validate(config.load_preset(name)).preset == name


def test_paper_has_the_papers_settings(paper):
    """Appendix E.1, and the number of seeds of Figure 5."""
    for task in TASKS:
        for algorithm in filter(partial(config.learns, task=task), ALGORITHMS):
            run = config.resolve(paper, task, algorithm, seeds=[0])
            learner = run.learner
            assert learner.hidden == [256, 256]
            assert (learner.learning_rate, learner.gamma, learner.tau) == (3e-4, 0.99, 0.005)
            assert (learner.batch_size, learner.buffer_steps, learner.critic_loss) == (128, 200_000, "huber")
            assert (learner.exploration_noise, learner.target_noise, learner.target_noise_clip) == (0.1, 0.2, 0.5)
            assert learner.actor_delay == 2
            assert (run.run.warmup_steps, run.run.log_every, run.run.evaluate_every) == (10_000, 2_000, 50_000)
            if run.hierarchy:
                assert run.hierarchy.meta_period == 10
                assert (run.hierarchy.manager_critic_every, run.hierarchy.manager_actor_every) == (10, 20)
    assert paper["seeds"] == list(range(10))
    assert config.resolve(paper, "ant_gather", "hrl", seeds=[0]).run.steps == 1_000_000
    assert config.resolve(paper, "ring_road", "hrl", seeds=[0]).run.steps == 1_500_000
    assert config.resolve(paper, "ant_maze", "hrl", seeds=[0]).run.steps == 3_000_000
    assert config.resolve(paper, "ant_four_rooms", "hrl", seeds=[0]).run.steps == 3_000_000
    assert config.resolve(paper, "visual_ant_maze", "hrl", seeds=[0]).run.steps == 2_500_000


def test_overlay_changes_only_what_it_names(paper):
    overlay = {"learner": {"tasks": {"ring_road": {"gamma": 0.9}}}}
    changed = config.merge(paper, overlay)
    before, after = (
        config.resolve(p, "ring_road", "td3", seeds=[0]).model_dump(mode="json") for p in (paper, changed)
    )
    assert after["learner"].pop("gamma") == 0.9
    assert before["learner"].pop("gamma") == 0.99
    assert before == after
    assert config.resolve(changed, "ant_gather", "td3", seeds=[0]) == config.resolve(
        paper, "ant_gather", "td3", seeds=[0]
    )


def test_hash_depends_on_what_decides_the_numbers(paper):
    run = config.resolve(paper, "ant_gather", "hrl", seeds=[0])
    assert run.hash == config.resolve(paper, "ant_gather", "hrl", seeds=[7]).hash
    changed = config.resolve(paper, "ant_gather", "hrl", seeds=[0], overrides={"learner": {"tau": 0.01}})
    assert run.hash != changed.hash
    saved_more_often = {"run": {"checkpoint_every": 1000}}
    assert run.hash == config.resolve(paper, "ant_gather", "hrl", seeds=[0], overrides=saved_more_often).hash
    unrelated = config.merge(paper, {"learner": {"tasks": {"ring_road": {"tau": 0.01}}}})
    assert run.hash == config.resolve(unrelated, "ant_gather", "hrl", seeds=[0]).hash
    another_machine = config.merge(paper, {"device": "cuda", "seeds_per_job": 10})
    assert run.hash == config.resolve(another_machine, "ant_gather", "hrl", seeds=[0]).hash


def test_drivers_are_part_of_every_preset_and_may_be_left_out(paper):
    everyone = ["human", "follower_stopper", "random", "constant"]
    for name in ("paper", "quick", "smoke"):
        assert config.load_preset(name)["drivers"] == everyone == list(DRIVERS)
    assert studies.validate(paper | {"drivers": []}).drivers == []


def test_preset_arguments_survive_the_round_trip(paper):
    values = config.merge(config.load_preset("smoke"), {"seeds": [5], "run": {"default": {"steps": 2400}}})
    arguments = config.preset_arguments(values)
    assert arguments.startswith("--preset smoke --override ")
    parser = argparse.ArgumentParser()
    config.add_preset_arguments(parser)
    assert studies.preset_from(parser.parse_args(shlex.split(arguments))) == values
    assert config.preset_arguments(paper) == "--preset paper"


def test_text_that_stands_for_numbers_is_read():
    typed = config.retype(
        {"seeds": ["0", "12"], "learner": {"default": {"tau": "0.5", "critic_loss": "huber"}}, "n": 3}
    )
    assert typed == {"seeds": [0, 12], "learner": {"default": {"tau": 0.5, "critic_loss": "huber"}}, "n": 3}


def test_preset_of_ones_own_falls_back_on_the_paper(paper):
    mine = config.merge(paper, {"preset": "mine", "seeds": [1]})
    assert config.preset_arguments(mine).startswith("--preset paper --override ")


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ({"learner": {"default": {"gama": 1.0}}}, "key 'learner.default.gama' is not known; allowed: hidden, "),
        ({"learner": {"tasks": {"ring_road": {"gama": 1.0}}}}, "key 'learner.tasks.ring_road.gama' is not known"),
        (
            {"learner": {"tasks": {"ring": {"gamma": 0.9}}}},
            "learner.tasks 'ring' is not known; allowed",
        ),
        ({"lerner": {}}, "key 'lerner' is not known; allowed: preset, "),
        ({"run": {"default": {"steps": -5}}}, "run.default.steps = -5 is not allowed; it must be greater than"),
        (
            {"run": {"default": {"steps": "many"}}},
            "run.default.steps = 'many' is not allowed; it must be a valid",
        ),
        ({"run": {"default": {"steps": 1.5}}}, "run.default.steps = 1.5 is not allowed"),
        ({"run": {"default": {"steps": True}}}, "run.default.steps = True is not allowed"),
        ({"run": {"tasks": {"ant_gather": {"steps": 1}}}}, "steps (1) must be a multiple of log_every (2000)"),
        (
            {"run": {"tasks": {"ring_road": {"evaluation_episodes": 2}}}},
            "final_evaluation_episodes (1) must be at least evaluation_episodes (2)",
        ),
        ({"run": {"default": {"warmup_steps": 100}}}, "run.warmup_steps is 100; it must be at least 128"),
        ({"learner": {"default": {"gamma": 1.1}}}, "learner.default.gamma = 1.1 is not allowed"),
        ({"learner": {"default": {"input_scale": "z"}}}, "it must be 'raw' or 'unit'"),
        ({"hierarchy": {"default": {"manager_actor_every": 15}}}, "must be a multiple of manager_critic_every"),
        ({"tasks": ["ant_maze_9"]}, "tasks 'ant_maze_9' is not known; allowed: ant_gather, ant_maze"),
        (
            {"tasks": ["visual_ant_maze"], "study": {"main": [{}]}},
            "algorithm 'td3' sees no images, as task 'visual_ant_maze' has; allowed: hrl, hiro",
        ),
        ({"algorithms": ["ppo"]}, "algorithms 'ppo' is not known; allowed: td3, hrl"),
        ({"studies": ["mian"]}, "studies 'mian' is not known; allowed: main, cooperation, transfer, "),
        ({"studies": []}, "studies = [] is not allowed"),
        ({"preset": "``mine"}, "preset = '``mine' is not allowed; it must match"),
        ({"preset": "mine "}, "preset = 'mine ' is not allowed"),
        ({"device": "tpu"}, "device = 'tpu' is not allowed; it must be 'cpu' or 'cuda'"),
        ({"seeds": []}, "seeds = [] is not allowed"),
        ({"seeds": [-1]}, "seeds.0 = -1 is not allowed"),
        ({"seeds": [3, 3]}, "seeds: [3, 3] must not repeat an entry"),
        ({"tasks": ["ring_road", "ring_road"]}, "must not repeat an entry"),
        ({"environment": {"tasks": {"ring_road": {"noise": "much"}}}}, "ring_road.noise = 'much' is not allowed"),
        ({"environment": {"tasks": {"ant_gather": {"contact": "hard"}}}}, "it must be 'soft' or 'stiff'"),
        ({"environment": {"tasks": {"ant_gather": {"contact_forces": "no"}}}}, "must be a valid boolean"),
        ({"learner": {"default": {"buffer_steps": 500}}}, "learner.buffer_steps is 500; it must be at least 1280"),
        ({"learner": {"default": {"gamma": 1.0}}}, "learner.default.gamma = 1.0 is not allowed"),
        (
            {"environment": {"tasks": {"ring_road": {"horizn": 5}}}},
            "key 'environment.tasks.ring_road.horizn' is not known; allowed: horizon, ",
        ),
    ],
)
def test_wrong_presets_are_refused_in_one_line(paper, overlay, message):
    with pytest.raises(ConfigError) as caught:
        studies.validate(config.merge(paper, overlay))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["fast", "no/such.yaml"])
def test_unknown_preset_is_refused(name):
    with pytest.raises(ConfigError, match="allowed: first_archive, highway_2020, paper, quick, smoke"):
        config.load_preset(name)


@pytest.mark.parametrize("text", ["", "a", "3-1", "1,1", "-2", "0-", "1.5"])
def test_wrong_seeds_are_refused(text):
    with pytest.raises(ConfigError, match="are not allowed"):
        config.parse_seeds(text)


@pytest.mark.parametrize(("text", "seeds"), [("3", [3]), ("0-2", [0, 1, 2]), ("0,2,5", [0, 2, 5])])
def test_seeds_read_and_write_the_same(text, seeds):
    assert config.parse_seeds(text) == seeds
    assert format_seeds(seeds) == text


@pytest.mark.parametrize("text", ["learner", "learner.tau", "steps=3", ".tau=1"])
def test_wrong_assignments_are_refused(text):
    with pytest.raises(ConfigError, match=r"write section\.key=value"):
        config.parse_assignment(text)


def test_schema_describes_the_presets():
    """``config/schema.json`` is for editors; it is generated."""
    schema = json.loads((config.CONFIG / "schema.json").read_text())
    assert schema == config.schema()
    for path in config.CONFIG.glob("*.yaml"):
        jsonschema.validate(yaml.safe_load(path.read_text()), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"lerner": {}}, schema)


def test_options_of_the_tasks_are_the_papers_by_default(paper):
    for task, entry in TASKS.items():
        run = config.resolve(paper, task, "hrl", seeds=[0])
        # The class does what the authors' code did; the suite's highway lets SUMO prevent collisions.
        ours = {"av_speed_mode": 25} if task == "highway" else {}
        assert run.environment == entry.options(**ours).model_dump(mode="json")
        assert paper["environment"]["tasks"][task].keys() == run.environment.keys()


def test_broken_files_and_variants_are_refused(paper, tmp_path):
    (tmp_path / "broken.yaml").write_text("a: [1")
    with pytest.raises(ConfigError, match="is not valid yaml"):
        config.load_preset(str(tmp_path / "broken.yaml"))
    with pytest.raises(ConfigError, match=r"variant = '\.\./x' is not allowed"):
        config.resolve(paper, "ant_gather", "hrl", seeds=[0], variant="../x")


def test_every_section_of_the_paper_is_used(paper):
    used = {"run"} | {name for entry in ALGORITHMS.values() for name in entry.sections}
    assert used == set(SECTIONS)
