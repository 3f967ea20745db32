"""Laws of `genbook.gran.training`."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from genbook.gran import training
from genbook.gran.training import Recipe, Run, fit, follow, new_pair
from genbook.kit import data

RECIPE = Recipe(3, iterations=8, batch=6, channels=4, snapshots=3)


def images():
    return data.digits("train", device="cpu").take(50)


def weights(record):
    pairs = (record.last, record.average, *record.snapshots)
    return [part.state_dict() for pair in pairs for part in (pair.generator, pair.critic)]


def same(one, two):
    return all(torch.equal(a[key], b[key]) for a, b in zip(one, two, strict=True) for key in a)


def test_a_run_that_was_stopped_goes_on_as_if_nothing_had_happened(tmp_path, monkeypatch):
    whole = fit(RECIPE, images(), 0)
    update = Run._update

    def tired(self):
        if self.done == 5:
            raise KeyboardInterrupt
        return update(self)

    monkeypatch.setattr(Run, "_update", tired)
    with pytest.raises(KeyboardInterrupt):
        fit(RECIPE, images(), 0, tmp_path, every=2)
    monkeypatch.setattr(Run, "_update", update)
    resumed = fit(RECIPE, images(), 0, tmp_path, every=2)
    assert same(weights(whole), weights(resumed))
    monkeypatch.setattr(Run, "_update", None)
    again = fit(RECIPE, images(), 0, tmp_path, every=2)
    assert same(weights(whole), weights(again))
    assert again.seconds >= resumed.seconds * 0.5


def test_the_last_snapshot_is_the_end_and_seeds_differ():
    one, two = fit(RECIPE, images(), 0), fit(RECIPE, images(), 1)
    assert same([one.last.critic.state_dict()], [one.snapshots[-1].critic.state_dict()])
    assert not same(weights(one), weights(two))
    assert not one.last.generator.training


def test_pairs_of_one_seed_begin_alike_whatever_their_steps():
    short, long = (new_pair(Recipe(steps), 8, torch.Generator().manual_seed(4)) for steps in (1, 5))
    for one, two in ((short.critic, long.critic), (short.generator, long.generator)):
        for a, b in zip(one.parameters(), two.parameters(), strict=True):
            assert torch.equal(a, b)


def test_learning_rates_stand_for_half_the_run_and_fall_to_almost_nothing():
    run = Run(RECIPE, images(), 0)
    rates = [[o.param_groups[0]["lr"] for o in run.optimisers] for _ in run]
    assert rates[0] == rates[4] == [RECIPE.lr, RECIPE.critic_lr]
    assert rates[-1] == pytest.approx([RECIPE.lr / 4, RECIPE.critic_lr / 4])


def test_each_update_moves_both_nets_and_the_average_lags_behind():
    run = Run(RECIPE, images(), 0)
    before = [part.clone() for part in run.pair.critic.parameters()]
    list(run)
    new, mean = run.pair.critic.parameters(), run.average.critic.parameters()
    for old, now, kept in zip(before, new, mean, strict=True):
        assert not torch.equal(old, now)
        assert not torch.equal(kept, now)


def test_an_average_is_a_weighted_mean():
    mean, net = nn.Linear(1, 1), nn.Linear(1, 1)
    with torch.no_grad():
        mean.weight.fill_(1.0), net.weight.fill_(3.0)
    follow(mean, net, 0.75)
    assert mean.weight.item() == pytest.approx(1.5)


def test_settling_leaves_the_run_itself_alone():
    pair = new_pair(RECIPE, 8, torch.Generator().manual_seed(0))
    calm = pair.settled(0)
    assert pair.generator.training
    assert not calm.generator.training
    assert pair.generator.decoder.first.variance.eq(1).all()
    assert same([calm.generator.state_dict()], [pair.settled(0).generator.state_dict()])
    assert not same([calm.generator.state_dict()], [pair.settled(1).generator.state_dict()])


def test_impossible_recipes_are_refused():
    for kind in ({"steps": 0}, {"iterations": 0}, {"lr": 0.0}, {"memory": 1.0}, {"snapshots": 0}):
        with pytest.raises(ValueError, match="memory in"):
            Recipe(**{"steps": 1, **kind})
    assert training.Recipe(1, iterations=1).marks[0] == 1
