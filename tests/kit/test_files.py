"""Files are written whole or not at all, to folders that were tried before."""

from __future__ import annotations

import pytest

from genbook.kit.files import check_folder, replace_file


def test_a_folder_is_made_and_left_empty(tmp_path):
    check_folder(tmp_path / "a" / "b", "the cache")
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize("inside", ["", "deeper/still"])
def test_a_file_in_the_way_is_named(tmp_path, inside):
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"the cache: expected a folder .*file.*choose another"):
        check_folder(tmp_path / "file" / inside, "the cache")


def test_a_file_that_cannot_be_replaced_stays_and_nothing_is_left_beside_it(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "there", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
