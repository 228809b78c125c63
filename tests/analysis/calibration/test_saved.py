"""`losscli calibrate --map`: maps that were saved give what the fit gave."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from reference import sigmoid, softmax

METHODS = ["temperature", "platt", "isotonic"]
RANDOM = np.random.default_rng(2)
Z, Y = RANDOM.normal(0, 2, (120, 3)), RANDOM.integers(0, 3, 120)
Z[np.arange(120), Y] += 1


@pytest.fixture
def saved(run, write):
    """Fit, write what is printed as JSON to map.json and the calibrated predictions to fitted.npy, or to a CSV."""

    def fit(*words, output="fitted.npy"):
        done = run("calibrate", *words, "-f", "json", "-o", output)
        assert done.code == 0, done.err
        return write("map.json", done.out)

    return fit


class TestTheSame:
    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("kind", ["logits", "probs", "log-probs"])
    @pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
    def test_of_several_columns(self, run, save, saved, method, kind, activation):
        p = (softmax if activation == "softmax" else sigmoid)(Z)
        x = {"logits": Z, "probs": p, "log-probs": np.log(p)}[kind]
        words = save("x.npy", x), save("y.npy", Y), "--from", kind, "--method", method, "--activation", activation
        done = run("calibrate", "x.npy", "--map", saved(*words), "-o", "o.npy")
        assert (done.code, done.out) == (0, ""), done.err
        # 1 / (1 / T) may be the number next to T.
        assert np.load("o.npy") == pytest.approx(np.load("fitted.npy"), rel=1e-14)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("kind", ["logits", "probs"])
    def test_of_one_column(self, run, save, saved, method, kind):
        x = Z[:, 0] if kind == "logits" else sigmoid(Z[:, 0])
        words = save("x.npy", x), save("y.npy", Y == 0), "--from", kind, "--method", method
        assert run("calibrate", "x.npy", "--map", saved(*words), "-o", "o.npy").code == 0
        assert np.load("o.npy") == pytest.approx(np.load("fitted.npy"), rel=1e-14)

    @pytest.mark.parametrize("words", [("--bias",), ("--method", "platt"), ("--method", "isotonic")])
    def test_columns_meet_by_name(self, run, write, saved, words):
        rows = lambda x: "".join(",".join(map(repr, row)) + "\n" for row in x.tolist())  # noqa: E731
        p = write("p.csv", "ant,bee,cat\n" + rows(Z))
        t = write("t.csv", "label\n" + "".join(f"{('ant', 'bee', 'cat')[y]}\n" for y in Y))
        file = saved(p, t, *words, output="fitted.csv")
        o = write(
            "o.csv",
            "id,cat,ant,bee\n"
            + "".join(f"r{i}," + line + "\n" for i, line in enumerate(rows(Z[:, [2, 0, 1]]).split())),
        )
        assert run("calibrate", o, "--map", file, "--id", "id", "-o", "made.csv").code == 0
        made, fitted = (
            np.genfromtxt(name, delimiter=",", names=True, dtype=None) for name in ("made.csv", "fitted.csv")
        )
        assert made.dtype.names == ("id", "cat", "ant", "bee")
        for name in ("ant", "bee", "cat"):
            assert made[name] == pytest.approx(fitted[name], rel=1e-14)

    def test_infinite_ends(self, run, save, saved):
        words = save("s.npy", [-np.inf, 1, 2, np.inf]), save("y.npy", [0, 1, 0, 1])
        file = saved(*words, "--method", "isotonic")
        run("calibrate", save("o.npy", [-np.inf, -9.0, 1.5, 9, np.inf]), "--map", file, "-o", "made.npy")
        assert np.load("made.npy").tolist() == [0, 0.5, 0.5, 0.5, 1]

    def test_standard_input(self, run, save, saved):
        file = saved(save("x.npy", Z), save("y.npy", Y), "--method", "platt")
        content = io.BytesIO(Path("x.npy").read_bytes())
        assert run("calibrate", "-", "--map", file, "-o", "o.npy", stdin=content.getvalue()).code == 0
        assert np.load("o.npy").tolist() == np.load("fitted.npy").tolist()


class TestRefusals:
    def test_operands_and_options(self, run, save, saved):
        file = saved(save("x.npy", Z), save("y.npy", Y))
        run("calibrate", "x.npy", "--map", file).refuses(
            2, "losscli calibrate x.npy --map map.json --output calibrated.csv"
        )
        run("calibrate", "x.npy", "y.npy", "--map", file, "-o", "o.npy").refuses(2, "no TARGETS", "--output o.npy")
        run("calibrate", "x.npy", "--map", file, "--from", "probs", "-o", "o.npy").refuses(2, "is of logits")
        run("calibrate", "x.npy").refuses(2, "Missing argument 'TARGETS'")
        for name, value in (
            ("--method", "isotonic"),
            ("--bins", "7"),
            ("--activation", "sigmoid"),
            ("--reliability-of", "predicted"),
            ("--sample-weight", "2"),
            ("--mask", "y.npy"),
            ("--ignore-index", "1"),
            ("--missing", "ignore"),
            ("--shift", "1"),
            ("--label-base", "1"),
        ):
            run("calibrate", "x.npy", "--map", file, name, value, "-o", "o.npy").refuses(2, f"leave out {name}")
        run("calibrate", "x.npy", "--map", file, "-o", file).refuses(2, "--output")

    def test_predictions_of_another_shape(self, run, save, saved):
        file = saved(save("x.npy", Z), save("y.npy", Y))
        words = save("o.npy", Z[:, :2]), "--map", file, "-o", "o2.npy"
        run("calibrate", *words).refuses(3, "o.npy: shape (120, 2), and the predictions of map.json have (120, 3)")
        nan = save("n.npy", np.where(np.arange(3) == 1, np.nan, Z))
        run("calibrate", nan, "--map", file, "-o", "o2.npy").refuses(3, "n.npy[0, 1]: the prediction is NaN")
        assert not Path("o2.npy").exists()

    @pytest.mark.parametrize(
        "change",
        [
            lambda made: made.pop("map"),
            lambda made: made["map"].pop("columns"),
            lambda made: made["map"].update(method="magic"),
            lambda made: made["map"].update({"from": "scores"}),
            lambda made: made["map"]["columns"].pop(),
            lambda made: made["map"]["columns"][0].update(a=None),
            lambda made: made["map"]["columns"][0].update(b="x"),
            lambda made: made["map"]["columns"][0].update(b=True),
            lambda made: made["map"]["columns"][0].update(b=10**400),
            lambda made: made["map"].update(activation="x"),
            lambda made: made.update(predictions={}),
            lambda made: made["map"].update(method="temperature", temperature=-1),
            lambda made: made["map"].update(method="temperature", temperature=2, bias=[1]),
            lambda made: made["map"].update(method="isotonic", columns=[{"x": [1, 0], "y": [0, 1]}] * 3),
            lambda made: made["map"].update(method="isotonic", columns=[{"x": [0, 1], "y": [0, 2]}] * 3),
            lambda made: made["map"].update(method="isotonic", columns=[{"x": [], "y": []}] * 3),
        ],
    )
    def test_damaged_maps(self, run, save, saved, write, change):
        made = json.loads(Path(saved(save("x.npy", Z), save("y.npy", Y), "--method", "platt")).read_text())
        change(made)
        file = write("bad.json", json.dumps(made))
        run("calibrate", "x.npy", "--map", file, "-o", "o.npy").refuses(3, "bad.json: no calibration map", "-f json")

    @pytest.mark.parametrize("text", ["", "{", "[]", "3", "a,b\n1,2\n", "\ufeff{}"])
    def test_other_files(self, run, save, write, text):
        run("calibrate", save("x.npy", Z), "--map", write("m.json", text), "-o", "o.npy").refuses(
            3, "m.json: no calibration map"
        )
        run("calibrate", "x.npy", "--map", "none.json", "-o", "o.npy").refuses(3, "none.json: cannot be read")
