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


def test_training_raises_the_correlation_far_above_chance():
    images = data.digits("train", device="cpu").flat
    pair = training.Players(64, 0, hidden=64)
    *_, last = training.train(pair, images, training.Recipe(steps=400, weight=2.0), 0)
    assert last.terms["correlation"] > 0.5


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
