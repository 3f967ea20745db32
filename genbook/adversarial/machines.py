r"""The chapter's machine: paint a digit and see how little makes a network read another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.func import functional_call

from genbook.adversarial.networks import Classifier
from genbook.kit.machine import Program, trace
from genbook.kit.machine.parts import (
    Act,
    Choice,
    Group,
    Layer,
    Machine,
    Panel,
    Slider,
    image_panel,
    painting,
)

STRIDES = (0.005, 0.01, 0.02)
MOST = 0.5
"""The strongest attack."""


def logits(net: Classifier, weights: Sequence[Tensor], x: Tensor) -> Tensor:
    r"""What a classifier of this form computes with other weights.

    Args:
        net: its form.
        weights: in the order of ``net.parameters()``.
        x: **[N, d]**.

    Returns:
        **[N, K]**.

    Example:
        >>> net = Classifier([2, 3], 0)
        >>> zeros = [torch.zeros_like(w) for w in net.parameters()]
        >>> logits(net, zeros, torch.ones(1, 2)).tolist()
        [[0.0, 0.0, 0.0]]
    """
    names = [name for name, _ in net.named_parameters()]
    return functional_call(net, dict(zip(names, weights, strict=True)), (x,))


def push(net: Classifier, weights: Sequence[Tensor], x: Tensor) -> Tensor:
    r"""The signs along which the network's own answer loses most, each pixel by as much.

    .. math:: \operatorname{sign} \nabla_x \bigl(-\log p(\hat y \mid x)\bigr),
        \qquad \hat y = \arg\max_y p(y \mid x)

    Args:
        net: its form.
        weights: its weights.
        x: one image, **[1, d]**.

    Returns:
        **[1, d]**.
    """
    place = x.detach().requires_grad_()
    out = logits(net, weights, place)
    answer = (out == out.amax(1, keepdim=True)).to(out).detach()
    cost = -(out.log_softmax(1) * answer).sum()
    return torch.autograd.grad(cost, place)[0].sign().detach()


def falling(
    nets: Mapping[str, Classifier], size: tuple[int, int], examples: Mapping[str, Tensor]
) -> Machine:
    r"""Paint a digit; each step strengthens the attack, until another digit is read.

    Args:
        nets: classifiers of one form, by name.
        size: height and width of an image.
        examples: images **[d]** to begin with, by name.

    Returns:
        The machine.

    Raises:
        ValueError: if the networks differ in form or do not fit the size.
    """
    height, width = size
    pixels = height * width
    forms = {tuple(tuple(w.shape) for w in net.parameters()) for net in nets.values()}
    if len(forms) != 1 or next(iter(nets.values())).pixels != pixels:
        raise ValueError(
            f"expected networks of one form that read {pixels} pixels, got {len(forms)} forms; "
            "give all the same sizes"
        )
    form = next(iter(nets.values()))
    weights = [[w.detach().float().cpu() for w in net.parameters()] for net in nets.values()]
    leaves = [leaf for own in weights for leaf in own]
    blank, strength = torch.zeros(pixels), torch.zeros(1)
    steps, looks = {}, {}
    for place, name in enumerate(nets):
        own = slice(place * len(weights[0]), (place + 1) * len(weights[0]))

        def step(held: Sequence[Tensor], *rest: Tensor, own: slice = own) -> tuple[Tensor, ...]:
            return stronger(form, held[own], *rest)

        def look(held: Sequence[Tensor], *rest: Tensor, own: slice = own) -> tuple[Tensor, ...]:
            return seen(form, held[own], *rest)

        steps[name] = trace(step, leaves, strength, blank, blank, torch.tensor(0.01), blank)
        looks[name] = trace(look, leaves, strength, blank, blank, blank)
    groups = {f"net{place}": Group.trained(own) for place, own in enumerate(weights)}
    return _machine(
        {
            **groups,
            "strength": Group(((1,),), (0.0,)),
            "image": Group(((pixels,),), (0.0,)),
            "coins": Group(((pixels,),), (0.0,)),
        },
        steps,
        looks,
        size,
        {name: x.detach().float().cpu().flatten() for name, x in examples.items()},
    )


def _strength(strength: Tensor, image: Tensor, data: Tensor) -> Tensor:
    """The strength reached so far; 0 for another image than the one it was reached on."""
    return strength * ((image - data).abs().sum() == 0)


def _moved(net: Classifier, weights: Sequence[Tensor], x: Tensor, now: Tensor) -> Tensor:
    return (x + now * push(net, weights, x)).clamp(0, 1)


def stronger(
    net: Classifier, weights: Sequence[Tensor], strength: Tensor, image: Tensor, data: Tensor,
    stride: Tensor, fresh: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    r"""Strengthen the attack by a stride, unless it has succeeded.

    Args:
        net: the form of the classifier.
        weights: its weights.
        strength: :math:`\epsilon` so far, **[1]**.
        image: the image it was reached on, **[d]**.
        data: the image, **[d]**.
        stride: what to add.
        fresh: uniform numbers for new coins, **[d]**.

    Returns:
        Strength, image and coins.
    """
    x, now = data[None], _strength(strength, image, data)
    answers = [logits(net, weights, z).argmax(1) for z in (x, _moved(net, weights, x, now))]
    next_one = (now + stride).clamp(max=MOST)
    fell = answers[0] != answers[1]
    return torch.where(fell, now, next_one), 1 * data, (fresh - 0.5).sign()


def seen(
    net: Classifier, weights: Sequence[Tensor], strength: Tensor, image: Tensor, coins: Tensor,
    data: Tensor,
) -> tuple[Tensor, ...]:  # fmt: skip
    r"""The attacked image, the noisy one, and what is read.

    Args:
        net: the form of the classifier.
        weights: its weights.
        strength: :math:`\epsilon` so far, **[1]**.
        image: the image it was reached on, **[d]**.
        coins: signs of the noise, **[d]**.
        data: the image, **[d]**.

    Returns:
        Attacked and noisy image, **[d]** each; the probabilities of the clean and of the attacked
        image, **[K]** each; then :math:`\epsilon`, and answer and probability for clean, attacked
        and noisy.
    """
    x, now = data[None], _strength(strength, image, data)
    attacked = _moved(net, weights, x, now)
    noisy = (x + now * coins).clamp(0, 1)
    chances = logits(net, weights, torch.cat([x, attacked, noisy])).softmax(1)
    best = [(chances[k].argmax(0).float(), chances[k].amax(0)) for k in range(3)]
    flat = [number for pair in best for number in pair]
    return attacked[0], noisy[0], chances[0], chances[1], now[0], *flat


def _machine(
    groups: Mapping[str, Group],
    steps: Mapping[str, Program],
    looks: Mapping[str, Program],
    size: tuple[int, int],
    examples: Mapping[str, Tensor],
) -> Machine:
    height, width = size
    pixels = height * width
    nets = tuple(name for name, group in groups.items() if group.packed)
    digits = (-0.5, 9.5)

    return Machine(
        name="adversarial",
        groups=groups,
        acts=(
            Act(
                steps,
                (*nets, "strength", "image", "data", "control:stride", "uniform:0"),
                ("strength", "image", "coins"),
                "network",
            ),
        ),
        view=Act(
            looks,
            (*nets, "strength", "image", "coins", "data"),
            ("attacked", "noisy", "clean", "after", "strength_now", "read", "sure", "reads",
             "surely", "reads_noise", "surely_noise"),
            "network",
        ),
        controls=(
            Choice("network", "the network", tuple(looks)),
            Slider("stride", "ε grows by", STRIDES, 1),
        ),
        data=examples,
        most=pixels,
        panels=(
            image_panel("data", "--gb-data", "paint here", size, painting("A digit", pixels, width),
            ),
            image_panel("attacked", "--gb-model", "plus ε · sign", size),
            image_panel("noisy", "--gb-muted", "plus ε · coins", size),
            Panel(
                digits,
                (0.0, 1.05),
                (Layer("bars", "clean", "--gb-data"), Layer("bars", "after", "--gb-model")),
                title="how sure: clean, attacked",
                xlabel="digit",
                ylabel="probability",
            ),
        ),
        words="ε = {strength_now}. Clean: read as {read#}, {sure%}. Plus ε times the sign: read as "
        "{reads#}, {surely%}. Plus ε times coins: read as {reads_noise#}, {surely_noise%}.",
        restarts=False,
        size=(4.6, 4.9),
        across=2,
    )  # fmt: skip
