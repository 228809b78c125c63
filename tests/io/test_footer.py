"""The footers of Parquet files, as Polars writes them: where columns lie."""

import io
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from losscli.io.bytes import Spool
from losscli.io.footer import MAGIC, footer_of

TABLE = pl.DataFrame(
    {
        "number": np.arange(1000.0),
        "word": [f"w{i % 7}" for i in range(1000)],
        "list": [[float(i), 1.0] for i in range(1000)],
        "truth": [i % 3 == 0 for i in range(1000)],
        "struct": [{"a": i, "b": str(i)} for i in range(1000)],
    }
)


def written(**how):
    file = io.BytesIO()
    TABLE.write_parquet(file, **how)
    return file.getvalue()


def spool(data):
    return Spool.copy("file", [data])


@pytest.mark.parametrize("compression", ["zstd", "uncompressed", "snappy", "gzip"])
def test_a_file_with_holes_has_the_columns_that_were_kept(compression):
    data = written(row_group_size=300, compression=compression)
    footer = footer_of(spool(data))
    assert [group.rows for group in footer.groups] == [300, 300, 300, 100]
    for kept in TABLE.columns:
        holes = bytearray(len(data))
        holes[:4], holes[footer.start :] = MAGIC, data[footer.start :]
        for group in footer.groups:
            for part in group.chunks:
                if part.column == kept:
                    holes[part.start : part.stop] = data[part.start : part.stop]
        assert pl.read_parquet(io.BytesIO(bytes(holes)), columns=[kept]).equals(TABLE.select(kept))


def test_columns_follow_one_another():
    footer = footer_of(spool(written(row_group_size=300)))
    chunks = sorted(part for group in footer.groups for part in group.chunks)
    assert {part.column for part in chunks} == set(TABLE.columns)
    places = sorted((part.start, part.stop) for part in chunks)
    assert all(stop <= start for (_, stop), (start, _) in pairwise(places))


def test_damaged_footers_are_not_understood():
    data = written()
    start = footer_of(spool(data)).start
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(data)
        damaged[int(rng.integers(start, len(data)))] = int(rng.integers(256))
        found = footer_of(spool(bytes(damaged)))  # which may be one, and then within the file
        for group in () if found is None else found.groups:
            assert all(0 <= part.start <= part.stop <= found.start for part in group.chunks)
    for length in (0, 3, 11, 12, 100, len(data) - 1):
        assert footer_of(spool(data[:length])) is None
