"""SUMO inside this process (libsumo).

libsumo holds one simulation per process, and starting another silently replaces it.  :class:`Simulation` keeps
account of whose simulation is running, so that the loser learns of it.
"""

from __future__ import annotations

import importlib
import io
import os
from contextlib import redirect_stdout, suppress
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from envs.base import SimulationError
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

#: What libsumo raises when SUMO refuses something or gives up.
_SUMO_ERRORS = (libsumo.TraCIException, libsumo.FatalTraCIError)

_owner: Simulation | None = None


def _disown() -> None:
    """Make no simulation the running one."""
    global _owner
    _owner = None


# A copy of the parent's simulation is nobody's; the next start ends it.
os.register_at_fork(after_in_child=_disown)


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

        Raises:
            SimulationError: SUMO could not start; no simulation is running then.
        """
        global _owner
        arguments = f"--seed {seed} --step-length {time_step} {_OPTIONS}".split()
        command = [*arguments, "--net-file", str(network), "--additional-files", str(additional)]
        if state is not None:
            command += ["--load-state", str(state)]
        _owner = None
        try:
            if libsumo.isLoaded():
                libsumo.load(command)
            else:
                libsumo.start(["sumo", *command])
        except _SUMO_ERRORS as error:
            self._break_down("could not start", error)
        _owner = self

    def step(self) -> bool:
        """Advance by one time step and tell whether vehicles collided in it.

        Vehicles never teleport for having waited, so those that start to teleport have collided.

        Raises:
            SimulationError: SUMO gave up; the simulation has ended.
        """
        try:
            libsumo.simulationStep()
            return libsumo.simulation.getStartingTeleportNumber() > 0
        except _SUMO_ERRORS as error:
            self._break_down("gave up", error)

    def check_running(self) -> None:
        """Raise RuntimeError unless this simulation is the one that runs in this process."""
        if _owner is not self:
            raise RuntimeError(
                "no simulation is running for this environment: reset was not called, the environment was closed, "
                "or another one has started a simulation in this process since (SUMO allows one per process)"
            )

    def close(self) -> None:
        """End the simulation if it is running; closing again does nothing."""
        if _owner is self:
            _disown()
            libsumo.close()

    def _break_down(self, what: str, error: Exception) -> NoReturn:
        """End what is left of the simulation and say why."""
        _disown()
        with suppress(*_SUMO_ERRORS):
            if libsumo.isLoaded():
                libsumo.close()
        raise SimulationError(f"SUMO {what}: {' '.join(str(error).split())}") from error
