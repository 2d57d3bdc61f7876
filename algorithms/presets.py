"""Types of everything a preset file can say: sections of settings, variants, studies, and what is selected."""

from __future__ import annotations

import copy
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from algorithms.sections import Count, PathName, Sections, Seed, TransferSettings, Unique
from envs.names import TASKS
from envs.strict import Strict


def overrides_of(model: type[BaseModel]) -> Any:
    """The type of a mapping in which every key of ``model`` is optional."""
    fields: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        optional = copy.copy(info)
        optional.default = None
        fields[name] = (info.annotation, optional)
    return create_model(f"{model.__name__}Overrides", __config__=model.model_config, **fields)


def section_of(model: type[BaseModel]) -> Any:
    """The type of a preset's section: ``default`` for all tasks, and under ``tasks`` what differs for a task."""
    overrides: Any = overrides_of(model)
    fields: dict[str, Any] = {
        "default": (model, ...),
        "tasks": (dict[str, overrides], Field(default_factory=dict)),
    }
    return create_model(f"{model.__name__}Section", __base__=Strict, **fields)


def environment_section() -> Any:
    """The type of the section ``environment``: under ``tasks`` the options of each task."""
    options: dict[str, Any] = {name: (entry.options, entry.options()) for name, entry in TASKS.items()}
    tasks: Any = create_model("TaskOptions", __base__=Strict, **options)
    return create_model("EnvironmentSection", __base__=Strict, tasks=(tasks, ...))


class VariantHead(Strict):
    """What a variant changes besides sections of settings.

    Attributes:
        environment: options of the task.
        transfer: whose worker is taken over.
        worker_return: the variant of ``hrl`` whose worker return delta is a share of, if not the one of the same
            name.
    """

    environment: dict[str, Any] | None = None
    transfer: TransferSettings | None = None
    worker_return: PathName | None = None


class CellGroup(Strict):
    """Cells of a study: every task with every algorithm and every variant that the preset selects.

    Attributes:
        tasks: some of the preset's (default: all of them).
        algorithms: some of the preset's (default: all of them).
        variants: names of variants (default: the algorithms as they are).
    """

    tasks: Annotated[list[str], Field(min_length=1), Unique] | None = None
    algorithms: Annotated[list[str], Field(min_length=1), Unique] | None = None
    variants: Annotated[list[str], Field(min_length=1), Unique] | None = None


class PresetHead(Strict):
    """What is run: studies, tasks, algorithms, drivers and seeds, how they use the machine, where results go.

    Attributes:
        source: where figures and tables get their numbers from: ``runs`` trains what is missing, ``archive`` draws
            what ``results/archive`` has.
    """

    preset: Annotated[str, Field(pattern=r"^\w([\w. +-]*\w)?$")]  # it is part of captions
    source: Literal["runs", "archive"]
    results: Annotated[str, Field(pattern=r"^[\w./+-]+$")]  # it is part of commands
    studies: Annotated[list[str], Field(min_length=1), Unique]
    tasks: Annotated[list[str], Field(min_length=1), Unique]
    algorithms: Annotated[list[str], Field(min_length=1), Unique]
    drivers: Annotated[list[str], Unique]
    seeds: Annotated[list[Seed], Field(min_length=1), Unique]
    seeds_per_job: Count
    device: Literal["cpu", "cuda"]
    keep_checkpoints: bool
    variants: dict[PathName, VariantHead]
    study: dict[PathName, list[CellGroup]]


def preset_of(sections: Sections) -> type[PresetHead]:
    """The type of a whole preset file: the head, the tasks' options, and every section of settings.

    A variant is a named deviation from the settings of algorithms; each algorithm takes those that it reads.
    """
    changes: dict[str, Any] = {name: (overrides_of(model) | None, None) for name, model in sections.items()}
    variant: Any = create_model("Variant", __base__=VariantHead, **changes)
    fields: dict[str, Any] = {name: (section_of(model), ...) for name, model in sections.items()}
    fields = {"variants": (dict[PathName, variant], ...), "environment": (environment_section(), ...), **fields}
    return create_model("Preset", __base__=PresetHead, **fields)
