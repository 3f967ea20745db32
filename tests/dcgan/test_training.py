"""The game: its first losses, whose weights move, what repeats."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from genbook.dcgan.networks import Design
from genbook.dcgan.training import CODES, ORDER, Players, Recipe, codes, players, settled, train
from genbook.kit.data import batches
from genbook.kit.device import seeded

SMALL = Design(latent=3, width=4)


def images(n=40):
    return 2 * torch.rand(n, 1, 8, 8, generator=seeded(9)) - 1, torch.arange(n) % 3


def played(design=SMALL, steps=3, seed=0, **options):
    pair = players(design, seed)
    recipe = Recipe(design, batch=8, **options)
    return pair, list(train(pair, recipe, *images(), steps=steps, seed=seed))


def test_an_undecided_discriminator_costs_two_logs_of_two():
    pair = players(SMALL, 0)
    torch.nn.init.zeros_(pair.discriminator.judge.weight)
    first = next(train(pair, Recipe(SMALL, rate=1e-9), *images(), steps=1, seed=0))
    assert first.terms["discriminator"] == pytest.approx(2 * math.log(2), abs=1e-4)
    assert first.terms["generator"] == pytest.approx(math.log(2), abs=1e-4)


def test_a_game_written_out_with_gradients_of_each_loss_in_its_own_player():
    plain = Design(latent=3, width=4, norm="none", critic="none", spread=None)
    wanted, (pair, _) = players(plain, 4), played(plain, seed=4, rate=1e-2)
    g, d = wanted.generator, wanted.discriminator
    adams = [torch.optim.Adam(net.parameters(), 1e-2, (0.5, 0.999)) for net in (g, d)]
    source, order = seeded(CODES.seed(4)), seeded(ORDER.seed(4))
    for (real,) in batches([images()[0]], 8, order, steps=3):
        fake = g(codes(8, 3, source))
        for net, adam in ((d, adams[1]), (g, adams[0])):
            loss = -functional.logsigmoid(d(fake)).mean()
            if net is d:
                loss = -functional.logsigmoid(d(real)).mean()
                loss = loss - (1 - d(fake).sigmoid()).log().mean()
            parts = list(net.parameters())
            slopes = torch.autograd.grad(
                loss, parts, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            for part, slope in zip(parts, slopes, strict=True):
                part.grad = slope
            adam.step()
    for own, net in ((pair.generator, g), (pair.discriminator, d)):
        for a, b in zip(own.parameters(), net.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)


class Brightness(nn.Module):
    """A discriminator whose logit is a multiple of the mean pixel; it keeps what it was shown."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.shown = []

    def forward(self, x, condition=None):
        self.shown.append((x.detach(), condition))
        return self.weight * x.mean((1, 2, 3))


def test_the_losses_of_a_discriminator_that_likes_what_is_bright():
    bright, dark = torch.ones(8, 1, 8, 8), players(SMALL, 0).generator
    nn.init.constant_(dark.paint.bias, -9)
    game = train(
        Players(dark, Brightness(1.5)), Recipe(SMALL, rate=1e-9, batch=8), bright,
        torch.zeros(8).long(), steps=1, seed=0,
    )  # fmt: skip
    terms = next(game).terms
    assert terms["discriminator"] == pytest.approx(2 * math.log1p(math.exp(-1.5)), abs=1e-5)
    assert terms["generator"] == pytest.approx(math.log1p(math.exp(1.5)), abs=1e-5)


@pytest.mark.parametrize("project", [True, False])
def test_a_drawn_image_has_the_class_of_the_real_one_beside_it(project):
    design = Design(latent=3, width=4, norm="class", classes=3, project=project)
    pair, asked = players(design, 0), []
    pair.generator.register_forward_pre_hook(lambda _, given: asked.append(given[1]))
    labels = torch.arange(40) % 3
    images = labels.view(40, 1, 1, 1).expand(-1, 1, 8, 8) / 4.0
    judge = Brightness(0.1)
    list(train(
        Players(pair.generator, judge), Recipe(design, batch=8), images, labels, steps=1, seed=0,
    ))  # fmt: skip
    real = judge.shown[0][0]
    own = functional.one_hot((4 * real[:, 0, 0, 0]).long(), 3).float()
    assert torch.equal(asked[0], own)
    for _, seen in judge.shown:
        assert torch.equal(seen, own) if project else seen is None


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_the_momentum_of_a_gradient_that_came_once(beta):
    net = nn.Linear(1, 1, bias=False)
    adam, places = Recipe(rate=0.25, beta=beta).adam(net), [net.weight.item()]
    for slope in (1.0, 0.0):
        net.weight.grad = torch.full((1, 1), slope)
        adam.step()
        places.append(net.weight.item())
    first, second = places[0] - places[1], places[1] - places[2]
    assert first == pytest.approx(0.25, rel=1e-4)
    size = math.sqrt(0.999 * 0.001 / (1 - 0.999**2))
    assert second == pytest.approx(0.25 * beta * (1 - beta) / (1 - beta**2) / size, rel=1e-3)


def test_the_players_are_drawn_from_streams_of_their_own():
    pair = players(Design(spread=1.0), 3)
    mine, other = (part.flatten()[:100] for part in (
        pair.generator.code.weight, pair.discriminator.look.weight))  # fmt: skip
    assert not torch.equal(mine, other)


def test_one_seed_repeats_and_another_does_not():
    one, again, other = (played(seed=s)[1][-1].terms for s in (0, 0, 1))
    assert one == again != other


def test_both_players_move():
    before, (after, _) = players(SMALL, 0), played()
    for name in ("generator", "discriminator"):
        pairs = zip(
            getattr(before, name).parameters(), getattr(after, name).parameters(), strict=True
        )
        assert any(not torch.equal(a, b) for a, b in pairs)


def test_a_blind_discriminators_rows_stay_and_a_projecting_ones_move():
    for project in (False, True):
        design = Design(latent=3, width=4, norm="class", classes=3, project=project)
        pair, _ = played(design)
        assert bool(pair.discriminator.classes.any()) == project


def test_one_step_of_d_goes_down_its_loss():
    pair = players(SMALL, 0)
    losses = [s.terms["discriminator"] for s in train(
        pair, Recipe(SMALL, rate=3e-3), *images(8), steps=30, seed=0)]  # fmt: skip
    assert min(losses[-5:]) < losses[0]


def test_codes_fill_the_cube():
    z = codes(20_000, 2, seeded(0))
    assert z.min() >= -1
    assert z.max() <= 1
    assert z.var().item() == pytest.approx(1 / 3, rel=0.03)


def test_a_settled_generator_does_not_listen_to_its_batch():
    pair, _ = played()
    g, z = settled(pair, 0), codes(4, 3, seeded(1))
    torch.testing.assert_close(g(z)[:1], g(z[:1]))


def test_a_settled_conditional_generator_saw_every_class():
    pair, _ = played(Design(latent=3, width=4, norm="class", classes=3))
    g = settled(pair, 0)
    assert g(codes(3, 3, seeded(1)), torch.eye(3)).isfinite().all()


@pytest.mark.parametrize("bad", [{"rate": 0.0}, {"beta": 1.0}, {"beta": -0.1}, {"batch": 1}])
def test_impossible_recipes_are_refused(bad):
    with pytest.raises(ValueError, match="expected rate"):
        Recipe(**bad)
