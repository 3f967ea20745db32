"""Laws of `genbook.draw.network`."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal

from genbook import draw
from genbook.draw import studies
from genbook.kit.device import seeded


def number(value):
    return torch.tensor(value, dtype=torch.float64)


def some_window(gain=1.7):
    return draw.Window(number(5.2), number(3.1), number(1.3), number(0.8), number(gain))


def test_bad_input_to_draw_is_refused():
    with pytest.raises(ValueError, match="five numbers"):
        draw.window(torch.zeros(4), 8, 2)
    with pytest.raises(ValueError, match="variances > 0"):
        draw.filter_bank(number(1.0), number(1.0), number(0.0), 2, 8)
    with pytest.raises(ValueError, match="square images"):
        draw.read(torch.zeros(3, 4), some_window(), 2)
    with pytest.raises(ValueError, match="square patches"):
        draw.write(torch.zeros(3, 4), some_window(), 8)
    with pytest.raises(ValueError, match="both windows"):
        draw.DRAW(8, reads=2)
    with pytest.raises(ValueError, match="expected images"):
        next(studies.train(draw.DRAW(8), torch.zeros(2, 7, 7), torch.Generator(), steps=1))
    drawing = draw.DRAW(8, steps=1, hidden=4)(torch.zeros(2, 8, 8), torch.Generator())
    with pytest.raises(ValueError, match="expected images"):
        draw.negative_bound(drawing, torch.zeros(2, 7, 8))


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


@pytest.mark.parametrize("windows", [{"reads": 0, "writes": 0}, {"reads": 2}, {"writes": -1}])
def test_a_window_has_at_least_one_filter_or_there_is_none(windows):
    with pytest.raises(ValueError, match="both windows or neither"):
        draw.DRAW(8, **windows)


def small(**settings):
    """A DRAW in double precision whose weights and first canvas are large enough to matter."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        net = draw.DRAW(5, **{"hidden": 6, "latent": 2, "steps": 3, **settings}).double()
        with torch.no_grad():
            for weights in net.parameters():
                weights.mul_(2)
            net.begin.normal_()
    return net


WINDOWS = [{}, {"reads": 2, "writes": 3}]


def lstm(cell, given, state):
    """One step of an LSTM with gates i, f, g, o, from its weights."""
    h, c = state
    gates = given @ cell.weight_ih.T + cell.bias_ih + h @ cell.weight_hh.T + cell.bias_hh
    i, f, g, o = gates.chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def banks(raw, size, patch):
    """Both filter banks and the gain of one window, pixel by pixel."""
    gx, gy, log_variance, log_stride, log_gain = raw.tolist()
    stride = (size - 1) / (patch - 1) * math.exp(log_stride)
    made = []
    for g in (gy, gx):
        middle = (size + 1) / 2 * (g + 1)
        rows = []
        for i in range(1, patch + 1):
            mu = middle + (i - patch / 2 - 0.5) * stride
            row = [
                math.exp(-((a - mu) ** 2) / 2 / math.exp(log_variance)) for a in range(1, size + 1)
            ]
            rows.append([weight / sum(row) for weight in row])
        made.append(torch.tensor(rows, dtype=torch.float64))
    return *made, math.exp(log_gain)


def by_hand(net, image, noise):
    """The paper's loop for one image: canvas, latent cost."""
    size, zeros = net.size, torch.zeros(1, 6, dtype=torch.float64)
    encoder, decoder, canvas, cost = (zeros, zeros), (zeros, zeros), net.begin, 0.0
    for now in noise:
        views = [image, image - 1 / (1 + (-canvas).exp())]
        if net.reads:
            down, across, gain = banks(net.to_read(decoder[0])[0], size, net.reads)
            views = [gain * (down @ view @ across.T) for view in views]
        seen = torch.cat([view.flatten() for view in views])[None]
        encoder = lstm(net.encoder, torch.cat([seen, decoder[0]], 1), encoder)
        code = net.to_code(encoder[0])[0]
        mean, log_variance = code[: net.latent], code[net.latent :]
        for m, v in zip(mean.tolist(), log_variance.exp().tolist(), strict=True):
            cost += (m * m + v - math.log(v) - 1) / 2
        decoder = lstm(net.decoder, (mean + log_variance.exp().sqrt() * now)[None], decoder)
        patch = net.to_patch(decoder[0])[0]
        if net.writes:
            down, across, gain = banks(net.to_write(decoder[0])[0], size, net.writes)
            canvas = canvas + down.T @ patch.view(net.writes, -1) @ across / gain
        else:
            canvas = canvas + patch.view(size, size)
    return canvas, cost


@pytest.mark.parametrize("windows", WINDOWS)
def test_the_network_is_the_papers_loop(windows):
    net, noise = small(**windows), torch.randn(3, 2, 2, generator=seeded(1), dtype=torch.float64)
    images = torch.rand(2, 5, 5, generator=seeded(2), dtype=torch.float64).round()
    with torch.no_grad():
        drawing = net.redraw(images, noise)
        bounds, costs = draw.negative_bound(drawing, images), draw.code_length(drawing)
        for place, image in enumerate(images):
            canvas, cost = by_hand(net, image, noise[:, place])
            torch.testing.assert_close(drawing.canvases[-1, place], canvas)
            assert costs[place].item() == pytest.approx(cost, rel=1e-9)
            pixels = -Bernoulli(logits=canvas).log_prob(image).sum()
            torch.testing.assert_close(bounds[place], pixels + cost)


@pytest.mark.parametrize("windows", WINDOWS)
def test_noise_of_a_generator_is_noise_that_is_given_a_step_at_a_time(windows):
    net, numbers = small(**windows), seeded(4)
    noise = torch.stack(
        [torch.randn(7, 2, generator=numbers, dtype=torch.float64) for _ in range(3)]
    )
    images = torch.rand(7, 5, 5, dtype=torch.float64)
    torch.testing.assert_close(net(images, seeded(4)).strokes, net.redraw(images, noise).strokes)
    torch.testing.assert_close(net.sample(7, seeded(4)).strokes, net.paint(noise).strokes)


@pytest.mark.parametrize("windows", WINDOWS)
def test_the_codes_that_were_drawn_give_the_same_drawing_without_the_image(windows):
    net, noise = small(**windows), torch.randn(3, 4, 2, dtype=torch.float64)
    seen = net.redraw(torch.rand(4, 5, 5, dtype=torch.float64), noise)
    codes = seen.means + (seen.log_variances / 2).exp() * noise
    torch.testing.assert_close(net.paint(codes).canvases, seen.canvases)
    torch.testing.assert_close(net.paint(codes).written, seen.written)


def test_a_canvas_is_the_first_one_and_the_strokes_so_far():
    net = small(reads=2, writes=3)
    with torch.no_grad():
        net.to_patch.weight.zero_()
        net.to_patch.bias.zero_()
        nothing = net.sample(2, seeded(0))
        assert not nothing.strokes.any()
        torch.testing.assert_close(nothing.canvases, net.begin.expand(3, 2, 5, 5))
        drawn = small(reads=2, writes=3).sample(2, seeded(0))
    grown = drawn.canvases[1:] - drawn.canvases[:-1]
    torch.testing.assert_close(grown, drawn.strokes[1:])
    torch.testing.assert_close(drawn.canvases[0] - drawn.start, drawn.strokes[0])


@pytest.mark.parametrize("windows", WINDOWS)
def test_the_mean_loss_is_minus_log_p_and_the_divergence_from_the_posterior(windows):
    """By quadrature over the codes of a DRAW of two steps and one unit."""
    net, side = small(steps=2, latent=1, **windows), 48
    image = torch.rand(5, 5, generator=seeded(3), dtype=torch.float64).round()
    nodes, masses = map(torch.from_numpy, np.polynomial.hermite_e.hermegauss(side))
    masses = (masses[:, None] * masses).flatten() / masses.sum() ** 2
    noise = torch.stack([nodes.repeat_interleave(side), nodes.repeat(side)])[..., None]
    images, normal = image.expand(side**2, 5, 5), Normal(0.0, 1.0)

    def pixels(drawing):
        return Bernoulli(logits=drawing.canvases[-1]).log_prob(images).sum((1, 2))

    with torch.no_grad():
        evidence = (masses.log() + pixels(net.paint(noise))).logsumexp(0)
        drawing = net.redraw(images, noise)
        loss = masses @ draw.negative_bound(drawing, images)
        codes = drawing.means + (drawing.log_variances / 2).exp() * noise
        log_q = (normal.log_prob(noise) - drawing.log_variances / 2).sum((0, 2))
        joint = pixels(drawing) + normal.log_prob(codes).sum((0, 2))
    gap = masses @ (log_q - (joint - evidence))
    assert gap > 0.05
    torch.testing.assert_close(loss, gap - evidence, rtol=0, atol=1e-6)
    torch.testing.assert_close(
        (masses.log() + joint - log_q).logsumexp(0), evidence, rtol=0, atol=1e-4
    )


@pytest.mark.parametrize(("size", "patch", "share"), [(28, 2, 0.35), (9, 5, 0.8), (12, 1, 0.5)])
def test_windows_open_at_the_formula(size, patch, share):
    net = draw.DRAW(size, steps=1, hidden=4, latent=2, reads=patch, writes=patch)
    before = net.to_read.weight.clone(), net.to_write.weight.clone()
    draw.open_windows(net, share)
    stride = share * (size - 1) / max(patch - 1, 1)
    for line, gain in ((net.to_read, 1.0), (net.to_write, stride**-2)):
        where = draw.window(line.bias.detach().double(), size, patch)
        middle = (size + 1) / 2
        assert where.x.item() == where.y.item() == middle
        assert where.variance.item() == pytest.approx((stride / 2) ** 2, rel=1e-5)
        assert where.gain.item() == pytest.approx(gain, rel=1e-5)
        if patch > 1:
            assert where.stride.item() == pytest.approx(stride, rel=1e-5)
    torch.testing.assert_close(net.to_read.weight, 0.1 * before[0])
    torch.testing.assert_close(net.to_write.weight, 0.1 * before[1])


def test_the_forget_gates_alone_begin_open():
    net = draw.DRAW(8, hidden=6)
    for cell in (net.encoder, net.decoder):
        gates = cell.bias_ih.view(4, 6)
        assert torch.equal(gates[1], torch.ones(6))
        assert gates[[0, 2, 3]].abs().max() < 0.5


def test_a_loss_in_single_precision_is_that_of_its_own_canvas():
    drawing = draw.DRAW(8, steps=2, hidden=4)(torch.zeros(3, 8, 8), seeded(0))
    image = torch.rand(3, 8, 8).round()
    p = drawing.canvases[-1].sigmoid()
    pixels = -(image * p.log() + (1 - image) * (1 - p).log()).sum((1, 2))
    found = draw.negative_bound(drawing, image)
    torch.testing.assert_close(found, pixels + draw.code_length(drawing))
