"""Classifiers: what training on attacked images does, and what a score says."""

from __future__ import annotations

import pytest
import torch

from genbook.adversarial import attacks, networks
from genbook.kit import data


def trained(epsilon, share=0.5):
    images = data.digits("train", device="cpu")
    net = networks.Classifier([64, 32, 10], 0)
    options = {"steps": 150, "seed": 0, "epsilon": epsilon, "share": share}
    for _ in networks.train(net, images.flat, images.labels, **options):
        pass
    return net


@pytest.fixture(scope="module")
def test_set():
    return data.digits("test", device="cpu")


def test_training_on_signs_helps_against_signs(test_set):
    errors = []
    for epsilon in (0.0, 0.1):
        net = trained(epsilon)
        moved = attacks.sign_step(net.loss(test_set.labels), test_set.flat, 0.1)
        errors.append(networks.score(net, moved, test_set.labels).error)
    assert errors[1] < errors[0] - 0.15


def test_with_a_share_of_one_the_attack_does_not_count():
    clean, attacked = trained(0.0), trained(0.1, share=1.0)
    for ours, theirs in zip(clean.parameters(), attacked.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_step_descends_the_mixture_with_its_shares():
    source = torch.Generator().manual_seed(0)
    x, y = torch.rand(20, 6, generator=source), torch.arange(20) % 3
    net = networks.Classifier([6, 5, 3], 0)
    before = [w.detach().clone() for w in net.parameters()]
    loss = net.loss(y)
    moved = attacks.sign_step(loss, x, 0.2)
    mixture = 0.3 * loss(x).mean() + 0.7 * loss(moved).mean()
    slopes = torch.autograd.grad(mixture, list(net.parameters()))
    options = {"steps": 1, "seed": 0, "epsilon": 0.2, "share": 0.3, "rate": 0.01}
    (step,) = networks.train(net, x, y, **options)
    assert step.terms["loss"] == pytest.approx(mixture.item(), rel=1e-6)
    for was, now, slope in zip(before, net.parameters(), slopes, strict=True):
        clear = slope.abs() > 1e-5  # Adam's first step is the rate, against the slope's sign
        gone = (now.detach() - was)[clear]
        torch.testing.assert_close(gone, -0.01 * slope[clear].sign(), rtol=2e-3, atol=1e-6)


def test_without_an_attack_the_share_does_not_count():
    clean, shared = trained(0.0), trained(0.0, share=0.1)
    for ours, theirs in zip(clean.parameters(), shared.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_no_mistake_has_no_confidence(test_set):
    net = networks.Classifier([64, 10], 0)
    seen = networks.score(net, test_set.flat, net(test_set.flat).argmax(1))
    assert (seen.error, seen.confidence) == (0.0, None)


def test_the_confidence_is_that_of_the_mistakes_alone():
    net = networks.Classifier([2, 2], 0)
    with torch.no_grad():
        weight, bias = net.parameters()
        weight.copy_(torch.eye(2))
        bias.zero_()
    x = torch.tensor([[5.0, 0.0], [0.0, 1.0]])
    seen = networks.score(net, x, torch.tensor([0, 0]))
    assert seen.error == 0.5
    assert seen.confidence == pytest.approx(1 / (1 + torch.exp(torch.tensor(-1.0)).item()))


def test_a_score_counts_mistakes_and_how_sure_they_are():
    net = networks.Classifier([2, 2], 0)
    with torch.no_grad():
        for weights in net.parameters():
            weights.zero_()
    seen = networks.score(net, torch.zeros(4, 2), torch.tensor([0, 1, 1, 0]))
    assert (seen.error, seen.confidence) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda net: list(networks.train(net, torch.zeros(2, 2), torch.zeros(2).long(), steps=1,
                                         seed=0, epsilon=-1.0)), "ε ≥ 0"),
        (lambda net: list(networks.train(net, torch.zeros(2, 2), torch.zeros(2).long(), steps=1,
                                         seed=0, share=2.0)), "share ≤ 1"),
        (lambda net: networks.score(net, torch.zeros(2, 2), torch.zeros(3).long()), "as many"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call(networks.Classifier([2, 2], 0))
