"""MNIST: the files are believed only when they are whole, and fetched whatever the network does."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from genbook.kit import data
from genbook.kit.data import fetch as fetching
from genbook.kit.data import idx, mnist_files, places
from genbook.kit.environment import cache_folder

sys.path.insert(0, str(Path(__file__).parent))
from mirrors import Mirror, serve

REPOSITORY = Path(__file__).parents[2]
NOISE = np.random.default_rng(0)
ARRAYS = {
    "train-images-idx3-ubyte": NOISE.integers(0, 256, (300, 28, 28), dtype=np.uint8),
    "train-labels-idx1-ubyte": NOISE.integers(0, 10, 300, dtype=np.uint8),
    "t10k-images-idx3-ubyte": NOISE.integers(0, 256, (20, 28, 28), dtype=np.uint8),
    "t10k-labels-idx1-ubyte": NOISE.integers(0, 10, 20, dtype=np.uint8),
}
IMAGES = "train-images-idx3-ubyte"
FETCH = """
import json, os
from genbook.kit.data import mnist_files
given = json.loads(os.environ["GIVEN"])
mnist_files.MIRRORS, mnist_files.MD5 = tuple(given["mirrors"]), given["md5"]
print(mnist_files.mnist("train", device="cpu").name)
"""


def raw(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    return header + array.tobytes()


RAW = {name: raw(array) for name, array in ARRAYS.items()}
PACKED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in RAW.items()}
MD5 = {name: hashlib.md5(content).hexdigest() for name, content in RAW.items()}


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache, no folder, no network, and four small files that pass for MNIST."""
    for name in ("GENBOOK_DATA", "GENBOOK_DOWNLOAD", "GENBOOK_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GENBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(mnist_files, "MD5", MD5)
    monkeypatch.setattr(mnist_files, "MIRRORS", ("http://127.0.0.1:1/",))
    return tmp_path


@pytest.fixture
def mirror(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """One good mirror."""
    with serve(Mirror(dict(PACKED))) as served:
        monkeypatch.setattr(mnist_files, "MIRRORS", (served.url,))
        yield served


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def cached(place: Path, name: str = IMAGES) -> Path:
    return place / "cache" / "mnist" / f"{name}.gz"


def is_the_train_split(images: data.ImageSet) -> bool:
    whole = torch.tensor(ARRAYS[IMAGES])[:, None].float() / 255
    return images.name == "mnist" and torch.equal(images.images, whole)


# The format


@settings(max_examples=25, deadline=None)
@given(arrays(np.uint8, array_shapes(max_dims=4, max_side=5)), st.sampled_from(["", ".gz"]))
def test_what_is_written_is_read_back(tmp_path_factory, array, ending):
    path = tmp_path_factory.mktemp("idx") / f"a{ending}"
    idx.write_idx(path, array)
    assert np.array_equal(idx.read_idx(path, ndim=array.ndim), array)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_file_cut_anywhere_is_refused(data):
    content = raw(ARRAYS["t10k-labels-idx1-ubyte"])
    if data.draw(st.booleans()):
        content = gzip.compress(content)
    cut = content[: data.draw(st.integers(0, len(content) - 1))]
    with pytest.raises(ValueError, match=r"some file: .*delete it"):
        idx.verified(cut, "some file")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html>", "3c 21 44 4f"),
        (b"\0\0\x0d\x01\0\0\0\0", "got 00 00 0d 01"),
        (b"\0\0\x08\x00", "got 00 00 08 00"),
        (b"\0\0\x08\x09" + bytes(36), "got 00 00 08 09"),
        (raw(ARRAYS[IMAGES])[:-1], "truncated: expected 235,216 bytes.*got 235,215"),
        (raw(ARRAYS[IMAGES]) + b"x", "too long"),
        (gzip.compress(b"hello", mtime=0), "68 65 6c 6c"),
        (b"\x1f\x8b" + bytes(30), "cut short or damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_what_is_no_idx_file_is_refused_and_named(content, says):
    with pytest.raises(ValueError, match=f"some file: .*{says}"):
        idx.verified(content, "some file")


def test_a_flipped_bit_is_refused():
    content = bytearray(RAW[IMAGES])
    content[1000] ^= 1
    with pytest.raises(ValueError, match=f"expected md5 {MD5[IMAGES]}"):
        idx.verified(bytes(content), "some file", md5=MD5[IMAGES])


def test_a_flipped_bit_in_gzip_is_refused_even_without_a_checksum():
    content = bytearray(PACKED[f"{IMAGES}.gz"])
    content[len(content) // 2] ^= 1
    with pytest.raises(ValueError, match="some file"):
        idx.verified(bytes(content), "some file")


def test_labels_in_the_place_of_images_are_refused():
    with pytest.raises(ValueError, match="3 dimensions"):
        idx.verified(RAW["train-labels-idx1-ubyte"], "some file", ndim=3)


def test_only_bytes_are_written(tmp_path):
    with pytest.raises(ValueError, match="expected uint8"):
        idx.write_idx(tmp_path / "a", np.zeros(3))
    with pytest.raises(ValueError, match="found none at"):
        idx.read_idx(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


# Where it is looked for


@pytest.mark.parametrize("inside", ["", "mnist", "MNIST/raw"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_is_read_gzip_or_raw(place, monkeypatch, inside, packed):
    fill(place / "folder" / inside, PACKED if packed else RAW)
    monkeypatch.setenv("GENBOOK_DATA", str(place / "folder"))
    train, test = data.mnist("train", device="cpu"), data.mnist("test", device="cpu")
    assert is_the_train_split(train)
    assert test.images.shape == (20, 1, 28, 28)
    assert torch.equal(train.labels, torch.tensor(ARRAYS["train-labels-idx1-ubyte"]).long())
    assert train.images.dtype is torch.float32
    assert train.images.min() == 0
    assert train.images.max() == 1


def test_a_relative_folder_counts_from_here_then_from_the_repository(place, monkeypatch):
    folder = fill(place / "here" / "data" / "mnist", PACKED).parent
    monkeypatch.chdir(place / "here")
    monkeypatch.setenv("GENBOOK_DATA", "data")
    assert data.mnist(device="cpu").name == "mnist"
    (place / "elsewhere").mkdir()
    monkeypatch.chdir(place / "elsewhere")
    monkeypatch.setenv("GENBOOK_DATA", os.path.relpath(folder, REPOSITORY))
    assert data.mnist(device="cpu").name == "mnist"


def test_the_cache_comes_before_the_folder(place, monkeypatch):
    fill(place / "cache" / "mnist", PACKED)
    monkeypatch.setenv("GENBOOK_DATA", str(fill(place / "bad", {f"{IMAGES}.gz": b"bad"})))
    assert data.mnist(device="cpu").name == "mnist"


def test_none_means_bundled_only(place, mirror, monkeypatch):
    fill(place / "cache" / "mnist", PACKED)
    monkeypatch.setenv("GENBOOK_DATA", "none")
    images = data.mnist(device="cpu")
    assert (images.name, len(images)) == ("digits", 1437)
    assert "GENBOOK_DATA=none" in images.notice
    assert "\n" not in images.notice
    assert mirror.asked == []


def test_a_folder_that_is_not_there_is_an_error(place, monkeypatch):
    monkeypatch.setenv("GENBOOK_DATA", "no/such/folder")
    with pytest.raises(ValueError, match=r"GENBOOK_DATA: .*no/such/folder"):
        data.mnist(device="cpu")


def test_an_empty_folder_is_passed_by(place, mirror, monkeypatch):
    monkeypatch.setenv("GENBOOK_DATA", str(fill(place / "empty", {})))
    assert is_the_train_split(data.mnist(device="cpu"))


@pytest.mark.parametrize("where", ["cache/mnist", "folder"])
def test_a_bad_file_that_is_there_is_refused_not_passed_by(place, mirror, monkeypatch, where):
    fill(place / where, PACKED | {f"{IMAGES}.gz": PACKED[f"{IMAGES}.gz"][:-9]})
    if where == "folder":
        monkeypatch.setenv("GENBOOK_DATA", str(place / where))
    with pytest.raises(ValueError, match=f"{where}/{IMAGES}.gz: .*delete it"):
        data.mnist(device="cpu")
    assert mirror.asked == []


def test_an_unknown_split_or_switch_is_refused(place, monkeypatch):
    with pytest.raises(ValueError, match="expected one of 'train', 'test'"):
        data.mnist("valid")
    monkeypatch.setenv("GENBOOK_DOWNLOAD", "maybe")
    with pytest.raises(ValueError, match="GENBOOK_DOWNLOAD: expected 0 or 1"):
        data.mnist(device="cpu")


@pytest.mark.parametrize(
    "spelled",
    [
        "train-images.idx3-ubyte",
        "train-images.idx3-ubyte.gz",
        "train-images-idx3-ubyte/train-images-idx3-ubyte",
        "Train-Images-IDX3-Ubyte.GZ",
        "train_images_idx3_ubyte",
        "train-images-idx3-ubyte.idx",
        "MNIST/raw/train-images-idx3-ubyte",
        "raw/train-images.idx3-ubyte",
        "Mnist/RAW/train-images-idx3-ubyte",
        "mnist/train-images.idx3-ubyte/train-images-idx3-ubyte.gz",
        "train-images-idx3-ubyte (1).gz",
        "train-images-idx3-ubyte - Copy",
        "mnist/train-images idx3-ubyte (2)/train-images-idx3-ubyte",
    ],
)
def test_a_file_is_found_under_any_usual_spelling(place, monkeypatch, spelled):
    folder = fill(place / "folder", {k: v for k, v in RAW.items() if k != IMAGES})
    path = folder / spelled
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = spelled.lower().endswith("gz")
    path.write_bytes(PACKED[f"{IMAGES}.gz"] if packed else RAW[IMAGES])
    monkeypatch.setenv("GENBOOK_DATA", str(folder))
    assert is_the_train_split(data.mnist(device="cpu"))


@pytest.mark.parametrize(
    "written",
    ["~/digits", " ~/digits ", "'$HOME/digits'", '"~/digits/"', "“~/digits”", "`${HOME}/digits`\n"],
)
def test_a_folder_is_understood_as_people_write_it(place, monkeypatch, written):
    monkeypatch.setenv("HOME", str(place))
    fill(place / "digits" / "mnist", PACKED)
    monkeypatch.setenv("GENBOOK_DATA", written)
    assert data.mnist(device="cpu").name == "mnist"
    assert places.data_folder() == (place / "digits").resolve()


@pytest.mark.parametrize("written", ["none", " NONE ", "'none'"])
def test_none_is_understood_as_people_write_it(place, monkeypatch, written):
    monkeypatch.setenv("GENBOOK_DATA", written)
    assert data.mnist(device="cpu").name == "digits"


@pytest.mark.parametrize("value", ["0", " 0 ", "'0'"])
def test_a_download_is_forbidden_as_people_write_it(place, mirror, monkeypatch, value):
    monkeypatch.setenv("GENBOOK_DOWNLOAD", value)
    assert data.mnist(device="cpu").name == "digits"
    assert mirror.asked == []


def test_a_relative_cache_is_the_same_beside_the_notebook_as_in_the_repository(place, monkeypatch):
    folder = fill(place / "cache" / "mnist", PACKED).parent
    monkeypatch.setenv("GENBOOK_CACHE", os.path.relpath(folder, REPOSITORY))
    (place / "book").mkdir()
    for here in (REPOSITORY, place / "book"):
        monkeypatch.chdir(here)
        assert data.mnist(device="cpu").name == "mnist"
    monkeypatch.setenv("GENBOOK_CACHE", "new")
    assert cache_folder() == place / "book" / "new"


def test_beside_a_file_in_a_folder_of_its_name_nothing_counts(place, monkeypatch):
    folder = fill(place / "folder", {k: v for k, v in RAW.items() if k != IMAGES})
    fill(folder / IMAGES, {"README": b"read me", IMAGES: RAW[IMAGES]})
    monkeypatch.setenv("GENBOOK_DATA", str(folder))
    train = data.mnist(device="cpu")
    assert is_the_train_split(train)
    assert "README" not in train.notice


@pytest.mark.parametrize("name", ["x" * 300, "a/" * 3000])
def test_a_name_that_no_disk_takes_is_no_folder(place, monkeypatch, name):
    monkeypatch.setenv("GENBOOK_DATA", str(place / name))
    with pytest.raises(ValueError, match="GENBOOK_DATA: expected a folder or 'none'"):
        data.mnist(device="cpu")


def shut_off(monkeypatch, name, refused):
    """Let a function of the system say that nobody may do this."""
    real = getattr(os, name)

    def asked(path, *others, **named):
        if os.fspath(path) == str(refused):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *others, **named)

    monkeypatch.setattr(os, name, asked)


def test_a_folder_that_nobody_may_look_into_is_named(place, monkeypatch):
    folder = fill(place / "shut", RAW)
    monkeypatch.setenv("GENBOOK_DATA", str(folder))
    shut_off(monkeypatch, "scandir", folder)
    with pytest.raises(ValueError, match=r"GENBOOK_DATA: .*shut: Permission denied; mend"):
        data.mnist(device="cpu")


def test_a_file_that_leads_nowhere_is_named_and_does_not_block_a_good_one(place, monkeypatch):
    folder = fill(place / "folder", {k: v for k, v in RAW.items() if k != IMAGES})
    (folder / IMAGES).symlink_to(place / "gone")
    monkeypatch.setenv("GENBOOK_DATA", str(folder))
    with pytest.raises(ValueError, match=f"{IMAGES}: No such file or directory; "):
        data.mnist(device="cpu")
    fill(folder / "raw", RAW)
    assert is_the_train_split(data.mnist(device="cpu"))


def test_a_pipe_of_that_name_holds_nobody_up(place, monkeypatch):
    folder = fill(place / "folder", {k: v for k, v in RAW.items() if k != IMAGES})
    os.mkfifo(folder / IMAGES)
    monkeypatch.setenv("GENBOOK_DATA", str(folder))
    with pytest.raises(ValueError, match=f"{IMAGES}: expected a file"):
        data.mnist(device="cpu")
    fill(folder / "raw", RAW)
    assert is_the_train_split(data.mnist(device="cpu"))


def test_a_folder_that_holds_itself_is_left(place, monkeypatch):
    folder = fill(place / "folder" / "mnist", RAW | {f"{IMAGES}.gz": b"rubbish"})
    (folder / f"{IMAGES}_").mkdir()
    (folder / IMAGES).rename(folder / "raw")
    (folder / IMAGES).mkdir()
    (folder / IMAGES / IMAGES).symlink_to(folder / IMAGES)
    monkeypatch.setenv("GENBOOK_DATA", str(folder.parent))
    with pytest.raises(ValueError, match=f"{IMAGES}"):
        data.mnist(device="cpu")
    fill(folder.parent, RAW)
    assert is_the_train_split(data.mnist(device="cpu"))


def test_a_home_of_nobody_is_refused(place, monkeypatch):
    monkeypatch.setenv("GENBOOK_DATA", "~nobody-of-that-name/digits")
    with pytest.raises(ValueError, match="GENBOOK_DATA: expected"):
        data.mnist(device="cpu")


@pytest.mark.parametrize("damage", [b"rubbish", PACKED[f"{IMAGES}.gz"][:-9], b""])
def test_a_damaged_copy_does_not_block_a_good_one_and_is_named(place, monkeypatch, damage):
    fill(place / "cache" / "mnist", PACKED | {f"{IMAGES}.gz": damage})
    monkeypatch.setenv("GENBOOK_DATA", str(fill(place / "folder", RAW)))
    train = data.mnist(device="cpu")
    assert is_the_train_split(train)
    assert f"Passed by: {cached(place)}: " in train.notice


def test_a_damaged_copy_in_the_folder_does_not_block_a_good_one_beside_it(place, monkeypatch):
    folder = fill(place / "folder" / "mnist", RAW | {IMAGES: b"rubbish"}).parent
    fill(folder, PACKED)
    monkeypatch.setenv("GENBOOK_DATA", str(folder))
    assert is_the_train_split(data.mnist(device="cpu"))


def test_a_file_replaced_while_the_notebook_lives_is_looked_at_again(place, monkeypatch):
    folder = fill(place / "folder", RAW)
    monkeypatch.setenv("GENBOOK_DATA", str(folder))
    assert is_the_train_split(data.mnist(device="cpu"))
    (folder / IMAGES).write_bytes(bytes(len(RAW[IMAGES])))
    with pytest.raises(ValueError, match="IDX magic"):
        data.mnist(device="cpu")


def test_the_notice_names_the_file_and_where_it_was_looked_for(place, monkeypatch):
    monkeypatch.setenv("GENBOOK_DOWNLOAD", "0")
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("GENBOOK_DATA", str(fill(place / "folder", {})))
    notice = data.mnist(device="cpu").notice
    assert f"no {IMAGES} in ~/cache/mnist, ~/folder/mnist, ~/folder; GENBOOK_DOWNLOAD=0" in notice


# Before a build


def test_before_a_build_what_is_there_is_found_and_the_network_left_alone(place, mirror):
    fill(place / "cache" / "mnist", PACKED)
    assert mnist_files.before_a_build() == f"MNIST: found in {place}/cache/mnist."
    assert mirror.asked == []


def test_before_a_build_it_is_fetched_once(place, mirror):
    assert mnist_files.before_a_build() == f"MNIST: fetched into {place}/cache/mnist."
    assert sorted(path.name for path in (place / "cache" / "mnist").glob("*.gz")) == sorted(PACKED)
    asked = len(mirror.asked)
    assert "found in" in mnist_files.before_a_build()
    assert len(mirror.asked) == asked


@pytest.mark.parametrize(("name", "value"), [("GENBOOK_DOWNLOAD", "0"), ("GENBOOK_DATA", "none")])
def test_before_a_build_the_network_can_be_forbidden(place, mirror, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    said = mnist_files.before_a_build()
    assert f"{name}={value}" in said
    assert said.endswith("The book will use the bundled 8×8 digits.")
    assert mirror.asked == []


def test_before_a_build_without_a_network_little_time_is_lost(place):
    start = time.monotonic()
    assert "no mirror answers" in mnist_files.before_a_build()
    assert time.monotonic() - start < 6


def test_before_a_build_a_slow_mirror_is_left_after_a_while_and_what_came_is_kept(place, mirror):
    mirror.stall_after = 100_000
    said = mnist_files.before_a_build(seconds=1.0)
    assert "not fetched within 1 s; `make data` goes on with it" in said
    assert cached(place).with_name(f"{IMAGES}.gz.part").stat().st_size >= fetching.CHUNK
    mirror.go_on.set()
    wait_for(lambda: all(cached(place, name).is_file() for name in MD5))


# The network


def test_it_is_fetched_once(place, mirror):
    assert is_the_train_split(data.mnist(device="cpu"))
    assert cached(place).read_bytes() == PACKED[f"{IMAGES}.gz"]
    asked = len(mirror.asked)
    assert is_the_train_split(data.mnist(device="cpu"))
    assert len(mirror.asked) == asked
    assert len(mirror.gets("t10k-images-idx3-ubyte.gz")) == 0


def test_downloads_can_be_forbidden(place, mirror, monkeypatch):
    monkeypatch.setenv("GENBOOK_DOWNLOAD", "0")
    images = data.mnist(device="cpu")
    assert images.name == "digits"
    assert "GENBOOK_DOWNLOAD=0" in images.notice
    assert mirror.asked == []


def test_no_network_is_one_line_and_the_digits(place):
    start = time.monotonic()
    images = data.mnist("test", device="cpu")
    assert (images.name, len(images)) == ("digits", 360)
    assert "no mirror answers" in images.notice
    assert time.monotonic() - start < 5
    assert not (place / "cache").exists()


def test_a_dead_name_server_holds_nobody_up(monkeypatch):
    forever = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: forever.wait(60))
    start = time.monotonic()
    assert fetching.reachable(["http://mirror.invalid/a"] * 3, seconds=0.3) == []
    assert time.monotonic() - start < 3
    forever.set()


def test_a_silent_host_holds_nobody_up(place, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent, serve(Mirror(dict(PACKED))) as good:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        start = time.monotonic()
        found = fetching.reachable([f"{url}x", f"{good.url}{IMAGES}.gz"], seconds=0.5)
        assert found == [f"{good.url}{IMAGES}.gz"]
        assert time.monotonic() - start < 3
    time.sleep(0.05)


def test_a_corrupt_mirror_is_passed_by(place, mirror, monkeypatch):
    flipped = bytearray(RAW[IMAGES])
    flipped[500] ^= 255
    lies = {f"{IMAGES}.gz": gzip.compress(bytes(flipped))}
    with serve(Mirror(dict(PACKED) | lies)) as liar:
        monkeypatch.setattr(mnist_files, "MIRRORS", (liar.url, mirror.url))
        assert is_the_train_split(data.mnist(device="cpu"))
    assert liar.gets(f"{IMAGES}.gz") == [None]
    assert mirror.gets(f"{IMAGES}.gz") == [None]


def test_a_mirror_that_lacks_a_file_is_passed_by(place, mirror, monkeypatch):
    with serve(Mirror({f"{IMAGES}.gz": PACKED[f"{IMAGES}.gz"]})) as poor:
        monkeypatch.setattr(mnist_files, "MIRRORS", (poor.url, mirror.url))
        assert is_the_train_split(data.mnist(device="cpu"))


def test_a_login_page_is_no_mnist(place, mirror):
    mirror.files = dict.fromkeys(PACKED, b"<html>please log in</html>")
    images = data.mnist(device="cpu")
    assert images.name == "digits"
    assert "no mirror gave a good copy" in images.notice
    assert not cached(place).exists()
    with pytest.raises(ValueError, match=r"expected the IDX magic .*GENBOOK_DATA"):
        data.fetch_mnist()


def test_the_command_asks_no_one_where_downloads_are_forbidden(place, mirror, monkeypatch):
    monkeypatch.setenv("GENBOOK_DOWNLOAD", "0")
    with pytest.raises(ValueError, match="GENBOOK_DOWNLOAD=0 forbids"):
        data.fetch_mnist()
    assert mirror.asked == []


def test_a_bad_copy_never_replaces_a_good_one(place, mirror):
    data.fetch_mnist()
    mirror.files = dict.fromkeys(PACKED, b"rubbish")
    good = cached(place).read_bytes()
    data.fetch_mnist()
    with pytest.raises(fetching.DownloadError):
        fetching._fetch(cached(place), [mirror.url + cached(place).name], refuse)
    assert cached(place).read_bytes() == good


def refuse(content: bytes) -> None:
    raise ValueError("never good enough")


def test_a_damaged_cache_is_mended_by_the_command(place, mirror):
    data.fetch_mnist()
    cached(place).write_bytes(b"rubbish")
    data.fetch_mnist()
    assert cached(place).read_bytes() == PACKED[f"{IMAGES}.gz"]


def test_a_broken_connection_is_continued(place, mirror):
    some = 4 * fetching.CHUNK
    mirror.drop_after, mirror.drops = some, 2
    assert is_the_train_split(data.mnist(device="cpu"))
    assert mirror.gets(f"{IMAGES}.gz") == [None, f"bytes={some}-", f"bytes={2 * some}-"]


def test_another_mirror_continues_what_the_first_began(place, mirror, monkeypatch):
    some = 4 * fetching.CHUNK
    with serve(Mirror(dict(PACKED), drop_after=some, drops=9)) as weak:
        monkeypatch.setattr(mnist_files, "MIRRORS", (weak.url, mirror.url))
        assert is_the_train_split(data.mnist(device="cpu"))
    assert mirror.gets(f"{IMAGES}.gz") == [f"bytes={some}-"]


def test_a_server_that_cannot_resume_is_asked_for_all(place, mirror):
    mirror.resumes = False
    fill(cached(place).parent, {f"{IMAGES}.gz.part": PACKED[f"{IMAGES}.gz"][:1000]})
    assert is_the_train_split(data.mnist(device="cpu"))
    assert mirror.gets(f"{IMAGES}.gz") == ["bytes=1000-"]


@pytest.mark.parametrize("left", [b"rubbish" * 100, PACKED[f"{IMAGES}.gz"] + b"more"])
def test_a_bad_beginning_is_thrown_away(place, mirror, left):
    fill(cached(place).parent, {f"{IMAGES}.gz.part": left})
    assert is_the_train_split(data.mnist(device="cpu"))
    assert mirror.gets(f"{IMAGES}.gz")[-1] is None


def test_a_whole_part_needs_no_network(place, mirror):
    fill(cached(place).parent, {f"{IMAGES}.gz.part": PACKED[f"{IMAGES}.gz"]})
    assert is_the_train_split(data.mnist(device="cpu"))
    assert mirror.gets(f"{IMAGES}.gz") == []


def test_a_cache_that_cannot_be_written_is_one_line_and_the_digits(place, mirror):
    (place / "cache").write_bytes(b"a file where the folder should be")
    images = data.mnist(device="cpu")
    assert images.name == "digits"
    assert "the cache can't be written" in images.notice


def start(place: Path, mirror: Mirror) -> subprocess.Popen[str]:
    given = json.dumps({"mirrors": [mirror.url], "md5": MD5})
    environment = os.environ | {"GIVEN": given, "GENBOOK_CACHE": str(place / "cache")}
    return subprocess.Popen(
        [sys.executable, "-c", FETCH], stdout=subprocess.PIPE, text=True, env=environment
    )


def wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_a_killed_download_is_continued_where_it_stopped(place, mirror):
    mirror.stall_after = 100_000
    part = cached(place).with_name(f"{IMAGES}.gz.part")
    process = start(place, mirror)
    wait_for(lambda: part.is_file() and part.stat().st_size >= fetching.CHUNK)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    arrived = part.stat().st_size
    assert not cached(place).exists()
    mirror.go_on.set()
    assert is_the_train_split(data.mnist(device="cpu"))
    assert mirror.gets(f"{IMAGES}.gz") == [None, f"bytes={arrived}-"]


def test_two_processes_may_ask_at_once(place, mirror):
    mirror.stall_after = 100_000
    processes = [start(place, mirror) for _ in range(2)]
    wait_for(lambda: len([verb for verb, *_ in mirror.asked if verb == "HEAD"]) == 2)
    wait_for(lambda: len(mirror.gets(f"{IMAGES}.gz")) == 1)
    mirror.go_on.set()
    said = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert said == ["mnist", "mnist"]
    assert len(mirror.gets(f"{IMAGES}.gz")) == 1
    assert cached(place).read_bytes() == PACKED[f"{IMAGES}.gz"]


# The real thing, where GENBOOK_DATA gives it


if places.data_folder():

    def test_the_real_mnist_is_all_there(tmp_path, monkeypatch):
        monkeypatch.setenv("GENBOOK_CACHE", str(tmp_path))
        monkeypatch.setenv("GENBOOK_DOWNLOAD", "0")
        train, test = data.mnist("train", device="cpu"), data.mnist("test", device="cpu")
        assert (train.images.shape, test.images.shape) == ((60_000, 1, 28, 28), (10_000, 1, 28, 28))
        assert train.images[:, 0].mean().item() == pytest.approx(0.1307, abs=1e-4)
        assert train.labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
        assert test.labels[:8].tolist() == [7, 2, 1, 0, 4, 1, 4, 9]
        assert torch.bincount(train.labels).tolist()[:3] == [5923, 6742, 5958]
