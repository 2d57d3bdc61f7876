"""Table of HIRO with and without off-policy correction, ours and published.

python -m analysis.tables.hiro_reproduction --evaluations evaluations.parquet --final final.parquet \
    --evaluation-statistics evaluation_statistics.parquet --references results/references/references.csv \
    --out hiro_reproduction.md

What is published is the mean over seeds of the best policy in training.  The same of ours is, for each seed, the
largest of its evaluations, and then the mean over seeds; more evaluations, and fewer episodes in each, make it
larger by chance.  Below follow our last evaluation and, on Ant Gather, the last 10 % of training.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from math import nan, sqrt
from typing import Any

import pandas as pd

from analysis import command, style
from analysis.command import Option
from analysis.headline import MEAN, last_evaluations
from analysis.hiro_comparison import COMPARISONS, TABLE_1, compared, name, of_study, published
from analysis.references import References, load
from analysis.tables.writing import decimal_places, round_to, significant

BEST, LAST, FINAL = "best evaluation", "last evaluation", "last 10 % of training"
COLUMNS = [
    *("task", "method", "origin", "value", "metric", "target", "mean", "std", "standard_error"),
    *("n_seeds", "seeds_run", "steps_run", "reduced_why", "remarks"),
]
NUMBERS = ["mean", "std", "standard_error"]

#: Where the publication's appendix D gives another budget than the caption of its Table 1.
BUDGETS = {
    "SNN4HRL": "its appendix D: 25 M steps of pre-training and 15 M of training",
    "VIME": "its appendix D: 15 M steps, 5 seeds",
}

Line = dict[str, Any]


def select(
    evaluations: pd.DataFrame, final: pd.DataFrame, statistics: pd.DataFrame, references: References
) -> pd.DataFrame:
    """The rows of the table: by task, and the same quantity of ours and of the publication side by side.

    Args:
        evaluations: all evaluations of all seeds.
        final: statistics of final training performance.
        statistics: statistics of evaluations.
        references: published numbers.

    Raises:
        ValueError: nothing of the study was run, or a published number is missing.
    """
    evaluations, final, statistics = (of_study(table) for table in (evaluations, final, statistics))
    lines: list[Line] = []
    for task, comparison in COMPARISONS.items():
        last = compared(last_evaluations(statistics), task)
        if last.empty:
            continue
        lines += best_of_ours(evaluations, last, task)
        lines += best_published(references, int(last["steps_run"].max()), task)
        lines += ours(last, LAST)
        lines += ours(final[(final["task"] == task) & (final["metric"] == comparison.training)], FINAL)
    if not lines:
        raise ValueError("there are no evaluations of the study 'hiro_correction' on ant_gather or ant_maze")
    return pd.DataFrame(lines)[COLUMNS]


def best_of_ours(evaluations: pd.DataFrame, last: pd.DataFrame, task: str) -> Iterator[Line]:
    """For each of ours the mean over seeds of a seed's best evaluation; ``last`` says what was run."""
    comparison = COMPARISONS[task]
    rows = evaluations[evaluations["task"] == task]
    if comparison.target != MEAN:
        rows = rows[rows["target"] == comparison.target]
    curves = rows.groupby(["label", "seed", "step"])[comparison.metric].mean()
    best = curves.groupby(["label", "seed"]).max()
    for line in ours(last, BEST):
        values = best[line["method"]].dropna()
        number = curves[line["method"]].index.get_level_values("step").nunique()
        spread = {"mean": values.mean(), "std": values.std(ddof=0), "n_seeds": len(values)}
        yield with_error(line | spread | {"remarks": f"of each seed's {number}"})


def best_published(references: References, steps: int, task: str) -> Iterator[Line]:
    """The publication's numbers, and how many times our ``steps`` they took."""
    comparison = COMPARISONS[task]
    for method in TABLE_1:
        row = published(references, method, task)
        budget = row.number("training_steps")
        times = round_to(budget / steps, 0 if budget >= 10 * steps else 1)
        remarks = [f"{times} times our steps", BUDGETS.get(method, ""), row.provenance]
        yield {
            "task": task,
            "method": row.algorithm,
            "origin": "published",
            "value": BEST,
            "metric": comparison.metric,
            "target": comparison.target,
            "mean": row.number("value"),
            "std": nan,
            "standard_error": row.number("uncertainty"),
            "n_seeds": int(row.number("n_seeds")),
            "seeds_run": int(row.number("n_seeds")),
            "steps_run": int(budget),
            "reduced_why": "",
            "remarks": "; ".join(remark for remark in remarks if remark),
        }


def ours(rows: pd.DataFrame, value: str) -> Iterator[Line]:
    """Our numbers from statistics over seeds."""
    for row in rows.to_dict("records"):
        line = {"method": row["label"], "origin": "ours", "value": value, "target": "", "remarks": ""}
        yield with_error(line | {str(key): cell for key, cell in row.items()})


def with_error(line: Line) -> Line:
    """Add the standard error of the mean over seeds; the standard deviation is one divided by n, not n - 1."""
    seeds = line["n_seeds"]
    return line | {"standard_error": line["std"] / sqrt(seeds - 1) if seeds > 1 else nan}


def numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for programs: names as in the configuration, numbers to six significant digits."""
    return rows.assign(**{column: significant(rows[[column]])[column] for column in NUMBERS})


def readable(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for readers: full names, rounded numbers, and in short how a run is reduced."""
    lines = []
    for _, group in rows.groupby("task", sort=False):
        decimals = min(2, decimal_places(float(group[["mean", "std"]].abs().to_numpy().max())))
        lines += [_readable(row, decimals) for row in group.to_dict("records")]
    return pd.DataFrame(lines)


def _readable(row: Mapping[Hashable, Any], decimals: int) -> dict[str, str]:
    is_ours = row["origin"] == "ours"
    metric = style.metric_name(row["metric"])
    place = COMPARISONS[row["task"]].place if row["target"] else ""
    mean, std, error = (round_to(row[column], decimals) for column in NUMBERS)
    reduced = ", ".join(style.reductions(pd.DataFrame([row])))
    return {
        "Task": style.task_name(row["task"]),
        "Method": f"{name(row['method'])}, ours" if is_ours else f"{row['method']}, published",
        "Value": row["value"],
        "Metric": f"{metric}, {place}" if place else metric,
        "Mean": mean,
        "SE": error,
        "SD": std,
        "Seeds": str(row["n_seeds"]),
        "Steps": f"{row['steps_run']:,}",
        "Remarks": "; ".join(text for text in (row["remarks"], reduced and f"reduced: {reduced}") if text),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    tables = ["evaluations", "final", "evaluation_statistics"]
    options = [Option("references", "published numbers (csv)", load, command.FILE)]
    command.table("hiro_reproduction", select, (numbers, readable), tables, options, arguments=arguments)


if __name__ == "__main__":
    main()
