"""Types of the settings of a training.  Values live in ``config/*.yaml`` only; there are no defaults here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, Field, model_validator

from envs.strict import Strict, digest

Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Seed = Annotated[int, Field(ge=0)]
#: Name of a variant or a study, which is part of a path.
PathName = Annotated[str, Field(pattern="^[a-z][a-z0-9_.]*$")]


def _unique(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise ValueError(f"{values} must not repeat an entry")
    return values


Unique = AfterValidator(_unique)


class RunSettings(Strict):
    """How long a training is, and how often it reports.  Steps are environment steps after the warm-up.

    At each evaluation point ``evaluation_episodes`` are run in the course of a training, and at its end, where the
    policies are final, ``final_evaluation_episodes``.
    """

    steps: Count
    warmup_steps: Count
    log_every: Count
    evaluate_every: Count
    evaluation_episodes: Count
    final_evaluation_episodes: Count
    checkpoint_every: Count

    def episodes_at(self, step: int) -> int:
        """Evaluation episodes per point at a training step."""
        return self.final_evaluation_episodes if step == self.steps else self.evaluation_episodes

    @model_validator(mode="after")
    def _even_grid(self) -> RunSettings:
        if self.steps % self.log_every:
            raise ValueError(f"steps ({self.steps}) must be a multiple of log_every ({self.log_every})")
        if self.evaluate_every % self.log_every:
            raise ValueError(
                f"evaluate_every ({self.evaluate_every}) must be a multiple of log_every ({self.log_every})"
            )
        return self

    @model_validator(mode="after")
    def _final_policies_are_not_evaluated_less(self) -> RunSettings:
        if self.final_evaluation_episodes < self.evaluation_episodes:
            raise ValueError(
                f"final_evaluation_episodes ({self.final_evaluation_episodes}) must be at least "
                f"evaluation_episodes ({self.evaluation_episodes})"
            )
        return self


class LearnerSettings(Strict):
    """Twin delayed deep deterministic policy gradient (TD3), as used at every level."""

    hidden: Annotated[list[Count], Field(min_length=1)]
    learning_rate: Positive
    gamma: Annotated[float, Field(ge=0, lt=1)]
    tau: Fraction
    batch_size: Count
    critic_loss: Literal["huber", "squared"]
    exploration_noise: Annotated[float, Field(ge=0)]
    target_noise: Annotated[float, Field(ge=0)]
    target_noise_clip: Annotated[float, Field(ge=0)]
    actor_delay: Count
    buffer_steps: Count
    input_scale: Literal["raw", "unit"]


class HierarchySettings(Strict):
    """The two-level hierarchy shared by HRL and the algorithms derived from it."""

    meta_period: Count
    manager_critic_every: Count
    manager_actor_every: Count
    worker_terminates: bool

    @model_validator(mode="after")
    def _delayed_actor(self) -> HierarchySettings:
        if self.manager_actor_every % self.manager_critic_every:
            raise ValueError(
                f"manager_actor_every ({self.manager_actor_every}) must be a multiple of "
                f"manager_critic_every ({self.manager_critic_every})"
            )
        return self


class HIROSettings(Strict):
    """Off-policy correction: which goals compete for the place of the stored one."""

    correction: bool
    candidates: Annotated[int, Field(ge=2)]
    candidate_std: Annotated[float, Field(ge=0)]
    flipped_sign: bool


class HACSettings(Strict):
    """Hindsight, and the rate at which original meta-transitions are kept."""

    subgoal_testing_rate: Fraction
    clip_hindsight_goals: bool


class CooperationSettings(Strict):
    """How the worker's objective reaches the manager's actor."""

    gradient: Literal["equation5", "total", "authors", "released"]


class FixedLambdaSettings(Strict):
    """CHER with a constant weight."""

    fixed_lambda: Annotated[float, Field(ge=0)]


class DynamicLambdaSettings(Strict):
    """CHER with the weight as a Lagrange multiplier.

    ``delta`` is the worker return to be kept; where it is null, it is ``delta_share`` times that of the task's
    finished HRL runs.
    """

    delta: Annotated[float, Field(le=0)] | None
    delta_share: Annotated[float, Field(gt=0, le=1)]
    initial_log_lambda: float
    dual_learning_rate: Positive
    dual_start: Annotated[int, Field(ge=0)]
    dual_includes_reward: bool
    lambda_max: Positive | None


class TransferSettings(Strict):
    """Whose worker a hierarchy takes over and leaves as it is, while a manager of its own learns (section 5.5).

    Attributes:
        task: where that worker was trained.
        algorithm: how.
        variant: under which variant of the algorithm, if any.
        policy: digest of the file that holds it; null until the run that trains it has finished.
    """

    task: str
    algorithm: str
    variant: PathName | None = None
    policy: str | None = None

    @property
    def label(self) -> str:
        """Algorithm, with its variant if it has one."""
        return label_of(self.algorithm, self.variant)


#: Configuration sections with values for all tasks and overrides for some, in the order in which they are written.
SECTIONS: dict[str, type[BaseModel]] = {
    "run": RunSettings,
    "learner": LearnerSettings,
    "hierarchy": HierarchySettings,
    "hiro": HIROSettings,
    "hac": HACSettings,
    "cooperation": CooperationSettings,
    "cher_fixed": FixedLambdaSettings,
    "cher": DynamicLambdaSettings,
}


Section = TypeVar("Section", bound=BaseModel)


def required(section: Section | None, name: str) -> Section:
    """A section that an algorithm reads, and that its registry entry must therefore name."""
    assert section is not None, f"the algorithm's registry entry lacks the section '{name}'"
    return section


class RunConfig(Strict):
    """The resolved configuration of one training: every section that its algorithm reads, for its task."""

    task: str
    algorithm: str
    variant: PathName | None = None
    seeds: Annotated[list[Seed], Field(min_length=1), Unique]
    run: RunSettings
    environment: dict[str, Any]
    learner: LearnerSettings
    hierarchy: HierarchySettings | None = None
    hiro: HIROSettings | None = None
    hac: HACSettings | None = None
    cooperation: CooperationSettings | None = None
    cher_fixed: FixedLambdaSettings | None = None
    cher: DynamicLambdaSettings | None = None
    transfer: TransferSettings | None = None

    @model_validator(mode="after")
    def _warm_up_fills_a_batch(self) -> RunConfig:
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

    @property
    def record(self) -> dict[str, Any]:
        """Everything, in plain types, from which the same configuration can be read back."""
        return {name: value for name, value in self.model_dump(mode="json").items() if value is not None}

    @property
    def experiment(self) -> dict[str, Any]:
        """Everything that decides the numbers of a run, except which seeds are in the group."""
        return self.model_dump(
            mode="json", exclude={"seeds": True, "run": {"checkpoint_every"}}, exclude_none=True
        )

    @property
    def needs_worker_return(self) -> bool:
        """Whether delta is left to the worker return of finished HRL runs."""
        return self.cher is not None and self.cher.delta is None

    def with_policy(self, policy: str) -> RunConfig:
        """The same run with a worker from the file of this digest."""
        assert self.transfer is not None
        return self.model_copy(update={"transfer": self.transfer.model_copy(update={"policy": policy})})

    def with_worker_return(self, worker_return: float) -> RunConfig:
        """The same run with delta set to its share of the HRL worker's return."""
        assert self.cher is not None
        delta = self.cher.delta_share * worker_return
        return RunConfig.model_validate(self.model_dump() | {"cher": self.cher.model_dump() | {"delta": delta}})

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


def label_of(algorithm: str, variant: str | None) -> str:
    """Algorithm, with its variant if it has one."""
    return algorithm + (f"-{variant}" if variant else "")


def format_seeds(seeds: Sequence[int]) -> str:
    """The shortest text for seeds: ``3``, ``0-9``, or ``0,2,5`` where they are not consecutive."""
    if len(seeds) > 1 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]}-{seeds[-1]}"
    return ",".join(map(str, seeds))
