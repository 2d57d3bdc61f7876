"""Mistakes that are easy to make in these algorithms, and where the tests would notice each of them.

Every entry says what is right.  The tables are checked: each test that they name exists.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

#: What is right, and the tests (module::function) that fail where it is not.
TRAPS: dict[str, tuple[str, ...]] = {
    # goals and intrinsic rewards
    "the intrinsic reward uses the goal before the transition": (
        "test_goals::test_relative_goals_along_a_path",
        "test_goals::test_goals_follow_the_equations",
    ),
    "a relative goal shrinks by what was covered": ("test_goals::test_relative_goals_along_a_path",),
    "goals are not clipped within a period": (
        "test_goals::test_goals_leave_their_box_within_a_period",
        "test_hrl::test_goals_are_neither_clipped_nor_renewed_within_a_period",
    ),
    "absolute goals stay what they are": (
        "test_goals::test_absolute_goal_of_a_speed_stays",
        "test_goals::test_absolute_goals_along_a_path",
    ),
    "the reward is a distance, not a mean over dimensions": ("test_goals::test_reward_is_a_distance_not_a_mean",),
    "a goal that is met costs 1e-5": ("test_goals::test_reward_of_a_goal_that_is_met",),
    "the gradient of a goal that is met is finite": (
        "test_goals::test_gradient_of_the_reward",
        "test_cooperation_networks::test_gradient_of_a_goal_that_is_met_is_finite",
    ),
    # meta-transitions
    "the worker's last next goal is the carried one, not the manager's new one": (
        "test_hrl::test_a_long_episode_gives_a_full_and_a_short_item",
        "test_meta::test_fields_of_a_batch_belong_to_one_item_and_one_time",
    ),
    "the worker ends neither with its period nor with the episode": (
        "test_hrl::test_manager_ends_at_a_true_end_only_and_the_worker_never",
        "test_worker_terminates::test_by_default_the_worker_goes_on_for_ever",
    ),
    "a time limit is not an end": (
        "test_hrl::test_manager_ends_at_a_true_end_only_and_the_worker_never",
        "test_td3::test_only_a_true_end_stops_bootstrapping",
        "test_worker_terminates::test_neither_a_time_limit_nor_the_end_of_a_period_ends_the_worker",
    ),
    "periods start anew with each episode": (
        "test_hrl::test_a_long_episode_gives_a_full_and_a_short_item",
        "test_hrl::test_a_new_episode_starts_with_a_fresh_goal",
    ),
    "the manager's return is not discounted within a period": (
        "test_meta::test_managers_reward_is_an_undiscounted_sum",
    ),
    "rewards are scaled once": ("test_hrl::test_managers_reward_is_scaled_once_and_not_discounted",),
    "every step of a period is drawn, the last one too": ("test_meta::test_steps_are_uniform_including_the_last",),
    "short items have only the steps they have": (
        "test_meta::test_an_item_of_one_step_has_only_that_step",
        "test_hiro::test_steps_after_the_end_of_a_short_item_do_not_count",
        "test_hiro::test_an_item_of_any_length_is_relabelled",
    ),
    "the replay counts meta-transitions, 20,000 of them": ("test_hrl::test_replay_counts_meta_transitions",),
    "the manager's next observation is complete": ("test_hrl_learning::test_batches_of_both_levels",),
    # learners and schedule
    "the critics' loss is Huber's": (
        "test_learner_updates::test_slope_of_the_critic_loss",
        "test_learner_updates::test_slopes_add_up_to_the_huber_loss",
    ),
    "exploration noise is a tenth of the half range": (
        "test_learner::test_exploration_noise_is_a_tenth_of_the_half_range",
        "test_hrl::test_goals_explore_by_a_tenth_of_the_half_range_and_stay_in_their_box",
    ),
    "target noise is scaled and clipped in units of the half range": (
        "test_learner::test_target_noise_is_scaled_and_clipped_in_units_of_the_half_range",
    ),
    "boxes need not be symmetric": ("test_learner::test_output_of_a_fresh_actor_is_the_middle_of_its_box",),
    "each network learns as often as it should": (
        "test_hrl_learning::test_schedule_of_a_thousand_steps",
        "test_cher_dual::test_schedule_of_every_hierarchy",
        "test_cher_dual::test_what_is_due_is_done",
    ),
    "the manager learns before the worker": ("test_hrl_learning::test_manager_learns_before_the_worker",),
    "evaluations leave the training alone": (
        "test_contract::test_evaluation_leaves_training_untouched",
        "test_train::test_evaluations_leave_the_training_untouched",
    ),
    # HAC
    "the last hindsight goal is met": (
        "test_hac::test_hindsight_of_relative_goals",
        "test_hac::test_hindsight_of_absolute_goals",
    ),
    "the copy is always stored, the original with probability 0.3": (
        "test_hac::test_share_of_original_meta_transitions",
        "test_hac::test_the_copy_is_always_stored_and_the_original_sometimes",
    ),
    "hindsight leaves the manager's reward alone": (
        "test_hac::test_authors_hand_made_example",
        "test_hac::test_hindsight_follows_the_equations",
    ),
    # HIRO
    "candidates are carried the right way": ("test_hiro::test_scores_of_three_candidates",),
    "candidates are clipped to the goal box": (
        "test_hiro::test_candidates_are_clipped_and_spread_by_half_the_half_range",
    ),
    "relabelling reaches neither the worker nor the replay": (
        "test_hiro_updates::test_only_the_managers_batch_is_relabelled",
        "test_hiro_updates::test_the_replay_is_never_written_to",
    ),
    "scores come from the present worker, without noise": (
        "test_hiro::test_the_worker_is_asked_as_it_is_now_and_without_noise",
    ),
    # CHER
    "cooperation asks about the manager's present goal at step i": (
        "test_cher::test_neither_the_stored_goals_nor_the_end_of_the_period_matter",
    ),
    "cooperation changes the manager's actor alone": (
        "test_cher::test_only_the_managers_actor_changes_in_its_step",
    ),
    "the manager is pulled up the worker's value": ("test_cher::test_the_manager_moves_up_the_workers_value",),
    "lambda is not its logarithm": ("test_cher::test_lambda_itself_weighs_the_share",),
    "lambda grows while the worker is worse than delta": ("test_cher_dual::test_lambda_under_a_constant_value",),
    "Q_w and delta are those of an infinite horizon": (
        "test_hrl_learning::test_workers_value_of_a_constant_distance_is_that_of_an_infinite_horizon",
        "test_learner::test_constant_intrinsic_reward_is_worth_an_infinite_horizon",
    ),
    "lambda waits for 1,000 updates of the manager": (
        "test_cher_dual::test_lambda_waits_for_the_managers_first_updates",
        "test_cher_dual::test_schedule_of_every_hierarchy",
    ),
    "worker and cooperation see the same step of an item": (
        "test_cher::test_worker_and_cooperation_learn_from_the_same_step",
    ),
    "without its own part an algorithm is HRL": ("test_hiro_updates::test_without_its_own_part_it_is_hrl",),
}

#: Numbers worked out by hand, and where they are compared.
NUMBERS: dict[str, tuple[str, ...]] = {
    "a chain of goals that always points at (3, 3)": ("test_goals::test_relative_goals_along_a_path",),
    "targets -12.58 and -0.7": ("test_learner::test_target_takes_the_smaller_critic_and_stops_at_the_end",),
    "Huber losses 0.125, 0.5 and 2.5": ("test_learner_updates::test_slopes_add_up_to_the_huber_loss",),
    "a Polyak step from 1 towards 3": ("test_learner_updates::test_polyak_average_of_all_targets",),
    "bounds of the initial weights": ("test_networks::test_initial_weights_have_the_published_bounds",),
    "four cooperative gradients of a scalar problem": (
        "test_cooperation::test_derivative_by_the_managers_parameter",
        "test_cooperation::test_reward_and_value",
    ),
    "a linear worker with a quadratic value": ("test_cooperation::test_linear_worker_with_a_quadratic_value",),
    "the reward's gradient at a distance of (3, 4)": (
        "test_goals::test_gradient_of_the_reward",
        "test_cooperation::test_gradient_of_the_reward_alone",
    ),
    "lambda after 1, 10 and 1,000 steps": ("test_cher_dual::test_lambda_under_a_constant_value",),
    "delta as a share of -600": (
        "test_cher_delta::test_delta_is_a_share_of_the_hrl_workers_return",
        "test_cher_delta::test_share_of_the_paper",
    ),
    "scores and spread of HIRO's candidates": (
        "test_hiro::test_scores_of_three_candidates",
        "test_hiro::test_candidates_are_clipped_and_spread_by_half_the_half_range",
    ),
    "a constant distance of 6 is worth -600": (
        "test_learner::test_constant_intrinsic_reward_is_worth_an_infinite_horizon",
    ),
    "13,000 items from 10,000 periods": ("test_hac::test_share_of_original_meta_transitions",),
    "1,000, 500, 100 and 50 updates in 1,000 steps": ("test_cher_dual::test_schedule_of_every_hierarchy",),
    "the authors' hand-made examples": (
        "test_goals::test_authors_hand_made_example",
        "test_hac::test_authors_hand_made_example",
    ),
    "sizes of the authors' networks": ("test_hrl::test_networks_have_the_sizes_of_the_authors_checkpoint",),
    "norms and cosine of the manager's two gradients": ("test_cher_updates::test_metrics_of_both_gradients",),
}


@cache
def functions_of(module: str) -> set[str]:
    tree = ast.parse((Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("right", [*TRAPS, *NUMBERS])
def test_something_would_notice(right: str) -> None:
    named = (TRAPS | NUMBERS)[right]
    assert named
    for name in named:
        module, _, function = name.partition("::")
        assert function.startswith("test_")
        assert function in functions_of(module), name
