"""Columns that make slices: what they may hold, how they are named, and what is refused."""

import numpy as np
import polars as pl
import pytest

import losscli


@pytest.fixture
def files(write):
    write("p.csv", "id,pred,region,plan\nr1,1,north,7\nr2,2,,8\nr3,3,north,7\nr4,4,south,8\n")
    write("t.csv", "id,y,w,when\nr4,0,1,late\nr3,0,2,early\nr2,0,3,late\nr1,0,4,early\n")


def slices(done):
    """The value of each slice, by its name."""
    return {one["slice"]: one["value"] for one in done.json["by"]}


class TestColumns:
    def test_of_the_predictions(self, compute, files):
        done = compute("l1", "p.csv:pred", "0", "--by", "region")
        assert slices(done) == {"north": 2.0, "": 2.0, "south": 4.0}
        roles = {one["name"]: (one["role"], one["reason"]) for one in done.json["receipt"]["columns"]}
        assert roles["region"] == ("slice", "option")
        assert done.json["receipt"]["by"] == ["region"]

    def test_is_no_prediction(self, compute, write):
        write("p.csv", "a,b,fold\n1,2,0\n3,4,1\n")
        done = compute("l1", "p.csv", "p.csv", "--columns", "a,b", "--by", "fold")
        assert done.code == 3  # the targets need a name of their own in the same file
        write("t.csv", "a,b\n0,0\n0,0\n")
        assert slices(compute("l1", "p.csv", "t.csv", "--by", "fold")) == {"0": 1.5, "1": 3.5}

    def test_of_the_targets_joined_by_id(self, compute, files):
        done = compute("l1", "p.csv:pred", "t.csv:y", "--id", "id", "--by", "when", "--sample-weight", "t.csv:w")
        assert slices(done) == {"early": (1 * 4 + 3 * 2) / 6, "late": (2 * 3 + 4 * 1) / 4}
        assert {one["slice"]: one["weight"] for one in done.json["by"]} == {"early": 6.0, "late": 4.0}

    def test_of_another_file_joined_by_id(self, compute, files, write):
        write("k.csv", "kind,id\nx,r3\ny,r1\nx,r4\ny,r2\n")
        assert slices(compute("l1", "p.csv:pred", "t.csv:y", "--id", "id", "--by", "k.csv:kind")) == {
            "y": 1.5,
            "x": 3.5,
        }

    def test_labels_are_slices_too(self, compute, write):
        write("p.csv", "a,b\n0,0\n2,0\n0,0\n")
        write("y.csv", "label\na\na\nb\n")
        done = compute("ce", "p.csv", "y.csv", "--by", "label")
        near = np.log1p(np.exp(-2))
        assert slices(done) == pytest.approx({"a": (np.log(2) + near) / 2, "b": np.log(2)})
        assert done.json["receipt"]["columns"][-1]["role"] == "target"

    def test_several(self, compute, files):
        done = compute("l1", "p.csv:pred", "0", "--by", "region", "--by", "plan")
        assert [(one["column"], one["slice"]) for one in done.json["by"]] == [
            ("region", "south"), ("region", "north"), ("region", ""), ("plan", "8"), ("plan", "7"),
        ]  # fmt: skip

    def test_columns_of_one_name_are_told_apart(self, compute, files, write):
        write("q.csv", "id,plan\nr1,x\nr2,x\nr3,x\nr4,y\n")
        done = compute("l1", "p.csv:pred", "t.csv:y", "--id", "id", "--by", "p.csv:plan", "--by", "q.csv:plan")
        assert done.json["receipt"]["by"] == ["p.csv:plan", "q.csv:plan"]
        assert [(one["column"], one["slice"]) for one in done.json["by"]] == [
            ("p.csv:plan", "8"), ("p.csv:plan", "7"), ("q.csv:plan", "y"), ("q.csv:plan", "x"),
        ]  # fmt: skip

    def test_without_a_header_are_numbered(self, compute, write):
        write("p.csv", "1,5\n2,6\n3,5\n")
        assert slices(compute("l1", "p.csv:1", "0", "--by", "2")) == {"5": 2.0, "6": 2.0}

    @pytest.mark.parametrize("how", ["\ufeff", "\r\n"])
    def test_of_other_text(self, compute, write, how):
        text = "p,g\n1,a\n2,b\n"
        write("p.csv", how + text if how == "\ufeff" else text.replace("\n", how))
        assert slices(compute("l1", "p.csv:p", "0", "--by", "g")) == {"a": 1.0, "b": 2.0}

    def test_of_parquet(self, compute, folder):
        pl.DataFrame(
            {"p": [1.0, 2.0, 3.0, 4.0], "g": ["a", None, "", "a"], "n": [1, 2, 1, None], "b": [True, False, True, None]}
        ).write_parquet(folder / "p.parquet")
        done = compute("l1", "p.parquet:p", "0", "--by", "g", "--by", "n", "--by", "b")
        found = [(one["column"], one["slice"], one["value"]) for one in done.json["by"]]
        assert found == [
            ("g", "a", 2.5), ("g", "", 2.5), ("n", "", 4.0), ("n", "1", 2.0), ("n", "2", 2.0),
            ("b", "", 4.0), ("b", "true", 2.0), ("b", "false", 2.0),
        ]  # fmt: skip


class TestArrays:
    @pytest.mark.parametrize(
        ("array", "names"),
        [
            (np.array([1, 2, 1]), {"1": 2.0, "2": 2.0}),
            (np.array([[1.5], [2.0], [np.nan]]), {"1.5": 1.0, "2": 2.0, "nan": 3.0}),
            (np.array([np.nan, np.nan, np.inf]), {"nan": 1.5, "inf": 3.0}),
            (np.array([True, False, True]), {"true": 2.0, "false": 2.0}),
            (np.array(["a", "", "a"]), {"a": 2.0, "": 2.0}),
            (np.array([b"a", b"b", b"a"]), {"a": 2.0, "b": 2.0}),
            (np.array([1, 2, 1], np.float16), {"1": 2.0, "2": 2.0}),
        ],
    )
    def test_of_a_file(self, compute, save, array, names):
        assert slices(compute("l1", save("p.npy", [1.0, 2.0, 3.0]), "0", "--by", save("g.npy", array))) == names

    def test_of_python(self):
        p, words = [1.0, 2.0, 3.0], ["x", "y", "x"]

        def found(by):
            return {(one.column, one.name): one.value for one in losscli.compute("l1", p, 0, by=by).slices.found}

        assert found(words) == {("by", "x"): 2.0, ("by", "y"): 2.0}
        assert found([None, "y", float("nan")]) == {("by", ""): 2.0, ("by", "y"): 2.0}
        assert found(pl.Series("kind", words)) == {("kind", "x"): 2.0, ("kind", "y"): 2.0}
        both = found({"a": words, "b": [1, 1, 2]})
        assert both == {("a", "x"): 2.0, ("a", "y"): 2.0, ("b", "2"): 3.0, ("b", "1"): 1.5}
        assert found((words, np.array([1, 1, 2]))).keys() == {
            ("by 1", "x"),
            ("by 1", "y"),
            ("by 2", "1"),
            ("by 2", "2"),
        }
        assert found({"predictions": words}).keys() == {("by predictions", "x"), ("by predictions", "y")}

    def test_of_python_by_names(self, files):
        for by in ("region", ["region"], ("region",)):
            found = losscli.compute("l1", "p.csv:pred", 0, by=by).slices.found
            assert {one.name: one.value for one in found} == {"north": 2.0, "": 2.0, "south": 4.0}
        assert {one["slice"] for one in losscli.rank("l1", "p.csv:pred", 0, by="region").slices} == {
            "north",
            "",
            "south",
        }


class TestRefusals:
    @pytest.mark.parametrize(
        ("words", "code", "parts"),
        [
            (["--by", "regio"], 3, ["--by regio: no column 'regio' in p.csv and t.csv", "did you mean region?", "id, pred, region, plan"]),
            (["--by", "id"], 3, ["p.csv and t.csv have such a column each", "--by p.csv:id"]),
            (["--by", "plan", "--by", "plan"], 2, ["--by plan", "twice"]),
            (["--by", "plan", "--by", "p.csv:plan"], 2, ["twice"]),
            (["--by", "k.csv"], 3, ["--by: k.csv has 2 columns; say which, as k.csv:COLUMN"]),
            (["--by", "k.csv:kind"], 3, ["k.csv has 2 rows and p.csv 4 samples", "--id"]),
            (["--by", "wide.npy"], 3, ["wide.npy: shape (4, 2)"]),
            (["--by", "plan", "--reduction", "none"], 2, ["--by plan", "--reduction none"]),
            (["--by", "plan", "--plus", "mse"], 2, ["--by", "--also"]),
            (["--by", "plan", "--as", "torch,keras"], 2, ["--by", "one library"]),
            (["--interval", "--reduction", "none"], 2, ["--interval", "--reduction none"]),
            (["--interval", "--plus", "mse"], 2, ["--interval", "--also"]),
            (["--confidence", "0.9"], 2, ["--confidence 0.9", "say --interval"]),
            (["--seed", "1"], 2, ["--seed 1", "say --interval"]),
            (["--interval", "--confidence", "1"], 2, ["--confidence 1 is not in [0.5, 1)"]),
            (["--interval", "--resamples", "100", "--confidence", "0.999"], 2, ["--resamples 2000"]),
            (["--require-each", "value < 1"], 2, ["of which slices? Say --by COLUMN"]),
            (["--by", "plan", "--require-each", "p99 < 1"], 2, ["no statistic 'p99'", "value, mean, std, min, max, samples"]),
            (["--by", "plan", "--require-each", "perplexity < 1"], 2, ["slices have no perplexity; they have value"]),
        ],
    )  # fmt: skip
    def test_name_the_fact_and_the_cure(self, compute, files, write, save, words, code, parts):
        write("k.csv", "id,kind\nr1,x\nr2,y\n")
        save("wide.npy", np.zeros((4, 2)))
        compute("l1", "p.csv:pred", "t.csv:y", *words, "-q").refuses(code, *parts)

    @pytest.mark.parametrize("kind", ["csv", "npy"])
    def test_too_many_values(self, compute, write, save, kind):
        rows = 10_001
        if kind == "csv":
            write("p.csv", "p,g\n" + "".join(f"1,k{i}\n" for i in range(rows)))
            done = compute("l1", "p.csv:p", "0", "--by", "g")
        else:
            done = compute("l1", save("p.npy", np.ones(rows)), "0", "--by", save("g.npy", np.arange(rows)))
        done.refuses(3, "--by", "10,000", "round")

    def test_lists_of_two_slices(self):
        with pytest.raises(losscli.LosscliError, match="the list '0' has items of 'a' and of 'b'"):
            losscli.compute("listnet", [1.0, 2.0, 3.0], [1.0, 0.0, 0.0], group=[0, 0, 1], by={"g": ["a", "b", "b"]})
