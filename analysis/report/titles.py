"""What the figures and tables are called on the page, and where one is found there."""

from __future__ import annotations

#: Titles of figures; those of the paper have their number before it.
FIGURES = {
    "figure_01": "Goals over the course of training",
    "figure_02": "The hierarchy",
    "figure_03": "The cooperative gradient",
    "figure_04": "The tasks",
    "figure_05": "Learning curves",
    "figure_06": "Agents and their goals",
    "figure_07": "Degrees of cooperation",
    "figure_08": "Transfer of workers",
    "figure_09": "HIRO with and without off-policy correction",
    "figure_10": "Traffic on the highway",
    "figure_11": "Learning curves on images",
    "figure_12": "Learning curves on images against wall-clock time",
    "fixed_lambda": "Sensitivity to a fixed λ",
    "gradient_forms": "Readings of the cooperative gradient",
    "claims": "Effects behind the verdicts",
}
TABLES = {
    "final_performance": "Final performance",
    "cooperation": "Levels of cooperation",
    "transfer": "Transfer of workers",
    "hiro_reproduction": "HIRO beside its publication",
    "sensitivity_fixed_lambda": "Settings compared: fixed λ",
    "sensitivity_gradient_forms": "Settings compared: the cooperative gradient",
    "sensitivity_input_scale": "Settings compared: units of inputs",
    "sensitivity_saturation": "Settings compared: remedies against saturated actors",
    "sensitivity_e1_search": "Settings compared: the paper's search",
    "cost": "Cost of the trainings",
    "hyperparameters": "Hyper-parameters and their sources",
    "reproduction": "The paper's numbers beside ours",
}


def figure_title(name: str) -> str:
    """``Figure 5: Learning curves`` for those of the paper; without an entry, a title made from its own name."""
    title, number = FIGURES.get(name, from_name(name)), name.removeprefix("figure_")
    return f"Figure {int(number)}: {title}" if number.isdecimal() else title


def table_title(name: str) -> str:
    """``Final performance``, by the same rule."""
    return TABLES.get(name, from_name(name))


def from_name(name: str) -> str:
    """A title for what has none."""
    return name.replace("_", " ").capitalize()


def figure_anchor(name: str) -> str:
    """The id of a figure on the page."""
    return name if name.startswith("figure_") else f"figure_{name}"


def table_anchor(name: str) -> str:
    """The id of a table on the page."""
    return f"table_{name}"
