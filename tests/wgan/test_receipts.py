"""The receipts of the chapter `wgan`, broken on purpose."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import torch
from chapters import Break, altered, assert_breaks, method, rewritten, swap

from genbook.divergences import measures
from genbook.games import duality, parzen
from genbook.games.play import from_convex
from genbook.kit import seeds
from genbook.wgan import (
    contests,
    critics,
    depth,
    dirac,
    empirical,
    frechet,
    losses,
    machines,
    sinkhorn,
    transport,
)


def solved(**changes) -> Break:
    """A solution with fields that are functions of the right one."""
    return altered(
        transport.solve,
        lambda t: replace(t, **{name: change(t) for name, change in changes.items()}),
    )


def test_receipt_gap():
    assert_breaks(
        "wgan",
        "test_receipt_gap",
        solved(dual=lambda t: t.dual + 1e-9),
        solved(cost=lambda t: float(t.plan.max())),
    )


def test_receipt_offer():
    assert_breaks(
        "wgan",
        "test_receipt_offer",
        solved(potential_p=lambda t: t.potential_p + 1e-9),
        solved(potential_p=lambda t: t.potential_p - 1e-9),
        solved(potential_q=lambda t: -t.potential_q),
        solved(plan=lambda t: torch.full_like(t.plan, 1 / t.plan.numel())),
    )


def test_receipt_pot():
    assert_breaks("wgan", "test_receipt_pot", solved(cost=lambda t: t.cost * (1 + 1e-9)))


def test_receipt_marginals():
    def spilt(t):
        plan = t.plan.clone()
        plan[0] += 1e-9
        return plan

    assert_breaks(
        "wgan",
        "test_receipt_marginals",
        solved(plan=spilt),
        solved(plan=lambda t: torch.full_like(t.plan, 1 / t.plan.numel())),
    )


def test_receipt_line():
    def one_sided(x, p, y, q):
        points, order = torch.cat([x, y]).sort()
        signed = torch.cat([p, -q])[order].cumsum(0)[:-1]
        return (signed * points.diff()).sum().abs()

    assert_breaks(
        "wgan",
        "test_receipt_line",
        swap(transport.on_line, one_sided),
        altered(transport.on_line, lambda area: area * (1 + 1e-9)),
    )


def test_receipt_sorted():
    assert_breaks(
        "wgan",
        "test_receipt_sorted",
        swap(transport.of_samples, lambda x, y: (x - y).abs().mean(-1)),
    )


def test_receipt_machine():
    def overtaking(earth, fakes):
        return earth[:, None] * fakes[None] / earth.sum()

    assert_breaks(
        "wgan",
        "test_receipt_machine",
        swap(machines.plan, overtaking),
        altered(machines.critic, lambda f: -f),
        altered(machines.critic, lambda f: 0.999 * f),
        altered(machines.crossing, lambda across: across.relu()),
    )


def test_receipt_climb():
    right = machines.climb

    def downhill(earth, fakes, share):
        after, amount = right(earth, fakes, share)
        return 2 * fakes - after, amount

    def too_far(earth, fakes, share):  # more crosses a border than has to
        return right(earth, fakes, 2 * share)[0], right(earth, fakes, share)[1]

    assert_breaks(
        "wgan",
        "test_receipt_climb",
        swap(machines.climb, downhill),
        swap(machines.climb, too_far),
        swap(machines.climb, lambda earth, fakes, share: (fakes, 0 * share)),
    )


def test_receipt_critic():
    assert_breaks(
        "wgan",
        "test_receipt_critic",
        altered(transport.potential, lambda b: replace(b, value=b.value * (1 - 1e-9))),
    )


def test_receipt_lipschitz():
    def steepest_of_neighbours(f, distances):
        return float((f.diff().abs() / distances.diagonal(1)).max())

    assert_breaks(
        "wgan",
        "test_receipt_lipschitz",
        altered(transport.potential, lambda b: replace(b, f=b.f * (1 + 1e-9))),
        altered(transport.potential, lambda b: replace(b, f=0.5 * b.f)),
        swap(transport.lipschitz, steepest_of_neighbours),
    )


def test_receipt_extended():
    def from_below(phi, x, y):
        return (phi + torch.linalg.vector_norm(y.unsqueeze(-2) - x, dim=-1)).amax(-1)

    assert_breaks("wgan", "test_receipt_extended", swap(transport.extended, from_below))


def test_receipt_lines():
    honest = transport.parallel_lines

    def unsigned(theta, noise=0.0):  # the slope without its sign
        found = honest(theta, noise)
        return {name: transport.Reading(r.value, abs(r.slope)) for name, r in found.items()}

    assert_breaks(
        "wgan",
        "test_receipt_lines",
        swap(honest, lambda theta, noise=0.0: honest(theta**2, noise)),
        swap(honest, unsigned),
        solved(cost=lambda t: t.cost**2),
    )


def test_receipt_constant():
    honest = transport.parallel_lines

    def fading(theta, noise=0.0):  # JS that falls as the lines come close
        return {**honest(theta), "JS": honest(theta, noise=0.1)["JS"]}

    def in_bits(value):
        return value / math.log(2)

    def without_the_missed_mass(convex, p, q):
        ratio = torch.where(q > 0, p / q.clamp_min(1e-300), 1.0)
        return (q * convex.f(ratio)).sum()

    assert_breaks(
        "wgan",
        "test_receipt_constant",
        swap(honest, fading),
        altered(duality.divergence, in_bits),
        swap(duality.divergence, without_the_missed_mass),
        altered(transport.line_atoms, lambda found: (found[0], found[0], found[2])),
    )


def test_receipt_far():
    """A score without a limit keeps or raises its slope; a bounded one has none left far away."""
    honest = transport.parallel_lines

    def without_noise(theta, noise=0.0):
        return honest(theta)

    def near_by(theta, noise=0.0):
        return honest(0.2 * theta, noise)

    assert_breaks("wgan", "test_receipt_far", swap(honest, without_noise), swap(honest, near_by))


def test_receipt_conjugate():
    assert_breaks(
        "wgan",
        "test_receipt_conjugate",
        swap(duality.TRANSPORT, replace(duality.TRANSPORT, conjugate=lambda t: 2 * t)),
        swap(duality.TRANSPORT, replace(duality.TRANSPORT, f=lambda u: (u - 1).square())),
    )


def test_receipt_spine():
    def upside_down():
        game = from_convex(duality.TRANSPORT)
        return replace(game, generator_loss=lambda t_q: -game.generator_loss(t_q))

    assert_breaks(
        "wgan",
        "test_receipt_spine",
        swap(losses.wgan, lambda: from_convex(duality.KL)),
        swap(losses.wgan, upside_down),
    )


def test_receipt_pull():
    def nearest_only(phi, x, y):  # as if all potentials were equal
        return -torch.linalg.vector_norm(y.unsqueeze(-2) - x, dim=-1).amin(-1)

    assert_breaks(
        "wgan",
        "test_receipt_pull",
        altered(transport.extended, lambda f: -f),
        swap(transport.extended, nearest_only),
    )


def test_receipt_slope():
    def in_l1(phi, x, y):
        return (phi - (y.unsqueeze(-2) - x).abs().sum(-1)).amax(-1)

    assert_breaks(
        "wgan",
        "test_receipt_slope",
        swap(transport.extended, in_l1),
        altered(losses.slopes, lambda norms: norms.square() * 1.0001),
    )


def test_receipt_certificate():
    def of_neighbours(f, distances):  # not every pair
        return float((f.diff().abs() / distances.diagonal(1)).max())

    assert_breaks(
        "wgan",
        "test_receipt_certificate",
        swap(transport.lipschitz, of_neighbours),
        altered(transport.lipschitz, lambda steepest: 0.98 * steepest),
    )


def test_receipt_all():
    honest = critics.certify

    def scale_forgotten(t_real, t_fake, real, fake):
        return replace(honest(t_real, t_fake, real, fake), steepest=1.0)

    assert_breaks(
        "wgan",
        "test_receipt_all",
        swap(honest, scale_forgotten),
        altered(transport.lipschitz, lambda steepest: steepest * (1 + 1e-9)),
    )


def test_receipt_penalty():
    honest = losses.slopes
    one_for_all = altered(honest, lambda norms: norms.norm().expand_as(norms))

    def without_graph(critic, x, *, create_graph=False):
        return honest(critic, x, create_graph=create_graph).detach() + 0 * critic(x)

    def always_two_sided(duel, *, one_sided=False):
        return penalty(duel)

    penalty = losses.gradient_penalty
    assert_breaks(
        "wgan",
        "test_receipt_penalty",
        one_for_all,
        swap(honest, without_graph),
        swap(penalty, always_two_sided),
        swap(penalty, lambda duel, *, one_sided=False: penalty(duel, one_sided=True)),
    )


def test_receipt_between():
    """The slope is taken at the fakes; all pairs share one place between."""
    honest = losses.between
    assert_breaks(
        "wgan",
        "test_receipt_between",
        swap(honest, lambda real, fake, share: fake),
        swap(honest, lambda real, fake, share: honest(real, fake, share[:, :1].expand_as(share))),
    )


def test_receipt_batch_norm():
    assert_breaks(
        "wgan",
        "test_receipt_batch_norm",
        method(seeds.SeedBatchNorm, "forward", lambda self, x: x),
        altered(losses.slopes, lambda norms: 0 * norms),
    )


def changed(column, change, **where):
    """Rows of a record that fit get another value in a column."""

    def rewrite(row):
        fits = all(row.get(key) == value for key, value in where.items())
        return {column: change(row[column])} if fits else {}

    return rewrite


def test_receipt_surfaces():
    """The record alone stands behind this claim."""
    assert_breaks(
        "wgan",
        "test_receipt_surfaces",
        rewritten("wgan_critics", changed("share", lambda s: 0.85 * s, clip=None, seed=1)),
        rewritten("wgan_critics", changed("share", lambda s: 1.2 * s, clip=1.0)),
    )


def factors(**changes) -> Break:
    return altered(
        depth.chain_factors,
        lambda f: replace(f, **{name: change(f) for name, change in changes.items()}),
    )


def test_receipt_chain():
    assert_breaks(
        "wgan",
        "test_receipt_chain",
        factors(random=lambda f: f.random * math.sqrt(2)),  # as if all rectifiers were open
        factors(aligned=lambda f: f.aligned / math.sqrt(2)),  # c n/2
    )


def test_receipt_vanish():
    """What the record says, held against the formula."""
    assert_breaks(
        "wgan",
        "test_receipt_vanish",
        rewritten("wgan_depth", changed("decades", lambda d: d + 0.05, clip=0.01, seed=2)),
        factors(random=lambda f: f.random * math.sqrt(2)),
    )


def test_receipt_explode():
    """What the record says, held against the limit."""
    assert_breaks(
        "wgan",
        "test_receipt_explode",
        rewritten("wgan_depth", changed("decades", lambda d: -d, clip=0.1)),
        factors(aligned=lambda f: f.random),
    )


def test_receipt_level():
    """The record alone stands behind this claim."""
    assert_breaks(
        "wgan",
        "test_receipt_level",
        rewritten("wgan_depth", changed("decades", lambda d: d - 0.1, clip=None, seed=2)),
    )


def test_receipt_tracks():
    """The record of the losses and distances stands behind these claims."""
    penalised = {"game": "WGAN-GP", "images": "mnist"}
    assert_breaks(
        "wgan",
        "test_receipt_tracks",
        rewritten(  # a loss that knows the step and nothing else
            "wgan_mnist", lambda row: {"believed": -float(row["iteration"])}
        ),
        rewritten("wgan_mnist", changed("believed", lambda b: 3 * b, rate=1e-3, **penalised)),
        altered(frechet.rank_correlation, lambda rho: 0.9 * rho),
    )


def test_receipt_clock():
    """The record alone stands behind this claim."""

    def better_than_the_clock(row):
        far = (137 * row["distance"]) % 50
        return {"distance": far, "believed": far} if row["game"] == "WGAN-GP" else {}

    assert_breaks("wgan", "test_receipt_clock", rewritten("wgan_mnist", better_than_the_clock))


def test_receipt_blind():
    """The record alone stands behind this claim."""
    assert_breaks(
        "wgan",
        "test_receipt_blind",
        rewritten("wgan_mnist", lambda row: {"believed": row["distance"]}),
        altered(frechet.rank_correlation, torch.abs),
    )


def test_receipt_near():
    """The record alone stands behind these claims."""
    assert_breaks(
        "wgan",
        "test_receipt_near",
        rewritten("wgan_mnist", changed("believed", lambda b: 0.95 * b, game="GAN")),
        altered(frechet.rank_correlation, lambda rho: rho + 0.02),
        altered(frechet.rank_correlation, lambda rho: rho - 0.02),
    )


def test_receipt_closest():
    """The record alone stands behind this claim."""
    assert_breaks(
        "wgan",
        "test_receipt_closest",
        rewritten(
            "wgan_mnist", changed("distance", lambda d: 3 * d, game="WGAN-GP", critic_steps=1)
        ),
    )


def test_receipt_live_critic():
    honest = critics.optimal
    once = cache(honest)

    def barely_trained(clip, seed):
        return honest(clip, seed, steps=3)

    def steeper(found):
        return [replace(c, steepest=1.5 * c.steepest) for c in found]

    assert_breaks(
        "wgan",
        "test_receipt_live_critic",
        swap(once, barely_trained),
        altered(critics.certificates, steeper),
        given=swap(honest, once),
    )


def test_receipt_live_depth():
    honest = depth.deep
    once = cache(honest)

    def unclipped(clip, seed):
        return honest(None, seed, steps=1)

    assert_breaks(
        "wgan",
        "test_receipt_live_depth",
        swap(once, unclipped),
        altered(depth.decades_per_layer, lambda decades: 0.9 * decades),
        given=swap(honest, once),
    )


KEPT: list[frechet.Judge] = []


def shorter(monkeypatch):
    """The live games only as far as they are looked at, and one judge for all runs."""
    compete = contests.compete

    def to_100(contest, table, its_judge, chosen, *, iterations, every):
        return compete(contest, table, its_judge, chosen, iterations=100, every=every)

    swap(compete, to_100)(monkeypatch)
    train = frechet.train_judge

    def kept(*images):
        if not KEPT:
            KEPT.append(train(*images))
        return KEPT[0]

    swap(train, kept)(monkeypatch)


def test_receipt_live():
    def only_means(a, b):  # the spread of the features forgotten
        return (a.mean - b.mean).square().sum(-1)

    assert_breaks(
        "wgan",
        "test_receipt_live",
        swap(frechet.frechet, only_means),
        swap(losses.gan_qp, lambda: losses.wgan_gp()),
        given=shorter,
    )


def test_receipt_sinkhorn():
    right = sinkhorn.entropic

    def halved(p, q, cost, epsilon):
        return right(p, q, cost, epsilon / 2)

    assert_breaks(
        "wgan",
        "test_receipt_sinkhorn",
        altered(right, lambda b: replace(b, plan=b.plan.T)),
        altered(right, lambda b: replace(b, plan=b.plan + 1e-7)),
        swap(right, halved),
    )


def test_receipt_blur():
    def unpaid(b):  # the objective without its cost
        return replace(b, cost=b.cost - 0.5)

    def in_bits(b):
        return replace(b, information=b.information / math.log(2) + 1)

    assert_breaks(
        "wgan",
        "test_receipt_blur",
        altered(sinkhorn.entropic, unpaid),
        altered(sinkhorn.entropic, lambda b: replace(b, information=-b.information)),
        altered(sinkhorn.entropic, in_bits),
        altered(measures.entropy, lambda nats: 0.1 * nats),
    )


def test_receipt_debiased():
    def biased(p, q, cost, epsilon):
        return sinkhorn.entropic(p, q, cost, epsilon).objective

    assert_breaks(
        "wgan",
        "test_receipt_debiased",
        swap(sinkhorn.debiased, biased),
        altered(sinkhorn.entropic, lambda b: replace(b, information=0.0)),
    )


def test_receipt_dirac():
    right = dirac.field

    def attracted(leash, state):  # the critic gives way
        return right(leash, state) - 0.01 * state

    def taking_turns(leash, start, rate, steps):
        path = [start]
        for _ in range(steps):
            theta, psi = path[-1]
            theta = theta + rate * psi
            path.append(torch.stack([theta, psi - rate * (theta + leash.pull(psi))]))
        return torch.stack(path)

    assert_breaks(
        "wgan",
        "test_receipt_dirac",
        swap(right, attracted),
        swap(dirac.orbit, taking_turns),
        method(dirac.Leash, "pull", lambda leash, psi: leash.strength * psi),
    )


def test_receipt_dirac_tied():
    assert_breaks(
        "wgan",
        "test_receipt_dirac_tied",
        method(dirac.Leash, "pull", lambda leash, psi: 0.5 * leash.strength * psi),
        altered(dirac.field, lambda moved: -moved),
        altered(dirac.eigenvalues, lambda pair: (2 * pair[0], 2 * pair[1])),
    )


def test_receipt_dirac_late():
    def pulled(leash, psi):  # every leash as if it were zero-centred
        return leash.strength * psi

    def free(leash, psi):
        return torch.zeros_like(psi)

    assert_breaks(
        "wgan",
        "test_receipt_dirac_late",
        method(dirac.Leash, "pull", pulled),
        method(dirac.Leash, "pull", free),
    )


def test_receipt_floor():
    assert_breaks(
        "wgan",
        "test_receipt_floor",
        altered(empirical.floor, lambda low: 2 * low),  # the ball's radius for its diameter
        altered(empirical.to_uniform, lambda area: area * (1 + 1e-9)),
    )


def test_receipt_one_dimension():
    def in_drawn_order(x):
        u = (torch.arange(x.shape[-1], dtype=x.dtype) + 0.5) / x.shape[-1]
        return (x - u).abs().mean(-1)

    assert_breaks(
        "wgan",
        "test_receipt_one_dimension",
        altered(empirical.expected_to_uniform, lambda mean: 1.1 * mean),
        swap(empirical.to_uniform, in_drawn_order),
    )


def test_receipt_falls():
    def nearest(x, y):  # partners may be shared
        least = torch.cdist(x, y).min(1)
        return empirical.Matching(float(least.values.mean()), least.indices)

    assert_breaks(
        "wgan",
        "test_receipt_falls",
        swap(empirical.match, nearest),
        altered(empirical.floor, lambda low: 5 * low),
        altered(empirical.slope, lambda fall: fall * math.log(10)),
    )


def test_receipt_digits():
    def bin_by_bin(x, y):  # the distance of the means
        return empirical.Matching(float((x.mean(0) - y.mean(0)).norm()), torch.arange(len(x)))

    assert_breaks(
        "wgan",
        "test_receipt_digits",
        swap(empirical.match, bin_by_bin),
        altered(parzen.cluster_centres, lambda centres: centres + 0.5),
    )
