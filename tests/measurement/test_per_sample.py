"""Losses of single rows, with their ids."""


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
