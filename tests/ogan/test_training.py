"""The players: who is moved by which loss, and that training does what it says."""

from __future__ import annotations

import pytest
import torch

from genbook.kit import data
from genbook.kit.device import seeded
from genbook.ogan import codes, training


def given(count: int = 6) -> tuple[training.Players, torch.Tensor, torch.Tensor]:
    pair = training.Players(9, 0, code=5, hidden=8)
    return (
        pair,
        torch.rand(count, 9, generator=seeded(1)),
        torch.randn(count, 5, generator=seeded(2)),
    )


def test_the_score_is_the_average_of_the_code():
    pair, x, _ = given()
    assert torch.allclose(pair.judge(x), codes.parts(pair.encode(x)).average)


def test_a_copy_hangs_on_the_direction_alone():
    pair, x, _ = given()
    again = pair.again(x)
    with torch.no_grad():
        last = pair.encoder[-1]
        for name, shape in ((n, p.shape) for n, p in last.named_parameters()):
            assert 5 in shape, name
            getattr(last, name).mul_(3)
    assert torch.allclose(pair.again(x), again, atol=1e-6)


def test_the_encoders_loss_is_gan_qps_by_hand_plus_the_link():
    pair, x, z = given()
    recipe = training.Recipe("correlation", 0.7)
    fake = pair.draw(z)
    score, other = pair.judge(x), pair.judge(fake)
    gap = score - other
    apart = (x - fake).square().mean(1).sqrt()
    wanted = (-gap + gap.square() / (2 * apart)).mean()
    wanted = wanted - 0.7 * codes.correlation(z, pair.encode(fake)).mean()
    assert torch.allclose(training.encoder_loss(pair, x, z, recipe), wanted, atol=1e-6)


def test_the_generators_loss_is_minus_its_score_plus_the_link():
    pair, _, z = given()
    for link, weight in (("squared error", 2.0), ("nothing", 3.0), ("correlation", 0.0)):
        code = pair.encode(pair.draw(z))
        tie = (z - code).square().mean() if link == "squared error" else 0.0
        found = training.generator_loss(pair, z, training.Recipe(link, weight))
        assert torch.allclose(found, -code.mean() + weight * tie, atol=1e-6)


def test_the_encoders_loss_moves_no_weight_of_the_generator():
    pair, x, z = given()
    training.encoder_loss(pair, x, z, training.Recipe()).backward()
    assert all(p.grad is None for p in pair.generator.parameters())
    assert all(p.grad is not None for p in pair.encoder.parameters())


def test_a_step_along_rho_leaves_the_score_in_the_last_layer_and_nowhere_else():
    for seed in range(5):
        pair = training.Players(9, seed, code=5, hidden=8).double()
        z = torch.randn(12, 5, generator=seeded(seed)).double()
        found = training.meeting(pair, z, "correlation")
        assert found.shape == (3,)
        assert abs(found[-1]) < 1e-12 < 1e-4 < found[:-1].abs().min()
        assert training.meeting(pair, z, "squared error").abs().min() > 1e-4


@pytest.mark.parametrize("link", training.LINKS[:2])
def test_the_meeting_is_how_fast_a_small_step_of_one_layer_moves_the_score(link):
    pair = training.Players(9, 1, code=5, hidden=8).double()
    z = torch.randn(12, 5, generator=seeded(3)).double()
    fake = pair.draw(z).detach()
    for layer, found in zip((0, 2, 4), training.meeting(pair, z, link), strict=True):
        before = list(pair.encoder[layer].parameters())
        loss = -training.tie(link, z, pair.encode(fake))
        step = torch.autograd.grad(loss, before)
        slope = torch.autograd.grad(pair.judge(fake).mean(), before)
        length = sum(g.square().sum() for g in step).sqrt()
        steep = sum(g.square().sum() for g in slope).sqrt()
        with torch.no_grad():
            scores = []
            for way in (1e-6, -2e-6):
                for weight, g in zip(before, step, strict=True):
                    weight.add_(way * g / length)
                scores.append(pair.judge(fake).mean())
            for weight, g in zip(before, step, strict=True):
                weight.add_(1e-6 * g / length)
        assert torch.allclose((scores[0] - scores[1]) / 2e-6 / steep, found, atol=1e-6)


def test_training_raises_the_correlation_far_above_chance():
    images = data.digits("train", device="cpu").flat
    pair = training.Players(64, 0, hidden=64)
    *_, last = training.train(pair, images, training.Recipe(steps=400, weight=2.0), 0)
    assert last.terms["correlation"] > 0.5


def plain_correlation(z, e):
    z, e = (v - v.mean(1, keepdim=True) for v in (z, e))
    return ((z * e).sum(1) / (z.norm(dim=1) * e.norm(dim=1))).mean()


def by_hand(pair, images, recipe, seed):
    """The training, written out: the encoder's step, the generator's, then the correlation."""
    order, noise = (seeded(s.seed(seed)) for s in (training.ORDER, training.NOISE))
    reads, draws = (
        torch.optim.Adam(net.parameters(), 1e-3, betas=(0.5, 0.999))
        for net in (pair.encoder, pair.generator)
    )
    told = []
    for (x,) in data.batches([images], recipe.batch, order, steps=recipe.steps):
        z = torch.randn(len(x), pair.code, generator=noise)
        fake = pair.draw(z).detach()
        gap = pair.encode(x).mean(1) - pair.encode(fake).mean(1)
        apart = (x - fake).square().mean(1).sqrt()
        link = recipe.weight * plain_correlation(z, pair.encode(fake))
        reads.zero_grad()
        ((-gap + gap.square() / (2 * apart)).mean() - link).backward()
        reads.step()
        code = pair.encode(pair.draw(z))
        draws.zero_grad()
        (-code.mean() - recipe.weight * plain_correlation(z, code)).backward()
        draws.step()
        told.append(plain_correlation(z, pair.encode(pair.draw(z))).item())
    return told


def test_training_is_the_two_steps_in_turn_written_out():
    images = torch.rand(40, 9, generator=seeded(1))
    recipe = training.Recipe("correlation", 0.7, steps=6, batch=8)
    pair, other = (training.Players(9, 0, code=5, hidden=8) for _ in range(2))
    told = [step.terms["correlation"] for step in training.train(pair, images, recipe, 3)]
    assert told == pytest.approx(by_hand(other, images, recipe, 3), abs=1e-4)
    for ours, theirs in zip(pair.parameters(), other.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_an_autoencoder_trains_both_networks_on_the_distance_alone():
    images = torch.rand(40, 9, generator=seeded(1))
    recipe = training.Recipe(steps=5, batch=8)
    pair, other = (training.Players(9, 0, code=5, hidden=8) for _ in range(2))
    list(training.train_autoencoder(pair, images, recipe, 3))
    order = seeded(training.ORDER.seed(3))
    adam = torch.optim.Adam(other.parameters(), 1e-3)
    for (x,) in data.batches([images], 8, order, steps=5):
        code = other.encode(x)
        code = code - code.mean(1, keepdim=True)
        again = other.draw(code / code.std(1, keepdim=True, correction=0))
        adam.zero_grad()
        (again - x).square().mean().backward()
        adam.step()
    for ours, theirs in zip(pair.parameters(), other.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_seeds_give_other_weights_to_both_networks():
    one, other = (training.Players(9, seed, code=5, hidden=8) for seed in (0, 1))
    for name in ("generator", "encoder"):
        ours, theirs = (next(getattr(p, name).parameters()) for p in (one, other))
        assert not torch.allclose(ours, theirs)
    first, second = next(one.generator.parameters()), next(one.encoder.parameters())
    assert first.flatten()[0] != second.flatten()[0]


@pytest.mark.parametrize("link", training.LINKS)
def test_a_link_asks_for_what_its_name_says(link):
    z, e = torch.randn(2, 7, 6, generator=seeded(4)).double()
    leaf = (2 * e + 1).requires_grad_()
    average = (z.mean(1) - leaf.mean(1)).square().mean()
    deviation = (z.std(1, correction=0) - leaf.std(1, correction=0)).square().mean()
    rho = plain_correlation(z, leaf)
    wanted = {
        "correlation": -rho,
        "squared error": ((z - leaf) ** 2).sum() / 42,
        "nothing": 0 * rho,
        "correlation and average": average - rho,
        "correlation and deviation": deviation - rho,
    }[link]
    found = training.tie(link, z, leaf)
    assert torch.allclose(found, wanted)
    if link != "nothing":
        ours, theirs = (torch.autograd.grad(f, leaf)[0] for f in (found, wanted))
        assert torch.allclose(ours, theirs)
        stays = ours.sum(1).abs().max() < 1e-12
        assert stays == (link in ("correlation", "correlation and deviation"))


@pytest.mark.parametrize("loss", [training.encoder_loss, training.generator_loss])
def test_the_link_teaches_the_player_whose_loss_it_is_in(loss):
    pair, x, z = given()
    arguments = (pair, x, z) if loss is training.encoder_loss else (pair, z)
    own = list((pair.encoder if loss is training.encoder_loss else pair.generator).parameters())
    slopes = [
        torch.autograd.grad(loss(*arguments, training.Recipe("correlation", w)), own)
        for w in (0.0, 3.0)
    ]
    tied = torch.autograd.grad(-3 * plain_correlation(z, pair.encode(pair.draw(z))), own)
    for without, with_link, link in zip(*slopes, tied, strict=True):
        assert link.abs().max() > 0
        assert torch.allclose(with_link - without, link, atol=1e-5)


def test_training_is_repeatable_and_seeds_differ():
    _, x, _ = given(30)
    found = []
    for seed in (0, 0, 1):
        pair = training.Players(9, 0, code=5, hidden=8)
        *_, last = training.train(pair, x, training.Recipe(steps=5, batch=8), seed)
        found.append(last.terms["generator"])
    assert found[0] == found[1] != found[2]


def test_an_autoencoder_learns_to_copy():
    images = data.digits("train", device="cpu").flat
    pair = training.Players(64, 0, hidden=64)
    *_, last = training.train_autoencoder(pair, images, training.Recipe(steps=600), 0)
    assert last.terms["loss"] < 0.3 * images.var(0).mean()


def test_bad_input_is_refused():
    pair, x, _ = given()
    with pytest.raises(ValueError, match="link of"):
        training.Recipe("cosine")
    with pytest.raises(ValueError, match="weight"):
        training.Recipe(weight=-1)
    with pytest.raises(ValueError, match="at least 3"):
        training.Players(9, 0, code=2)
    for loop in (training.train, training.train_autoencoder):
        with pytest.raises(ValueError, match="expected images"):
            next(loop(pair, x[:, 1:], training.Recipe(), 0))
