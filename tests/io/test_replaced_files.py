"""Outputs in the place of older files: whose they stay, who may read them, and where a file cannot be replaced by another."""

import errno
import os
import stat

import pytest

from losscli.io import sinks

pytestmark = pytest.mark.quick
ROOT = os.geteuid() == 0


@pytest.fixture
def words(save):
    return ["l1", save("p.npy", [1.0, 2.0]), save("t.npy", [0.0, 0.5])]


def losses(path):
    return path.read_text().splitlines()[1:]


@pytest.fixture
def failing(monkeypatch):
    """Make a function of `os` fail with an error of the system."""

    def fail(name, number):
        def call(*_):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, name, call)

    return fail


@pytest.fixture
def not_replaced(failing):
    """A file that no other can replace, as one that a container has mounted."""
    return lambda number: failing("replace", number)


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES])
@pytest.mark.parametrize("old", ["", "x" * 5000])
def test_a_file_that_cannot_be_replaced_is_written_over(compute, words, write, folder, not_replaced, number, old):
    out = folder / write("out.csv", old)
    out.chmod(0o640)
    before = out.stat()
    not_replaced(number)
    assert compute(*words, "-o", "out.csv").code == 0
    assert losses(out) == ["0,0.0,1.0", "1,0.5,1.5"]
    assert (out.stat().st_ino, out.stat().st_mode) == (before.st_ino, before.st_mode)
    assert sorted(os.listdir()) == ["out.csv", "p.npy", "t.npy"]


def test_a_new_file_that_cannot_get_its_name_is_an_error(compute, words, not_replaced):
    not_replaced(errno.EBUSY)
    compute(*words, "-o", "out.csv").refuses(3, "out.csv: cannot be written")
    assert sorted(os.listdir()) == ["p.npy", "t.npy"]


def test_other_errors_of_replacing_stay_errors(compute, words, write, folder, not_replaced):
    not_replaced(errno.EIO)
    compute(*words, "-o", write("out.csv", "old")).refuses(3, "out.csv: cannot be written")
    assert (folder / "out.csv").read_text() == "old"


def test_a_file_is_written_over_only_if_there_is_room(compute, words, write, folder, not_replaced, failing):
    not_replaced(errno.EBUSY)
    failing("posix_fallocate", errno.ENOSPC)
    compute(*words, "-o", write("out.csv", "old")).refuses(3, "out.csv: cannot be written: No space left")
    assert (folder / "out.csv").read_text() == "old"


def test_a_file_system_that_cannot_keep_room_is_no_fault(compute, words, write, folder, not_replaced, failing):
    not_replaced(errno.EBUSY)
    failing("posix_fallocate", errno.EOPNOTSUPP)
    assert compute(*words, "-o", write("out.csv", "old")).code == 0
    assert len(losses(folder / "out.csv")) == 2


@pytest.mark.skipif(not ROOT, reason="only root may give files away")
def test_a_file_keeps_its_owner(compute, words, write, folder):
    os.chown(write("out.csv", "old"), 12345, 54321)
    os.chmod("out.csv", 0o604)
    assert compute(*words, "-o", "out.csv").code == 0
    new = (folder / "out.csv").stat()
    assert (new.st_uid, new.st_gid, stat.S_IMODE(new.st_mode)) == (12345, 54321, 0o604)


@pytest.mark.skipif(not ROOT, reason="only root may give files away")
def test_a_file_of_an_owner_to_whom_nothing_may_be_given_is_written_over(compute, words, write, folder, monkeypatch):
    def refused(*_):
        raise PermissionError(errno.EPERM, "not permitted")

    out = folder / write("out.csv", "old")
    os.chown(out, 12345, 54321)
    inode = out.stat().st_ino
    monkeypatch.setattr(os, "fchown", refused)
    assert compute(*words, "-o", "out.csv").code == 0
    assert (out.stat().st_ino, out.stat().st_uid, len(losses(out))) == (inode, 12345, 2)


def test_a_file_in_a_folder_that_may_not_be_written(compute, words, write, folder, monkeypatch):
    (folder / "kept").mkdir()
    out = folder / write("kept/out.csv", "old")
    opened = os.open

    def refuse(path, *more):
        if str(path).startswith(str(folder / "kept")):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(path, *more)

    monkeypatch.setattr(sinks.os, "open", refuse)
    assert compute(*words, "-o", "kept/out.csv").code == 0
    assert len(losses(out)) == 2
    assert os.listdir("kept") == ["out.csv"]


@pytest.mark.skipif(ROOT, reason="root may write everywhere")
def test_a_file_in_a_folder_without_permission(compute, words, write, folder):
    (folder / "kept").mkdir()
    write("kept/out.csv", "old")
    os.chmod("kept", 0o555)
    assert compute(*words, "-o", "kept/out.csv").code == 0
    os.chmod("kept", 0o755)
    assert len(losses(folder / "kept/out.csv")) == 2


def test_nobody_else_reads_the_temporary_file_of_a_private_one(compute, words, write, folder, monkeypatch):
    modes, fchmod, opened = [], os.fchmod, os.open

    def open_(path, *more):
        file = opened(path, *more)
        if str(path).endswith(".losscli"):
            modes.append(stat.S_IMODE(os.fstat(file).st_mode))
        return file

    monkeypatch.setattr(sinks.os, "open", open_)
    monkeypatch.setattr(sinks.os, "fchmod", lambda file, mode: (modes.append(mode), fchmod(file, mode)))
    os.chmod(write("out.csv", "old"), 0o600)
    assert compute(*words, "-o", "out.csv").code == 0
    assert modes == [0o600, 0o600]


def test_attributes_stay(compute, words, write, folder):
    out = folder / write("out.csv", "old")
    try:
        os.setxattr(out, "user.origin", b"run 7")
    except (OSError, AttributeError):
        pytest.skip("no attributes on this file system")
    assert compute(*words, "-o", "out.csv").code == 0
    assert os.getxattr(out, "user.origin") == b"run 7"


@pytest.mark.parametrize("stem", ["損" * 80, "é" * 120, "x" * 250])
def test_names_may_be_as_long_as_a_file_system_has_them(compute, words, folder, stem):
    name = f"{stem}.csv"
    assert compute(*words, "-o", name).code == 0
    assert sorted(os.listdir()) == sorted([name, "p.npy", "t.npy"])


@pytest.mark.parametrize("name", ["\U0001f600" * 62, "損" * 85, "x" * 255])
def test_a_hidden_name_is_no_longer_than_file_systems_allow(name):
    hidden = os.fsencode(sinks.hidden_name(name))
    assert len(hidden) <= 255
    assert hidden.decode().startswith(f".{name[:40]}")


def test_a_name_that_is_too_long_is_an_error(compute, words, folder):
    compute(*words, "-o", "損" * 90 + ".csv").refuses(3, "cannot be written: File name too long")


def test_a_link_in_a_circle_is_an_error(compute, words, folder):
    os.symlink("a.csv", "b.csv")
    os.symlink("b.csv", "a.csv")
    compute(*words, "-o", "a.csv").refuses(3, "a.csv: cannot be written")
    assert sorted(os.listdir()) == ["a.csv", "b.csv", "p.npy", "t.npy"]


def test_another_name_of_an_old_file_keeps_its_content(compute, words, write, folder):
    os.link(write("out.csv", "old"), "other.csv")
    assert compute(*words, "-o", "out.csv").code == 0
    assert (folder / "other.csv").read_text() == "old"
