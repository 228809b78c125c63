"""The receipt's signature has whatever makes numbers differ."""

import numpy as np
import pytest

from losscli.measurement.receipt import signature

pytestmark = pytest.mark.quick


ALWAYS = {
    *("losscli", "loss", "formula", "parameters", "from", "predictions", "targets", "computed_in", "arithmetic"),
    *("reduction", "reduction_formula", "per", "columns", "percentiles", "calibration"),
}
"""What the receipt of a loss of classes has, whatever the options."""


class TestSignature:
    @pytest.mark.parametrize(
        ("words", "part"),
        [
            (("--ignore-index", "7", "--columns", "*"), "ignore:7"),
            (("--over-outputs", "sum"), "over-outputs:sum"),
            (("--pos-weight", "2"), "pos-weight:2"),
            (("--pos-weight", "0=2,1=3"), "pos-weight:2,3"),
            (("--class-weight", "0=2,1=3"), "class-weight:2,3"),
            (("--label-smoothing", "0.1"), "smoothing:half-0.1"),
            (("--from", "probs"), "from:probs"),
            (("--sample-weight", "w.npy"), "sample-weight:w.npy"),
            (("--reduction", "sum"), "reduction:sum"),
        ],
    )
    def test_what_makes_numbers_differ_is_in_the_signature(self, compute, save, words, part):
        save("w.npy", [1, 2])
        t = save("t.npy", [0, 1] if "--ignore-index" in words else [[0, 1], [1, 0]])
        found = compute("bce", save("p.npy", [[0.1, 0.9], [0.5, 0.2]]), t, *words).json
        assert part in found["signature"].split("|")
        plain = compute("bce", "p.npy", t, "--columns", "*").json["signature"].split("|")
        assert part not in plain

    def test_every_convention_has_its_word_and_its_place(self):
        said = {
            "losscli": "0.1.0",
            "loss": "some-loss",
            "parameters": {"delta": 2.0, "full": 0.25, "other": None},
            "as": {"library": "torch"},
            "operands": "OPERANDS",
            "takes": "TAKES",
            "from": "probs",
            "activation": "softmax",
            "predictions": {"shape": [4, 3, 2]},
            "targets": {"kind": "index"},
            "label_smoothing": {"mode": "uniform", "amount": 0.1},
            "class_order": "a,b",
            "label_base": 1,
            "ignore_index": "255",
            "sample_weight": 0.5,
            "class_weight": [1.0, 2.5],
            "class_counts": [3.0, 4.0],
            "exclude_class": "0",
            "pos_weight": 2.0,
            "over_positions": "sum",
            "class_axis": -1,
            "shift": 2,
            "mask": "m.npy",
            "missing": "ignore",
            "centers": "c.npy",
            "variance": 0.25,
            "event": "e.npy",
            "levels": [0.1, 0.9],
            "group": "g.npy",
            "per": "position",
            "targets_from": "logits",
            "temperature": 3.0,
            "temperature_squared": True,
            "box": "cxcywh",
            "axes": ["time", "sample", "class"],
            "input_lengths": "9",
            "target_lengths": "l.npy",
            "bytes": 100.0,
            "over_outputs": "mean",
            "reduction": "sum",
            "computed_in": "float32",
            "id": "key",
            "dropped": 3,
        }
        line = (
            "loss:some-loss|as:torch|delta:2|full:0.25|operands:OPERANDS|takes:TAKES|from:probs|activation:softmax|targets:index|"
            "smoothing:uniform-0.1|classes:a,b|label-base:1|ignore:255|sample-weight:0.5|class-weight:1,2.5|class-counts:3,4|"
            "exclude-class:0|pos-weight:2|over-positions:sum|class-axis:-1|shift:2|mask:m.npy|missing:ignore|centers:c.npy|"
            "variance:0.25|event:e.npy|levels:0.1,0.9|group:g.npy|per:position|targets-from:logits|temperature:3|"
            "temperature-squared:yes|box:cxcywh|axes:time,sample,class|input-lengths:9|target-lengths:l.npy|bytes:100|"
            "over-outputs:mean|reduction:sum|dtype:float32|losscli:0.1.0"
        )
        assert signature(said) == line
        usual = {
            "box": "xyxy",
            "predictions": {"shape": [4, 3]},
        }  # rows of a table need not be told, nor corners of boxes
        assert signature(said | usual) == line.replace("|per:position", "").replace("|box:cxcywh", "")
        outputs = {key: value for key, value in said.items() if key != "class_weight"} | {"output_weight": [7.0]}
        assert signature(outputs) == line.replace("class-weight:1,2.5", "class-weight:7")
        needed = ("losscli", "loss", "parameters", "predictions", "targets", "reduction", "computed_in")
        plain = {name: said[name] for name in needed} | {"predictions": {"shape": [4]}}
        assert (
            signature(plain)
            == "loss:some-loss|delta:2|full:0.25|targets:index|reduction:sum|dtype:float32|losscli:0.1.0"
        )


class TestReceipt:
    def test_of_arrays_has_what_always_bears_on_the_number(self, compute, save):
        found = compute("ce", save("z.npy", [[2.0, 1], [0.5, -1]]), save("y.npy", [0, 1])).json["receipt"]
        assert found.keys() == ALWAYS
        assert found["predictions"] == {"file": "z.npy", "shape": [2, 2], "dtype": "float64"}
        targets = {"file": "y.npy", "shape": [2], "dtype": "int64", "kind": "index", "matched": "by position"}
        assert found["targets"] == targets
        assert found["per"] == "position"
        assert [(column["file"], column["role"]) for column in found["columns"]] == [
            ("z.npy", "prediction"),
            ("y.npy", "target"),
        ]

    def test_of_tables_says_how_rows_and_classes_met(self, compute, write):
        z = write("z.csv", "id,a,b\n1,2,3\n2,3,4\n3,3,4\n")
        y = write("y.csv", "id,label\n1,a\n2,b\n4,b\n")
        found = compute("ce", z, y, "--id", "id", "--on-unmatched", "drop", "--classes", "b,a").json["receipt"]
        assert found.keys() == ALWAYS | {"id", "on_unmatched", "dropped", "class_order", "classes"}
        assert (found["id"], found["on_unmatched"], found["dropped"]) == ("id", "drop", 1)
        assert (found["classes"], found["class_order"], found["predictions"]["columns"]) == (
            ["b", "a"],
            "b,a",
            ["b", "a"],
        )
        targets = found["targets"]
        assert (targets["kind"], targets["dtype"], targets["matched"]) == ("name", "text", "by name")

    def test_of_units_says_which(self, compute, save):
        p, t = save("p.npy", [[0.5, 1], [2, 3]]), save("t.npy", [[0.0, 1], [2, 5]])
        for per, said in (
            ("sample", "sample"),
            ("row", "sample"),
            ("class", "class"),
            ("file", "file"),
            ("position", "position"),
        ):
            found = compute("mse", p, t, "--per", per).json
            assert found["receipt"]["per"] == said
            assert (f"|per:{said}|" in found["signature"]) == (said != "position")
        together = save("x.npy", [1.0, 2]), save("time.npy", [1.0, 2]), "--event", save("event.npy", [1, 1])
        assert compute("cox", *together).json["receipt"]["per"] == "file"

    def test_of_positions_says_how_they_meet(self, compute, save):
        p, t = save("p.npy", np.zeros((2, 2, 2))), save("t.npy", np.ones((2, 2, 2)))
        found = compute("mse", p, t, "--per", "sample", "--over-positions", "sum").json
        assert found["receipt"]["over_positions"] == "sum"
        assert "|over-positions:sum|" in found["signature"]

    def test_functions_that_depend_on_the_processor_are_named(self, compute, save):
        """docs/robustness.md: none for squares, exp of float32 for a softmax; unknown for probabilities."""
        z, y = save("z.npy", [[2.0, 1], [0.5, -1]], np.float32), save("y.npy", [0, 1])
        assert compute("mse", z, z).json["receipt"]["arithmetic"]["dispatched"] == []
        assert "exp of float32" in compute("ce", z, y).json["receipt"]["arithmetic"]["dispatched"]
        p = save("p.npy", [[0.5, 0.5], [0.25, 0.75]], np.float32)
        assert "dispatched" not in compute("ce", p, y, "--from", "probs").json["receipt"]["arithmetic"]
