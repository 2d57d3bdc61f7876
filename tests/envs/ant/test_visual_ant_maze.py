"""Visual Ant Maze against the paper's and the authors' numbers, through its public face alone."""

import gymnasium
import numpy as np
import pytest
from episodes import (
    STILL,
    check_distance_reward,
    check_entering_is_not_success,
    check_gym_reset,
    check_only_the_horizon_ends,
    check_success_threshold,
    freeze,
    random_actions,
    run,
)
from floor_plans import U_MAZE
from gymnasium.utils.env_checker import check_env
from pictures import FLOOR, FLOOR_HALF_WIDTH, SIDE, TOP, TOP_HALF_WIDTH, colours, view
from scipy.stats import kstest

from envs.base import ImageSpec
from envs.tasks import make

STATES = 32


@pytest.fixture
def env():
    env = make("visual_ant_maze")
    env.reset(seed=0)
    return env


@pytest.fixture
def look(env, monkeypatch):
    """The picture that a robot standing at a point gets."""
    freeze(monkeypatch)

    def picture(position):
        env.elapsed_steps = 0
        env.data.qpos[:2] = position
        return env.step(STILL)[0][STATES:].reshape(32, 32, 3)

    return picture


@pytest.fixture(scope="module")
def scenes():
    """Positions, and what must be seen from there."""
    positions = U_MAZE.free_points(np.random.default_rng(0), 40)
    return [(position, view(position)) for position in positions]


def floor_colour(look):
    """From the middle of the first leg nothing but floor is ahead."""
    return look((8.0, 0.0))[0, 16]


class TestInterface:
    def test_task_specification(self, env):
        task, maze = env.task, make("ant_maze").task
        assert task.image == ImageSpec(32, 32, 3)
        assert task.manager_indices == tuple(range(2, STATES + 3072))
        assert task.worker_indices == tuple(range(2, 30))
        assert task.goal_indices == tuple(range(15))
        assert task.position_indices == (0, 1)
        assert (task.name, task.horizon) == ("visual_ant_maze", 500)
        assert task.reward_scale == pytest.approx(0.1)
        assert task.episode_metrics == maze.episode_metrics
        assert task.evaluation_points == maze.evaluation_points
        np.testing.assert_array_equal(task.goal_high, maze.goal_high)

    def test_without_time(self):
        env = make("visual_ant_maze", {"time_feature": False})
        assert env.reset(seed=0)[0].shape == (31 + 3072,)
        assert env.task.worker_indices == tuple(range(2, 29))
        assert env.task.manager_indices == tuple(range(2, 31 + 3072))

    def test_states_and_rewards_are_those_of_the_maze(self, env):
        maze = make("ant_maze")
        first, other = (e.reset(seed=4, options={"target": (16, 16)})[0] for e in (env, maze))
        np.testing.assert_array_equal(first[:STATES], other)
        actions = random_actions(0, 20)
        seen, plain = run(env, actions), run(maze, actions)
        np.testing.assert_array_equal(np.array(seen[0])[:, :STATES], plain[0])
        assert seen[1:] == plain[1:]

    def test_pixels_are_whole_numbers(self, env):
        observation = env.step(STILL)[0]
        assert observation.dtype == np.float32
        assert observation.shape == (STATES + 3072,)
        assert observation in env.observation_space
        pixels = observation[STATES:]
        np.testing.assert_array_equal(pixels, np.round(pixels))
        assert 0 <= pixels.min() < pixels.max() <= 255
        assert pixels.max() > 50

    def test_dictionary(self, env):
        other = gymnasium.make("VisualAntMaze-v0")
        space = other.observation_space
        assert isinstance(space, gymnasium.spaces.Dict)
        assert other.unwrapped.task.name == "visual_ant_maze"
        assert set(space.keys()) == {"image", "state"}
        assert (space["image"].shape, space["image"].dtype) == ((32, 32, 3), np.uint8)
        assert (space["state"].shape, space["state"].dtype) == ((STATES,), np.float32)
        flat, parts = [env.reset(seed=6)[0]], [other.reset(seed=6)[0]]
        for action in random_actions(2, 5):
            flat.append(env.step(action)[0])
            parts.append(other.step(action.astype(np.float32))[0])
        for numbers, part in zip(flat, parts, strict=True):
            assert part in space
            np.testing.assert_array_equal(numbers[:STATES], part["state"])
            np.testing.assert_array_equal(numbers[STATES:].reshape(32, 32, 3), part["image"])

    @pytest.mark.filterwarnings("ignore:.*(normalized space|infinity|unwrapped version)")
    def test_follows_gymnasium(self):
        check_env(gymnasium.make("VisualAntMaze-v0"), skip_render_check=True)

    @pytest.mark.parametrize(
        "options",
        [
            {"worker_hides_xy": False},
            {"evaluation": "transfer"},
            {"renderer": "gl"},
            {"wind": 1},
        ],
    )
    def test_wrong_options_are_refused(self, options):
        with pytest.raises(ValueError, match=next(iter(options))):
            make("visual_ant_maze", options)


class TestEpisode:
    """What must not differ from Ant Maze."""

    def test_reset(self, env):
        check_gym_reset(env)

    def test_targets(self, env):
        targets = []
        for _ in range(1000):
            observation = env.reset()[0]
            targets.append(env.target.copy())
            np.testing.assert_array_equal(observation[30:STATES], env.target.astype(np.float32))
        for axis in np.transpose(targets):
            assert kstest(axis, "uniform", args=(-4, 24)).pvalue > 1e-3

    def test_reward_and_success(self, env):
        check_distance_reward(env, (16, 0))
        check_success_threshold(env, direction=1.0)
        check_entering_is_not_success(env, near=(16, 16), far=(8, 0), target=(16, 16))

    def test_only_the_horizon_ends(self, env):
        check_only_the_horizon_ends(env)


class TestWhatThePictureDependsOn:
    def test_position_alone(self, env, look):
        picture = look((3.3, 1.7))
        generator = np.random.default_rng(3)
        for _ in range(5):
            env.reset(options={"target": tuple(generator.uniform(-4, 20, 2))})
            env.data.qpos[2:] = generator.uniform(-1, 1, 13)
            env.data.qvel[:] = generator.uniform(-1, 1, 14)
            np.testing.assert_array_equal(look((3.3, 1.7)), picture)

    @pytest.mark.parametrize("move", [(1, 0), (0, 1), (-0.8, 0.6)])
    def test_one_metre_makes_a_difference(self, look, move):
        positions = U_MAZE.free_points(np.random.default_rng(1), 20)
        for position in positions[~U_MAZE.blocked(positions + move)]:
            assert (look(position) != look(position + move)).any()

    def test_it_is_taken_after_the_step(self, env, monkeypatch):
        """Also at a reset, where the authors' picture still showed the place before."""
        taken = []
        env.data.qvel[:2] = 8, 1
        for action in random_actions(0, 4):
            taken.append((env.step(action)[0], env.position.copy()))
        taken.append((env.reset()[0], env.position.copy()))
        freeze(monkeypatch)
        for observation, position in taken:
            env.data.qpos[:2] = position
            np.testing.assert_array_equal(env.step(STILL)[0][STATES:], observation[STATES:])
        assert (taken[0][0][STATES:] != taken[-1][0][STATES:]).any()

    def test_manager_does_not_see_the_position(self, env, look):
        """Two places with the same picture are the same to a manager."""
        indices = list(env.task.manager_indices)
        look((8.123, 0.345))
        first = env.step(STILL)[0]
        env.elapsed_steps -= 1
        env.data.qpos[:2] += 1e-5
        second = env.step(STILL)[0]
        assert (first[:2] != second[:2]).all()
        np.testing.assert_array_equal(first[indices], second[indices])

    def test_position_is_recovered(self, look):
        """By the nearest of 2000 known pictures, typically to about a pixel."""
        positions = U_MAZE.free_points(np.random.default_rng(5), 2150)
        pictures = np.array([look(position).ravel() for position in positions], dtype=np.float64)
        known, asked = pictures[:2000], pictures[2000:]
        squares = (known**2).sum(axis=1) - 2 * asked @ known.T
        found = positions[:2000][squares.argmin(axis=1)]
        errors = np.linalg.norm(found - positions[2000:], axis=1)
        assert np.median(errors) < 0.5
        assert np.quantile(errors, 0.95) < 2


class TestOrientation:
    """A robot in the bend sees no wall but the one ahead, at a side or behind."""

    @pytest.mark.parametrize(
        ("position", "wall", "floor"),
        [
            ((19.5, 3.5), np.s_[:12, :], np.s_[20:, 8:24]),  # +x is up
            ((8.0, -3.5), np.s_[:, 20:], np.s_[:, :12]),  # -y is right
            ((8.0, 3.5), np.s_[12:20, :12], np.s_[12:20, 20:]),  # +y is left
            ((-3.5, 0.0), np.s_[20:, :], np.s_[:12, 12:20]),  # -x is down
        ],
    )
    def test_wall_on_one_side(self, look, position, wall, floor):
        picture, bare = look(position), floor_colour(look)
        assert (picture[wall] != bare).any(axis=-1).all()
        assert (picture[floor] == bare).all()


class TestPixels:
    def test_tops_of_blocks(self, look, scenes):
        """Every block has its own colour; a few pixels at corners may be seen otherwise."""
        seen, wrong = set(), 0
        for position, (kind, rows, columns) in scenes:
            top = kind == TOP
            wrong += (look(position)[top] != colours(rows, columns)[top]).any(axis=-1).sum()
            seen |= set(zip(rows[top].tolist(), columns[top].tolist(), strict=True))
        assert wrong <= 0.002 * sum((kind == TOP).sum() for _, (kind, *_) in scenes)
        assert len(seen) == 18

    def test_floor_is_one_colour(self, look, scenes):
        bare = floor_colour(look)
        pixels = np.concatenate([look(position)[kind == FLOOR] for position, (kind, *_) in scenes])
        assert len(pixels) > 4000
        assert (pixels != bare).any(axis=-1).mean() < 0.01
        tops = {tuple(colours(np.array(row), np.array(column))) for row in range(5) for column in range(5)}
        assert tuple(bare) not in tops

    def test_sides_are_the_dark_colour_of_their_block(self, look, scenes):
        pixels = np.concatenate([look(position)[kind == SIDE] for position, (kind, *_) in scenes])
        bright = np.concatenate([colours(rows, columns)[kind == SIDE] for _, (kind, rows, columns) in scenes])
        assert len(pixels) > 2000
        shades = pixels[:, 2:] / 102
        assert (np.abs(pixels - shades * bright) <= 1 + bright / 102).mean() > 0.98
        assert 0.08 <= np.median(shades) <= 0.47
        assert np.ptp(np.quantile(shades, [0.02, 0.98])) < 0.02


class TestWidth:
    def farthest(self, look, shows):
        """Distance from the wall ahead, on the way towards it, at which the top row begins to show something."""
        distances = np.arange(7.9, 4.0, -0.02)
        return next(d for d in distances if shows(look((20 - d, 0.0))[0, 15:17]))

    def test_floor_is_seen_for_7_metres(self, look):
        bare = floor_colour(look)
        distance = self.farthest(look, lambda pixels: (pixels != bare).any())
        pixel = 2 * FLOOR_HALF_WIDTH / 32
        assert pytest.approx(7.04, abs=0.005) == FLOOR_HALF_WIDTH
        assert FLOOR_HALF_WIDTH - pixel < distance < FLOOR_HALF_WIDTH + 0.05

    def test_tops_are_seen_for_5_metres(self, look):
        colour = (51, 4 * 51, 102)
        distance = self.farthest(look, lambda pixels: (pixels == colour).all())
        pixel = 2 * TOP_HALF_WIDTH / 32
        assert pytest.approx(5.39, abs=0.006) == TOP_HALF_WIDTH
        assert TOP_HALF_WIDTH - 1.5 * pixel < distance < TOP_HALF_WIDTH + 0.05

    @pytest.mark.parametrize("pixels", [1, 5])
    def test_walking_shifts_the_picture(self, look, pixels):
        """Beside a long wall the right edge shows tops of blocks only, which pass by at their own scale."""
        pitch = 2 * TOP_HALF_WIDTH / 32
        before = look((7.13, 0.04))[:, 31]
        after = look((7.13 + pixels * pitch, 0.04))[:, 31]
        assert len(np.unique(before, axis=0)) > 1
        assert (before[:, 0] == 0).all()
        np.testing.assert_array_equal(after[pixels:], before[:-pixels])

    def test_walking_sideways_shifts_the_picture(self, look):
        pitch = 2 * TOP_HALF_WIDTH / 32
        before = look((15.0, 8.13))[0]
        after = look((15.0, 8.13 + 3 * pitch))[0]
        assert len(np.unique(before, axis=0)) > 1
        np.testing.assert_array_equal(after[3:], before[:-3])
