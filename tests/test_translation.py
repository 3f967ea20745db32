"""Translators, critics of patches, pools and scores; the receipts broken on purpose."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from chapters import assert_breaks, assert_holds
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genbook import (
    translation,
    translation_cycle,
    translation_nets,
    translation_pairs,
    translation_photos,
    translation_scores,
    translation_studies,
)
from genbook.exercises import translation as exercises
from genbook.figures import translation as figures
from genbook.kit import data, studies
from genbook.translation import ABLATION, Recipe
from genbook.translation_cycle import ImagePool
from genbook.translation_nets import PATCHES, Noise, PatchCritic, ResNetGenerator, UNet
from genbook.translation_pairs import Domains, Pairs

FEW = settings(max_examples=15, deadline=None)


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def digits(count=64):
    return data.digits("train", device="cpu").take(count)


# --- Networks ---------------------------------------------------------------------------------


@FEW
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 2)), min_size=1, max_size=3))
def test_the_patch_that_the_gradient_touches_has_the_side_of_the_formula(layers):
    critic = PatchCritic(source(), layers, width=2)
    formula = translation_nets.receptive_field(layers)
    assert translation_nets.seen_by_gradient(critic, side=2 * formula + 12) == formula


@pytest.mark.parametrize("side", PATCHES)
def test_patches_are_called_by_their_side(side):
    assert translation_nets.receptive_field(PATCHES[side]) == side


def test_a_patch_that_is_cut_off_is_refused():
    with pytest.raises(ValueError, match="larger side"):
        translation_nets.seen_by_gradient(PatchCritic(source(), PATCHES[34]), side=28)


@pytest.mark.parametrize("layers", [(), ((0, 1),), ((3, 0),)])
def test_layers_without_a_kernel_or_a_stride_are_refused(layers):
    with pytest.raises(ValueError, match="kernel ≥ 1"):
        translation_nets.receptive_field(layers)


@pytest.mark.parametrize("code", [3, 7])
def test_without_skips_the_output_follows_no_more_directions_than_the_code_has(code):
    image = torch.rand(1, 8, 8, generator=source())
    narrow = UNet(source(), side=8, code=code, skips=False)
    assert translation_nets.sensitivity_rank(narrow, image) == code
    skipping = UNet(source(), side=8, code=code, skips=True)
    assert translation_nets.sensitivity_rank(skipping, image) == 64


def test_the_code_is_all_that_a_net_without_skips_keeps():
    net = translation_nets.silenced(UNet(source(), side=8, code=4, skips=False)).double()
    x = torch.rand(1, 1, 8, 8, generator=source(), dtype=torch.float64)
    slopes = torch.func.jacrev(lambda image: net.code(image)[0])(x).reshape(4, 64)
    blind = torch.linalg.svd(slopes).Vh[4:].sum(0).reshape(1, 1, 8, 8)
    step = 1e-6 * blind
    assert (net(x + step) - net(x)).abs().max() < 1e-10


def test_the_noise_stays_on_after_training_and_keeps_the_mean():
    noise, ones = Noise(0.5, source()).eval(), torch.ones(200, 200)
    once, again = noise(ones), noise(ones)
    assert set(once.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(once, again)
    assert once.mean().item() == pytest.approx(1, abs=5 / 200)
    assert torch.equal(Noise(0.0, source())(ones), ones)


def test_a_silenced_copy_is_deterministic_and_leaves_the_net_alone():
    net, x = UNet(source(), side=8), torch.rand(2, 1, 8, 8, generator=source(1))
    quiet = translation_nets.silenced(net)
    assert torch.equal(quiet(x), quiet(x))
    assert not torch.equal(net(x), net(x))


def test_translators_treat_each_image_by_itself():
    x = torch.rand(3, 1, 8, 8, generator=source(1), dtype=torch.float64)
    for net in (
        translation_nets.silenced(UNet(source(), side=8)),
        ResNetGenerator(source(), halvings=1),
    ):
        net = net.double()
        torch.testing.assert_close(net(x)[1:2], net(x[1:2]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_noise_of_an_impossible_share_is_refused(share):
    with pytest.raises(ValueError, match="share"):
        Noise(share, source())


def test_a_copying_net_starts_by_handing_on_a_channel_to_each_of_three():
    x = torch.rand(2, 1, 8, 8, generator=source(1))
    made = UNet(source(), side=8, channels=(1, 3), copies=True)(x)
    torch.testing.assert_close(made, x.clamp(0.05, 0.95).expand(-1, 3, -1, -1))


def test_sides_that_cannot_be_halved_twice_are_refused():
    with pytest.raises(ValueError, match="multiple of 4"):
        UNet(source(), side=10)
    with pytest.raises(ValueError, match="one image"):
        translation_nets.sensitivity_rank(UNet(source(), side=8), torch.zeros(1, 1, 8, 8))


# --- Pictures ---------------------------------------------------------------------------------


@FEW
@given(st.sampled_from([1, 2, 4]), st.integers(0, 1000))
def test_a_thumbnail_is_an_orthogonal_projection(block, seed):
    x, y = torch.rand(2, 1, 1, 8, 8, generator=source(seed), dtype=torch.float64)
    small = translation_pairs.coarse(x, block)
    torch.testing.assert_close(translation_pairs.coarse(small, block), small)
    left = (small * y).sum()
    torch.testing.assert_close(left, (x * translation_pairs.coarse(y, block)).sum())


def test_the_outline_of_a_square_is_its_border():
    image = torch.zeros(1, 1, 8, 8)
    image[..., 2:6, 2:6] = 1
    expected = image.clone()
    expected[..., 3:5, 3:5] = 0
    assert torch.equal(translation_pairs.outline(image), expected)


def test_an_even_patch_has_no_edges_and_a_step_has_one():
    image = torch.zeros(1, 3, 4, 4)
    assert not translation_pairs.edges(image).any()
    image[..., 2:] = 1
    assert translation_pairs.edges(image)[0, 0, 0].tolist() == [0, 1, 0, 0]


def test_grey_of_white_is_white():
    torch.testing.assert_close(
        translation_pairs.grey(torch.ones(1, 3, 2, 2)), torch.ones(1, 1, 2, 2)
    )


@pytest.mark.parametrize("make", [translation_pairs.thumbnails, translation_pairs.outlines])
def test_pairs_of_digits_fit_and_keep_their_labels(make):
    images = digits(10)
    pairs = make(images)
    assert pairs.x.shape == pairs.y.shape == (10, 1, 8, 8)
    assert torch.equal(pairs.labels, images.labels)
    assert len(pairs.take(3)) == 3


def test_pairs_of_photographs_go_from_one_channel_to_three():
    pairs = translation_pairs.photographs(translation_pairs.grey, "grey → colour", "test", count=4)
    assert list(pairs.x.shape) == [4, 1, 32, 32]
    assert list(pairs.y.shape) == [4, 3, 32, 32]
    torch.testing.assert_close(translation_pairs.grey(pairs.y), pairs.x)


def test_heaps_without_mnist_come_from_two_halves_of_the_digits(monkeypatch):
    monkeypatch.setenv("GENBOOK_DATA", "none")
    heaps = translation_pairs.domains("train")
    assert (len(heaps.x), len(heaps.y), heaps.block) == (718, 719, 2)
    torch.testing.assert_close(translation_pairs.in_blocks(heaps.x, heaps.block), heaps.x)
    assert (translation_pairs.in_blocks(heaps.y, heaps.block) - heaps.y).abs().mean() > 0.05


def test_blocks_of_three_leave_the_margin_of_the_large_canvas_empty():
    image = torch.ones(1, 1, 28, 28)
    blocks = translation_pairs.in_blocks(image, 3)
    assert blocks.sum() == 24 * 24
    assert not blocks[..., :2, :].any()


def test_textures_of_train_and_test_are_patches_of_one_channel():
    heaps = translation_pairs.textures("grass", "brick", "test", count=3, side=16)
    assert heaps.x.shape == heaps.y.shape == (3, 1, 16, 16)
    assert heaps.take(2).name == "grass ↔ brick"


def test_pictures_of_a_wrong_kind_are_refused():
    with pytest.raises(ValueError, match="divides"):
        translation_pairs.coarse(torch.zeros(1, 1, 8, 8), 3)
    with pytest.raises(ValueError, match="block"):
        translation_pairs.in_blocks(torch.zeros(1, 1, 8, 8), 9)
    with pytest.raises(ValueError, match="colour"):
        translation_pairs.grey(torch.zeros(1, 1, 8, 8))
    with pytest.raises(ValueError, match="grass"):
        translation_pairs.textures("grass", "sand", "test", count=2)
    with pytest.raises(ValueError, match="one length"):
        Pairs("wrong", torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4), torch.zeros(3))


# --- Training ---------------------------------------------------------------------------------


def last(steps):
    *_, step = steps
    return step


@pytest.mark.parametrize("name", ABLATION)
def test_every_loss_of_the_ablation_trains(name):
    step = last(translation.train_pairs(pairs_of(), ABLATION[name], seed=0, iterations=2, batch=8))
    assert step.last
    assert ("critic" in step.terms) == (name != "L1")
    assert step.generator(pairs_of().x).shape == (64, 1, 8, 8)


def pairs_of():
    return translation_pairs.thumbnails(digits())


def test_training_with_l1_comes_closer_to_the_answers():
    steps = translation.train_pairs(pairs_of(), ABLATION["L1"], seed=0, iterations=60, batch=32)
    losses = [step.terms["l1"] for step in steps]
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


def test_one_seed_gives_one_run():
    runs = [
        last(translation.train_pairs(pairs_of(), Recipe(), seed=3, iterations=3, batch=8))
        for _ in range(2)
    ]
    assert runs[0].terms == runs[1].terms


def test_the_critic_without_input_is_blind_to_the_pairing():
    pairs, critic = pairs_of(), PatchCritic(source(), PATCHES[4]).double()
    x, y = pairs.x.double(), pairs.y.double()
    order = torch.randperm(len(y), generator=source())
    blind = [
        translation.fooling_loss(critic, translation.critic_view("y", x, y[o]))
        for o in (order, slice(None))
    ]
    assert blind[0].item() == pytest.approx(blind[1].item(), abs=1e-12)
    seeing = PatchCritic(source(), PATCHES[4], channels=2).double()
    views = [
        translation.fooling_loss(seeing, translation.critic_view("xy", x, y[o]))
        for o in (order, slice(None))
    ]
    assert abs(views[0].item() - views[1].item()) > 1e-4


def test_an_undecided_critic_loses_log_two_and_so_does_the_generator():
    class Undecided(nn.Module):
        def forward(self, images):
            return torch.zeros(len(images), 1, 2, 2)

    x = torch.zeros(3, 1, 4, 4)
    assert translation.critic_loss(Undecided(), x, x).item() == pytest.approx(math.log(2))
    assert translation.fooling_loss(Undecided(), x).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Recipe(critic="x"), "critic none"),
        (lambda: Recipe(patch=5), "patch"),
        (lambda: Recipe(critic="none", weight=0), "λ > 0"),
        (lambda: next(translation.train_pairs(pairs_of(), Recipe(), seed=0, iterations=0)), "≥ 1"),
    ],
)
def test_recipes_that_cannot_be_trained_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --- Scores -----------------------------------------------------------------------------------


def test_a_reader_learns_to_read_and_reads_nothing_in_noise():
    train, test = data.digits("train", device="cpu"), data.digits("test", device="cpu")
    net = translation_scores.reader(train.images, train.labels, steps=100)
    assert translation_scores.share_read(net, test.images, test.labels) > 0.8
    shuffled = test.labels[torch.randperm(len(test), generator=source())]
    assert translation_scores.share_read(net, test.images, shuffled) < 0.25


def test_averaging_neighbours_lowers_the_sharpness_and_ink_has_no_midtones():
    real = (torch.rand(4, 1, 8, 8, generator=source()) > 0.5).float()
    assert translation_scores.sharpness(real, real) == 1
    assert translation_scores.sharpness(translation_pairs.coarse(real, 2), real) < 0.5
    assert translation_scores.midtones(real) == 0
    assert translation_scores.midtones(0.5 * torch.ones(3)) == 1


class Constant(nn.Module):
    """Ignores its input."""

    def forward(self, x):
        return 0.3 * torch.ones_like(x)


class Same(nn.Module):
    def forward(self, x):
        return x


def test_a_translator_that_ignores_its_input_follows_nothing():
    score = translation_scores.score_pairs(Constant(), pairs_of())
    assert (score.follows, score.noise) == (0, 0)


def test_a_perfect_translator_follows_its_answers():
    pairs = pairs_of()
    score = translation_scores.score_pairs(Same(), Pairs("same", pairs.y, pairs.y, pairs.labels))
    assert (score.l1, score.follows, score.sharpness) == (0, 1, 1)


def heaps_of():
    images = digits(32)
    x, y = images.take(slice(0, 16)), images.take(slice(16, 32))
    small = translation_pairs.coarse(x.images, 2)
    return Domains("small", 2, small, y.images, x.labels, y.labels)


class Trip:
    """Both ways at once: the identity there, the projection back, or the reverse."""

    def __init__(self, g, f):
        self.g, self.f = g, f


def test_a_cycle_of_identities_smuggles_all_that_blocks_take_away():
    heaps, trip = heaps_of(), Trip(Same(), Same())
    readers = (nn.Flatten(), nn.Flatten())
    score = translation_scores.score_cycle(trip, heaps, readers, nn.Flatten())
    assert score.cycle_x == score.cycle_y == 0
    rest = heaps.y - translation_pairs.coarse(heaps.y, 2)
    assert score.smuggled == pytest.approx((rest.norm() / heaps.y.norm()).item(), abs=1e-6)
    assert score.blocked == pytest.approx(rest.abs().mean().item(), abs=1e-6)


def test_noise_in_the_middle_of_identities_costs_its_mean_size():
    y = torch.zeros(20, 1, 16, 16)
    errors = translation_scores.perturbed(Trip(Same(), Same()), y, (0.0, 0.1))
    expected = [0, 0.1 * math.sqrt(2 / math.pi)]
    torch.testing.assert_close(errors, torch.tensor(expected), rtol=0.05, atol=0)


@FEW
@given(st.integers(0, 100))
def test_packing_pictures_costs_at_most_half_a_level(seed):
    images = torch.rand(2, 1, 4, 4, generator=source(seed))
    back = translation_scores.unpacked(translation_scores.packed(images), 2, 1, 4, 4)
    assert (back - images).abs().max() <= 0.5 / 15 + 1e-6


def test_scores_of_a_wrong_kind_are_refused():
    with pytest.raises(ValueError, match="label an image"):
        translation_scores.reader(torch.zeros(3, 1, 8, 8), torch.zeros(2).long())
    with pytest.raises(ValueError, match="even"):
        translation_scores.sharpness(torch.rand(1, 1, 4, 4), torch.zeros(1, 1, 4, 4))
    with pytest.raises(ValueError, match="digits"):
        translation_scores.unpacked("00", 3)


STUDIES = [*translation_studies.STUDIES, *translation_photos.STUDIES]


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_a_slice_of_every_study_has_plain_rows(study, monkeypatch):
    monkeypatch.setenv("GENBOOK_DATA", "none")
    rows = study.run(slice=True, seed=0) if study.by_seed else study.run(slice=True)
    assert all(isinstance(value, (int, float, str)) for row in rows for value in row.values())


# --- Exercises and drawings -------------------------------------------------------------------


@pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda exercise: exercise.name)
def test_exercises_accept_the_reference_and_hint_at_typical_errors(exercise):
    assert exercise.check(exercise.reference) is None
    for wrong in exercise.wrong:
        assert wrong.hint in exercise.check(wrong.answer)


@FEW
@given(st.floats(0.05, 0.95))
def test_the_game_for_one_pixel_is_zero_exactly_at_the_share_of_ink(share):
    v = torch.tensor([share, share / 2, (1 + share) / 2], dtype=torch.float64)
    game, error = figures.mixed_loss(share, 2.0, v)
    assert abs(game[0]) < 1e-12
    assert (game[1:] > 0).all()
    assert error[0].item() == pytest.approx(4 * share * (1 - share))


@FEW
@given(st.integers(0, 100), st.sampled_from([1, 3, 11]))
def test_the_nearest_draw_is_the_median(seed, count):
    draws = torch.rand(count, generator=source(seed), dtype=torch.float64)
    assert translation.best_constant(draws) == draws.median()


def test_no_draws_are_refused():
    with pytest.raises(ValueError, match="n ≥ 1"):
        translation.best_constant(torch.zeros(0))


def test_drawings_have_a_readout():
    assert "40%" in figures.one_pixel(0.4, 0.5).get_label()
    assert "180°" in figures.round_trip(180).get_label()


# --- The receipts, broken on purpose ----------------------------------------------------------


@pytest.fixture(autouse=True)
def brief(monkeypatch, request):
    """Leave out of the chapter what no receipt looks at: the long training without pairs."""
    if "receipt" in request.node.name:
        honest = translation_cycle.train_cycle
        monkeypatch.setattr(
            translation_cycle,
            "train_cycle",
            lambda *a, iterations, **k: honest(*a, iterations=1, **k),
        )
        read = translation_scores.reader
        monkeypatch.setattr(translation_scores, "reader", lambda x, y, **_: read(x, y, steps=1))


def breaks(monkeypatch, test):
    assert_breaks("translation", test, monkeypatch)


def stale_rows(monkeypatch, name, change):
    """Let a recorded study hold other numbers."""
    honest = studies.load

    def load(wanted):
        found = honest(wanted)
        if wanted != name:
            return found
        return replace(found, rows=tuple({**row, **change(row)} for row in found.rows))

    monkeypatch.setattr(studies, "load", load)


def test_receipt_median(monkeypatch):
    monkeypatch.setattr(translation, "best_constant", torch.Tensor.mean)
    breaks(monkeypatch, "test_receipt_median")


def test_receipt_pixel(monkeypatch):
    honest = figures.mixed_loss
    monkeypatch.setattr(figures, "mixed_loss", lambda p, w, v: honest(p, 1.0, v)[::-1])
    breaks(monkeypatch, "test_receipt_pixel")


def test_receipt_blind(monkeypatch):
    def crossed(critic, x, y):
        return torch.cat([y, y], 1) if critic == "xy" else x + y

    monkeypatch.setattr(translation, "critic_view", crossed)
    breaks(monkeypatch, "test_receipt_blind")


def test_receipt_skips(monkeypatch):
    honest = translation_nets.UNet.__init__

    def swapped(self, *args, skips, **options):
        honest(self, *args, skips=not skips, **options)

    monkeypatch.setattr(translation_nets.UNet, "__init__", swapped)
    breaks(monkeypatch, "test_receipt_skips")


def test_receipt_field(monkeypatch):
    def without_strides(layers):
        return 1 + sum(kernel - 1 for kernel, _ in layers)

    monkeypatch.setattr(translation_nets, "receptive_field", without_strides)
    breaks(monkeypatch, "test_receipt_field")


def test_receipt_cycle(monkeypatch):
    honest = translation_cycle.cycle_loss
    monkeypatch.setattr(translation_cycle, "cycle_loss", lambda g, f, x: honest(g, lambda v: v, x))
    breaks(monkeypatch, "test_receipt_cycle")


def test_receipt_pool(monkeypatch):
    def oldest(self, image):
        self.kept.append(image)
        return self.kept[0]

    monkeypatch.setattr(ImagePool, "_exchange", oldest)
    breaks(monkeypatch, "test_receipt_pool")


def test_receipt_sigma(monkeypatch):
    monkeypatch.setattr(translation_cycle, "turn", lambda points, degrees: 1.01 * points)
    breaks(monkeypatch, "test_receipt_sigma")


def test_receipt_ignored(monkeypatch):
    other = {"GAN": {"read": 0.9, "noise": 0.1}}
    stale_rows(monkeypatch, "translation_ablation", lambda row: other.get(row["loss"], {}))
    breaks(monkeypatch, "test_receipt_ignored")


def test_receipt_blur(monkeypatch):
    other = {"L1": {"midtones": 0.01}}
    stale_rows(monkeypatch, "translation_ablation", lambda row: other.get(row["loss"], {}))
    breaks(monkeypatch, "test_receipt_blur")


def test_receipt_seen(monkeypatch):
    other = {"cGAN": {"read": 0.7}, "GAN": {"sharpness": 1.3}}
    stale_rows(monkeypatch, "translation_ablation", lambda row: other.get(row["loss"], {}))
    breaks(monkeypatch, "test_receipt_seen")


def test_receipt_cut(monkeypatch):
    other = {"L1, no skips": {"read": 0.99}}
    stale_rows(monkeypatch, "translation_ablation", lambda row: other.get(row["loss"], {}))
    breaks(monkeypatch, "test_receipt_cut")


def test_receipt_sweeps(monkeypatch):
    falling = {1: 0.9, 34: 0.1}

    def other(row):
        if row["sweep"] == "patch":
            return {"sharpness": falling.get(row["patch"], 0.5)}
        return {"midtones": 1 / (1 + row["weight"])}

    stale_rows(monkeypatch, "translation_sweeps", other)
    breaks(monkeypatch, "test_receipt_sweeps")


def test_receipt_photos(monkeypatch):
    other = {
        "L1": {"l1": 0.1, "calm": 0.9},
        "L1, from a copy": {"l1": 0.2},
    }
    stale_rows(monkeypatch, "translation_photos", lambda row: other.get(row["loss"], {}))
    breaks(monkeypatch, "test_receipt_photos")


def test_receipt_start(monkeypatch):
    honest = translation_cycle.CycleNets

    def swapped(generator, recipe, **options):
        other = {"noise": "copy", "copy": "noise"}[recipe.start]
        return honest(generator, replace(recipe, start=other), **options)

    monkeypatch.setattr(translation_cycle, "CycleNets", swapped)
    breaks(monkeypatch, "test_receipt_start")


def stale_scores(monkeypatch, other):
    stale_rows(monkeypatch, "translation_cycles", lambda row: other.get(row.get("loss"), {}))


def test_receipt_lost(monkeypatch):
    stale_scores(monkeypatch, {"CycleGAN, from noise": {"to_x": 0.3, "cycle_y": 0.1, "as_y": 0.9}})
    breaks(monkeypatch, "test_receipt_lost")


def test_receipt_found(monkeypatch):
    other = {
        "CycleGAN": {"to_y": 0.6, "to_x": 0.5},
        "GAN alone": {"to_x": 0.45, "to_y": 0.55},
        "cycle alone": {"as_x": 0.1},
    }
    stale_scores(monkeypatch, other)
    breaks(monkeypatch, "test_receipt_found")


def test_receipt_halves(monkeypatch):
    other = {
        "GAN + forward": {"to_y": 0.5, "to_x": 0.9},
        "CycleGAN + identity, from noise": {"to_y": 0.5},
    }
    stale_scores(monkeypatch, other)
    breaks(monkeypatch, "test_receipt_halves")


def test_receipt_hidden(monkeypatch):
    stale_scores(monkeypatch, {"CycleGAN": {"blocked": 0.03}})
    stale_rows(monkeypatch, "translation_hidden", lambda row: {"noise_0.02": 2 * row["noise_0"]})
    breaks(monkeypatch, "test_receipt_hidden")


def test_receipt_brick(monkeypatch):
    other = {"judged": 0.6, "as_y": 0.3, "slopes_y": 0.4, "edges_y": 0.2}
    stale_rows(monkeypatch, "translation_textures", lambda row: other)
    breaks(monkeypatch, "test_receipt_brick")


def test_receipt_live(monkeypatch):
    honest = translation_studies.small_scores
    monkeypatch.setattr(translation_studies, "small_scores", lambda seed: honest(seed, 1))
    breaks(monkeypatch, "test_receipt_live")


@pytest.mark.parametrize("test", ["test_receipt_blind", "test_receipt_sigma"])
def test_receipts_hold_as_the_chapter_stands(test, monkeypatch):
    assert_holds("translation", test, monkeypatch)
