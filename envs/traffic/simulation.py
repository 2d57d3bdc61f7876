"""SUMO inside this process (libsumo).

libsumo holds one simulation per process, and starting another silently replaces it.  :class:`Simulation` keeps
account of whose simulation is running, so that the loser learns of it.
"""

from __future__ import annotations

import importlib
import io
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType

from envs.system_libraries import SUMO, missing, remedy


def import_libsumo() -> ModuleType:
    """Import libsumo, without the message about pyarrow that it may print to standard output.

    Raises:
        ImportError: if a system library that libsumo needs is missing; the message says how to install it.
    """
    try:
        with redirect_stdout(io.StringIO()):
            return importlib.import_module("libsumo")
    except ModuleNotFoundError:
        raise
    except ImportError as error:
        advice = remedy("SUMO", missing(SUMO) or list(SUMO.values()))
        raise ImportError(f"libsumo cannot be loaded ({error}): {advice}") from error


libsumo = import_libsumo()

_OPTIONS = (
    "--step-method.ballistic true --time-to-teleport -1 --collision.check-junctions true "
    "--save-state.precision 12 --no-step-log true --no-warnings true --duration-log.disable true "
    "--xml-validation never --xml-validation.net never"
)

_owner: Simulation | None = None


class Simulation:
    """A SUMO simulation that owns this process's simulator from its start until another one starts."""

    def start(
        self, network: Path, additional: Path, time_step: float, seed: int, state: Path | None = None
    ) -> None:
        """Start from time 0 or a saved state, replacing any simulation of this process.  Files are read at once.

        Args:
            network: network file.
            additional: file with vehicle types and routes.
            time_step: seconds per step; positions are integrated with the mean of old and new speed.
            seed: SUMO's random seed.
            state: a state that SUMO saved; vehicles lose their speed and lane-change modes.
        """
        global _owner
        arguments = f"--seed {seed} --step-length {time_step} {_OPTIONS}".split()
        command = [*arguments, "--net-file", str(network), "--additional-files", str(additional)]
        if state is not None:
            command += ["--load-state", str(state)]
        _owner = None
        if libsumo.isLoaded():
            libsumo.load(command)
        else:
            libsumo.start(["sumo", *command])
        _owner = self

    def step(self) -> bool:
        """Advance by one time step and tell whether vehicles collided in it.

        Vehicles never teleport for having waited, so those that start to teleport have collided.
        """
        libsumo.simulationStep()
        return libsumo.simulation.getStartingTeleportNumber() > 0

    def check_running(self) -> None:
        """Raise RuntimeError unless this simulation is the one that runs in this process."""
        if _owner is not self:
            raise RuntimeError(
                "no simulation is running for this environment: reset was not called, the environment was closed, "
                "or another one has started a simulation in this process since (SUMO allows one per process)"
            )

    def close(self) -> None:
        """End the simulation if it is running; closing again does nothing."""
        global _owner
        if _owner is self:
            _owner = None
            libsumo.close()
