"""The resolved configuration of one training: a section of settings for everything that its algorithm reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar

from pydantic import BaseModel, Field, create_model, model_validator

from algorithms.errors import ConfigError
from algorithms.nested import present
from algorithms.plugins import section_types
from algorithms.registry import ALGORITHMS, SUITE
from algorithms.sections import (
    CooperationSettings,
    DynamicLambdaSettings,
    FixedLambdaSettings,
    HierarchySettings,
    LearnerSettings,
    PathName,
    RunSettings,
    Sections,
    Seed,
    TransferSettings,
    Unique,
    label_of,
)
from envs.strict import Strict, digest

#: Sections of the suite's own algorithms, with values for all tasks and overrides for some, in the order in which
#: they are written.
SUITE_SECTIONS: Sections = {"run": RunSettings, **section_types(SUITE.values())}
#: The same with those of installed packages.
SECTIONS: Sections = {"run": RunSettings, **section_types(ALGORITHMS.values())}

Section = TypeVar("Section", bound=BaseModel)


class SuiteConfig(Strict):
    """A :class:`RunConfig`, with those sections that more than a single algorithm's class asks for by name."""

    task: str
    algorithm: str
    variant: PathName | None = None
    seeds: Annotated[list[Seed], Field(min_length=1), Unique]
    run: RunSettings
    environment: dict[str, Any]
    learner: LearnerSettings
    hierarchy: HierarchySettings | None = None
    cooperation: CooperationSettings | None = None
    cher_fixed: FixedLambdaSettings | None = None
    cher: DynamicLambdaSettings | None = None
    transfer: TransferSettings | None = None

    @model_validator(mode="after")
    def _warm_up_fills_a_batch(self) -> Self:
        needed = self.learner.batch_size * (self.hierarchy.meta_period if self.hierarchy else 1)
        if self.run.warmup_steps < needed:
            raise ValueError(
                f"run.warmup_steps is {self.run.warmup_steps}; it must be at least {needed} "
                "(batch_size times meta_period), so that the first update finds a full batch"
            )
        if self.learner.buffer_steps < needed:
            raise ValueError(
                f"learner.buffer_steps is {self.learner.buffer_steps}; it must be at least {needed} "
                "(batch_size times meta_period), so that the replay holds a full batch"
            )
        return self

    def section(self, kind: type[Section]) -> Section:
        """The section of a type, which the algorithm's registry entry must name.

        Raises:
            ConfigError: the entry does not.
        """
        for name in type(self).model_fields:
            if isinstance(value := getattr(self, name), kind):
                return value
        raise ConfigError(f"the registry entry of '{self.algorithm}' names no section of type {kind.__name__}")

    @property
    def record(self) -> dict[str, Any]:
        """Everything, in plain types, from which the same configuration can be read back."""
        return {name: value for name, value in self.model_dump(mode="json").items() if value is not None}

    @property
    def experiment(self) -> dict[str, Any]:
        """Everything that decides the numbers of a run, except which seeds are in the group.

        What is None is left out.  A later version's optional setting, with None for what was before, therefore
        changes neither the hash of older runs nor what they are compared with.
        """
        return present(self.model_dump(mode="json", exclude={"seeds": True, "run": {"checkpoint_every"}}))

    @property
    def needs_worker_return(self) -> bool:
        """Whether delta is left to the worker return of finished HRL runs."""
        return self.cher is not None and self.cher.delta is None

    def with_policy(self, policy: str) -> Self:
        """The same run with a worker from the file of this digest."""
        assert self.transfer is not None
        return self.model_copy(update={"transfer": self.transfer.model_copy(update={"policy": policy})})

    def with_worker_return(self, worker_return: float) -> Self:
        """The same run with delta set to its share of the HRL worker's return."""
        assert self.cher is not None
        delta = self.cher.delta_share * worker_return
        return self.model_validate(self.model_dump() | {"cher": self.cher.model_dump() | {"delta": delta}})

    @property
    def hash(self) -> str:
        """Hexadecimal digest of :attr:`experiment`."""
        return digest(self.experiment)

    @property
    def key(self) -> str:
        """Path of the run below ``runs/`` and ``checkpoints/``: task, algorithm and variant, seeds."""
        return f"{self.task}/{self.label}/seeds_{format_seeds(self.seeds)}"

    @property
    def label(self) -> str:
        """Algorithm, with its variant if it has one."""
        return label_of(self.algorithm, self.variant)


if TYPE_CHECKING:
    RunConfig = SuiteConfig
else:
    #: The resolved configuration of one training: every section that its algorithm reads, for its task.
    RunConfig = create_model(
        "RunConfig",
        __base__=SuiteConfig,
        __module__=__name__,
        **{name: (kind | None, None) for name, kind in SECTIONS.items() if name not in SuiteConfig.model_fields},
    )


def format_seeds(seeds: Sequence[int]) -> str:
    """The shortest text for seeds: ``3``, ``0-9``, or ``0,2,5`` where they are not consecutive."""
    if len(seeds) > 1 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]}-{seeds[-1]}"
    return ",".join(map(str, seeds))
