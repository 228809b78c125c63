"""Losses of single rows, with their ids."""

import numpy as np


class TestIds:
    def test_an_id_stays_with_its_row_where_rows_are_ignored(self, compute, write, monkeypatch):
        monkeypatch.setattr("losscli.engine.job.BATCH_BYTES", 16)
        p = write("p.csv", "id,u,v\na,1,2\nb,3,4\nc,5,6\nd,7,8\n")
        t = write("t.csv", "id,label\nd,u\nc,v\nb,skip\na,v\n")
        rows = compute("ce", p, f"{t}:label", "--id", "id", "--ignore-index", "skip", "--per-sample").json["rows"]
        assert [(row["sample"], row["id"], row["target"]) for row in rows] == [
            (0, "a", "v"),
            (2, "c", "v"),
            (3, "d", "u"),
        ]

    def test_units_that_are_parts_of_samples_have_the_ids_of_these(self, compute, write):
        p = write("p.csv", "id,u,v\na,1,2\nb,3,4\nc,5,6\n")
        t = write("t.csv", "id,u,v\nc,1,\nb,1,0\n")
        words = ("mse", p, t, "--id", "id", "--on-unmatched", "drop", "--missing", "ignore", "--per")

        def rows(per):
            done = compute(*words, per, "-f", "csv")
            assert "no row has this label" not in done.err
            return done.out.splitlines()

        assert rows("sample,class") == ["sample,class,id,loss", "1,u,b,4.0", "1,v,b,16.0", "2,u,c,16.0"]
        assert rows("class") == ["class,loss", "u,10.0", "v,16.0"]
        assert rows("file") == ["sample,loss", "0,12.0"]


class TestIgnoredPositions:
    def test_are_seen_where_samples_have_one_loss(self, compute, save):
        p, t = save("p.npy", [[[1.0, 2], [3, 4]], [[5, 6], [7, 9]]]), save("t.npy", [[0, -100], [1, 1]])
        words = ("ce", p, t, "--class-axis", "-1", "--per", "sample", "--ignore-index")
        assert compute(*words, "-100").err == ""
        t = save("t.npy", [[0, 0], [1, 1]])
        assert "--ignore-index -100: no row has this label" in compute(*words, "-100").err

    def test_and_so_are_outputs(self, compute, save):
        p, t = save("p.npy", [[1.0, 2], [3, 4]]), save("t.npy", [[0, -1], [1, 1]])
        assert compute("bce", p, t, "--missing", "ignore", "--ignore-index", "-1").err == ""


class TestWeights:
    def test_of_masks_have_a_column(self, compute, save):
        p, t = save("p.npy", np.ones((2, 2, 3))), save("t.npy", np.ones((2, 2, 3), int))
        words = ("dice", p, t, "--class-axis", "1", "--from", "probs", "-f", "csv", "--per")
        done = compute(*words, "sample,class", "--class-weight", "1=3")
        assert done.out.splitlines()[:3] == ["sample,class,target,loss,weight", "0,0,3,0.0,1.0", "0,1,3,0.0,3.0"]
        done = compute(*words, "sample", "--sample-weight", save("w.npy", [1.0, 2]))
        assert done.out.splitlines() == ["sample,target,loss,weight", "0,6,0.0,1.0", "1,6,0.0,2.0"]
        assert compute(*words, "sample", "--class-weight", "1=3").out.splitlines()[0] == "sample,target,loss"
