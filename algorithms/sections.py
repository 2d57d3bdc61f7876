"""Types of the sections of settings.  Values live in ``config/*.yaml`` only; there are no defaults here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from envs.strict import Strict

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
    """Twin delayed deep deterministic policy gradient (TD3), as used at every level.

    With an ``output_penalty`` c an actor minimises c times the mean squared norm of its outputs below tanh as well
    (ours); without one, these can grow until tanh has no slope left.
    """

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
    output_penalty: Positive | None = None


class HierarchySettings(Strict):
    """The two-level hierarchy shared by HRL and the algorithms derived from it.

    ``manager_actor_start`` is a number of updates, one per environment step after the warm-up, during which the
    manager's critics learn alone, without its actor and without lambda (ours).
    """

    meta_period: Count
    manager_critic_every: Count
    manager_actor_every: Count
    worker_terminates: bool
    manager_actor_start: Annotated[int, Field(ge=0)] | None = None

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


def label_of(algorithm: str, variant: str | None) -> str:
    """Algorithm, with its variant if it has one."""
    return algorithm + (f"-{variant}" if variant else "")


#: Sections of settings with their types, as a registry entry names those that an algorithm reads.
Sections = dict[str, type[BaseModel]]
#: What a TD3 learner reads, a hierarchy of two of them, and one whose manager is also pulled by its worker.
LEARNER: Sections = {"learner": LearnerSettings}
HIERARCHY: Sections = {**LEARNER, "hierarchy": HierarchySettings}
COOPERATION: Sections = {**HIERARCHY, "cooperation": CooperationSettings}
