"""Rows so wide that one of them takes gigabytes are refused from the header, with what to do instead."""

import numpy as np
import pytest

from losscli.data import predictions


def sparse(name, shape, dtype="<f4"):
    """A file of zeros of which only the header is on the disk."""
    with open(name, "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
        file.truncate(file.tell() + np.dtype(dtype).itemsize * int(np.prod(shape, dtype=np.int64)))
    return name


@pytest.mark.parametrize("loss", ["mse", "bce", "hinge", "dice"])
def test_one_sample_that_should_be_many(compute, loss):
    p = sparse("p.npy", (1, 100_000_000))
    compute(loss, p, sparse("t.npy", (1, 100_000_000), "|i1")).refuses(
        3, "p.npy: shape (1, 100000000): one row takes some 6.4 GB", "save it as (100000000,)"
    )


def test_several_samples(compute):
    p = sparse("p.npy", (3, 100_000_000), "<f8")
    compute("huber", p, p).refuses(3, "one row takes some 12.8 GB", "numpy.reshape(values, (-1, COLUMNS))")


def test_classes(compute, save):
    p = sparse("p.npy", (1, 100_000_000))
    compute("ce", p, save("y.npy", [3])).refuses(3, "are its columns classes?", "numpy.transpose(values)")


def test_the_widest_row(compute, save, monkeypatch):
    monkeypatch.setattr(predictions, "MOST_BYTES_OF_ROW", 5 * 4 * 16)
    wide, wider = save("p.npy", np.ones((2, 5), np.float32)), save("q.npy", np.ones((2, 6), np.float32))
    assert compute("mse", wide, wide).json["value"] == 0
    compute("mse", wider, wider).refuses(3, "q.npy: shape (2, 6): one row takes")


def test_features_of_few_rows(run, save):
    """The components of fewer rows than features are computed from all rows together."""
    x = sparse("x.npy", (2, 100_000_000))
    run("plot", "features", x, save("y.npy", [0, 1]), "-o", "x.png").refuses(
        3, "x.npy: 100,000,000 features of 2 rows take some 9.6 GB", "--columns"
    )


def test_centers_of_ids(run, save):
    x = sparse("x.npy", (40_000, 5000))
    run("centers", x, save("y.npy", np.repeat(np.arange(20_000), 2)), "-o", "c.npy").refuses(
        3, "y.npy: the centers of 20,000 classes with 5,000 features take some 6.4 GB", "or ids?"
    )
