"""Folders that are written completely or not at all, and replace only what an earlier run wrote."""

import os
from pathlib import Path

import pytest

from losscli.errors import DataError, UsageError
from losscli.io import whole_folder
from losscli.io.sinks import remove_temporaries
from losscli.io.whole_folder import WholeFolder

FILES = {"index.html": b"a", "deep/er/b.html": b"b", ".mark": b"made by x\nindex.html\ndeep/er/b.html\n"}


def make(path, files=FILES):
    WholeFolder(str(path), ".mark", "gallery").write(files)


def found(path):
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in Path(path).rglob("*") if file.is_file()}


@pytest.mark.parametrize("place", ["site", "site/", "not/yet/there"])
def test_makes_the_folder(folder, place):
    make(place)
    assert found(place) == FILES
    assert not [name for name in os.listdir(Path(place).parent) if name.endswith(".losscli")]


def test_takes_an_empty_folder_and_replaces_its_own(folder):
    Path("site").mkdir()
    make("site")
    shorter = {"index.html": b"new", ".mark": b"made by y\nindex.html\n"}
    make("site", shorter)
    assert found("site") == shorter  # the files of the old one are gone
    assert os.listdir(folder) == ["site"]


def test_a_link_leads_to_the_folder(folder):
    Path("site").mkdir()
    Path("link").symlink_to("site")
    make("link")
    assert found("site") == FILES
    assert Path("link").is_symlink()


@pytest.mark.parametrize("other", ["mine.txt", "deep/mine.txt", "deep/er/c.html"])
def test_refuses_a_folder_with_other_files(folder, other):
    make("site")
    (Path("site") / other).write_text("mine")
    with pytest.raises(DataError, match=f"has files that losscli did not write, such as {other}"):
        make("site")
    assert found("site") == FILES | {other: b"mine"}


@pytest.mark.parametrize("there", ["mine.txt", ".mark.txt"])
def test_refuses_a_folder_that_it_did_not_make(folder, there):
    Path("site").mkdir()
    (Path("site") / there).write_text("index.html")
    with pytest.raises(DataError, match="name a new or an empty folder"):
        make("site")


def test_refuses_what_is_no_folder_and_where_the_command_runs(folder):
    Path("file").write_text("x")
    with pytest.raises(DataError, match="is a file"):
        make("file")
    for place in (".", "..", str(folder)):
        with pytest.raises(UsageError, match="is or holds the folder in which you are"):
            make(place)
    with pytest.raises(UsageError, match="is an address"):
        make("s3://bucket/site")


def test_a_failure_leaves_the_old_folder_and_nothing_else(folder):
    make("site")
    with pytest.raises(DataError, match="site: cannot be written"):
        make("site", {"a": b"x", "a/b": b"y"})  # a is a file by then
    assert found("site") == FILES
    assert os.listdir(folder) == ["site"]


def test_a_failure_at_the_very_end_puts_the_old_folder_back(folder, monkeypatch):
    make("site")
    rename, moves = os.rename, []

    def fails_second(source, target):
        moves.append(target)
        if len(moves) == 2:
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(whole_folder.os, "rename", fails_second)
    with pytest.raises(DataError, match="Input/output error"):
        make("site")
    assert found("site") == FILES
    assert os.listdir(folder) == ["site"]


def test_a_process_that_ends_leaves_nothing(folder, monkeypatch):
    class EndedError(BaseException):
        pass

    def ends(*paths):
        remove_temporaries()  # as the handler of a signal does
        assert os.listdir(folder) == []
        raise EndedError

    monkeypatch.setattr(whole_folder.os, "rename", ends)
    with pytest.raises(EndedError):
        make("site")
    assert os.listdir(folder) == []
