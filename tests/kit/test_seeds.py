"""Seeds side by side: every slice is what its seed would have had alone."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.seeds import SeedBatchNorm, SeedLinear, Streams, around, mlp, rows


@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_a_stream_does_not_depend_on_its_neighbours(draw):
    together = getattr(Streams([3, 4, 5]), draw)(6, 2)
    alone = getattr(Streams([4]), draw)(6, 2)
    assert torch.equal(together[1], alone[0])


def test_integers_stay_below_the_limit_and_reach_every_value():
    drawn = Streams([0, 1]).integers(4, 500)
    assert sorted(drawn.unique().tolist()) == [0, 1, 2, 3]
    assert drawn.shape == (2, 500)


def test_no_seed_is_refused():
    with pytest.raises(ValueError, match="at least one seed"):
        Streams([])


def test_around_has_the_mean_and_the_deviation_of_its_mixture():
    centres = torch.tensor([[-3.0, 1.0], [3.0, 1.0]], dtype=torch.float64)
    points = around(centres, 0.5)(Streams([0], dtype=torch.float64), 20_000)[0]
    assert (points.mean(0) - torch.tensor([0.0, 1.0])).abs().max() < 0.1
    assert (points.var(0) - torch.tensor([9.25, 0.25])).abs().max() < 0.2


def test_around_takes_other_centres_for_each_seed():
    centres = torch.arange(6.0).reshape(3, 1, 2)
    points = around(centres, 0.0)(Streams([0, 1, 2]), 4)
    assert torch.equal(points, centres.expand(3, 4, 2))


def test_rows_are_rows_of_the_table():
    table = torch.randn(7, 3)
    drawn = rows(table)(Streams([0, 1]), 50)
    assert (drawn[..., None, :] == table).all(-1).any(-1).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: around(torch.zeros(3), 1.0), "centres"),
        (lambda: around(torch.zeros(3, 2), -1.0), "std"),
        (lambda: rows(torch.zeros(4)), "table"),
        (lambda: mlp([3], Streams([0])), "two sizes"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_seed_linear_is_torch_linear_slice_by_slice():
    layer, x = SeedLinear(3, 4, Streams([0, 1])), torch.randn(2, 5, 3)
    for s in range(2):
        expected = torch.nn.functional.linear(x[s], layer.weight[s].T, layer.bias[s, 0])
        torch.testing.assert_close(layer(x)[s], expected)
    assert layer.weight.abs().max() <= 3**-0.5


def test_batch_norm_is_that_of_torch_in_training():
    x = torch.randn(2, 40, 3)
    for s in range(2):
        expected = torch.nn.BatchNorm1d(3)(x[s])
        torch.testing.assert_close(SeedBatchNorm(3, Streams([0, 1]))(x)[s], expected)


def test_seeds_of_a_network_do_not_see_each_other():
    network = mlp([2, 8, 8, 1], Streams([0, 1, 2]), batch_norm=True, output=torch.nn.Tanh)
    x = torch.randn(3, 5, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[1].sum(), x)
    assert gradient[[0, 2]].abs().max() == 0
    assert gradient[1].abs().max() > 0
