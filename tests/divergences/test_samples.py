"""Laws of `genbook.divergences.samples`."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal

from genbook.divergences import fitting, measures, samples


def test_drawing_depends_on_the_generator_alone():
    first = samples.draw(Normal(0.0, 1.0), 5, torch.Generator().manual_seed(7))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    second = samples.draw(Normal(0.0, 1.0), 5, torch.Generator().manual_seed(7))
    assert torch.equal(first, second)
    assert torch.equal(before, torch.get_rng_state())


def test_a_generator_moves_on_between_draws(generator):
    first, second = (samples.draw(Normal(0.0, 1.0), 5, generator) for _ in range(2))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("divergence", [measures.KL, measures.SQUARED_HELLINGER])
def test_the_standard_error_is_the_spread_of_repeated_estimates(divergence, generator):
    p, q = Normal(0.0, 1.0), Normal(2.0, 0.7)
    found = [samples.from_samples(divergence, p, q, 400, generator) for _ in range(400)]
    values = torch.tensor([estimate.value for estimate in found])
    claimed = torch.tensor([estimate.standard_error for estimate in found]).mean().item()
    # a spread over 400 is known to 1/√800 = 3.5 %
    assert values.std().item() == pytest.approx(claimed, rel=0.11)


def test_em_beats_one_gaussian_on_two_clumps(generator):
    clumps = torch.cat([torch.randn(200, generator=generator) + at for at in (-4, 4)]).double()
    mixed = fitting.fit_mixture(clumps, components=2, seed=0)
    single = Normal(clumps.mean(), clumps.std(correction=0))
    assert samples.nll(mixed.log_prob(clumps)) < samples.nll(single.log_prob(clumps)) - 0.4
