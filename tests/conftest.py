from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process is left alone with it in the end."""
    items.sort(key=lambda item: "workflow" not in item.keywords)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """As a training: small networks are fastest on one thread, and the tests stay polite to their machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of the tests' own, empty at first."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHER_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def warmed_up(cache: Path) -> None:
    """The saved states of the smoke preset's highway are there."""
    from algorithms.config import load_preset
    from envs.options import HighwayOptions
    from envs.strict import parse
    from envs.traffic import pool

    pool.build(parse(HighwayOptions, load_preset("smoke")["environment"]["tasks"]["highway"]))


@pytest.fixture(autouse=True)
def ordinary_floats() -> Iterator[None]:
    """A training in this process flushes denormal numbers to zero; that must not reach the tests after it."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def opengl() -> None:
    """Pictures of the Ant can be drawn; a test that needs them is skipped where they cannot, and says why."""
    from envs.ant.model import build_model
    from envs.ant.rendering import ArenaRenderer

    try:
        ArenaRenderer(build_model()).close()
    except ImportError as error:
        pytest.skip(str(error))
