"""`compute --as` of several libraries: their numbers side by side."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

NUMBERS = ([1.5, 1, 5, 1], [1, 2, 3, 0.5])
WEIGHTS = [1, 0, 2, 2]
Compute = Callable[..., Any]
Save = Callable[..., str]


class TestSideBySide:
    """Several libraries: a column of words, one convention at a time."""

    def test_one_convention_a_line_in_the_same_order(self, compute: Compute, save: Save) -> None:
        p, t, w = save("p.npy", [0.0, 0.5, 0.9], np.float32), save("t.npy", [1, 0, 1]), save("w.npy", [1, 0, 2])
        words = ("bce", p, t, "--from", "probs", "--sample-weight", w, "--as", "tf1,torch,keras,sklearn")
        found = compute(*words, "-f", "json").json
        assert found["value"] is None  # infinite: a probability of 0 for what happened
        assert [side["library"] for side in found["as"]] == ["tf1", "torch", "keras", "sklearn"]
        keras = found["as"][2]
        assert [step["convention"].split()[0] for step in keras["conventions"]] == ["reduces", "cuts"]
        assert keras["conventions"][-1]["value"] == keras["value"]
        alone = compute(*words[:-1], "keras", "-f", "json").json
        assert alone["value"] == keras["value"]
        assert alone["receipt"]["as"]["conventions"] == [step["convention"] for step in keras["conventions"]]
        assert "|as:keras|" in alone["signature"]

    def test_what_a_library_cannot_do_is_said_in_its_line(self, compute: Compute, save: Save) -> None:
        p, t, w = save("p.npy", NUMBERS[0]), save("t.npy", NUMBERS[1]), save("w.npy", WEIGHTS)
        words = ("mse", p, t, "--sample-weight", w, "--as")
        found = compute(*words, "sklearn,optax", "-f", "json").json
        assert found["as"][1]["value"] is None
        assert "no weights of samples" in found["as"][1]["refused"]
        assert [side["version"].split()[0] for side in found["as"]] == ["scikit-learn", "optax"]
        compute(*words, "optax").refuses(2, "--as optax", "no weights of samples", "--sample-weight")

    def test_what_none_of_them_can_do_is_refused_with_the_reason_of_the_first(
        self, compute: Compute, save: Save
    ) -> None:
        p, t, w = save("p.npy", NUMBERS[0]), save("t.npy", NUMBERS[1]), save("w.npy", WEIGHTS)
        words = ("mse", p, t, "--reduction", "sum", "--sample-weight", w)
        compute(*words, "--as", "sklearn,optax").refuses(2, "--as sklearn", "leave --reduction out")
        compute(*words, "--as", "optax,sklearn").refuses(2, "--as optax", "no weights of samples")

    def test_what_libraries_have_no_losses_of(self, compute: Compute, save: Save) -> None:
        p, t = save("p.npy", np.zeros((2, 3, 4))), save("t.npy", np.ones((2, 3, 4), int))
        words = ("mse", p, t, "--class-axis", "-1", "--as", "torch")
        compute(*words, "--output-weight", "1,2,3,4").refuses(2, "--as torch", "--output-weight")
        for per in ("sample", "class", "sample,class", "file"):
            compute(*words, "--per", per).refuses(2, "--as torch", "--per")
        assert compute(*words, "--per", "position", "-f", "value").value == 1
        table = ("mse", save("q.npy", np.zeros((2, 3))), "1", "--as", "torch", "-f", "value")
        assert compute(*table, "--per", "sample").value == compute(*table).value == 1

    def test_masks_of_positions(self, compute: Compute, save: Save) -> None:
        rng = np.random.default_rng(5)
        p, t = rng.random((3, 4, 5)), rng.integers(0, 2, (3, 4, 5))
        words = ("dice", save("p.npy", p), save("t.npy", t), "--from", "probs")
        flat = ("dice", save("q.npy", p.reshape(-1)), save("u.npy", t.reshape(-1)), "--from", "probs")
        whole = compute(*flat, "--as", "keras", "-f", "value").value
        assert compute(*words, "--as", "keras", "-f", "value").value == whole
        assert compute(*flat, "--as", "keras", "--per", "file", "-f", "value").value == whole
        compute(*words, "--as", "keras", "--per", "sample").refuses(2, "--as keras", "--per file")
        logits = ("dice", save("z.npy", p), save("u.npy", t), "--as", "optax")
        compute(*logits).refuses(2, "--as optax", "each row")
        rows = ("dice", save("z.npy", p[0]), save("u.npy", t[0]), "--as", "optax", "-f", "value")
        assert compute(*rows, "--per", "sample").value == compute(*rows).value

    @pytest.mark.parametrize("format", ["table", "csv", "tsv", "markdown", "jsonl"])
    def test_formats(self, compute: Compute, save: Save, format: str) -> None:
        p, t = save("p.npy", NUMBERS[0]), save("t.npy", NUMBERS[1])
        found = compute("mape", p, t, "--as", "keras,sklearn", "-f", format)
        assert found.code == 0
        for part in ("losscli", "keras", "66.66", "multiplies by 100", "sklearn", "by default"):
            assert part in found.out

    def test_each_convention_that_changes_the_number_says_to_what(self, compute: Compute, save: Save) -> None:
        p, t = save("p.npy", NUMBERS[0]), save("t.npy", NUMBERS[1])
        lines = compute("mape", p, t, "--as", "keras,sklearn", "-f", "csv").out.splitlines()
        # by hand: the mean of 0.5, 0.5, 2 / 3 and 1, times 100
        assert "multiplies by 100: 66.66" in next(line for line in lines if "multiplies" in line)

    def test_a_convention_that_changes_nothing_here_says_so(self, compute: Compute, save: Save) -> None:
        p, t = save("p.npy", [0.5, 0.25]), save("t.npy", [1, 0])
        out = compute("bce", p, t, "--from", "probs", "--as", "keras,sklearn", "-f", "csv").out
        assert "cuts" in out  # probabilities of 0 and 1, of which there are none
        assert out.count("no change here") >= 1

    def test_without_a_number_there_is_no_change_until_there_is_one(self, compute: Compute, save: Save) -> None:
        """Of weights of 0 alone there is no mean; it is 0 in TensorFlow 1, and that is its last convention."""
        p, t, w = save("p.npy", [1.0, 2.0]), save("t.npy", [0.0, 1.0]), save("w.npy", [0.0, 0.0])
        out = compute("mse", p, t, "--sample-weight", w, "--as", "tf1,keras", "-f", "csv").out.splitlines()
        assert out[1].startswith("losscli,-,")
        assert "weighted_sum_by_nonzero_weights): no change here," in out[2]
        assert "is 0 where all weights are 0: 0.0," in out[4]

    def test_a_file_gets_it_too(self, compute: Compute, save: Save, folder: Path) -> None:
        p, t = save("p.npy", NUMBERS[0]), save("t.npy", NUMBERS[1])
        compute("mape", p, t, "--as", "keras,torch,sklearn", "-o", "x.json")
        assert json.loads((folder / "x.json").read_text())["as"][0]["library"] == "keras"
        compute("mape", p, t, "--as", "keras,sklearn", "-o", "p.npy").refuses(2, "input of this very command")

    def test_standard_input_is_read_once(self, compute: Compute, save: Save, folder: Path) -> None:
        save("p.npy", NUMBERS[0])
        t = save("t.npy", NUMBERS[1])
        data = (folder / "p.npy").read_bytes()
        found = compute("mape", "-", t, "--as", "keras,sklearn", "-f", "json", stdin=data).json
        assert found["as"][0]["value"] == pytest.approx(66.6667, rel=1e-5)
