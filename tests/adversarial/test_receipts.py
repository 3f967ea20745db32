"""The receipts of the chapter `adversarial`, broken on purpose."""

from __future__ import annotations

import torch
from chapters import altered, assert_breaks, method, swap, told

from genbook.adversarial import attacks, linear, machines, networks, studies
from genbook.kit.machine import weights


def quick(monkeypatch):
    """Shorter trainings, where a receipt does not hang on how good the networks are."""
    right = studies.trained

    def short(images, seed, *, steps=60):
        return right(images, seed, steps=60)

    swap(right, short)(monkeypatch)


def test_receipt_rise():
    assert_breaks(
        "adversarial",
        "test_receipt_rise",
        altered(attacks.slope, lambda slope: -slope),
        altered(attacks.slope, lambda slope: slope.roll(1, 1)),
        altered(attacks.slope, lambda slope: 0.5 * slope),
        given=quick,
    )


def test_receipt_corners():
    def downhill(loss, x, epsilon):
        return x - epsilon * attacks.slope(loss, x).sign()

    assert_breaks(
        "adversarial",
        "test_receipt_corners",
        swap(attacks.sign_step, downhill),
        altered(attacks.corners, lambda all_signs: all_signs[:2048]),
        altered(attacks.corners, lambda all_signs: all_signs.abs()),
        method(linear.Linear, "loss", lambda self, x, side: self.margin(x, side)),
    )


def test_receipt_drop():
    def partly(loss, x, epsilon):
        step = attacks.slope(loss, x).sign()
        step[:, step.shape[1] // 2 + 1] = 0
        return x + epsilon * step

    assert_breaks(
        "adversarial",
        "test_receipt_drop",
        altered(attacks.slope, lambda slope: slope.roll(1, 1)),
        altered(attacks.sign_step, lambda moved: moved.clamp(0, 1)),
        altered(linear.error_after, lambda share: 0.99 * share),
        swap(
            linear.error_after,
            lambda margin, weight, e: (margin <= e * weight.norm()).double().mean(),
        ),
        swap(attacks.sign_step, partly),
    )


def test_receipt_coins():
    assert_breaks(
        "adversarial",
        "test_receipt_coins",
        altered(attacks.corners, lambda all_signs: all_signs[:4000]),
        altered(attacks.corners, lambda all_signs: 1.01 * all_signs),
        altered(attacks.corners, lambda all_signs: 3 * all_signs),
        altered(attacks.corners, lambda all_signs: all_signs[:, :1].expand(-1, 12)),
    )


def test_receipt_ratio():
    def one_pixel(x, side, *, decay):
        weight = torch.zeros_like(x[0])
        weight[20] = 1
        return linear.Linear(weight, weight.new_tensor(-0.5))

    assert_breaks("adversarial", "test_receipt_ratio", swap(linear.fitted, one_pixel))


def test_receipt_noise():
    assert_breaks(
        "adversarial",
        "test_receipt_noise",
        swap(attacks.random_signs, lambda x, epsilon, generator: 1 - x),
        altered(attacks.slope, lambda slope: slope.flip(1)),
        altered(attacks.slope, lambda slope: -slope),
    )


def test_receipt_rivals():
    def blunt(weight, bias, x, labels, epsilon):
        logits, own = x @ weight.T + bias, labels[:, None]
        reach = torch.cdist(weight, weight)[labels]
        leads = logits.gather(1, own) - logits - epsilon * reach
        return leads.scatter(1, own, torch.inf).amin(1)

    def knowing(loss, x, epsilon):
        return right(lambda z: -loss(z), x, epsilon)

    right, formula = attacks.sign_step, linear.least_lead
    assert_breaks(
        "adversarial",
        "test_receipt_rivals",
        swap(linear.least_lead, blunt),
        swap(linear.least_lead, lambda weight, *rest: formula(weight.roll(1, 0), *rest)),
        altered(attacks.sign_step, lambda moved: moved.clamp(0, 1)),
        altered(attacks.many_steps, lambda moved: 1.5 * moved),
        swap(attacks.sign_step, knowing),
        altered(attacks.slope, lambda slope: slope.roll(1, 1)),
        given=quick,
    )


def test_receipt_fooled():
    assert_breaks(
        "adversarial",
        "test_receipt_fooled",
        told("adversarial_signs", "error", 0.93, net="softmax", attack="sign", dataset="digits"),
        told("adversarial_signs", "error", 0.26, net="network", attack="noise"),
        told("adversarial_signs", "confidence", 0.6, net="softmax"),
    )


def test_receipt_transfer():
    assert_breaks(
        "adversarial",
        "test_receipt_transfer",
        told("adversarial_signs", "error", 0.9, attack="transfer", dataset="digits"),
    )


def test_receipt_rounded():
    def coarse(tensors):
        return [(2 * t / t.abs().max()).round() * t.abs().max() / 2 for t in tensors]

    assert_breaks("adversarial", "test_receipt_rounded", swap(weights.rounded, coarse))


def test_receipt_masked():
    strong = "trained on signs, 0.25"
    assert_breaks(
        "adversarial",
        "test_receipt_masked",
        told("adversarial_signs", "error", 0.65, net=strong, attack="sign", epsilon=0.25),
        told("adversarial_signs", "error", 0.85, net=strong, attack="many", epsilon=0.25),
        told("adversarial_signs", "error", 0.2, net=strong, attack="sign", epsilon=0.1),
        told(
            "adversarial_signs",
            "error",
            0.6,
            net=strong,
            attack="sign",
            epsilon=0.1,
            dataset="digits",
        ),
        told("adversarial_signs", "error", 0.5, net=strong, attack="many", epsilon=0.1),
    )


def test_receipt_stranger():
    strong = "trained on signs, 0.25"
    here = {"net": strong, "attack": "transfer", "epsilon": 0.25}
    assert_breaks(
        "adversarial",
        "test_receipt_stranger",
        told("adversarial_signs", "error", 0.2, dataset="mnist", **here),
        told("adversarial_signs", "error", 0.6, dataset="digits", **here),
    )


def test_receipt_honest():
    honest = "trained on signs, 0.1"
    assert_breaks(
        "adversarial",
        "test_receipt_honest",
        told("adversarial_signs", "error", 0.45, net=honest, attack="many", epsilon=0.1),
        told("adversarial_signs", "error", 0.75, net="network", attack="many", epsilon=0.1),
        told("adversarial_signs", "error", 0.9, net=honest, attack="many", epsilon=0.25),
    )


def test_receipt_live():
    def without_training(net, images, labels, **options):
        yield from ()

    def unattacked(net, images, labels, *, epsilon=0.0, **options):
        yield from right(net, images, labels, **options)

    right = networks.train
    assert_breaks(
        "adversarial",
        "test_receipt_live",
        swap(networks.train, unattacked),
        swap(networks.train, without_training),
        altered(attacks.slope, lambda slope: -slope),
    )


def test_the_machines_networks_are_the_chapters():
    net = networks.Classifier([4, 3, 2], 0)
    x = torch.rand(5, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(machines.logits(net, list(net.parameters()), x), net(x))
