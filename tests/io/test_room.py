"""Outputs whose size is known before they are made are compared with the free space of their disk."""

import os

import numpy as np
import pytest

from losscli.errors import DataError
from losscli.io.room import check_room


@pytest.fixture
def free(monkeypatch):
    """A disk with so many bytes free."""

    def make(size):
        class Disk:
            f_bavail, f_frsize = size, 1

        monkeypatch.setattr(os, "statvfs", lambda path: Disk)

    return make


def test_the_last_byte(free):
    free(100)
    check_room("x.npy", 100, "rows", "stop")
    with pytest.raises(DataError, match=r"x\.npy: rows take .* GB free; stop"):
        check_room("x.npy", 101, "rows", "stop")


@pytest.mark.parametrize("path", ["/dev/null", "/dev/stdout", "s3://bucket/x.npy", "no-such-folder/x.npy"])
def test_other_places_say_themselves_what_they_hold(free, monkeypatch, path):
    free(0)
    if path.startswith("no"):
        monkeypatch.undo()
    check_room(path, 10**15, "rows", "stop")


class TestCommands:
    def test_targets_of_a_wrong_column(self, run, save, folder, free):
        """400,000 ids taken for classes are 1.28 TB of targets."""
        y = save("y.npy", np.arange(3000))
        (folder / "x.npy").write_text("old")
        free(3000 * 3000 * 8 - 1)
        run("targets", y, "--classes", "3000", "-o", "x.npy").refuses(
            3, "x.npy: 3,000 rows of 3,000 classes", "or ids?"
        )
        free(3000 * 3000 * 2 - 1)
        run("targets", y, "--classes", "3000", "-o", "x.csv").refuses(3, "x.csv: 3,000 rows", "another disk")
        assert (folder / "x.npy").read_text() == "old"
        assert sorted(os.listdir()) == ["x.npy", "y.npy"]

    def test_targets_for_which_there_is_room(self, run, save, free):
        free(3 * 3 * 8)
        assert run("targets", save("y.npy", [0, 1, 2]), "--classes", "3", "-o", "x.npy").code == 0
        assert np.load("x.npy").tolist() == np.eye(3).tolist()

    @pytest.mark.parametrize(("file", "size"), [("g.npy", 4 * 3 * 8), ("g.csv", 4 * 3 * 2)])
    def test_gradients(self, run, save, free, file, size):
        p = save("p.npy", np.ones((4, 3)))
        free(size - 1)
        run("compute", "mse", p, p, "--gradient", file).refuses(
            3, f"{file}: gradients of 12 predictions", "another disk"
        )
        assert not os.path.exists(file)

    def test_calibrated_predictions(self, run, save, free):
        rng = np.random.default_rng(0)
        p, y = save("p.npy", rng.normal(size=(200, 3))), save("y.npy", rng.integers(0, 3, 200))
        free(200 * 3 * 4 - 1)
        run("calibrate", p, y, "--apply", p, "-o", "c.npy").refuses(3, "c.npy: 600 calibrated predictions")
