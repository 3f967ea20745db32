"""The players: sizes, what a code decides, what the start is, what a setting changes."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from genbook.dcgan.networks import (
    CRITICS,
    SLOPE,
    Design,
    Discriminator,
    Generator,
    begin,
    fan_in,
    rectified,
)
from genbook.dcgan.norms import NORMS
from genbook.dcgan.strides import as_matrix
from genbook.kit.device import seeded

KINDS = [
    *(Design(norm=n, classes=3 if n == "class" else 0) for n in NORMS),
    *(Design(critic=c) for c in CRITICS),
    Design(kernel=5),
    Design(side=12, latent=3, width=6, norm_output=True, norm_input=True),
    Design(norm="class", classes=3, project=False),
    Design(side=16, channels=3, norm_output=True, norm_input=True),
    *(Design(**{switch: True}, kernel=k) for switch in ("pool", "repeat") for k in (4, 5)),
    Design(pool=True, repeat=True, full=True, side=16, channels=3, critic="spectral"),
    Design(full=True, norm="class", classes=3),
    Design(full=True, norm="self", critic="none"),
    Design(slope_g=0.2, slope_d=0.0, squash=False),
]


@pytest.mark.parametrize("design", KINDS, ids=str)
def test_shapes(design):
    g, d = Generator(design, seeded(0)), Discriminator(design, seeded(1))
    z = torch.rand(5, design.latent, generator=seeded(2))
    asked = torch.eye(3)[[0, 1, 2, 0, 1]] if design.classes else None
    images = g(z, asked)
    assert images.shape == (5, design.channels, design.side, design.side)
    assert images.abs().max() <= 1
    assert d(images, asked).shape == (5,)


@pytest.mark.parametrize("kernel", [4, 5])
def test_up_is_the_adjoint_of_down(kernel):
    design = Design(kernel=kernel)
    up, down = design.up(3, 2).double(), design.down(2, 3).double()
    down.weight.data = up.weight.data
    x = torch.randn(4, 2, 8, 8, generator=seeded(0)).double()
    y = torch.randn(4, 3, 4, 4, generator=seeded(1)).double()
    read, stamped = down(x) - down.bias[:, None, None], up(y) - up.bias[:, None, None]
    torch.testing.assert_close((read * y).sum(), (x * stamped).sum())


SIZES = [(4, 1, 8), (5, 1, 8), (4, 3, 16), (5, 3, 12)]


def filled(net):
    with torch.no_grad():
        for part in net.parameters():
            part.normal_(generator=seeded(7))
    return net.double()


def laid_out(layer, side):
    """A layer's kernel as a matrix that reads images of this side."""
    return as_matrix(layer.weight.detach(), side, side, 2, layer.padding[0])


@pytest.mark.parametrize(("kernel", "channels", "side"), SIZES)
def test_the_discriminator_by_matrices_and_its_leak_by_hand(kernel, channels, side):
    design = Design(side=side, channels=channels, width=4, critic="none", kernel=kernel)
    d = filled(Discriminator(design, seeded(0)))
    x = torch.randn(3, channels, side, side, generator=seeded(1)).double()
    held = x.flatten(1)
    for layer, maps in zip((d.look, d.down), d.maps(x), strict=True):
        held = held @ laid_out(layer, side).T + layer.bias.repeat_interleave((side // 2) ** 2)
        held, side = torch.maximum(held, held / 5), side // 2
        assert maps.shape[2:] == (side, side)
        torch.testing.assert_close(maps.flatten(1), held)
    torch.testing.assert_close(d.features(x), held)
    torch.testing.assert_close(d(x), held @ d.judge.weight[0] + d.judge.bias)


@pytest.mark.parametrize(("kernel", "channels", "side"), SIZES)
def test_the_generator_by_transposed_matrices(kernel, channels, side):
    design = Design(side=side, channels=channels, width=4, latent=3, norm="none", kernel=kernel)
    g = filled(Generator(design, seeded(0)))
    z = torch.randn(3, 3, generator=seeded(1)).double()
    held, side = z @ g.code.weight.T + g.code.bias, side // 2
    for layer in (g.up, g.paint):
        held = held.clamp(min=0) @ laid_out(layer, side) + layer.bias.repeat_interleave(side**2)
        side *= 2
    torch.testing.assert_close(g(z).flatten(1), held.tanh())


def test_without_a_switch_both_players_are_the_layers_listed_here_bit_for_bit():
    maker = nn.ModuleList(
        [
            nn.Linear(16, 128),
            nn.ConvTranspose2d(32, 16, 4, 2, 1),
            nn.ConvTranspose2d(16, 1, 4, 2, 1),
        ]
    )
    judge = nn.ModuleList([nn.Conv2d(1, 16, 4, 2, 1), nn.Conv2d(16, 32, 4, 2, 1)])
    judge.append(nn.Linear(128, 1))
    for layers, seed in ((maker, 0), (judge, 1)):
        begin(layers, seeded(seed))
    g, d = Generator(Design(), seeded(0)), Discriminator(Design(), seeded(1))
    z, x = torch.rand(9, 16, generator=seeded(2)), torch.randn(9, 1, 8, 8, generator=seeded(3))

    def normal(x):
        return functional.batch_norm(x, None, None, training=True)

    code, up, paint = maker
    held = up(functional.relu(normal(code(z).view(9, 32, 2, 2))))
    assert torch.equal(g(z), paint(functional.relu(normal(held))).tanh())
    look, down, last = judge
    held = normal(down(functional.leaky_relu(look(x), 0.2)))
    assert torch.equal(d(x), last(functional.leaky_relu(held, 0.2).flatten(1))[:, 0])


@pytest.mark.parametrize("player", [Generator, Discriminator])
@pytest.mark.parametrize(
    "switch",
    [
        {"pool": True},
        {"repeat": True},
        {"full": True},
        {"slope_g": 0.2},
        {"slope_d": 0.0},
        {"squash": False},
    ],
    ids=str,
)
def test_a_switch_leaves_the_weights_of_the_other_layers_as_they_are(player, switch):
    plain, other = (player(design, seeded(0)) for design in (Design(), Design(**switch)))
    own, found = ([*net.parameters()] for net in (plain, other))
    assert len(found) > len(own) if "full" in switch else len(found) == len(own)
    bare = [w.flatten() for n, w in other.named_parameters() if "more" not in n and "hid" not in n]
    assert all(torch.equal(a.flatten(), b) for a, b in zip(own, bare, strict=True))


def beside(layer, x):
    """A convolution of stride 1 by its matrix, with zeros around that keep the side."""
    k, side = layer.kernel_size[0], x.shape[-1]
    held = x.new_zeros(*x.shape[:2], side + k - 1, side + k - 1)
    start = (k - 1) // 2
    held[:, :, start : start + side, start : start + side] = x
    matrix = as_matrix(layer.weight.detach(), side + k - 1, side + k - 1, 1)
    return (held.flatten(1) @ matrix.T).unflatten(1, (-1, side, side)) + layer.bias[:, None, None]


@pytest.mark.parametrize("kernel", [4, 5])
def test_pooling_keeps_the_largest_of_four_places_of_a_convolution_of_stride_1(kernel):
    layer = filled(Design(pool=True, kernel=kernel).down(2, 3))
    x = torch.randn(4, 2, 8, 8, generator=seeded(0)).double()
    wanted = beside(layer[1], x).unflatten(3, (4, 2)).unflatten(2, (4, 2)).amax((3, 5))
    torch.testing.assert_close(layer(x), wanted)


@pytest.mark.parametrize("kernel", [4, 5])
def test_repeating_puts_a_number_on_four_places_before_a_convolution_of_stride_1(kernel):
    layer = filled(Design(repeat=True, kernel=kernel).up(3, 2))
    y = torch.randn(4, 3, 4, 4, generator=seeded(0)).double()
    wide = y.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(layer(y), beside(layer[2], wide))


def test_a_full_hidden_layer_stands_after_the_code_and_before_the_logit():
    design = Design(width=4, full=True, norm="none", critic="none")
    g, d = filled(Generator(design, seeded(0))), filled(Discriminator(design, seeded(1)))
    bare = Design(width=4, norm="none", critic="none")
    plain, simple = filled(Generator(bare, seeded(0))), filled(Discriminator(bare, seeded(1)))
    z = torch.randn(5, 16, generator=seeded(2)).double()
    x = torch.randn(5, 1, 8, 8, generator=seeded(3)).double()
    for one, two in ((g, plain), (d, simple)):
        two.load_state_dict(one.state_dict(), strict=False)
    hidden = g.code(z).clamp(min=0) @ g.more.weight.T + g.more.bias
    plain.code = nn.Identity()
    torch.testing.assert_close(g(z), plain(hidden))
    held = simple.features(x) @ d.more.weight.T + d.more.bias
    held = torch.maximum(held, held / 5)
    torch.testing.assert_close(d.features(x), held)
    torch.testing.assert_close(d(x), held @ d.judge.weight[0] + d.judge.bias)


def test_a_full_hidden_layer_is_normalised_as_its_player_is():
    for norm, critic, wanted in (("batch", "batch", True), ("none", "none", False)):
        design = Design(full=True, norm=norm, critic=critic, spread=1.0)
        nets = Generator(design, seeded(0)).double(), Discriminator(design, seeded(1)).double()
        z = torch.rand(50, 16, generator=seeded(2))
        x = torch.randn(50, 1, 8, 8, generator=seeded(3))
        for net, put in zip(nets, (z, x), strict=True):
            seen = []
            net.hidden.register_forward_hook(lambda _, put, out, seen=seen: seen.append(out))
            net(put.double())
            far = (seen[0].var(0, correction=0) - 1).abs().max()
            assert (far < 1e-3) == wanted


def test_slopes_are_those_asked_for():
    x = torch.linspace(-2, 2, 9)
    assert torch.equal(rectified(x, 0.0), x.clamp(min=0))
    torch.testing.assert_close(rectified(x, 0.3), x.clamp(min=0) + 0.3 * x.clamp(max=0))
    plain, sharp = (
        Discriminator(Design(slope_d=s, spread=None), seeded(0)).maps(x.new_ones(2, 1, 8, 8))
        for s in (SLOPE, 0.0)
    )
    assert all(maps.min() < 0 for maps in plain)
    assert all(maps.min() == 0 for maps in sharp)
    torch.testing.assert_close(sharp[0], plain[0].clamp(min=0))
    z, seen = torch.rand(6, 16, generator=seeded(1)), []
    for slope in (0.0, 0.2):
        g = Generator(Design(slope_g=slope), seeded(0))
        g.up.register_forward_pre_hook(lambda _, put: seen.append(put[0]))
        g.paint.register_forward_pre_hook(lambda _, put: seen.append(put[0]))
        g(z)
    assert [bool(part.min() < 0) for part in seen] == [False, False, True, True]


def test_without_the_tanh_what_comes_out_is_what_would_enter_it():
    plain, free = (filled(Generator(Design(squash=squash), seeded(0))) for squash in (True, False))
    z = torch.rand(6, 16, generator=seeded(1)).double()
    assert free(z).abs().max() > 1
    torch.testing.assert_close(free(z).tanh(), plain(z))


def test_a_normalised_first_layer_does_not_see_the_contrast():
    x = torch.randn(9, 1, 8, 8, generator=seeded(1)).double()
    for norm_input in (True, False):
        d = filled(Discriminator(Design(width=4, critic="none", norm_input=norm_input), seeded(0)))
        assert torch.allclose(d(x), d(3 * x), rtol=1e-3) == norm_input


@pytest.mark.parametrize(("critic", "normal"), [("batch", True), ("none", False)])
def test_who_normalises_has_features_of_mean_0_and_variance_1(critic, normal):
    d = Discriminator(Design(critic=critic, spread=1.0), seeded(0)).double()
    phi = d.features(torch.randn(40, 1, 8, 8, generator=seeded(1)).double())
    before = torch.minimum(phi, 5 * phi).unflatten(1, (32, 4))
    centred = before.mean((0, 2)).abs().max() < 1e-6
    sized = (before.var((0, 2), correction=0) - 1).abs().max() < 1e-3
    assert bool(centred and sized) == normal


@pytest.mark.parametrize("spread", [0.02, 0.5, None])
def test_the_start_has_the_spread_asked_for(spread):
    layers = nn.ModuleList([nn.Linear(100, 100), nn.Conv2d(20, 30, 4)])
    layers.append(nn.ConvTranspose2d(30, 20, 4, 2))
    begin(layers, seeded(0), spread)
    for layer in layers:
        wanted = fan_in(layer) ** -0.5 if spread is None else spread
        assert layer.weight.std().item() == pytest.approx(wanted, rel=0.05)
        assert not layer.bias.any()


def test_each_colour_has_a_norm_of_its_own_at_the_output():
    g, seen = Generator(Design(channels=3, norm_output=True), seeded(0)), []
    g.last.register_forward_hook(lambda _, given, out: seen.append(out))
    with torch.no_grad():
        g.last.shift.copy_(torch.tensor([-1.0, 0.0, 2.0]))
        g(torch.rand(50, 16, generator=seeded(1)))
    torch.testing.assert_close(seen[0].mean((0, 2, 3)), g.last.shift.data, rtol=0, atol=1e-5)


def test_fan_in_counts_what_reaches_an_output():
    layer = nn.ConvTranspose2d(3, 1, 4, 2, bias=False).double()
    nn.init.ones_(layer.weight)
    inside = layer(torch.ones(1, 3, 9, 9).double())[0, 0, 6:12, 6:12]
    assert inside.unique().tolist() == [fan_in(layer)]
    with pytest.raises(ValueError, match="a full layer"):
        fan_in(nn.ReLU())


def test_with_one_seed_batch_norm_and_self_modulation_begin_as_one_function():
    z = torch.rand(6, 16, generator=seeded(1))
    batch, own = (Generator(Design(norm=n), seeded(0))(z) for n in ("batch", "self"))
    assert torch.equal(batch, own)


def test_settled_an_image_is_a_function_of_its_code():
    g = Generator(Design(), seeded(0)).settle(torch.rand(300, 16, generator=seeded(1)))
    z = torch.rand(9, 16, generator=seeded(2))
    assert not g.training
    torch.testing.assert_close(g(z)[:1], g(z[:1]))


def test_settling_keeps_the_statistics_of_that_batch_alone():
    g, z = Generator(Design(), seeded(0)), torch.rand(300, 16, generator=seeded(1))
    g(100 * z)
    first = g.settle(z)(z[:5])
    torch.testing.assert_close(Generator(Design(), seeded(0)).settle(z)(z[:5]), first)
    wanted = g.train()(z)[:5]
    torch.testing.assert_close(first, wanted, rtol=0, atol=1e-3)


def test_a_settled_normalised_output_has_what_the_theorem_says():
    g = Generator(Design(norm_output=True), seeded(0))
    seen = []
    g.last.register_forward_hook(lambda _, given, out: seen.append(out))
    g(torch.rand(50, 16, generator=seeded(1)))
    assert seen[0].mean().item() == pytest.approx(0, abs=1e-6)


def test_a_spectral_layer_has_an_estimated_norm_of_one():
    d = Discriminator(Design(critic="spectral"), seeded(0))
    x = torch.randn(4, 1, 8, 8, generator=seeded(1))
    for _ in range(50):
        d(x)
    for layer in (d.look, d.down, d.judge):
        norm = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert norm.item() == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize("design", KINDS, ids=str)
def test_the_weights_are_those_of_the_generator_handed_in_alone(design):
    x = torch.randn(4, design.channels, design.side, design.side, generator=seeded(1))
    state, logits = torch.get_rng_state(), []
    for other in (0, 1):
        torch.manual_seed(other)
        logits.append(Discriminator(design, seeded(0))(x))
    torch.set_rng_state(state)
    assert torch.equal(*logits)


def test_the_projection_adds_the_row_of_the_class():
    d = Discriminator(Design(norm="class", classes=3), seeded(0)).eval()
    nn.init.normal_(d.classes, generator=seeded(1))
    x, asked = torch.randn(2, 1, 8, 8, generator=seeded(2)), torch.eye(3)[[2, 0]]
    with torch.no_grad():
        phi = d.features(x)
        torch.testing.assert_close(d(x, asked) - d(x), (d.classes[[2, 0]] * phi).sum(1))


@pytest.mark.parametrize(
    "bad",
    [
        {"side": 10},
        {"width": 3},
        {"latent": 0},
        {"channels": 0},
        {"kernel": 3},
        {"norm": "layer"},
        {"critic": "layer"},
        {"norm": "class"},
        {"classes": 3},
        {"spread": 0.0},
        {"slope_g": -0.1},
        {"slope_d": 1.1},
    ],
)
def test_impossible_designs_are_refused(bad):
    with pytest.raises(ValueError, match="expected"):
        Design(**bad)


def test_wrong_codes_and_missing_classes_are_refused():
    with pytest.raises(ValueError, match=r"codes \[B, 16\]"):
        Generator(Design(), seeded(0))(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="one-hot"):
        Generator(Design(norm="class", classes=2), seeded(0))(torch.zeros(2, 16))
    with pytest.raises(ValueError, match="one-hot"):
        Generator(Design(), seeded(0))(torch.zeros(2, 16), torch.eye(2))
