"""Right and wrong answers to the exercises of the chapter `wgan`."""

from __future__ import annotations

import numpy as np
import torch
from exercising import Answers, assert_judged, judged
from scipy.stats import wasserstein_distance
from torch.func import grad, vmap
from torch.nn.functional import softplus

from genbook.wgan import exercises, transport


def earth_by_scipy(p, q):
    bins = np.arange(len(p))
    return wasserstein_distance(bins, bins, p.numpy(), q.numpy())


def earth_in_a_loop(p, q):
    carried, total = 0.0, 0.0
    for a, b in zip(p.tolist(), q.tolist(), strict=True):
        carried += a - b
        total += abs(carried)
    return total


def earth_from_the_right(p, q):
    return (q - p).flip(0).cumsum(0).abs().sum().float()


def earth_by_program(p, q):
    bins = torch.arange(len(p)).double()
    return transport.solve(p, q, torch.cdist(bins[:, None], bins[:, None])).cost


def earth_in_place(p, q):
    return [p.sub_(q).cumsum_(0).abs_().sum()]


def norms(critic, x):
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient.norm(dim=1)


def penalty_by_vmap(critic, x):
    def slope(z):
        return grad(lambda y: critic(y[None])[0])(z).norm()

    return (vmap(slope)(x) - 1).square().mean()


def penalty_expanded(critic, x):
    n = norms(critic, x)
    return (n * n - 2 * n + 1).mean()


def penalty_sample_by_sample(critic, x):
    return sum((norms(critic, row[None])[0] - 1) ** 2 for row in x) / len(x)


def penalty_in_a_vector_of_one(critic, x):
    return (norms(critic, x.requires_grad_()) - 1).square().mean(0, keepdim=True)


def penalty_without_a_graph(critic, x):
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x)
    return (gradient.norm(dim=1) - 1).square().mean()


def half_detached(critic, x):
    n = norms(critic, x)
    return ((n - 1) * (n.detach() - 1)).mean()


def around(critic=None, generator=None, weights=None):
    """The mended round with some of its lines replaced."""

    def answer(t_real, t_fake, w, g, settings):
        right = list(exercises.mended_round(t_real, t_fake, w.clone(), g, settings))
        if critic is not None:
            right[0] = critic(t_real, t_fake)
        if generator is not None:
            right[1] = generator(t_fake)
        if weights is not None:
            right[2] = weights(w, g, settings)
        return tuple(right)

    return answer


def in_numpy(t_real, t_fake, w, g, settings):
    stepped = w.numpy() - settings.rate * g.numpy()
    losses = np.mean(t_fake.numpy()) - np.mean(t_real.numpy()), -np.mean(t_fake.detach().numpy())
    return [*map(float, losses), np.clip(stepped, -settings.limit, settings.limit)]


def in_lists(t_real, t_fake, w, g, settings):
    pairs = zip(w.tolist(), g.tolist(), strict=True)
    clipped = [max(-settings.limit, min(settings.limit, a - settings.rate * b)) for a, b in pairs]
    generator = 3 - sum(t_fake.tolist()) / len(t_fake)
    return [sum(t_fake.tolist()) / len(t_fake) - t_real.mean()], generator, clipped


def in_place(t_real, t_fake, w, g, settings):
    w.sub_(settings.rate * g)
    return (
        -(t_real.mean() - t_fake.mean()),
        -t_fake.sum() / len(t_fake),
        w.clamp_(-settings.limit, settings.limit),
    )


def half_in_numpy(t_real, t_fake, w, g, settings):
    _, generator, weights = exercises.mended_round(t_real, t_fake, w, g, settings)
    return t_fake.numpy().mean() - t_real.numpy().mean(), generator, weights


def negated_in_place(t_real, t_fake, w, g, settings):
    critic, _, weights = exercises.mended_round(t_real, t_fake, w, g, settings)
    return critic, t_fake.neg_().mean(), weights


def in_single(t_real, t_fake, w, g, settings):
    stepped = (w - settings.rate * g).float()
    clipped = stepped.sign() * torch.minimum(stepped.abs(), torch.tensor(settings.limit))
    return t_fake.float().mean() - t_real.float().mean(), (-t_fake.float()).mean(), clipped


def scaled_down(weights, gradient, settings):
    stepped = weights - settings.rate * gradient
    return stepped * (settings.limit / stepped.abs().max()).clamp_max(1)


def clipped_above(weights, gradient, settings):
    return (weights - settings.rate * gradient).clamp(max=settings.limit)


WRONG_ROUNDS = (
    (exercises.printed_round, "critic's loss: it stops at a margin"),
    (lambda t_real, t_fake, w, g, s: t_fake.mean() - t_real.mean(), "expected three results"),
    (lambda t_real, t_fake, w, g, s: t_real.averaged(), "your code raised"),
    *(
        (around(critic=line), words)
        for line, words in (
            (lambda t_real, t_fake: t_real.mean() - t_fake.mean(), "critic's loss: the sign"),
            (lambda t_real, t_fake: (1 - t_real).mean() + (1 + t_fake).mean(), "left over"),
            (lambda t_real, t_fake: t_fake.sum() - t_real.sum(), "means"),
            (lambda t_real, t_fake: -(t_real.mean() - t_fake.mean()).abs(), "upside down"),
            (lambda t_real, t_fake: t_fake.median() - t_real.median(), "for scores [0.2, 1.5"),
            (lambda t_real, t_fake: t_fake - t_real.mean(), "expected one number"),
            (lambda t_real, t_fake: t_fake.detach().mean() - t_real.mean(), "learns from both"),
            (lambda t_real, t_fake: t_fake.mean() - t_real.detach().mean(), "learns from both"),
            (lambda t_real, t_fake: (t_fake.mean() - t_real.mean()).detach(), "learns from both"),
        )
    ),
    *(
        (around(generator=line), words)
        for line, words in (
            (lambda t: t.mean(), "generator's loss: a step down this loss"),
            (lambda t: t.mean().abs(), "only differences"),
            (lambda t: softplus(-t).mean(), "saturates"),
            (lambda t: -t.sum(), "a mean"),
            (lambda t: -t.mean().detach(), "no gradient reaches the fakes"),
            (lambda t: -t.max(), "count alike"),
            (lambda t: -t, "expected one number"),
        )
    ),
    *(
        (around(weights=line), words)
        for line, words in (
            (exercises.clip_then_step, "weights: a weight can leave"),
            (lambda w, g, s: w - s.rate * g.clamp(-s.limit, s.limit), "clips the gradient"),
            (lambda w, g, s: (w + s.rate * g).clamp(-s.limit, s.limit), "steps up"),
            (lambda w, g, s: w.clamp(-s.limit, s.limit), "no step"),
            (scaled_down, "on its own"),
            (clipped_above, "you return [0.01, -0.005, -0.014], beyond ±0.01"),
            (lambda w, g, s: w - s.rate * g, "beyond ±0.01"),
        )
    ),
)

ANSWERS = {
    "earth": Answers(
        right=(
            earth_by_scipy,
            earth_in_a_loop,
            earth_from_the_right,
            earth_by_program,
            earth_in_place,
            lambda p, q: (p.cumsum(0) - q.cumsum(0)).abs()[:-1].sum(),
        ),
        wrong=(
            (lambda p, q: (p - q).abs().sum(), "bin by bin"),
            (lambda p, q: (p - q).abs().sum() / 2, "bin by bin"),
            (lambda p, q: (p - q).cumsum(-1).sum().abs(), "cancel"),
            (lambda p, q: (p - q).cumsum(-1).abs().max(), "busiest"),
            (lambda p, q: (p - q).cumsum(-1).abs().mean(), "mean over the borders"),
            (lambda p, q: (p - q).cumsum(-1).square().sum(), "squares"),
            (lambda p, q: (p.sort()[0] - q.sort()[0]).cumsum(0).abs().sum(), "for p = [0.5, 0.2"),
            (lambda p, q: (p - q).cumsum(-1).abs(), "expected one number"),
            (lambda p, q: (p - q).cumulated(), "your code raised"),
        ),
    ),
    "penalty": Answers(
        right=(
            penalty_by_vmap,
            penalty_expanded,
            penalty_sample_by_sample,
            penalty_in_a_vector_of_one,
        ),
        wrong=(
            (exercises.batch_penalty, "Which axes"),
            (lambda c, x: (exercises._gradient(c, x).norm(dim=0) - 1).square().mean(), "samples"),
            (lambda c, x: (exercises._gradient(c, x).mean(0).norm() - 1) ** 2, "cancel"),
            (lambda c, x: (norms(c, x).mean() - 1) ** 2, "before the square"),
            (lambda c, x: (norms(c, x) - 1).clamp_min(0).square().mean(), "one-sided"),
            (lambda c, x: (norms(c, x) ** 2 - 1).square().mean(), "squared before"),
            (lambda c, x: (norms(c, x) - 1).square().sum(), "a mean"),
            (penalty_without_a_graph, "no gradient reaches the critic's weights"),
            (lambda c, x: exercises.mended_penalty(c, x).item(), "no gradient reaches"),
            (half_detached, "derivative in the slope, at slope 3, expected 4, got 2"),
            (lambda c, x: (norms(c, x) - 1).abs().mean(), "slope 0.5 expected 0.25, got 0.5"),
            (lambda c, x: 10 * exercises.mended_penalty(c, x), "expected 0.25, got 2.5"),
        ),
    ),
    "round": Answers(
        right=(in_numpy, in_lists, in_place, in_single, half_in_numpy, negated_in_place),
        wrong=WRONG_ROUNDS,
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
