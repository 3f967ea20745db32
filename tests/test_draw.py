"""Where DRAW's windows begin: blind on the rim, or open; what the recorded comparison trains."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from genbook import draw, draw_training
from genbook.kit import data, studies


def started(looks, size=28):
    return draw_training.build(looks, size, 0, hidden=12)


def test_at_zeros_a_window_of_two_by_two_reads_the_four_corners():
    where = draw.window(torch.zeros(5), 28, 2)
    bank = draw.filter_bank(where.x, where.stride, where.variance, 2, 28)
    assert bank.argmax(-1).tolist() == [0, 27]
    assert bank[:, 7:21].max() < 1e-9


@pytest.mark.parametrize("patch", [2, 5, 8])
def test_an_opened_window_sees_every_pixel_between_its_outermost_filters(patch):
    net = draw.DRAW(28, steps=1, hidden=4, latent=2, reads=patch, writes=patch)
    draw.open_windows(net, 0.5)
    where = draw.window(net.to_read.bias.detach(), 28, patch)
    bank = draw.filter_bank(where.x, where.stride, where.variance, patch, 28)
    inside = bank.sum(0)[8:20]
    assert inside.min() > 0.85 * inside.max()


@pytest.mark.parametrize("patch", [5, 8])
def test_an_opened_window_writes_ones_as_about_one_in_log_odds(patch):
    net = draw.DRAW(28, steps=1, hidden=4, latent=2, reads=patch, writes=patch)
    draw.open_windows(net, 0.5)
    where = draw.window(net.to_write.bias.detach(), 28, patch)
    ink = draw.write(torch.ones(patch, patch), where, 28)
    torch.testing.assert_close(ink[13:15, 13:15], torch.ones(2, 2), rtol=0, atol=0.15)


def test_opening_changes_nothing_but_the_windows():
    plain, opened = draw.DRAW(8, reads=2, writes=3), draw.DRAW(8, reads=2, writes=3)
    opened.load_state_dict(plain.state_dict())
    draw.open_windows(opened)
    changed = {
        name
        for (name, one), two in zip(plain.named_parameters(), opened.parameters(), strict=True)
        if not torch.equal(one, two)
    }
    assert changed == {
        "to_read.weight",
        "to_read.bias",
        "to_write.weight",
        "to_write.bias",
    }
    with pytest.raises(ValueError, match="share"):
        draw.open_windows(opened, 1.5)


def test_a_drawing_without_windows_has_none_to_open():
    net = draw.DRAW(8)
    before = [part.clone() for part in net.parameters()]
    draw.open_windows(net)
    assert all(map(torch.equal, before, net.parameters()))


def test_only_an_opened_window_hears_of_the_middle_of_the_image():
    image = torch.zeros(1, 28, 28)
    image[:, 10:18, 10:18] = 1.0
    felt = {}
    for looks in (draw_training.RIM, draw_training.TWO):
        net = started(looks)
        shown = image.clone().requires_grad_()
        net(shown, torch.Generator().manual_seed(0)).means.square().sum().backward()
        felt[looks.opened] = shown.grad[:, 10:18, 10:18].abs().max().item()
    assert felt[False] < 1e-4 * felt[True]


def test_the_first_canvas_can_begin_as_the_mean_image():
    mean = data.digits("train", device="cpu").images[:, 0].mean(0)
    net = draw_training.build(draw_training.WINDOW, 8, 0, hidden=4, mean=mean)
    torch.testing.assert_close(net.begin.sigmoid(), mean.clamp(0.01, 0.99))


def test_the_study_varies_one_thing_at_a_time():
    whole, rim, two, five, eight, four, sixteen = draw_training.ABLATION
    assert (rim.reads, rim.writes, rim.glimpses) == (two.reads, two.writes, two.glimpses)
    assert (rim.opened, two.opened) == (False, True)
    assert {looks.glimpses for looks in (whole, rim, two, five, eight)} == {8}
    assert (four.glimpses, sixteen.glimpses) == (4, 16)
    assert {(looks.reads, looks.writes) for looks in (four, five, sixteen)} == {(5, 5)}
    assert (eight.reads, eight.writes) == (8, 8)


def test_the_step_size_falls_to_zero_over_the_second_half():
    images = data.digits("train", device="cpu").images[:50, 0]
    net = started(draw_training.WINDOW, 8)
    seen = []
    for _ in draw_training.train(net, images, torch.Generator(), steps=40, batch=4):
        seen.append(net.begin.detach().clone())
    moves = [(two - one).abs().max().item() for one, two in pairwise(seen)]
    assert max(moves[-2:]) < 0.2 * max(moves[:10])


def test_the_bound_reports_the_latent_cost_inside_it():
    images = data.digits("test", device="cpu").images[:30, 0]
    nats, latent = draw_training.bound(
        started(draw_training.WINDOW, 8), images, torch.Generator().manual_seed(0)
    )
    assert 0 <= latent < nats


def test_gains_are_differences_of_runs_that_differ_in_one_thing():
    known = studies.load("gran_draw")
    rows = [
        {"looks": looks.name, "steps": steps, "seed": seed, "bound": 100.0 * seed - place - steps}
        for seed in (0, 1)
        for place, looks in enumerate(draw_training.ABLATION)
        for steps in (1, 2)
    ]
    found = draw_training.gains(studies.StudyResult(**{**vars(known), "rows": tuple(rows)}))
    places = {looks.name: place for place, looks in enumerate(draw_training.ABLATION)}
    for name, (before, after) in draw_training.CAUSES.items():
        assert found[name].tolist() == [places[after.name] - places[before.name]] * 2
    assert found["training: 1 → 2 minibatches (8 × 8)"].tolist() == [1.0, 1.0]


def test_coins_of_the_mean_image_cost_their_entropy():
    mean = torch.tensor([[0.5, 0.25], [0.001, 0.999]])
    images = mean.expand(4000, 2, 2)
    found = draw_training.mean_image_bound(mean, images, torch.Generator().manual_seed(0))
    entropy = torch.distributions.Bernoulli(mean).entropy().sum().item()
    assert found == pytest.approx(entropy, abs=0.03)
