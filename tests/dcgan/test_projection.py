"""The best discriminator of pairs, against torch's own Gaussians."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal

from genbook.dcgan.projection import Classes, linear_parts, off_projection, optimal_logit
from genbook.kit.device import seeded


def classes(seed, k=4, d=3, variances=None):
    source = seeded(seed)
    weights = torch.rand(k, generator=source).double().softmax(0)
    means = torch.randn(k, d, generator=source).double()
    return Classes(weights, means, torch.ones(k).double() if variances is None else variances)


X = 2 * torch.randn(50, 3, generator=seeded(9)).double()
PHI = torch.cat([X, torch.ones(50, 1).double()], 1)


def test_the_joint_density_is_torchs():
    kind = classes(0, variances=torch.tensor([0.5, 1.0, 2.0, 3.0]).double())
    wanted = Normal(kind.means, kind.variances.sqrt()[:, None]).log_prob(X[:, None]).sum(-1)
    torch.testing.assert_close(kind.log_joint(X), wanted + kind.weights.log())


def test_with_variance_one_the_best_logit_is_linear_with_a_row_a_class():
    p, q = classes(0), classes(1)
    rows, numbers = linear_parts(p, q)
    torch.testing.assert_close(optimal_logit(p, q, X), X @ rows.T + numbers)


def test_one_variance_for_the_data_and_another_for_the_fakes_still_projects():
    p = classes(0, variances=torch.full((4,), 2.0).double())
    assert off_projection(optimal_logit(p, classes(1), X), PHI) < 1e-12


def test_another_variance_in_one_class_does_not_but_squares_mend_it():
    p = classes(0, variances=torch.tensor([1.0, 1.0, 1.0, 2.0]).double())
    logits = optimal_logit(p, classes(1), X)
    assert off_projection(logits, PHI) > 0.1
    squares = torch.cat([PHI, X.square().sum(1, keepdim=True)], 1)
    assert off_projection(logits, squares) < 1e-11


def test_a_function_of_x_alone_is_taken_off():
    psi = X.norm(dim=1, keepdim=True).exp().clamp(max=9)
    assert off_projection(psi.expand(-1, 4), PHI) < 1e-12


def test_other_variances_and_shapes_are_refused():
    with pytest.raises(ValueError, match="variances of 1"):
        linear_parts(classes(0, variances=torch.full((4,), 2.0).double()), classes(1))
    ones = torch.ones(2)
    with pytest.raises(ValueError, match=r"means \[K, d\]"):
        Classes(ones / 2, torch.zeros(3, 1), ones)
    with pytest.raises(ValueError, match="positive"):
        Classes(ones / 2, torch.zeros(2, 1), torch.zeros(2))
    with pytest.raises(ValueError, match="sum to 1"):
        Classes(ones, torch.zeros(2, 1), ones)
