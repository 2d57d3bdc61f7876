from __future__ import annotations

from itertools import chain

import pytest
import torch

from benchmarks.products import BareUpdate, multiply_adds
from benchmarks.update import bare_update

BATCH = 128


def test_the_count_is_that_of_the_layer_sizes():
    actor = 45 * 256 + 256 * 256 + 256 * 8
    critic = 53 * 256 + 256 * 256 + 256 * 1
    # the target actor; two target critics, two critics and their weights; inputs of all layers but the first
    critics = actor + 6 * critic + 2 * (256 * 256 + 256 * 1)
    # the actor and its weights; the first critic and the gradient of its inputs; inputs of the actor's layers
    delayed = 2 * actor + 2 * critic + 256 * 256 + 256 * 8
    bare = bare_update()
    assert multiply_adds(bare.critics) == BATCH * critics == 87_916_544
    assert multiply_adds(bare.actor) == BATCH * delayed == 49_217_536
    assert 2 * (BATCH * critics + BATCH * delayed / 2) / 1e6 == pytest.approx(225, abs=0.5)


def test_no_two_products_share_a_matrix():
    bare = BareUpdate(4, (3, 5, 2), (5, 5, 1))
    matrices = [tensor.data_ptr() for tensor in chain.from_iterable(bare.critics + bare.actor)]
    assert len(set(matrices)) == len(matrices)


def test_the_actor_has_its_turn_on_every_second_call():
    bare = BareUpdate(4, (3, 5, 2), (5, 5, 1))
    for number in range(1, 5):
        for _, _, out in bare.critics + bare.actor:
            out.fill_(torch.nan)
        bare()
        assert not any(out.isnan().any() for _, _, out in bare.critics)
        assert all(out.isnan().all() for _, _, out in bare.actor) == (number % 2 == 1)


def test_every_product_fits_its_output():
    for left, right, out in (lambda bare: bare.critics + bare.actor)(BareUpdate(4, (3, 5, 2), (5, 5, 1))):
        torch.testing.assert_close(torch.mm(left, right, out=out), left @ right)
