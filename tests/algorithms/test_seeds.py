"""Seeds are trained side by side and never influence each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from toys import Rollout, equal, learns, make

from algorithms.seeding import Streams, integer, sequence
from envs.base import TaskSpec

SEEDS = (2, 5, 11)


def trained(
    algorithm: str, task: TaskSpec, seeds: Sequence[int], *, steps: int, bonus: Sequence[float] = ()
) -> Rollout:
    return Rollout(make(algorithm, seeds, task=task), seeds, task, bonus).run(warmup=60, steps=steps)


def of_seed(networks: dict[str, Any], index: int) -> dict[str, Any]:
    """One seed's share of a group's parameters; critics come in pairs."""
    return {
        name: tensor[2 * index : 2 * index + 2] if "critics" in name else tensor[index : index + 1]
        for name, tensor in networks.items()
    }


@learns
def test_a_seed_learns_the_same_alone_and_in_a_group(algorithm: str, task: TaskSpec) -> None:
    group = trained(algorithm, task, SEEDS, steps=300)
    states = group.algorithm.state_dict()["streams"]
    for index, seed in enumerate(SEEDS):
        alone = trained(algorithm, task, [seed], steps=300)
        own = alone.algorithm.state_dict()["streams"]
        assert {name: generators[index] for name, generators in states.items()} == {
            name: generators[0] for name, generators in own.items()
        }, "the same draws"
        for mine, theirs in zip(alone.actions, group.actions, strict=True):
            np.testing.assert_allclose(mine[0], theirs[index], atol=1e-4)
        share = of_seed(group.algorithm.networks, index)
        for name, tensor in alone.algorithm.networks.items():
            np.testing.assert_allclose(tensor, share[name], atol=1e-4, err_msg=name)


@learns
def test_rewards_of_one_seed_leave_the_others_alone(algorithm: str, task: TaskSpec) -> None:
    plain = trained(algorithm, task, SEEDS, steps=60)
    changed = trained(algorithm, task, SEEDS, steps=60, bonus=(0, 50, 0))
    for index in (0, 2):
        assert equal(of_seed(plain.algorithm.networks, index), of_seed(changed.algorithm.networks, index))
        for one, other in zip(plain.actions, changed.actions, strict=True):
            assert equal(one[index], other[index])
    assert not equal(of_seed(plain.algorithm.networks, 1), of_seed(changed.algorithm.networks, 1))


# ---- streams --------------------------------------------------------------------------------------------------


def test_streams_of_purposes_and_seeds_are_independent() -> None:
    streams = Streams([0, 1])
    draws = np.stack([streams.normal(purpose, 5_000) for purpose in ("a", "b")]).reshape(4, -1)
    np.testing.assert_allclose(np.corrcoef(draws), np.eye(4), atol=0.06)
    assert integer(0, "a") != integer(0, "b") != integer(1, "b")
    assert integer(0, "a", 1) != integer(0, "a", 2)


def test_a_stream_depends_on_its_seed_and_purpose_alone() -> None:
    busy, quiet = Streams([4, 7]), Streams([7])
    busy.normal("other", 100)
    assert equal(busy.uniform("purpose", 3, 2)[1], quiet.uniform("purpose", 3, 2)[0])
    expected = np.random.default_rng(sequence(7, "purpose")).random((3, 2), dtype=np.float32)
    assert equal(Streams([7]).uniform("purpose", 3, 2)[0], expected)


def test_seeds_left_out_draw_nothing_and_get_zeros() -> None:
    streams = Streams([0, 1])
    first = streams.normal("purpose", 4, which=np.array([True, False]))
    assert not first[1].any()
    second, fresh = streams.normal("purpose", 4), Streams([0, 1]).normal("purpose", 8)
    assert equal(second[1], fresh[1, :4])
    assert equal(second[0], fresh[0, 4:])
    assert streams.normal("purpose", 3).dtype == np.float32


def test_streams_continue_from_their_state() -> None:
    streams, other = Streams([0, 1]), Streams([0, 1])
    streams.normal("used", 3)
    other.normal("used", 50)
    other.uniform("forgotten", 50)
    other.load_state_dict(streams.state_dict())
    for purpose in ("used", "forgotten"):
        assert equal(streams.normal(purpose, 4), other.normal(purpose, 4))


@pytest.mark.parametrize("kind", ["normals", "uniforms"])
@pytest.mark.parametrize("used", [0, 1, 15, 16, 17, 40])
def test_a_supply_gives_what_single_draws_would(kind: str, used: int) -> None:
    streams = Streams([3, 8])
    supply = getattr(streams, kind)("purpose", 4, 3)
    for _ in range(used):
        taken = supply.next()
    for index, seed in enumerate((3, 8)):
        generator = np.random.default_rng(sequence(seed, "purpose"))
        for _ in range(used):
            single = (
                generator.standard_normal((4, 3), dtype=np.float32)
                if kind == "normals"
                else generator.random((4, 3))
            )
        if used:
            assert equal(taken[index].copy(), single)
    other = Streams([3, 8])
    continued = getattr(other, kind)("purpose", 4, 3)
    other.load_state_dict(streams.state_dict())
    for _ in range(20):
        assert equal(continued.next().copy(), supply.next().copy())


def test_a_purpose_has_one_source_of_numbers() -> None:
    streams = Streams([0])
    streams.normals("ahead", 4)
    streams.normal("single", 4)
    for ask in (
        lambda: streams.normals("ahead", 8),
        lambda: streams.uniforms("ahead", 4),
        lambda: streams.normal("ahead", 4),
        lambda: streams.normals("single", 4),
    ):
        with pytest.raises(AssertionError, match="are drawn"):
            ask()
