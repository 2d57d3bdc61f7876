"""How many seeds a claim needs for a verdict, if the effect is as large as supposed.

    python -m analysis.power --claim C1 --effect 0.5 1.0
    python -m analysis.power

An effect is the distance of the truth from the limit of the test (no difference, or the margin), in standard
deviations over seeds.  The tests are those of the claims, at the level that the first of a family has to pass
(Holm); made-up seeds are normal.  Tests of means, of shares and of interquartile means have a closed form, the
others are simulated.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import sqrt

import numpy as np
import pandas as pd
from scipy import stats

from analysis.claims.catalogue.every import CLAIMS, claim
from analysis.claims.comparison import Claim
from analysis.claims.counts import Share
from analysis.claims.evidence import LEVEL, Test
from analysis.claims.location import Location
from analysis.claims.resampling import Aggregate, Best, MeanImprovement, Peak, Sensitivity
from analysis.tables.writing import to_markdown

DRAWS = 200
#: For tests that resample each of them.
FEWER_DRAWS = 60
#: Variance of the interquartile mean of normal values, in units of that of their mean.
IQM_VARIANCE = 1.195
TARGET = 0.8
#: Fewer seeds are never enough for a verdict; for more than the most, nobody has the time.
FEWEST, MOST = 5, 100
EFFECTS = (0.5, 1.0, 1.5)


def power(test: Test, seeds: int, effect: float, family: int = 1, draws: int = DRAWS) -> float:
    """Probability of the right verdict: supported if the effect is positive, contradicted if it is negative.

    Args:
        test: the test.
        seeds: per sample.
        effect: see above.
        family: size of the family of tests, of which this is the first to pass.
        draws: number of simulations, where there is no closed form.
    """
    level = LEVEL / family
    if isinstance(test, Location):
        return _of_means(test.weights, seeds, abs(effect), level)
    if isinstance(test, Share):
        return _of_share(test, seeds, effect, level)
    if isinstance(test, Aggregate):
        return _of_aggregate(test, seeds, abs(effect), level)
    random, wanted = np.random.default_rng(0), "supported" if effect > 0 else "contradicted"
    found = [test.judge(test.draw(random, seeds, effect), interval=False) for _ in range(draws)]
    return float(np.mean([evidence.verdict(family * evidence.p_value) == wanted for evidence in found]))


def _of_means(weights: Sequence[float], seeds: int, effect: float, level: float) -> float:
    """Noncentral t; exact for one sample, and for more with Satterthwaite's degrees of freedom."""
    squares = np.square(weights)
    freedom = (seeds - 1) * squares.sum() ** 2 / (squares**2).sum()
    shift = effect / sqrt(squares.sum() / seeds)
    return float(stats.nct.sf(stats.t.ppf(1 - level / 2, freedom), freedom, shift))


def _of_aggregate(test: Aggregate, seeds: int, effect: float, level: float) -> float:
    """Normal approximation; resampling within tasks makes the bootstrap's spread too small, by (n - 1) / n."""
    error = sqrt(2 * IQM_VARIANCE / (test.tasks * seeds))
    cut = stats.norm.ppf(1 - level / 2) * sqrt((seeds - 1) / seeds)
    return float(stats.norm.sf(cut - effect / error))


def _of_share(test: Share, seeds: int, effect: float, level: float) -> float:
    """Exact: the probability of the counts that are significant."""
    samples = [np.repeat([1.0, 0.0], [count, seeds - count]) for count in range(seeds + 1)]
    found = [test.judge([sample]) for sample in samples]
    wanted = "supported" if effect > 0 else "contradicted"
    share = test.share(effect)
    chances = stats.binom.pmf(np.arange(seeds + 1), seeds, share)
    return float(
        sum(p for p, e in zip(chances, found, strict=True) if e.verdict(e.p_value * LEVEL / level) == wanted)
    )


@lru_cache(maxsize=1024)
def needed(test: Test, effect: float, family: int = 1, target: float = TARGET) -> int | None:
    """The smallest number of seeds with a power of at least the target; None beyond :data:`MOST`."""
    draws = FEWER_DRAWS if isinstance(test, MeanImprovement | Best | Peak | Sensitivity) else DRAWS
    low, high = FEWEST - 1, FEWEST
    while power(test, high, effect, family, draws) < target:
        if high == MOST:
            return None
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(test, middle, effect, family, draws) >= target else (middle, high)
    return high


def table(claims: Iterable[Claim], effects: Sequence[float], target: float = TARGET) -> pd.DataFrame:
    """Seeds needed by claim, test and effect, one row per kind of comparison."""
    rows: dict[tuple[str, str, int], dict[str, str]] = {}
    for found in claims:
        for comparison in found.comparisons:
            key = found.id, comparison.test.name, found.family(comparison.part)
            if key not in rows:
                numbers = [needed(comparison.test, effect, key[2], target) for effect in effects]
                texts = [f"> {MOST}" if number is None else str(number) for number in numbers]
                columns = {f"seeds at {effect:g} SD": text for effect, text in zip(effects, texts, strict=True)}
                rows[key] = {"claim": key[0], "test": key[1], "family": str(key[2])} | columns
    return pd.DataFrame(list(rows.values()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Say how many seeds claims need for a verdict.")
    parser.add_argument("--claim", nargs="+", help="ids such as C1; all by default")
    parser.add_argument(
        "--effect", type=float, nargs="+", default=EFFECTS, help="in standard deviations over seeds"
    )
    parser.add_argument(
        "--power", type=float, default=TARGET, help=f"probability of a verdict, by default {TARGET}"
    )
    options = parser.parse_args(arguments)
    try:
        claims = [claim(name) for name in options.claim] if options.claim else CLAIMS
        if not all(options.effect) or not 0 < options.power < 1:
            raise ValueError("effects must not be 0, and the power must lie between 0 and 1")
    except ValueError as error:
        sys.exit(f"power: {error}")
    print(to_markdown(table(claims, options.effect, options.power)), end="")


if __name__ == "__main__":
    main()
