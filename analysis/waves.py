"""How fast stop-and-go waves travel on the ring road, and what they do to speeds.

    python -m analysis.waves --recording human.parquet cher.parquet

Traffic as a whole is a speed at every place and moment.  A wave that travels at c brings the speed at one place to
the place that is c t further t seconds later, so of all velocities the wave's own makes these speeds agree most.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.recordings import Array, RecordingError, circumference, episodes, read, ring_arrays, time_step

#: Velocities among which a wave's is sought, m/s; negative is against the traffic.
FASTEST = 12.0
RESOLUTION = 0.1
#: Seconds over which speeds are compared; longer than a wave of the ring needs to be told from its mirror images.
LONGEST_LAG = 30.0
CELL = 1.0  # m
STEADY = 1e-3  # m/s: speeds that vary less are equal, but for rounding
NOTHING = (float("nan"), float("nan"))

Spectrum = NDArray[np.complex128]


class Waves(NamedTuple):
    """What a recording of the ring says about waves.

    Attributes:
        wave_speed: velocity of the waves in m/s, negative against the traffic; NaN if no vehicle goes round, or
            nothing varies.
        correlation: how well speeds agree along this velocity over up to 30 s: 1 if the waves do not change,
            little if speeds are those of noise.  Small waves may be as steady as large ones; ``speed_std`` tells
            their size.
        mean_speed: mean over vehicles and moments, m/s.
        speed_std: standard deviation of speeds over the vehicles, m/s, mean over moments.
    """

    wave_speed: float
    correlation: float
    mean_speed: float
    speed_std: float


def measure(episode: pd.DataFrame) -> Waves:
    """Measure one recorded episode.

    Raises:
        RecordingError: it is not of the ring road, or of a single moment.
    """
    step = time_step(episode)
    positions, speeds = ring_arrays(episode)
    length = circumference(positions, speeds, step)
    found = wave_speed(positions, speeds, length, step) if np.isfinite(length) else NOTHING
    return Waves(*found, float(speeds.mean()), float(speeds.std(axis=1).mean()))


def wave_speed(positions: Array, speeds: Array, length: float, step: float) -> tuple[float, float]:
    """Velocity of waves in m/s, and the correlation of speeds along it.

    Args:
        positions: of T moments and n vehicles along the ring, metres, [T, n].
        speeds: m/s, [T, n].
        length: circumference of the ring, metres.
        step: seconds between moments.

    Returns:
        Both are NaN where nothing varies.
    """
    if np.ptp(speeds) < STEADY:
        return NOTHING
    spectrum, wavenumbers = _spectrum(positions, speeds, length)
    lags = np.arange(1, max(2, min(round(LONGEST_LAG / step), len(speeds) // 2) + 1))
    products = np.stack([_products(spectrum[:-lag], spectrum[lag:]) for lag in lags])
    velocities = np.linspace(-FASTEST, FASTEST, round(2 * FASTEST / RESOLUTION) + 1)
    shifts = np.multiply.outer(velocities, np.multiply.outer(lags * step, wavenumbers))
    agreement = (products * np.exp(1j * shifts)).real.sum(axis=2).mean(axis=1)
    return _peak(velocities, agreement)


def _products(earlier: Spectrum, later: Spectrum) -> Spectrum:
    """Correlation of speeds some time apart by wave number, [m]; its sum has a modulus of at most 1."""
    scale = np.sqrt((np.abs(earlier) ** 2).sum() * (np.abs(later) ** 2).sum())
    products: Spectrum = (earlier.conj() * later).sum(axis=0) / scale
    return products


def _spectrum(positions: Array, speeds: Array, length: float) -> tuple[Spectrum, Array]:
    """Fourier coefficients of the speeds along the ring, [T, m], and the wave numbers 2 pi / wavelength, [m].

    Speeds between vehicles are interpolated.  Wavelengths are the ring's length and its fractions, down to what n
    vehicles can show; the mean is left out.
    """
    cells = round(length / CELL)
    places = np.arange(cells) * length / cells
    pairs = zip(positions, speeds, strict=True)
    field = np.array([np.interp(places, where, speed, period=length) for where, speed in pairs])
    modes = np.arange(1, speeds.shape[1] // 2 + 1)
    return np.fft.rfft(field, axis=1)[:, modes] / cells, 2 * np.pi * modes / length


def _peak(velocities: Array, agreement: Array) -> tuple[float, float]:
    """The maximum, to a fraction of the resolution: that of the parabola through the three highest points."""
    best = int(agreement.argmax())
    if best in (0, len(agreement) - 1):
        return float(velocities[best]), float(agreement[best])
    before, top, after = agreement[best - 1 : best + 2]
    offset = (before - after) / (2 * (before - 2 * top + after))
    return float(velocities[best] + offset * RESOLUTION), float(top - (before - after) * offset / 4)


def table(recording: pd.DataFrame, after: float = 0.0) -> pd.DataFrame:
    """One row per episode: its seed, target and number, and the fields of :class:`Waves` from some second on.

    Raises:
        RecordingError: nothing was recorded then, or the recording is not of the ring road.
    """
    late = recording[recording["time"] >= after]
    if late.empty:
        raise RecordingError(
            f"nothing was recorded after {after:g} s; recordings end at {recording['time'].max():g} s"
        )
    found = [(episode.iloc[0], measure(episode)) for _, episode in episodes(late)]
    return pd.DataFrame([{**row[["seed", "target", "episode"]], **waves._asdict()} for row, waves in found])


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Measure the waves in recordings of the ring road.")
    parser.add_argument("--recording", type=Path, nargs="+", required=True, help="files: parquet, csv")
    parser.add_argument("--after", type=float, default=0.0, help="leave out what comes before this second")
    options = parser.parse_args(arguments)
    try:
        tables = [table(read(path), options.after).assign(recording=path.stem) for path in options.recording]
    except RecordingError as error:
        sys.exit(f"waves: {error}")
    rows = pd.concat(tables, ignore_index=True).set_index("recording").reset_index()
    print(rows.to_string(index=False, float_format="{:.2f}".format))


if __name__ == "__main__":
    main()
