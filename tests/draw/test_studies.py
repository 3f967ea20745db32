"""Laws of `genbook.draw.studies`."""

from __future__ import annotations

import inspect
import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from genbook import draw
from genbook.draw import studies as draw_studies
from genbook.kit import data, studies
from genbook.kit.device import seeded


@pytest.mark.parametrize("looks", [draw_studies.WHOLE, draw_studies.WINDOW])
def test_the_latent_cost_is_the_divergence_from_the_prior(looks):
    net = draw_studies.build(looks, 8, 0, hidden=12)
    drawing = net(torch.rand(5, 8, 8), torch.Generator().manual_seed(0))
    q = Normal(drawing.means, (drawing.log_variances / 2).exp())
    exact = kl_divergence(q, Normal(0.0, 1.0)).sum((0, 2))
    torch.testing.assert_close(draw.code_length(drawing), exact)


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


def looking(net, raw):
    """The network with a reading window that stands still."""
    with torch.no_grad():
        net.to_read.weight.zero_()
        net.to_read.bias.copy_(torch.tensor(raw))
    return net


def test_sight_tells_where_the_window_stands_and_how_much_it_tells():
    net = looking(started(draw_studies.TWO), [0.0, 0.0, -6.0, 0.0, 0.7])
    corners = torch.zeros(400, 28, 28)
    corners[::2, 0, 0] = 1
    found = draw_studies.sight(net, corners, seeded(0))
    assert found["stride"] == pytest.approx(27.0)
    assert found["outside"] == 0
    deviation = math.sqrt(0.25 * 400 / 399)
    assert found["spread"] == pytest.approx(deviation / 4, rel=1e-5)
    away = draw_studies.sight(looking(net, [0.9, 0.0, 0.0, 0.0, 0.0]), corners, seeded(0))
    assert away["outside"] == 0.5
    wide = draw_studies.sight(looking(net, [0.0, 0.0, 0.0, 0.1, 0.0]), corners, seeded(0))
    assert (wide["outside"], wide["stride"]) == (1, pytest.approx(27 * math.exp(0.1)))
    low = draw_studies.sight(looking(net, [0.0, -0.9, 0.0, -0.5, 0.0]), corners, seeded(0))
    assert low["outside"] == 0.5
    with pytest.raises(ValueError, match="DRAW with windows"):
        draw_studies.sight(started(draw_studies.WHOLE), corners, seeded(0))


def test_sight_looks_at_the_last_glimpse_for_the_window_and_at_all_for_the_spread():
    net = looking(started(draw_studies.TWO), [0.0, 0.0, 0.0, -1.0, 0.0])
    images, numbers = torch.rand(5, 28, 28, generator=seeded(1)).round(), seeded(0)
    torch.bernoulli(images, generator=numbers)
    with torch.no_grad():
        net.to_read.weight[3] = 3.0
        drawing = net(images, numbers)
    stride = draw.window(drawing.read, 28, 2).stride
    assert stride[-1].mean() != pytest.approx(stride.mean().item(), rel=0.05)
    found = draw_studies.sight(net, images, seeded(0))
    assert found["stride"] == pytest.approx(stride[-1].mean().item(), rel=1e-5)
    means = []
    for step in drawing.read:
        banks = [
            draw.filter_bank(where, w.stride, w.variance, 2, 28)
            for w in (draw.window(step, 28, 2),)
            for where in (w.y, w.x)
        ]
        seen = torch.einsum("bir,brc,bjc->bij", banks[0], images, banks[1])
        means.append(seen.std(0).mean().item())
    assert found["spread"] == pytest.approx(sum(means) / len(means), rel=1e-4)


def test_the_bound_is_the_mean_over_all_images_however_they_are_split():
    net = started(draw_studies.WINDOW, 8)
    with torch.no_grad():
        net.to_code.weight.zero_()
        net.to_code.bias.copy_(torch.tensor([0.5] * 8 + [-60.0] * 8))
    images = torch.rand(730, 8, 8, generator=seeded(1)).round()
    nats, latent = draw_studies.bound(net, images, seeded(0))
    with torch.no_grad():
        drawing = net.redraw(images, torch.zeros(8, 730, 8))
        alone = draw.negative_bound(drawing, images)
    assert nats == pytest.approx(alone.mean().item(), rel=1e-5)
    assert latent == pytest.approx(8 * 8 * 0.5 * (0.25 + 60 - 1), rel=1e-5)


def test_the_bounds_coins_are_those_of_the_mean_image():
    """A DRAW that paints nothing and says nothing costs what its first canvas costs."""
    images = torch.rand(900, 8, 8, generator=seeded(1))
    mean = images.mean(0)
    net = draw_studies.build(draw_studies.WINDOW, 8, 0, hidden=4, mean=mean)
    with torch.no_grad():
        for layer in (net.to_code, net.to_patch):
            layer.weight.zero_()
            layer.bias.zero_()
    nats, latent = draw_studies.bound(net, images, seeded(3))
    assert latent == 0
    assert nats == pytest.approx(draw_studies.mean_image_bound(mean, images, seeded(3)), rel=1e-5)


def test_training_shows_coins_of_the_images_and_new_ones_each_time(monkeypatch):
    net, seen = started(draw_studies.WHOLE, 8), []
    monkeypatch.setattr(
        draw_studies, "negative_bound", lambda d, x: (seen.append(x), draw.negative_bound(d, x))[1]
    )
    list(draw_studies.train(net, torch.full((4, 8, 8), 0.25), seeded(0), steps=20, batch=32))
    shown = torch.stack(seen)
    assert shown.shape == (20, 32, 8, 8)
    assert set(shown.unique().tolist()) == {0.0, 1.0}
    assert shown.mean().item() == pytest.approx(0.25, abs=0.01)
    assert shown.flatten(0, 1).unique(dim=0).shape[0] == 640


def test_the_step_size_is_whole_over_the_first_half(monkeypatch):
    rates = []

    class Watched(torch.optim.Adam):
        def step(self, *given):
            rates.append((self.param_groups[0]["lr"], self.param_groups[0]["betas"]))
            return super().step(*given)

    monkeypatch.setattr(torch.optim, "Adam", Watched)
    net = started(draw_studies.WINDOW, 8)
    list(draw_studies.train(net, torch.rand(4, 8, 8), seeded(0), steps=8, batch=2))
    wanted = [5e-3] * 5 + [5e-3 * share for share in (0.75, 0.5, 0.25)]
    assert [rate for rate, _ in rates] == pytest.approx(wanted)
    assert {betas for _, betas in rates} == {(0.5, 0.999)}


def test_gradients_are_clipped_to_the_norm_of_the_record(monkeypatch):
    norms = []
    clip = torch.nn.utils.clip_grad_norm_
    monkeypatch.setattr(
        torch.nn.utils,
        "clip_grad_norm_",
        lambda given, most: norms.append(most) or clip(given, most),
    )
    list(
        draw_studies.train(started(draw_studies.WINDOW, 8), torch.rand(4, 8, 8), seeded(0), steps=1)
    )
    assert norms == [5.0]


def test_the_records_settings_are_the_codes():
    windows = draw_studies.STUDIES[0]
    build = inspect.signature(draw_studies.build).parameters
    train = inspect.signature(draw_studies.train).parameters
    net = draw_studies.build(draw_studies.WHOLE, 28, 0)
    assert build["hidden"].default == net.encoder.hidden_size == 96
    assert (net.latent, net.steps) == (8, 8)
    assert "LSTMs of 96, z 8 a glimpse, 8 glimpses" in windows.config["model"]
    assert (train["lr"].default, train["batch"].default) == (5e-3, 64)
    assert windows.seeds == (0, 1, 2)
    assert draw_studies.MILESTONES[-1] == 800


def test_runs_of_one_seed_begin_alike_whatever_was_drawn_before():
    torch.manual_seed(0)
    one = draw_studies.build(draw_studies.FIVE, 8, 3)
    torch.rand(5)
    other = draw_studies.build(draw_studies.FIVE, 8, 3)
    third = draw_studies.build(draw_studies.FIVE, 8, 4)
    assert all(map(torch.equal, one.parameters(), other.parameters()))
    assert not torch.equal(one.to_code.weight, third.to_code.weight)
    rim, two = (draw_studies.build(looks, 28, 0) for looks in (draw_studies.RIM, draw_studies.TWO))
    same = {n for n, w in rim.named_parameters() if torch.equal(w, dict(two.named_parameters())[n])}
    assert {n for n, _ in rim.named_parameters()} - same == {
        "to_read.weight", "to_read.bias", "to_write.weight", "to_write.bias",
    }  # fmt: skip


@pytest.mark.parametrize("study", draw_studies.STUDIES, ids=lambda study: study.name)
def test_a_slice_of_each_study_has_the_columns_of_its_record(study, monkeypatch):
    monkeypatch.setattr(draw_studies, "ABLATION", draw_studies.ABLATION[:2])
    monkeypatch.setattr(draw_studies, "WINDOW", replace(draw_studies.WINDOW, glimpses=2))
    rows = list(study.run(slice=True, **({"seed": 0} if study.by_seed else {})))
    kept = studies.load(study.name)
    for looks in {row["looks"] for row in rows}:
        mine = [row for row in rows if row["looks"] == looks]
        theirs = [set(row) for row in kept.rows if row["looks"] == looks]
        assert all(set(row) in theirs for row in mine), looks
    assert all(row["dataset"] == "digits" for row in rows)


def test_the_records_of_the_mean_image_agree_on_the_first_test_images():
    first, whole = studies.load("draw_windows"), studies.load("draw_test_set")
    (same,) = whole.column("bound", images=2_000)
    for bound in first.column("bound", looks=draw_studies.MEAN):
        assert bound == pytest.approx(same, rel=1e-5)
    assert [row["images"] for row in whole.rows] == [2_000, 10_000]
