"""Drawings of the chapter: they say what they show."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.adversarial import attacks, figures, linear, networks
from genbook.kit.device import seeded


@pytest.mark.parametrize("kind", figures.KINDS)
def test_the_label_tells_what_the_judge_reads(kind):
    judge = linear.Linear(torch.tensor([1.0, -2.0, 0.5, 1.0]).double(), torch.tensor(0.1).double())
    x = torch.tensor([[0.5, 0.1, 0.2, 0.9]]).double()
    options = {"which": 0, "epsilon": 0.3, "kind": kind}
    figure = figures.pushed(judge, x, torch.ones(1).double(), (2, 2), **options)
    assert figure.get_label().endswith(("read as 7", "read as 3"))
    if kind == figures.KINDS[0]:
        was, fall = float(judge.logit(x)[0]), 0.3 * 4.5
        assert f"from {was:.2f} to {was - fall:.2f}" in figure.get_label().replace("−", "-")


def test_signs_on_one_pixel_and_on_many():
    def wrong(doublings):
        label = figures.dimensions(doublings, 0.25).get_label()
        return float(label.split(": ")[1].split("%")[0])

    assert wrong(0) == pytest.approx(100 * 0.5 * math.erfc(2.75 / math.sqrt(2)), abs=0.06)
    assert wrong(12) > 99.9


def test_the_walk_ends_where_the_signed_step_does():
    net = networks.Classifier([16, 8, 10], 0)
    x, label = torch.rand(1, 16, generator=torch.Generator().manual_seed(0)), torch.tensor([3])
    chance = net(attacks.sign_step(net.loss(label), x, 0.2)).softmax(1)[0, 3].item()
    assert (
        figures.walk(net, x, label, (4, 4), 0.2).get_label().endswith(f"a chance of {chance:.2f}")
    )


def pixels(axes):
    return torch.as_tensor(axes.images[0].get_array().data).double()


def drawn(line):
    return [torch.as_tensor(values).double() for values in line.get_data()]


@pytest.mark.parametrize(("which", "side"), [(0, 1.0), (1, -1.0)])
@pytest.mark.parametrize("kind", figures.KINDS)
def test_the_change_the_image_and_the_logit_are_those_of_the_attack(kind, which, side):
    judge = linear.Linear(torch.tensor([1.0, -2.0, 0.5, 1.0]).double(), torch.tensor(0.1).double())
    x = torch.tensor([[0.5, 0.1, 0.2, 0.9], [0.1, 0.9, 0.3, 0.2]]).double()
    sides = torch.tensor([1.0, -1.0]).double()
    options = {"which": which, "epsilon": 0.3, "kind": kind}
    figure = figures.pushed(judge, x, sides, (2, 2), **options)
    left, middle, right = figure.axes
    change = pixels(left).flatten()
    if kind == figures.KINDS[0]:
        torch.testing.assert_close(change, -0.3 * side * judge.weight.sign())
    torch.testing.assert_close(change.abs(), torch.full((4,), 0.3).double())
    moved = x[which] + change
    shown = pixels(middle).reshape(2, 2, -1)[..., 0].flatten()
    torch.testing.assert_close(shown, moved.clamp(0, 1), atol=1e-6, rtol=0)
    places = {line.get_label(): float(line.get_xdata()[0]) for line in right.lines}
    assert places["clean"] == pytest.approx(float(judge.logit(x[which])))
    assert places["moved"] == pytest.approx(float(judge.logit(moved)))
    assert middle.get_title(loc="left") == f"read as {7 if judge.logit(moved) > 0 else 3}"


@pytest.mark.parametrize(("doublings", "epsilon"), [(0, 0.0), (4, 0.25), (12, 0.25), (10, 0.1)])
def test_the_curves_of_dimensions_are_normal_with_the_falls_of_the_theorems(doublings, epsilon):
    d = 2**doublings
    left, right = figures.dimensions(doublings, epsilon).axes
    weight = torch.full((d,), d**-0.5).double()
    laws = {
        "clean": torch.distributions.Normal(3.0, 1.0),
        "coins": torch.distributions.Normal(3.0, (1 + (epsilon * weight.norm()) ** 2) ** 0.5),
        "signs": torch.distributions.Normal(3.0 - epsilon * weight.abs().sum(), 1.0),
    }
    for line in left.lines[:3]:
        x, height = drawn(line)
        law = laws[line.get_label()]
        torch.testing.assert_close(height, law.log_prob(x).exp(), atol=1e-9, rtol=0)
        assert (float(x[0]), float(x[-1])) == pytest.approx(left.get_xlim())
        seen = float(x[0]) <= float(law.mean) <= float(x[-1])
        assert seen, "a curve has its middle on the panel at every ε of the chapter"
    marker = next(line for line in right.lines if line.get_marker() == "o")
    at, wrong = drawn(marker)
    assert at.tolist() == [d]
    assert wrong.item() == pytest.approx(
        100 * laws["signs"].cdf(torch.tensor(0.0)).item(), abs=1e-4
    )
    for name in ("signs", "coins"):
        sizes, shares = drawn(next(line for line in right.lines if line.get_label() == name))
        here = shares[sizes == d].item()
        wanted = laws[name].cdf(torch.tensor(0.0).double()).item()
        assert here == pytest.approx(100 * wanted, abs=1e-4)


def test_a_walk_begins_at_the_clean_chance_and_passes_both_attacks():
    net = networks.Classifier([16, 8, 10], 0)
    x, label = torch.rand(1, 16, generator=seeded(0)), torch.tensor([3])
    left, right = figures.walk(net, x, label, (4, 4), 0.2).axes

    def chance(z):
        return net(z).softmax(1)[0, 3].item()

    moved = {
        "signs": attacks.sign_step(net.loss(label), x, 0.2),
        "coins": attacks.random_signs(x, 0.2, seeded(3)),
    }
    for name, z in moved.items():
        stops, chances = drawn(next(line for line in right.lines if line.get_label() == name))
        assert chances[0].item() == pytest.approx(chance(x), abs=1e-6)
        place = int((stops - 0.2).abs().argmin())
        assert stops[place].item() == pytest.approx(0.2)
        assert chances[place].item() == pytest.approx(chance(z), abs=1e-5)
    marker = next(line for line in right.lines if line.get_marker() == "o")
    assert [float(v) for v in drawn(marker)] == pytest.approx(
        [0.2, chance(moved["signs"])], abs=1e-5
    )
    shown = pixels(left).reshape(4, 4, -1)[..., 0].flatten()
    torch.testing.assert_close(shown, moved["signs"][0].double().clamp(0, 1), atol=1e-6, rtol=0)
    assert left.get_title(loc="left") == f"read as {int(net(moved['signs']).argmax())}"


def test_each_image_stands_in_its_row_under_what_is_read():
    rows = {name: torch.rand(3, 4, generator=seeded(k)) * 2 for k, name in enumerate("ab")}
    figure = figures.readings(rows, {"a": [1, 2, 3], "b": [4, 5, 6]}, (2, 2))
    assert [axes.get_title(loc="left") for axes in figure.axes] == list("123456")
    for axes, image in zip(figure.axes, torch.cat(list(rows.values())), strict=True):
        shown = pixels(axes).reshape(2, 2, -1)[..., 0].flatten()
        torch.testing.assert_close(shown, image.double().clamp(0, 1), atol=1e-6, rtol=0)
    assert [axes.texts[0].get_text() for axes in figure.axes if axes.texts] == ["a", "b"]


def test_errors_are_drawn_in_percent_over_their_strengths():
    errors = {"one": [0.1, 0.5], "twenty": [0.2, 1.0]}
    (axes,) = figures.masked(errors, [0.0, 0.3]).axes
    for line in axes.lines:
        x, y = drawn(line)
        assert x.tolist() == [0.0, 0.3]
        assert y.tolist() == pytest.approx([100 * share for share in errors[line.get_label()]])
    assert len(axes.lines) == 2
