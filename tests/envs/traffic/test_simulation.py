import importlib
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from envs.base import SimulationError
from envs.traffic import simulation
from envs.traffic.ring_traffic import RingTraffic, uniform_start

NO_NOISE = np.zeros(21)


def started() -> RingTraffic:
    traffic = RingTraffic()
    traffic.start(245, uniform_start(245, 0.5, np.random.default_rng(0)), 1)
    return traffic


def test_step_without_a_simulation_is_refused() -> None:
    with pytest.raises(RuntimeError, match="reset was not called"):
        RingTraffic().step(NO_NOISE, None)


def test_the_newest_simulation_owns_the_process() -> None:
    first, second = started(), started()
    with pytest.raises(RuntimeError, match="one per process"):
        first.step(NO_NOISE, None)
    second.step(NO_NOISE, None)
    first.close()
    second.step(NO_NOISE, None)
    first.start(245, uniform_start(245, 0.5, np.random.default_rng(0)), 1)
    first.step(NO_NOISE, None)
    with pytest.raises(RuntimeError, match="one per process"):
        second.step(NO_NOISE, None)
    first.close()


def test_close_ends_the_simulation_and_may_be_repeated() -> None:
    traffic = started()
    assert simulation.libsumo.isLoaded()
    traffic.close()
    assert not simulation.libsumo.isLoaded()
    traffic.close()
    with pytest.raises(RuntimeError, match="closed"):
        traffic.step(NO_NOISE, None)


def test_a_start_that_fails_is_said_in_one_line_and_may_be_repeated(tmp_path: Path) -> None:
    running, other = started(), simulation.Simulation()
    with pytest.raises(SimulationError, match=r"^SUMO could not start: .*$"):
        other.start(tmp_path / "no.net.xml", tmp_path / "no.add.xml", 0.2, 1)
    assert not simulation.libsumo.isLoaded()
    for each in (running._simulation, other):
        with pytest.raises(RuntimeError, match="no simulation is running"):
            each.check_running()
    again = started()
    again.step(NO_NOISE, None)
    again.close()


@pytest.mark.parametrize("error", ["TraCIException", "FatalTraCIError"])
def test_a_simulation_that_gives_up_has_ended(error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up() -> NoReturn:
        raise getattr(simulation.libsumo, error)("Vehicle 'x' has\n  no valid route.")

    traffic = started()
    with monkeypatch.context() as patch:
        patch.setattr(simulation.libsumo, "simulationStep", give_up)
        with pytest.raises(SimulationError, match=r"^SUMO gave up: Vehicle 'x' has no valid route\.$"):
            traffic.step(NO_NOISE, None)
    with pytest.raises(RuntimeError, match="no simulation is running"):
        traffic.step(NO_NOISE, None)
    again = started()
    again.step(NO_NOISE, None)
    again.close()


def test_missing_system_library_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> NoReturn:
        raise ImportError("libGL.so.1: cannot open shared object file")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(ImportError, match=r"libGL\.so\.1.*apt-get install -y libgl1 .*libexpat1") as caught:
        simulation.import_libsumo()
    assert "\n" not in str(caught.value)


def test_missing_package_is_reported_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> NoReturn:
        raise ModuleNotFoundError("No module named 'libsumo'")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(ModuleNotFoundError, match="No module named 'libsumo'"):
        simulation.import_libsumo()


def test_nothing_is_printed() -> None:
    program = (
        "from envs.tasks import make; env = make('ring_road', {'warmup_steps': 20}); "
        "env.reset(seed=0); env.step([0.0]); env.reset(); env.close()"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout == finished.stderr == ""
