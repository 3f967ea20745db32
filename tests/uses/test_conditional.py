"""Pages of a class: what is drawn, what it costs, and that training keeps to its class."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from genbook.kit import data
from genbook.kit.device import seeded
from genbook.pixelcnn.likelihood import PixelTraining, nll
from genbook.pixelcnn.networks import GatedPixelCNN
from genbook.pixelcnn.sampling import sample
from genbook.uses import conditional
from genbook.vae.bounds import importance_log_prob
from genbook.vae.models import VAE, prior_log_prob
from genbook.vae.training import TrainConfig

SHORT = TrainConfig(steps=150, batch=20, lr=1e-2, every=150)
PIXELS = PixelTraining(250, 20, 2e-2, None, every=250)


def every(height: int, width: int) -> torch.Tensor:
    return torch.tensor(list(product((0.0, 1.0), repeat=height * width)), dtype=torch.float64)


def random_pixels(classes: int = 3, size: tuple[int, int] = (2, 3)) -> conditional.ClassPixels:
    network = GatedPixelCNN(4, 1, first=3, classes=classes, generator=seeded(0)).double()
    for layer in network.layers:
        layer.shift.data *= 20
    return conditional.ClassPixels(network, size)


def tossing(pushes: tuple[float, ...], size: tuple[int, int]) -> conditional.ClassPixels:
    """A network whose class alone decides: each pixel is a coin of log-odds 4 · tanh(push) − 2."""
    network = GatedPixelCNN(2, 0, first=3, classes=len(pushes), generator=seeded(0)).double()
    for parameter in network.parameters():
        parameter.data.zero_()
    (layer,) = network.layers
    layer.shift.data[:, 4] = torch.tensor(pushes, dtype=torch.float64)  # the side's first value
    for conv in (layer.out, network.head.mix):
        conv.weight.data[0, 0] = 1
    network.head.out.weight.data[1, 0] = 8
    network.head.out.bias.data[1] = -2
    return conditional.ClassPixels(network, size)


def odds(pushes: tuple[float, ...]) -> torch.Tensor:
    return 4 * torch.tensor(pushes, dtype=torch.float64).tanh() - 2


def tossed_vae(bias: float, pixels: int, seed: int = 0) -> VAE:
    """Its decoder never looks at z, and its guess is the prior: its bound is exact."""
    model = VAE(pixels, 2, hidden=(3,), generator=seeded(seed)).double()
    for parameter in model.parameters():
        parameter.data.zero_()
    list(model.decoder)[-1].bias.data.fill_(bias)
    return model


STRIPES = torch.tensor([[1.0, 1, 0, 0], [1.0, 0, 1, 0]])


def striped() -> data.ImageSet:
    """Grey pages of two classes, each with its own dark columns."""
    labels = torch.arange(80) % 2
    grey = 0.3 + 0.1 * torch.rand(80, 1, 4, 4, generator=seeded(4))
    return data.ImageSet("digits", grey + 0.3 * STRIPES[labels][:, None, None], labels)


def test_each_class_tosses_its_own_coin():
    pushes = (0.0, 0.5, 2.0)
    own, chances = tossing(pushes, (3, 5)), odds(pushes).sigmoid()
    for label, chance in enumerate(chances):
        pages = own.draw(label, 2_000, seeded(label))
        assert pages.shape == (2_000, 15)
        assert set(pages.unique().tolist()) == {0.0, 1.0}
        assert abs(pages.mean() - chance) < 4 * 0.5 / 30_000**0.5


def test_a_page_costs_what_the_classes_coins_say():
    pushes = (0.0, 0.5, 2.0)
    own, pages = tossing(pushes, (2, 3)), every(2, 3)
    inked = pages.sum(1, keepdim=True)
    chance = odds(pushes).sigmoid()
    wanted = -(inked * chance.log() + (6 - inked) * (1 - chance).log())
    assert torch.allclose(own.nats(pages), wanted, atol=1e-12)


def test_the_chances_of_all_pages_add_up_to_one_for_each_class():
    own = random_pixels()
    chances = (-own.nats(every(2, 3))).exp()
    assert torch.allclose(chances.sum(0), torch.ones(3).double(), atol=1e-12)
    assert (chances[:, 0] - chances[:, 1]).abs().max() > 1e-3


def test_what_is_drawn_has_the_priced_chances():
    own = random_pixels(size=(2, 2))
    for label in range(3):
        pages = own.draw(label, 20_000, seeded(5))
        number = (pages @ torch.tensor([8.0, 4, 2, 1]).double()).long()
        shares = torch.bincount(number, minlength=16) / 20_000
        wanted = (-own.nats(every(2, 2))).exp()[:, label]
        assert (shares - wanted).abs().max() < 4 * 0.5 / 20_000**0.5


def test_with_one_class_that_shifts_nothing_it_is_the_plain_model():
    own = random_pixels(classes=1)
    for layer in own.network.layers:
        layer.shift.data.zero_()
    plain = GatedPixelCNN(4, 1, first=3, generator=seeded(1)).double()
    plain.load_state_dict({k: v for k, v in own.network.state_dict().items() if "shift" not in k})
    drawn = sample(plain, 50, (2, 3), seeded(2)).flatten(1)
    assert torch.equal(own.draw(0, 50, seeded(2)), drawn)
    costs = nll(plain, every(2, 3).view(-1, 1, 2, 3))
    assert torch.allclose(own.nats(every(2, 3))[:, 0], costs, atol=1e-12)


def test_one_class_of_vaes_is_the_vae():
    model = VAE(6, 2, hidden=(5,), generator=seeded(0))
    own, pages = conditional.ClassVAEs((model,)), every(2, 3).float()
    assert torch.equal(own.chances(0, 9, seeded(1)), model.sample(9, seeded(1)))
    wanted = importance_log_prob(model, pages, samples=7, generator=seeded(2))
    assert torch.equal(own.nats(pages, samples=7, generator=seeded(2))[:, 0], -wanted)


def test_each_vae_tosses_and_prices_by_its_own_chances():
    biases = (-1.0, 0.5, 2.0)
    own = conditional.ClassVAEs(tuple(tossed_vae(bias, 6) for bias in biases))
    pages = every(2, 3)
    inked = pages.sum(1, keepdim=True)
    chance = torch.tensor(biases, dtype=torch.float64).sigmoid()
    wanted = -(inked * chance.log() + (6 - inked) * (1 - chance).log())
    found = own.nats(pages, samples=3, generator=seeded(0))
    assert torch.allclose(found, wanted, atol=1e-12)
    for label, c in enumerate(chance):
        assert torch.allclose(own.chances(label, 2, seeded(1)), c.expand(2, 6))
        drawn = own.draw(label, 4_000, seeded(2))
        assert set(drawn.unique().tolist()) == {0.0, 1.0}
        assert abs(drawn.mean() - c) < 4 * 0.5 / 24_000**0.5


def test_coins_of_a_page_fall_by_the_pages_own_chances():
    model = VAE(6, 2, hidden=(5,), generator=seeded(3))
    for parameter in model.parameters():
        parameter.data *= 3
    own = conditional.ClassVAEs((model,))
    chances, drawn = own.chances(0, 20_000, seeded(4)), own.draw(0, 20_000, seeded(4))
    moved = chances - chances.mean(0)
    slope = ((drawn - drawn.mean(0)) * moved).sum(0) / moved.square().sum(0)
    assert torch.allclose(slope, torch.ones(6), atol=0.15)


def test_a_vaes_price_is_the_integral_over_codes():
    models = tuple(VAE(3, 1, hidden=(4,), generator=seeded(k)).double() for k in range(2))
    pages, z = every(1, 3), torch.linspace(-9, 9, 4_001, dtype=torch.float64)[:, None]
    for model in models:
        for parameter in model.encoder.parameters():
            parameter.data.zero_()  # the guess is the prior: no weight is far from the others
    found = conditional.ClassVAEs(models).nats(pages, samples=4_000, generator=seeded(9))
    for k, model in enumerate(models):
        joint = model.log_likelihood(pages[:, None], z.expand(8, -1, 1)) + prior_log_prob(z)
        exact = torch.trapezoid(joint.exp(), z[:, 0])
        assert exact.sum().item() == pytest.approx(1, abs=1e-9)
        assert torch.allclose(found[:, k], -exact.log(), atol=0.03)


@pytest.mark.parametrize("kind", ["VAEs", "PixelCNN"])
def test_each_class_learns_its_own_thresholded_pages(kind):
    images = striped()
    if kind == "VAEs":
        own = conditional.vae_by_class(images, SHORT, seeded(0), code=2, hidden=(16,), classes=2)
        assert len(own.models) == 2
    else:
        own = conditional.pixelcnn_by_class(
            images, PIXELS, seeded(0), channels=6, depth=1, classes=2
        )
        assert own.size == (4, 4)
    for label in range(2):
        columns = own.draw(label, 200, seeded(1)).view(-1, 4, 4).mean((0, 1))
        assert (columns - STRIPES[label]).abs().max() < 0.1


@pytest.mark.parametrize("kind", ["VAEs", "PixelCNN"])
def test_one_seed_is_one_model_and_the_global_stream_is_left_alone(kind):
    images = striped()
    short = TrainConfig(steps=3, batch=8, every=3), PixelTraining(3, 8, 1e-2, None, every=3)

    def learn(seed):
        if kind == "VAEs":
            return conditional.vae_by_class(images, short[0], seeded(seed), classes=2)
        return conditional.pixelcnn_by_class(images, short[1], seeded(seed), classes=2)

    before = torch.get_rng_state()
    first, again, other = (learn(seed).draw(1, 30, seeded(7)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, learn(0).draw(1, 30, seeded(8)))


def test_no_draw_without_a_generator():
    for own in (random_pixels(), conditional.ClassVAEs((tossed_vae(0.0, 6),))):
        with pytest.raises(TypeError, match="generator"):
            own.draw(0, 2)


def test_bad_input_is_refused():
    images = striped()
    with pytest.raises(ValueError, match=r"3 classes, got none of \[2\]"):
        conditional.vae_by_class(images, SHORT, seeded(0), classes=3)
    with pytest.raises(ValueError, match=r"3 classes, got none of \[2\]"):
        conditional.pixelcnn_by_class(images, PIXELS, seeded(0), classes=3)
    for wrong in ({"classes": 0}, {"classes": 2, "levels": 3}, {"classes": 2, "colours": 3}):
        network = GatedPixelCNN(6, 0, generator=seeded(0), **wrong)
        with pytest.raises(ValueError, match="classes, two levels and one colour"):
            conditional.ClassPixels(network, (4, 4))
    with pytest.raises(ValueError, match="levels"):
        random_pixels().nats(torch.full((1, 6), 0.4, dtype=torch.float64))
