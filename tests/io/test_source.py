"""Arrays of several files, and columns in another order."""

import numpy as np

from losscli.io.source import MemorySource, Reordered


class TestSources:
    def test_shards_meet_in_the_widest_dtype(self, compute, save):
        save("p-1.npy", [0.5], np.float32)
        save("p-2.npy", [0.1], np.float64)
        found = compute("l1", "p-*.npy", "0", "--per-sample").json
        assert [row["loss"] for row in found["rows"]] == [0.5, 0.1]
        assert found["receipt"]["predictions"]["dtype"] == "float64"

    def test_columns_brought_into_another_order_keep_their_names_and_places(self):
        source = Reordered(MemorySource("t", np.array([[1, 2, 3]]), ("c", "a", "b")), (1, 2, 0))
        assert source.columns == ("a", "b", "c")
        assert source.read(0, 1).tolist() == [[2, 3, 1]]
        assert [source.place(0, column) for column in range(3)] == ["t[0, 1]", "t[0, 2]", "t[0, 0]"]
