"""An overview as text: one line per cell, and totals below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from textwrap import wrap

from analysis.progress import estimate
from analysis.progress.overview import Cell, Overview, hosts
from analysis.progress.training import State, Training, seeds

#: Columns of a terminal that the text never needs more of, and those that it needs at least.
WIDEST, NARROWEST = 120, 80

#: Widest name of a cell; longer ones are cut.
NAME = 32

#: Heading of the cells that are in no study, but that others depend on.
NEEDED = "needed by these"

#: Heading of the numbers of other studies that have a cell.
ALSO = "also"

#: Escape sequences of a terminal, by state.
COLOURS = {
    State.FAILED: "\033[31m",
    State.STALE: "\033[33m",
    State.INTERRUPTED: "\033[33m",
    State.RUNNING: "\033[36m",
    State.DONE: "\033[32m",
}
PLAIN = "\033[0m"

#: Parts of a line: what is in a state, and more on it for readers.
Parts = Sequence[tuple[State, str, str]]


def render(overview: Overview, *, with_seeds: bool = False, width: int = WIDEST, colour: bool = False) -> str:
    """The whole text.

    Args:
        overview: what to show.
        with_seeds: a line per training below each cell.
        width: columns of the terminal.
        colour: whether the terminal understands colours.
    """
    layout = _Layout(overview, min(max(width, NARROWEST), WIDEST), colour)
    when = f"{overview.time.astimezone():%Y-%m-%d %H:%M:%S}"
    lines = layout.wrapped(f"Preset {overview.preset} in {overview.results}, {when}", indent=2)
    if any(cell.studies[1:] for cell in overview.cells):
        lines += ["", *layout.legend()]
    section: str | None = None
    for cell in overview.cells:
        heading = cell.studies[0] if cell.studies else NEEDED
        if heading != section:
            lines += ["", layout.heading(heading)]
            section = heading
        lines.append(layout.cell(cell))
        lines += [layout.training(training) for training in cell.trainings if with_seeds]
    ends = [line for name, text in totals(overview) for line in layout.wrapped(f"{name:<12}  {text}", indent=14)]
    return "\n".join([*lines, "", *ends])


class _Layout:
    """Where columns are."""

    def __init__(self, overview: Overview, width: int, colour: bool) -> None:
        self._colour, self._width = colour, width
        self._numbers = {study: str(number) for number, study in enumerate(overview.studies, 1)}
        cells = overview.cells
        self._task = max((len(cell.task) for cell in cells), default=0)
        self._label = max((len(_cut(cell.label, NAME)) for cell in cells), default=0)
        also = max((len(self._others(cell)) for cell in cells), default=0)
        self._also = max(also, len(ALSO)) if also else 0
        self._count = max((len(_count(cell.trainings)) for cell in cells), default=0)

    def legend(self) -> list[str]:
        """The numbers of studies, by which their shared cells are marked."""
        names = ", ".join(f"{number} {study}" for study, number in self._numbers.items())
        return self.wrapped(f"Studies: {names}", indent=2)

    def wrapped(self, text: str, indent: int) -> list[str]:
        """A long line as several."""
        return wrap(text, self._width, subsequent_indent=" " * indent)

    def heading(self, name: str) -> str:
        """The name of a study, and over the right columns what they are."""
        title = f"{self._numbers[name]} {name}" if name in self._numbers else name
        also = ALSO if self._also else ""
        head = f"  {'':<{self._task}}  {'':<{self._label}}  {also:<{self._also}}  {'done':>{self._count}}"
        return title + head[len(title) :].rstrip()

    def cell(self, cell: Cell) -> str:
        """The line of a cell."""
        label, count = _cut(cell.label, NAME), _count(cell.trainings)
        head = f"  {cell.task:<{self._task}}  {label:<{self._label}}"
        head += f"  {self._others(cell):<{self._also}}  {count:>{self._count}}  "
        is_done = seeds(cell.trainings) == seeds(cell.trainings, State.DONE)
        return self._paint(State.DONE, head.rstrip()) if is_done else head + self._parts(_parts(cell), len(head))

    def training(self, training: Training) -> str:
        """The line of a single training."""
        head = f"      {training.run.key.rpartition('/')[2]:<12}  "
        return head + self._parts([(training.state, training.state.value, _phrase(training))], len(head))

    def _parts(self, parts: Parts, used: int) -> str:
        """Parts side by side; what they say more is cut to the room that is left."""
        room = self._width - used - sum(len(what) for _, what, _ in parts) - 2 * (len(parts) - 1)
        shares = _shares([len(more) + 2 if more else 0 for _, _, more in parts], room)
        texts = []
        for (state, what, more), share in zip(parts, shares, strict=True):
            shown = _cut(more, share - 2)
            texts.append(self._paint(state, what) + (f": {shown}" if shown else ""))
        return "; ".join(texts)

    def _others(self, cell: Cell) -> str:
        """Numbers of the other studies that have a cell."""
        return " ".join(self._numbers[study] for study in cell.studies[1:])

    def _paint(self, state: State, text: str) -> str:
        return f"{COLOURS[state]}{text}{PLAIN}" if self._colour and state in COLOURS else text


def _shares(lengths: Sequence[int], room: int) -> list[int]:
    """Room for several texts: short ones get what they need, long ones share the rest."""
    shares = [0] * len(lengths)
    ascending = sorted(range(len(lengths)), key=lambda index: lengths[index])
    for number, index in enumerate(ascending):
        shares[index] = min(lengths[index], max(room, 0) // (len(lengths) - number))
        room -= shares[index]
    return shares


def _count(trainings: Sequence[Training]) -> str:
    return f"{seeds(trainings, State.DONE)}/{seeds(trainings)}"


def _parts(cell: Cell) -> Parts:
    """What a cell's seeds are in, but for those that are done."""
    parts = []
    for state in State:
        found = [training for training in cell.trainings if training.state is state]
        if found and state is not State.DONE:
            more = _running(found) if state is State.RUNNING and len(found) > 1 else _phrase(found[0])
            parts.append((state, f"{seeds(found)} {state}", more))
    return parts


def _phrase(training: Training) -> str:
    """More on the state of a training."""
    if training.state is State.RUNNING:
        return _running_alone(training)
    if training.state is State.INTERRUPTED and training.step is not None:
        return f"at {_steps(training)}, {training.why}"
    return training.why


def _running_alone(training: Training) -> str:
    said, left = training.status, estimate.seconds_left(training)
    if said is None or training.step is None:
        return "starting"
    speed = f", {said.steps_per_second:.3g} steps/s" if said.steps_per_second else ""
    return _steps(training) + speed + (f", {duration(left)} left" if left is not None else "")


def _running(trainings: Sequence[Training]) -> str:
    """The range of steps, the mean speed, and the time that the slowest needs."""
    parts = []
    if steps := [training.step for training in trainings if training.step is not None]:
        shares = [max(0, 100 * step // trainings[0].run.run.steps) for step in (min(steps), max(steps))]
        parts.append(f"at {'-'.join(dict.fromkeys(map(str, shares)))} %")
    if speeds := [said.steps_per_second for one in trainings if (said := one.status) and said.steps_per_second]:
        parts.append(f"{sum(speeds) / len(speeds):.3g} steps/s each")
    if left := [seconds for one in trainings if (seconds := estimate.seconds_left(one)) is not None]:
        parts.append(f"{duration(max(left))} left")
    return ", ".join(parts) or "starting"


def _steps(training: Training) -> str:
    step = training.step or 0
    return f"{step:,} of {training.run.run.steps:,}" if step >= 0 else "warm-up"


def totals(overview: Overview) -> list[tuple[str, str]]:
    """What is said of all trainings together, each under its name."""
    trainings, whole = overview.trainings, overview.estimate
    counts = {state: sum(training.state is state for training in trainings) for state in State}
    others = [f"{number} {state}" for state, number in counts.items() if number and state is not State.DONE]
    where = ", ".join(f"{number} on {host}" for host, number in hosts(trainings).items())
    return [
        ("trainings", "; ".join([f"{counts[State.DONE]} of {len(trainings)} done", *others])),
        ("running", where or "none"),
        ("core-hours", f"{_hours(whole.spent.cpu)} spent, {_left(whole)}"),
        ("expected end", _end(overview)),
    ]


def _left(whole: estimate.Estimate) -> str:
    unknown = f"of {whole.unknown} trainings not yet known"
    if not whole.unknown:
        return f"{_hours(whole.left.cpu)} left"
    return f"{_hours(whole.left.cpu)} left, and those {unknown}" if whole.left.cpu else f"what is left {unknown}"


def _end(overview: Overview) -> str:
    """When all will be done."""
    whole = overview.estimate
    if whole.is_finished:
        return "all is done"
    if (end := whole.end(overview.time)) is None:
        return "unknown: nothing is running" if not whole.running else "not yet known"
    not_before = "not before " if whole.unknown else ""
    return f"{not_before}{_moment(end)}, with {whole.running} running at a time as now"


def _moment(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M}"


def _hours(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:,.0f}" if hours >= 100 else f"{hours:.1f}" if hours >= 1 else f"{hours:.2f}"


#: Units of time: seconds, from how many on, and how they are written.
UNITS: Mapping[str, tuple[float, float]] = {"days": (86400, 172800), "h": (3600, 5400), "min": (60, 120)}


def duration(seconds: float) -> str:
    """A time for readers, such as ``2.3 h``."""
    for unit, (size, least) in UNITS.items():
        if seconds >= least:
            return f"{seconds / size:.0f} min" if unit == "min" else f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _cut(text: str, room: int) -> str:
    """A text, or its beginning where there is no room for all of it."""
    return text if len(text) <= room else text[: room - 1].rstrip(" ,(") + "…" if room > 1 else ""
