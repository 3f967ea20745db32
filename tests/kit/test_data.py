"""Data sets: shapes, ranges, splits that share nothing, and toys with known moments."""

from __future__ import annotations

import ast
import calendar
import itertools
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genbook.kit import data
from genbook.kit.data import bundled, text
from genbook.kit.data.images import ImageSet
from genbook.kit.device import pick, seeded

N = 20_000


# Digits


def test_the_digits_are_sixteenths_on_the_device(device):
    train, test, whole = (data.digits(split, device=device) for split in ("train", "test", "all"))
    assert (len(train), len(test), len(whole)) == (1437, 360, 1797)
    assert train.size == (1, 8, 8)
    assert train.images.device.type == train.labels.device.type == device.type
    assert torch.equal((whole.images * 16).round() / 16, whole.images)
    assert (whole.images.min(), whole.images.max()) == (0, 1)
    assert torch.equal(torch.cat([train.images, test.images]), whole.images)
    assert torch.bincount(whole.labels).tolist() == [
        178,
        182,
        177,
        183,
        181,
        182,
        181,
        179,
        174,
        180,
    ]


def test_the_digits_come_in_double_precision_too():
    assert data.digits(device="cpu", dtype=torch.float64).images.dtype is torch.float64
    assert data.digits(device=pick("cpu", torch.float64)).images.dtype is torch.float64


def test_an_unknown_split_of_the_digits_is_refused():
    with pytest.raises(ValueError, match="expected one of 'train', 'test', 'all', got 'valid'"):
        data.digits("valid")


# Photographs


def test_every_photograph_is_in_the_wheels():
    for name, (package, _) in bundled.PHOTOGRAPHS.items():
        picture = bundled._photograph(name)
        assert package in ("sklearn", "skimage")
        assert picture.shape[0] == (3 if name in bundled.COLOUR else 1)
        assert min(picture.shape[1:]) >= 300
        assert 0 <= picture.min() < picture.max() <= 1
        assert picture.std() > 0.05


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("by", ["region", "photograph"])
def test_the_splits_of_the_photographs_share_no_pixel(channels, by, monkeypatch):
    """Number the pixels; the numbers of the two splits must not meet."""
    side = 200
    numbers = torch.arange(side * side, dtype=torch.float64).view(1, side, side) / side**2
    monkeypatch.setattr(bundled, "_photograph", lambda name: numbers.expand(3, -1, -1))
    monkeypatch.setattr(bundled, "_coloured", lambda picture, channels: picture[:channels])
    names = ["astronaut", "chelsea", "coffee"]
    kept = {"stride": 5, "names": names, "device": "cpu", "dtype": torch.float64}
    seen = []
    for split in ("train", "test"):
        part = data.photos(8, split, channels=channels, by=by, **kept)
        pixels = part.images[:, 0].flatten(1) + part.labels[:, None]
        seen.append(set(pixels.unique().tolist()))
    assert min(map(len, seen)) > 5_000
    assert not seen[0] & seen[1]


def test_patches_on_a_lattice_are_cut_from_the_picture():
    picture = bundled._photograph("camera")
    patches = data.photos(32, "all", stride=100, names=["camera"], channels=1, device="cpu").images
    columns = (picture.shape[2] - 32) // 100 + 1
    assert torch.equal(patches[columns + 2], picture[:, 100:132, 200:232])


def test_random_patches_are_cut_from_the_picture_and_repeat_with_the_seed():
    draw = [
        data.photos(8, count=40, generator=seeded(seed), channels=1, device="cpu")
        for seed in (1, 1, 2)
    ]
    assert torch.equal(draw[0].images, draw[1].images)
    assert not torch.equal(draw[0].images, draw[2].images)
    assert len(draw[0]) == 40
    name = tuple(bundled.PHOTOGRAPHS)[draw[0].labels[0]]
    picture = bundled._coloured(bundled._photograph(name), 1)
    every = picture.unfold(1, 8, 1).unfold(2, 8, 1)
    assert (every - draw[0].images[0, :, None, None]).abs().amax((0, 3, 4)).min() < 1e-6


def test_a_shrunk_picture_keeps_its_mean():
    whole = data.photos(512, "all", names=["astronaut"], device="cpu").images
    small = data.photos(64, "all", names=["astronaut"], shrink=8, device="cpu").images
    assert torch.allclose(whole.mean((0, 2, 3)), small.mean((0, 2, 3)), atol=1e-5)


def test_grey_is_luma_and_grey_pictures_can_be_coloured():
    colour = data.photos(512, "all", names=["astronaut"], device="cpu").images[0]
    grey = data.photos(512, "all", names=["astronaut"], channels=1, device="cpu").images[0, 0]
    assert torch.allclose(
        grey, colour[0] * 0.299 + colour[1] * 0.587 + colour[2] * 0.114, atol=1e-6
    )
    camera = data.photos(64, "all", names=["camera"], channels=3, device="cpu").images
    assert torch.equal(camera[:, 0], camera[:, 2])


def test_photographs_default_to_what_the_channels_allow(device):
    patches = data.photos(16, stride=100, device=device)
    assert patches.size == (3, 16, 16)
    assert patches.images.device.type == device.type
    assert patches.labels.unique().tolist() == list(range(7))
    assert 0 <= patches.images.min() < patches.images.max() <= 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [({"size": 0}, "size: "), ({"size": 600}, "does not fit"), ({"stride": 0}, "stride: "),
     ({"stride": 4, "count": 4}, "got both"), ({"count": 4}, "need generator"),
     ({"count": 0, "generator": torch.Generator()}, "count: "),
     ({"count": 4, "generator": 3}, "generator: "), ({"channels": 2}, "channels: "),
     ({"shrink": 0}, "shrink: "), ({"names": ["lena"]}, "names: .*'lena'"),
     ({"names": []}, "at least one"), ({"by": "colour"}, "by: "), ({"split": "dev"}, "split: "),
     ({"names": ["china"], "by": "photograph"}, "no photograph is left")],
)  # fmt: skip
def test_bad_asks_for_photographs_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        data.photos(**arguments)


def test_a_photograph_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(bundled.PHOTOGRAPHS, "ghost", ("skimage", "data/ghost.png"))
    with pytest.raises(ValueError, match="'ghost' is not in the installed skimage"):
        data.photos(names=["ghost"])


# Image sets


def test_an_image_set_of_other_shapes_is_refused():
    images, labels = torch.zeros(4, 1, 2, 2), torch.zeros(4, dtype=torch.int64)
    for wrong in (images[0], images.byte()):
        with pytest.raises(ValueError, match="floating images"):
            ImageSet("x", wrong, labels)
    for wrong in (labels[1:], labels.float()):
        with pytest.raises(ValueError, match="int64 labels"):
            ImageSet("x", images, wrong)


def test_an_image_set_can_be_cut_flattened_and_moved(device):
    images = data.digits(device="cpu")
    assert len(images.take(7)) == 7
    assert len(images.take(slice(3, 9))) == 6
    fives = images.take(images.labels == 5)
    assert set(fives.labels.tolist()) == {5}
    assert images.flat.shape == (1437, 64)
    assert images.flat.data_ptr() == images.images.data_ptr()
    moved = images.to(pick(device, torch.float64))
    assert (moved.images.dtype, moved.images.device.type) == (torch.float64, device.type)
    assert images.to("cpu").images.dtype is torch.float32
    for wrong in (0, 1438, -1):
        with pytest.raises(ValueError, match="take: "):
            images.take(wrong)


# Minibatches


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.data())
def test_an_epoch_deals_each_item_at_most_once_and_leaves_less_than_a_batch(count, draw):
    size = draw.draw(st.integers(1, count))
    seen = torch.cat(list(data.batches(torch.arange(count), size, seeded(count))))
    assert len(seen) == count // size * size
    assert len(seen.unique()) == len(seen)


def test_every_batch_is_full_over_many_epochs():
    parts = list(data.batches(torch.arange(10), 4, seeded(0), steps=9))
    assert [len(part) for part in parts] == [4] * 9
    orders = [tuple(torch.cat(parts[i : i + 2]).tolist()) for i in range(0, 8, 2)]
    assert len(set(orders)) == 4


def test_several_tensors_are_cut_alike(device):
    images = data.digits(device=device)
    pairs = list(data.batches(images, 100, seeded(3), steps=3))
    again = list(data.batches([images.images, images.labels], 100, seeded(3), steps=3))
    alone = list(data.batches(images.images, 100, seeded(3), steps=3))
    for (x, y), (x2, y2), x3 in zip(pairs, again, alone, strict=True):
        assert x.device.type == device.type
        assert torch.equal(x, x2)
        assert torch.equal(x, x3)
        assert torch.equal(y, y2)
        place = (images.images == x[0]).flatten(1).all(1).nonzero()
        assert y[0] in images.labels[place]


def test_batches_go_on_from_a_saved_place():
    numbers = torch.arange(10)
    generator = seeded(1)
    run = data.batches(numbers, 3, generator, steps=12)
    for _ in range(5):
        next(run)
    place, state = run.state_dict(), generator.get_state()
    rest = [batch.tolist() for batch in run]
    generator = seeded(99)
    generator.set_state(state)
    resumed = data.batches(numbers, 3, generator, steps=12)
    resumed.load_state_dict(place)
    assert len(resumed) == 7
    assert [batch.tolist() for batch in resumed] == rest


def test_batches_of_other_data_do_not_resume():
    run = data.batches(torch.arange(10), 3, seeded(0))
    next(run)
    with pytest.raises(ValueError, match="for 10 items, the data has 11"):
        data.batches(torch.arange(11), 3, seeded(0)).load_state_dict(run.state_dict())


@pytest.mark.parametrize(
    ("what", "size", "steps", "says"),
    [(torch.arange(3), 4, None, "at most 3"), (torch.arange(3), 0, None, "size: "),
     (torch.arange(3), 2, -1, "steps: "), (torch.tensor(3), 1, None, "expected tensors"),
     ([], 1, None, "expected tensors"), ([1, 2], 1, None, "expected tensors"),
     ([torch.arange(3), torch.arange(4)], 1, None, r"got lengths \[3, 4\]"),
     (torch.arange(0), 1, None, "at most 0")],
)  # fmt: skip
def test_bad_batches_are_refused(what, size, steps, says):
    with pytest.raises(ValueError, match=says):
        data.batches(what, size, seeded(0), steps=steps)


def test_batches_need_a_generator():
    with pytest.raises(ValueError, match=r"expected a torch\.Generator, got NoneType"):
        data.batches(torch.arange(3), 1, None)


# Toys


def test_the_ring_has_its_modes_at_equal_angles_and_none_twice():
    centres = data.ring_centres(8, dtype=torch.float64)
    angle = torch.atan2(centres[:, 1], centres[:, 0]) % (2 * math.pi)
    want = torch.arange(8) * math.pi / 4
    assert torch.allclose(angle, want.double(), atol=1e-12)
    assert torch.cdist(centres, centres).fill_diagonal_(9).min() > 0.7
    assert torch.allclose(centres.norm(dim=1), torch.ones(8).double())


def test_the_grid_is_the_five_by_five():
    ticks = (-4.0, -2.0, 0.0, 2.0, 4.0)
    assert set(map(tuple, data.grid_centres().tolist())) == set(itertools.product(ticks, ticks))


@pytest.mark.parametrize(
    ("draw", "centres", "std"),
    [(data.ring, data.ring_centres(), 0.01), (data.grid, data.grid_centres(), 0.05)],
)
def test_points_spread_evenly_around_the_centres(draw, centres, std, device):
    points = draw(N, seeded(0, device)).cpu()
    distance, nearest = torch.cdist(points, centres).min(dim=1)
    share = torch.bincount(nearest, minlength=len(centres)) / N
    assert (share * len(centres) - 1).abs().max() < 5 * math.sqrt(len(centres) / N)
    assert (distance**2).mean().item() == pytest.approx(2 * std**2, rel=5 / math.sqrt(N))
    assert distance.max() < 6 * std


def test_the_swiss_roll_without_noise_lies_on_its_spiral():
    points = data.swiss_roll(N, seeded(0), noise=0.0, dtype=torch.float64)
    radius = points.norm(dim=1)
    angle = radius * 3 * math.pi * 1.5
    curve = radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
    assert torch.allclose(points, curve, atol=1e-12)
    assert radius.min().item() == pytest.approx(1 / 3, abs=1e-3)
    assert radius.max().item() == pytest.approx(1, abs=1e-3)
    wide = data.swiss_roll(N, seeded(0), noise=0.5, dtype=torch.float64)
    assert (wide - points).std().item() == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize(
    ("draw", "bad"),
    [(data.ring, {"n_modes": 0}), (data.ring, {"radius": 0.0}), (data.ring, {"std": -1.0}),
     (data.ring, {"std": float("nan")}), (data.grid, {"side": 0}), (data.grid, {"spacing": 0.0}),
     (data.swiss_roll, {"turns": 0.0}), (data.swiss_roll, {"noise": -0.1})],
)  # fmt: skip
def test_bad_toys_are_refused(draw, bad):
    with pytest.raises(ValueError, match="expected"):
        draw(10, seeded(0), **bad)


@pytest.mark.parametrize("draw", [data.ring, data.grid, data.swiss_roll])
def test_a_toy_needs_points_and_a_generator(draw):
    with pytest.raises(ValueError, match="n: expected"):
        draw(0, seeded(0))
    with pytest.raises(ValueError, match="generator: expected"):
        draw(3, 0)


# Sequences


def test_the_order_of_two_marks_is_the_class(device):
    x, y = data.temporal_order(400, 100, seeded(0, device))
    symbols = x.argmax(-1)
    for row, target in zip(symbols.tolist(), y.tolist(), strict=True):
        places = [t for t, symbol in enumerate(row) if symbol < 2]
        assert len(places) == 2
        assert 10 <= places[0] <= 20
        assert 50 <= places[1] <= 60
        assert target == 2 * row[places[0]] + row[places[1]]
        assert (row[0], row[-1]) == (6, 7)
        assert row.count(6) == row.count(7) == 1
    assert torch.bincount(y).min() > 60


@pytest.mark.parametrize("length", [10, 11, 13, 50])
def test_the_marks_never_fall_on_each_other_or_on_the_signs(length):
    x, _ = data.temporal_order(300, length, seeded(0))
    assert torch.equal(x[..., :2].sum((1, 2)), torch.full((300,), 2.0))
    assert torch.equal(x[:, 0, 6], torch.ones(300))
    assert torch.equal(x[:, -1, 7], torch.ones(300))


def test_bad_sequences_are_refused():
    with pytest.raises(ValueError, match="length: expected a whole number ≥ 10"):
        data.temporal_order(3, 9, seeded(0))
    with pytest.raises(ValueError, match="n: expected"):
        data.temporal_order(0, 20, seeded(0))
    with pytest.raises(ValueError, match="generator: expected"):
        data.temporal_order(3, 20, None)


# Text


def test_the_library_source_is_plain_and_long_enough():
    train, test = (data.python_source(split=split, device="cpu") for split in ("train", "test"))
    assert len(train) > 1_000_000
    assert len(test) > 200_000
    assert set(str(train)) <= set(text.ALPHABET)
    assert str(train).count("def ") > 1_000
    assert "\t" not in str(train)


def test_the_modules_are_sorted_and_no_test_module_is_trained_on():
    assert list(text.MODULES) == sorted(set(text.MODULES))
    parts = [str(data.python_source(split=split, device="cpu")) for split in ("train", "test")]
    for module, home in ((ast, 0), (calendar, 1)):
        source = text._plain(Path(module.__file__).read_text(encoding="utf-8"))
        assert source in parts[home]
        assert source not in parts[1 - home]


def test_a_generator_shuffles_the_modules():
    plain = str(data.python_source(5_000, device="cpu"))
    one, two, other = (
        str(data.python_source(5_000, generator=seeded(seed), device="cpu")) for seed in (1, 1, 2)
    )
    assert one == two
    assert len({plain, one, other}) == 3


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=text.ALPHABET, max_size=50))
def test_text_is_encoded_and_decoded_alike(string):
    some = data.Text(torch.zeros(1, dtype=torch.int64))
    codes = some.encode(string)
    assert codes.dtype is torch.int64
    assert some.decode(codes) == string


def test_samples_of_text_are_its_stretches_with_the_next_character(device):
    some = data.python_source(500, device=device)
    x, y = some.sample(50, 20, seeded(0))
    assert (x.shape, x.device.type) == ((50, 20), device.type)
    assert torch.equal(x[:, 1:], y[:, :-1])
    whole = str(some)
    for row, following in zip(x, y[:, -1:], strict=True):
        assert some.decode(row) + some.decode(following) in whole


def test_every_stretch_may_come():
    some = data.Text(torch.arange(5))
    x, y = some.sample(200, 3, seeded(0))
    assert set(x[:, 0].tolist()) == {0, 1}
    assert y.max() == 4


def test_bad_asks_for_text_are_refused(monkeypatch, tmp_path):
    some = data.python_source(100, device="cpu")
    for bad, says in [
        (lambda: some.encode("naïve\t"), r"\['\\t', 'ï'\] not in the alphabet"),
        (lambda: some.decode(torch.tensor([96])), r"expected codes in \[0, 95\]"),
        (lambda: some.decode(torch.tensor([-1])), r"expected codes in \[0, 95\]"),
        (lambda: some.sample(1, 100, seeded(0)), "length: expected less than 100"),
        (lambda: some.sample(0, 10, seeded(0)), "n: "),
        (lambda: some.sample(1, 10, None), "generator: "),
        (lambda: data.python_source(0), "n_chars: "),
        (lambda: data.python_source(10**9), "expected 1,000,000,000 characters"),
        (lambda: data.python_source(10, "dev"), "split: "),
        (lambda: data.python_source(10, generator=1), "generator: "),
    ]:
        with pytest.raises(ValueError, match=says):
            bad()
    monkeypatch.setattr(text.sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(ValueError, match=r"gives 0; .* whose \.py files are installed"):
        data.python_source(10)


def test_a_caption_spells_the_name_of_a_set():
    assert data.digits("test").title == "8×8 digits"
