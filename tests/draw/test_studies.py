"""Laws of `genbook.draw.studies`."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from genbook import draw
from genbook.draw import studies as draw_studies
from genbook.kit import data, studies


@pytest.mark.parametrize("looks", [draw_studies.WHOLE, draw_studies.WINDOW])
def test_the_latent_cost_is_the_divergence_from_the_prior(looks):
    net = draw_studies.build(looks, 8, 0, hidden=12)
    drawing = net(torch.rand(5, 8, 8), torch.Generator().manual_seed(0))
    q = Normal(drawing.means, (drawing.log_variances / 2).exp())
    exact = kl_divergence(q, Normal(0.0, 1.0)).sum((0, 2))
    torch.testing.assert_close(draw.code_length(drawing), exact)
    torch.testing.assert_close(drawing.canvases[-1], drawing.strokes.sum(0))


def test_attention_parameters_do_not_depend_on_the_window_of_the_image():
    net = draw_studies.build(draw_studies.WINDOW, 8, 0, hidden=12)
    found = net.sample(3, torch.Generator().manual_seed(0))
    assert found.written.shape == (draw_studies.WINDOW.glimpses, 3, 5)
    assert found.strokes.isfinite().all()


def test_training_lowers_the_bound():
    images = data.digits("train", device="cpu").images[:200, 0]
    net = draw_studies.build(draw_studies.WHOLE, 8, 0, hidden=32)
    before, _ = draw_studies.bound(net, images, torch.Generator().manual_seed(0))
    for _ in draw_studies.train(net, images, torch.Generator().manual_seed(1), steps=30):
        pass
    assert draw_studies.bound(net, images, torch.Generator().manual_seed(0))[0] < before - 3


def started(looks, size=28):
    return draw_studies.build(looks, size, 0, hidden=12)


def test_only_an_opened_window_hears_of_the_middle_of_the_image():
    image = torch.zeros(1, 28, 28)
    image[:, 10:18, 10:18] = 1.0
    felt = {}
    for looks in (draw_studies.RIM, draw_studies.TWO):
        net = started(looks)
        shown = image.clone().requires_grad_()
        net(shown, torch.Generator().manual_seed(0)).means.square().sum().backward()
        felt[looks.opened] = shown.grad[:, 10:18, 10:18].abs().max().item()
    assert felt[False] < 1e-4 * felt[True]


def test_the_first_canvas_can_begin_as_the_mean_image():
    mean = data.digits("train", device="cpu").images[:, 0].mean(0)
    net = draw_studies.build(draw_studies.WINDOW, 8, 0, hidden=4, mean=mean)
    torch.testing.assert_close(net.begin.sigmoid(), mean.clamp(0.01, 0.99))


def test_the_study_varies_one_thing_at_a_time():
    whole, rim, two, five, eight, four, sixteen = draw_studies.ABLATION
    assert (rim.reads, rim.writes, rim.glimpses) == (two.reads, two.writes, two.glimpses)
    assert (rim.opened, two.opened) == (False, True)
    assert {looks.glimpses for looks in (whole, rim, two, five, eight)} == {8}
    assert (four.glimpses, sixteen.glimpses) == (4, 16)
    assert {(looks.reads, looks.writes) for looks in (four, five, sixteen)} == {(5, 5)}
    assert (eight.reads, eight.writes) == (8, 8)


def test_the_step_size_falls_to_zero_over_the_second_half():
    images = data.digits("train", device="cpu").images[:50, 0]
    net = started(draw_studies.WINDOW, 8)
    seen = []
    for _ in draw_studies.train(net, images, torch.Generator(), steps=40, batch=4):
        seen.append(net.begin.detach().clone())
    moves = [(two - one).abs().max().item() for one, two in pairwise(seen)]
    assert max(moves[-2:]) < 0.2 * max(moves[:10])


def test_the_bound_reports_the_latent_cost_inside_it():
    images = data.digits("test", device="cpu").images[:30, 0]
    nats, latent = draw_studies.bound(
        started(draw_studies.WINDOW, 8), images, torch.Generator().manual_seed(0)
    )
    assert 0 <= latent < nats


def test_gains_are_differences_of_runs_that_differ_in_one_thing():
    known = studies.load("draw_windows")
    rows = [
        {"looks": looks.name, "steps": steps, "seed": seed, "bound": 100.0 * seed - place - steps}
        for seed in (0, 1)
        for place, looks in enumerate(draw_studies.ABLATION)
        for steps in (1, 2)
    ]
    found = draw_studies.gains(studies.StudyResult(**{**vars(known), "rows": tuple(rows)}))
    places = {looks.name: place for place, looks in enumerate(draw_studies.ABLATION)}
    for name, (before, after) in draw_studies.CAUSES.items():
        assert found[name].tolist() == [places[after.name] - places[before.name]] * 2
    assert found["training: 1 → 2 minibatches (8 × 8)"].tolist() == [1.0, 1.0]


def test_coins_of_the_mean_image_cost_their_entropy():
    mean = torch.tensor([[0.5, 0.25], [0.001, 0.999]])
    images = mean.expand(4000, 2, 2)
    found = draw_studies.mean_image_bound(mean, images, torch.Generator().manual_seed(0))
    entropy = torch.distributions.Bernoulli(mean).entropy().sum().item()
    assert found == pytest.approx(entropy, abs=0.03)
