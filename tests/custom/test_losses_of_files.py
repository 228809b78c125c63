"""Losses of files: found, recognised, run like built-in ones; each kind in its own framework, where it is installed."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from losscli.cli.options.losses import SHARED
from losscli.custom.loss import converted
from losscli.custom.read import read
from losscli.custom.reading import OURS, THEIRS
from losscli.definition.batch import Dense, Extras
from losscli.lookup.names import find
from losscli.lookup.spec import single
from losscli.losses import LOSSES

NUMPY = '''
"""Losses in NumPy."""
import numpy as np


def log_softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def ce(y_true, logits):
    """Cross-entropy of one-hot rows."""
    return -(y_true * log_softmax(logits)).sum(axis=1)


def ce_index(labels, logits):
    return -log_softmax(logits)[np.arange(len(labels)), labels]


def ce_mean(labels, logits):
    return ce_index(labels, logits).mean()


def ce_column(y_true, logits):
    return ce(y_true, logits)[:, None]


def ce_elements(y_true, logits):
    return -y_true * log_softmax(logits)


def ce_probs(y_true, probs):
    return -np.log((y_true * probs).sum(axis=1))


def bce(labels, probs):
    return -labels * np.log(probs) - (1 - labels) * np.log1p(-probs)


def focal_loss(gamma=2.0):
    def focal(y_true, logits):
        l = (y_true * log_softmax(logits)).sum(axis=1)
        return -((1 - np.exp(l)) ** gamma) * l

    return focal


def strict_focal(gamma):
    return focal_loss(gamma)


def mse(y_true, y_pred):
    return (y_true - y_pred) ** 2


def scaled(y_pred, y_true, *, scale, power=2):
    assert isinstance(power, int)
    return scale * np.abs(y_true - y_pred) ** power


class Huber:
    """Huber's loss."""

    def __init__(self, delta=1.0):
        self.delta = delta

    def __call__(self, y_true, y_pred):
        r = np.abs(y_pred - y_true)
        return np.where(r <= self.delta, r * r / 2, self.delta * (r - self.delta / 2))


half = Huber(delta=0.5)


def unnamed(a, b):
    return np.maximum(0, a - b)


'''


@pytest.fixture
def mine(write):
    return write("mine.py", NUMPY)


@pytest.fixture
def files(save):
    """Names of files: rows of 4 logits with labels, scores with outcomes, numbers with numbers."""
    rng = np.random.default_rng(0)
    z, s, r = rng.normal(0, 2, (30, 4)), rng.normal(0, 2, 30), rng.normal(0, 1, 30)
    y, b, t = rng.integers(0, 4, 30), rng.integers(0, 2, 30), rng.normal(0, 1, 30)
    probs = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    made = {"z": z, "y": y, "p": probs, "s": s, "b": b, "r": r, "t": t, "w": rng.random(30), "sp": 1 / (1 + np.exp(-s))}
    made |= {"s1": s[:, None], "b1": b[:, None]}
    made |= {"one_hot": np.eye(4)[y], "z32": z.astype(np.float32), "S": z, "B": rng.integers(0, 2, (30, 4))}
    return {name: save(f"{name}.npy", array) for name, array in made.items()}


def numbers(compute, *words):
    """The value and the gradient of a command line."""
    value = compute(*words, "-f", "value", "--gradient", "slopes.npy").value
    return value, np.load("slopes.npy")


def check_same(compute, own, built_in, files, tolerance=1e-9):
    """Assert that two losses, each with its options, have one value and one gradient."""
    mine, slopes = numbers(compute, *[files.get(word, word) for word in own.split()])
    theirs, true = numbers(compute, *[files.get(word, word) for word in built_in.split()])
    assert mine == pytest.approx(theirs, rel=tolerance)
    assert slopes.dtype == true.dtype
    np.testing.assert_allclose(slopes, true, rtol=0, atol=max(tolerance, 1e-8))


@pytest.mark.quick
@pytest.mark.parametrize(
    ("own", "built_in"),
    [
        ("mine.py:ce z y", "ce z y"),
        ("mine.py:ce one_hot one_hot", "ce one_hot one_hot"),
        ("mine.py:ce z one_hot", "ce z one_hot"),
        ("mine.py:ce_index z y", "ce z y"),
        ("mine.py:ce_mean z y", "ce z y"),
        ("mine.py:ce_column z y", "ce z y"),
        ("mine.py:ce_elements z y", "ce z y"),
        ("mine.py:ce z y --sample-weight w", "ce z y --sample-weight w"),
        ("mine.py:ce z y --class-weight 2=3", "ce z y --class-weight 2=3"),
        ("mine.py:ce z y --ignore-index 1", "ce z y --ignore-index 1"),
        ("mine.py:ce z y --label-smoothing 0.1", "ce z y --label-smoothing 0.1"),
        ("mine.py:ce_probs z y", "ce z y"),
        ("mine.py:focal_loss z y --gamma 1.5", "softmax-focal z y --gamma 1.5"),
        ("mine.py:strict_focal z y --gamma 3", "softmax-focal z y --gamma 3"),
        ("mine.py:bce s b", "bce s b"),
        ("mine.py:bce s1 b", "bce s1 b"),
        ("mine.py:bce s1 b1", "bce s1 b1"),
        ("mine.py:bce sp b --from probs", "bce sp b --from probs"),
        ("mine.py:mse r t", "mse r t"),
        ("mine.py:mse r 0.5", "mse r 0.5"),
        ("mine.py:mse S B", "mse S B"),
        ("mine.py:Huber r t --delta 0.7", "huber r t --delta 0.7"),
        ("mine.py:half r t", "huber r t --delta 0.5"),
        ("mine.py:scaled r t --scale 1", "mse r t"),
    ],
)
def test_functions_of_numpy_arrays_give_the_numbers_of_built_in_losses(compute, mine, files, own, built_in):
    check_same(compute, own, built_in, files)


def test_float32_stays_float32_and_its_gradient_keeps_its_digits(compute, mine, files):
    check_same(compute, "mine.py:ce_mean z32 y", "ce z32 y", files, 1e-6)


def test_probabilities_are_made_logits_and_the_gradient_is_that_of_the_way_there(compute, mine, files):
    value, slopes = numbers(compute, "mine.py:ce", files["p"], files["y"], "--from", "probs")
    assert value == pytest.approx(compute("ce", files["z"], files["y"], "-f", "value").value, rel=1e-12)
    # d/dp_j of -log(p_y / sum(p)), since the loss divides by the sum itself
    p, y = np.load(files["p"]), np.load(files["y"])
    np.testing.assert_allclose(slopes, 1 - np.eye(4)[y] / p, atol=1e-6)


def test_outputs_are_not_taken_for_classes_when_predictions_are_converted(compute, mine, files):
    compute("mine.py:bce", files["S"], files["B"]).refuses(2, "wants probs", "classes or outputs", "--from probs")


@pytest.mark.parametrize("given", ["logits", "probs", "log-probs"])
@pytest.mark.parametrize("wanted", ["logits", "probs", "log-probs"])
@pytest.mark.parametrize("columns", [1, 3])
def test_conversions_and_their_gradients_are_right(given, wanted, columns):
    rng = np.random.default_rng(1)
    z = rng.normal(size=(5, columns))
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) if columns > 1 else 1 / (1 + np.exp(-z))
    x = {"logits": z, "probs": p, "log-probs": np.log(p)}[given]
    x = x if columns > 1 else x[:, 0]
    weights = rng.normal(size=x.shape)
    if columns > 1 and wanted != "probs":
        weights -= weights.mean(axis=1, keepdims=True)  # logits are known but for a number per row
    back = converted(x, given, wanted)[1]
    slopes = back(weights)
    direction = rng.normal(size=x.shape)
    ends = [(converted(x + sign * 1e-6 * direction, given, wanted)[0] * weights).sum() for sign in (1, -1)]
    assert (slopes * direction).sum() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5, abs=1e-8)


def test_what_was_concluded_is_shown(compute, mine, files):
    assert (
        "(y_true, logits): targets first, logits wanted, targets as one-hot rows"
        in compute("mine.py:ce", files["z"], files["y"]).err
    )
    assert (
        "targets as class indices; it returns one number, so each row is a call"
        in compute("mine.py:ce_mean", files["z"], files["y"]).err
    )
    assert "of which a row has the sum" in compute("mine.py:ce_elements", files["z"], files["y"]).err
    assert "of which a row has the mean" in compute("mine.py:mse", files["S"], files["B"]).err


def test_the_receipt_says_what_was_run(compute, mine, files):
    receipt = compute("mine.py:ce_probs", files["z"], files["y"], "--takes", "probs", "-f", "json").json["receipt"]
    digest = hashlib.sha256(NUMPY.encode()).hexdigest()
    assert receipt["code"] == {"file": "mine.py", "sha256": digest}
    assert receipt["definition"].endswith("probs wanted, made of logits, targets as one-hot rows")
    words = ("--operands", "targets,predictions", "--takes", "probs")
    found = compute("mine.py:ce_probs", files["z"], files["y"], *words, "-f", "json").json["signature"]
    assert "|operands:targets,predictions|takes:probs|from:logits|" in found


def test_operands_without_telling_names_are_told_by_an_option(compute, mine, files):
    compute("mine.py:unnamed", files["r"], files["t"]).refuses(2, "(a, b)", "--operands predictions,targets", "y_true")
    r, t = np.load(files["r"]), np.load(files["t"])
    for order, expected in (("predictions,targets", r - t), ("targets,predictions", t - r)):
        found = compute("mine.py:unnamed", files["r"], files["t"], "--operands", order, "-f", "value").value
        assert found == pytest.approx(np.maximum(0, expected).mean(), rel=1e-12)


def test_what_a_file_prints_is_not_data(compute, write, files):
    text = "print('said by the file')\n\ndef f(y_true, y_pred):\n    print('said by the loss')\n    return y_pred**2\n"
    found = compute(f"{write('talks.py', text)}:f", files["r"], files["t"], "-f", "value")
    assert found.value > 0
    assert "said by the file" in found.err
    assert "said by the loss" in found.err


def test_every_command_that_takes_a_loss_takes_a_file(run, mine, files):
    z, y = files["z"], files["y"]
    mean = run("compute", "ce", z, y, "-f", "json").json["value"]
    assert run("rank", "mine.py:ce", z, y, "--top", "1", "-f", "json").json["value"] == pytest.approx(mean)
    found = run("compare", "mine.py:focal_loss:gamma=0", z, files["z32"], "--targets", y, "-f", "json").json
    assert found["value"] == pytest.approx(mean)
    assert run("check", z, y, "--loss", "mine.py:ce", "-f", "json").json["loss"] == pytest.approx(mean)
    assert run("plot", "samples", "mine.py:ce", z, y, "-o", "samples.png").code == 0
    assert run("explain", "mine.py:Huber").out.count("Huber's loss.") == 1
    found = run("explain", "mine.py:strict_focal")
    assert (found.code, "none: mine.py:strict_focal: needs gamma" in found.out) == (0, True)


def test_a_suite_finds_files_from_its_own_folder(run, write, files, folder):
    (folder / "deep").mkdir()
    write("deep/mine.py", NUMPY)
    text = '[measure.a]\nloss = "mine.py:focal_loss:gamma=1"\npredictions = "../z.npy"\ntargets = "../y.npy"\n'
    write("deep/suite.toml", text)
    found = run("run", "deep/suite.toml", "-f", "json").json["measures"][0]
    expected = run("compute", "softmax-focal", files["z"], files["y"], "--gamma", "1", "-f", "json").json["value"]
    assert found["value"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("specs", "axis"),
    [
        (["mine.py:Huber:delta=1", "huber:delta=1"], "residual"),
        (["mine.py:bce", "bce"], "logit"),
        (["mine.py:ce", "ce"], "logit"),
        (["mine.py:focal_loss:gamma=1", "softmax-focal:gamma=1"], "logit"),
        (["mine.py:ce_mean", "ce"], "logit"),
    ],
)
def test_curves_are_those_of_the_built_in_loss(run, folder, mine, specs, axis):
    assert run("plot", "curves", *specs, "--x", axis, "-o", "c.png", "--data", "c.json").code == 0
    curves = {}
    for row in json.loads((folder / "c.json").read_text()):
        curves.setdefault(row["loss"], {})[row["x"]] = row["value"], row["gradient"]
    mine_, theirs = curves.values()
    shared = sorted(set(mine_) & set(theirs))
    assert len(shared) > 1000
    kinks = np.array([abs(abs(x) - 1) > 1e-2 for x in shared])
    values = np.array([[curve[x] for x in shared] for curve in (mine_, theirs)])[:, kinks]
    np.testing.assert_allclose(values[0], values[1], atol=1e-7)


@pytest.mark.parametrize(
    ("text", "name", "code", "parts"),
    [
        ("x = 1\ny = x / 0\n", "f", 3, ["bad.py:2: ZeroDivisionError", "when the file is executed"]),
        ("def f(y_true, y_pred)\n    pass\n", "f", 3, ["bad.py:1: not Python"]),
        ("def f(y_true, y_pred):\n\n    return y_pred.nothing\n", "f", 3, ["bad.py:3: AttributeError", "(in f)"]),
        (
            "import no_such_package\n",
            "f",
            3,
            ["bad.py:1: no_such_package is not installed", "pip install no_such_package"],
        ),
        ("from .near import x\n", "f", 3, ["bad.py:1: it cannot import", "relative import"]),
        ("import sys\nsys.exit(0)\n", "f", 3, ["bad.py:2: SystemExit"]),
        ("def focal(y_true, y_pred):\n    pass\n", "foc", 2, ["no 'foc'", "did you mean focal?"]),
        ("f = 3\n", "f", 2, ["int is no loss"]),
        ("class f:\n    pass\n", "f", 2, ["neither call nor forward nor __call__"]),
        ("def f(x):\n    return x\n", "f", 2, ["takes 1 operand"]),
        ("def f(*all):\n    return all\n", "f", 2, ["(*args)"]),
        ("def f(y_true, y_pred, dim):\n    return y_pred\n", "f", 2, ["its parameter dim has no default"]),
        ("def f(y_true, y_pred, gamma):\n    return y_pred\n", "f", 2, ["needs gamma", "--gamma 2"]),
        ("def f(y_true, y_pred):\n    pass\n", "f", 3, ["returned NoneType"]),
        ("def f(y_true, y_pred):\n    return 'text'\n", "f", 3, ["returned str"]),
        ("def f(y_true, y_pred):\n    return {'loss': 1}\n", "f", 3, ["returned dict"]),
        ("def f(y_true, y_pred):\n    return y_pred, 1\n", "f", 3, ["returned tuple"]),
        ("def f(y_true, y_pred):\n    return y_pred[:2]\n", "f", 3, ["returned shape (2,)"]),
        ("def f():\n    return 3\n", "f", 2, ["returned int without operands"]),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_a_line_with_its_place(compute, write, files, text, name, code, parts):
    write("bad.py", text)
    compute(f"bad.py:{name}", files["r"], files["t"]).refuses(code, *parts)


def test_a_file_that_is_missing_is_named(compute, files):
    compute("nothing.py:f", files["r"], files["t"]).refuses(3, "nothing.py: no such file")


def test_nan_in_files_and_nan_of_a_loss_are_refused(compute, save, write, mine):
    p, t = save("p.npy", [0.5, np.nan]), save("q.npy", [1.0, 0.0])
    compute("mine.py:mse", p, t).refuses(3, "p.npy[1]", "NaN")
    write("nan.py", "def f(y_true, y_pred):\n    return y_pred * float('nan')\n")
    compute("nan.py:f", t, t).refuses(3, "q.npy[0]", "undefined")
    compute("mine.py:mse", save("none.npy", np.zeros(0)), save("no.npy", np.zeros(0))).refuses(3, "no rows")


def test_labels_as_indices_cannot_be_smoothed(compute, mine, files):
    found = compute("mine.py:ce_index", files["z"], files["y"], "--label-smoothing", "0.1")
    found.refuses(3, "--label-smoothing makes rows of targets")


def test_compute_has_parameters_as_options(compute, mine, files):
    by_option = compute("mine.py:Huber", files["r"], files["t"], "--delta", "2", "-f", "value").value
    assert compute("mine.py:Huber:delta=2", files["r"], files["t"], "-f", "value").value == by_option
    compute("mine.py:Huber", files["r"], files["t"], "--gamma", "2").refuses(2, "--gamma")


def test_neighbours_are_imported_and_paths_may_have_spaces(compute, write, files, folder):
    (folder / "my losses").mkdir()
    write("my losses/neighbour_of_mine.py", "SCALE = 3.0\n")
    text = "from neighbour_of_mine import SCALE\n\ndef f(y_true, y_pred):\n    return SCALE * (y_true - y_pred) ** 2\n"
    write("my losses/a loss.py", text)
    found = compute("my losses/a loss.py:f", files["r"], files["t"], "-f", "value").value
    assert found == pytest.approx(3 * compute("mse", files["r"], files["t"], "-f", "value").value)


def test_neighbours_do_not_shadow_what_is_imported_later(compute, write, files):
    write("polars.py", "raise SystemExit('not the real one')\n")
    write("later_neighbour.py", "SCALE = 2.0\n")
    text = "def f(y_true, y_pred):\n    import later_neighbour\n    return later_neighbour.SCALE * (y_true - y_pred) ** 2\n"
    before = sys.path[:]
    words = (files["r"], files["t"], "-f", "value")
    assert compute(f"{write('late.py', text)}:f", *words).value == pytest.approx(2 * compute("mse", *words).value)
    assert sys.path[: len(before)] == before


def test_a_file_is_executed_once_for_all_its_losses(run, write, folder):
    text = "with open('log', 'a') as log:\n    log.write('x')\n\ndef f(y_true, y_pred):\n    return (y_true - y_pred) ** 2\n\ng = f\n"
    assert run("plot", "curves", f"{write('once.py', text)}:f", "once.py:g", "-o", "c.png").code == 0
    assert (folder / "log").read_text() == "x"
    assert not (folder / "__pycache__").exists()


def test_threads_make_no_difference(compute, save, mine):
    rng = np.random.default_rng(0)
    z, y = save("z.npy", rng.normal(size=(300_000, 3)).astype(np.float32)), save("y.npy", rng.integers(0, 3, 300_000))
    one, two = (compute("mine.py:ce", z, y, "--threads", n, "-f", "value").value for n in "12")
    assert one == two


DECLARED = '''
from typing import Annotated
from losscli.definition.domain import POSITIVE
from losscli.definition.registry import loss
from losscli.losses.residual import residual


@loss(residual, "s * abs(r)", slope="s * sign(r)", source="here")
def huber(r, *, s: Annotated[float, POSITIVE, "its scale"] = 2.0):
    """Not Huber's."""
    return s * abs(r), s * (r > 0) - s * (r < 0)
'''


def test_a_declaration_of_a_file_is_run_and_does_not_replace_a_built_in_loss(run, compute, write, files):
    write("decl.py", DECLARED)
    built_in = LOSSES["huber"]
    words = (files["r"], files["t"], "-f", "value")
    found = compute("decl.py:huber", *words, "--s", "3").value
    assert found == pytest.approx(3 * compute("l1", *words).value)
    assert find("huber") is built_in
    assert run("plot", "curves", "decl.py:huber:s=1,2", "huber", "-o", "c.png").code == 0
    assert "Not Huber's." in run("explain", "decl.py:huber").out
    compute("decl.py:huber", *words, "--s", "-1").refuses(2, "(0, inf)")


def test_a_resolved_loss_is_the_same_in_another_process(mine):
    bound = single("mine.py:Huber:delta=0.5")
    drawn = bound.declaration.drawn(bound, None, None)
    again = pickle.loads(pickle.dumps(drawn))
    x = np.array([-2.0, 0.1, 3.0])
    np.testing.assert_array_equal(again(x, Dense(np.zeros(3)), Extras())[0], drawn(x, Dense(np.zeros(3)), Extras())[0])
    assert again.family is drawn.family


def test_no_parameter_takes_the_name_of_an_option():
    assert {item.name for item in SHARED} - {"predictions", "targets"} <= OURS | THEIRS
    flags = [name for item in SHARED for name in item.flag.split("/") if name.startswith("--")]
    assert {flag.strip("-").replace("-", "_") for flag in flags} <= OURS | THEIRS


def test_names_say_what_operands_are(write):
    write(
        "names.py",
        "\n".join(f"def f{i}({', '.join(pair)}):\n    pass" for i, (pair, *_) in enumerate(NAMED))
        + "\ndef told(y_true, y_pred, from_logits=False, reduction='mean'):\n    pass\n",
    )
    for i, (_, first, wants) in enumerate(NAMED):
        found = read(f"names.py:f{i}")
        assert (found.targets_first, found.wants) == (first, wants)
    assert read("names.py:told").told == {"from_logits", "reduction"}
    assert not read("names.py:told").parameters


NAMED = [
    (("y_true", "y_pred"), True, None),
    (("y_pred", "y_true"), False, None),
    (("input", "target"), False, None),
    (("labels", "logits"), True, "logits"),
    (("logits", "labels"), False, "logits"),
    (("probs", "y"), False, "probs"),
    (("log_probs", "target"), False, "log-probs"),
    (("a", "targets"), False, None),
    (("output", "b"), False, None),
    (("a", "b"), None, None),
]

PACKAGE = {
    "dist-info/METADATA": "Metadata-Version: 2.1\nName: some-losses\nVersion: 1.2\n",
    "dist-info/entry_points.txt": "[losscli.losses]\nmy-mse = some_losses.good:mse\nhuber = some_losses.good:mse\n"
    "broken = some_losses.bad:f\nabsent = some_losses.absent:f\nnameless = some_losses.good:absent\n",
    "__init__.py": "",
    "good.py": 'def mse(y_true, y_pred, scale=2.0):\n    """Of a package."""\n    return scale * (y_true - y_pred) ** 2\n',
    "bad.py": "1 / 0\n",
}


@pytest.fixture
def package(folder, monkeypatch):
    """A distribution that registers losses."""
    for name, text in PACKAGE.items():
        home = "some_losses-1.2." if name.startswith("dist-info") else "some_losses/"
        path = folder / "site" / f"{home}{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(folder / "site"))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "some_losses"]:
        del sys.modules[name]


def test_packages_register_losses(run, compute, package, files):
    words = (files["r"], files["t"], "-f", "value")
    mse = compute("mse", *words).value
    assert compute("my_mse", *words).value == pytest.approx(2 * mse)
    assert compute("my-mse", *words, "--scale", "1").value == pytest.approx(mse)
    assert run("rank", "my-mse:scale=3", *words[:2], "-f", "json").json["value"] == pytest.approx(3 * mse)
    assert "Of a package." in run("explain", "my-mse").out
    assert run("verify", "my-mse:scale=1", "-f", "json").code == 0
    assert run("verify", "my-mse:scale=2", "-f", "json").json["patterns"] == [
        "a constant factor of 2: a whole for a half"
    ]


def test_built_in_names_win_and_a_broken_package_does_not_break_the_list(run, compute, package, files):
    listed = {item["name"]: item for item in json.loads(run("list", "-f", "json").out)}
    assert listed["my-mse"]["source"] == "some_losses.good:mse, of some-losses 1.2"
    assert listed["broken"]["family"] == "registered"
    assert listed["huber"]["family"] == "residual"
    assert "some_losses" not in sys.modules
    words = (files["r"], files["t"], "-f", "value")
    assert compute("huber", *words).value != compute("my-mse", *words).value
    compute("broken", *words).refuses(3, "broken: is registered as some_losses.bad:f, of some-losses 1.2", "bad.py:1")
    compute("absent", *words).refuses(3, "some_losses.absent")
    compute("nameless", *words).refuses(3, "some_losses.good:absent")
    assert "my-mse" in run("list", "--family", "registered").out


@pytest.mark.parametrize("value", ["!!!", "", "two words", "a:b:c d"])
def test_an_entry_point_that_is_not_written_as_one_is_refused_where_it_is_named(run, compute, package, files, value):
    (file,) = Path("site").glob("*/entry_points.txt")
    file.write_text(f"[losscli.losses]\nspoilt = {value}\nmy-mse = some_losses.good:mse\n")
    words = (files["r"], files["t"], "-f", "value")
    compute("spoilt", *words).refuses(3, f"spoilt: is registered as {value}", "which is not MODULE:NAME")
    assert compute("my-mse", *words).code == 0
    assert "spoilt" in run("list", "--family", "registered").out


@pytest.mark.parametrize("name", ["METADATA", "entry_points.txt"])
def test_another_package_whose_files_are_damaged_is_passed_over(run, compute, package, files, name):
    damaged = Path("site/other-1.0.dist-info")
    damaged.mkdir()
    (damaged / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (damaged / "entry_points.txt").write_text("[losscli.losses]\nof-other = some_losses.good:mse\n")
    with (damaged / name).open("ab") as file:
        file.write(b"\xff\xfe\x00")
    assert compute("my-mse", files["r"], files["t"]).code == 0
    assert "my-mse" in run("list", "--family", "registered").out
    assert run("list", "-f", "json").code == 0


def test_built_in_losses_do_not_load_what_runs_files():
    script = "import sys\nfrom losscli.cli.main import run\nrun(['compute', 'mse', '--help'])\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"losscli.custom.loss", "losscli.custom.reading", "importlib.metadata"} & set(done.stdout.split())


# Frameworks: each kind of loss really runs in its own, where it is installed.

TORCH = """
import functools

import torch
import torch.nn.functional as F
from torch import nn


def focal(logits, labels, gamma=2.0):
    l = F.log_softmax(logits, dim=1).gather(1, labels[:, None])[:, 0]
    return -((1 - l.exp()) ** gamma) * l


class FocalLoss(nn.Module):
    def __init__(self, gamma=2.0, reduction="mean"):
        super().__init__()
        self.gamma, self.reduction = gamma, reduction

    def forward(self, input, target):
        found = focal(input, target, self.gamma)
        return found.mean() if self.reduction == "mean" else found


class OfMean(nn.Module):
    def forward(self, input, target):
        return F.cross_entropy(input, target)


def square(y_pred, y_true):
    return (y_pred - y_true).square().mean(dim=-1)


def bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, target)


def outside(logits, labels):
    return torch.tensor(F.cross_entropy(logits, labels, reduction="none").detach().numpy())


def wrapped(function):
    @functools.wraps(function)
    def inner(*operands, **parameters):
        return function(*operands, **parameters)

    return inner


weighted = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 1.0, 1.0]))
half = functools.partial(focal, gamma=0.5)
decorated = wrapped(focal)
ce = nn.CrossEntropyLoss()
nll = nn.NLLLoss()
"""


@pytest.fixture
def torch_file(write):
    pytest.importorskip("torch", reason="torch is not installed")
    return write("of_torch.py", TORCH)


@pytest.mark.parametrize(
    ("own", "built_in"),
    [
        ("of_torch.py:focal z y", "softmax-focal --gamma 2 z y"),
        ("of_torch.py:focal z32 y --gamma 1", "softmax-focal --gamma 1 z32 y"),
        ("of_torch.py:FocalLoss z y --gamma 3", "softmax-focal --gamma 3 z y"),
        ("of_torch.py:OfMean z y", "ce z y"),
        ("of_torch.py:OfMean z y --sample-weight w", "ce z y --sample-weight w"),
        ("of_torch.py:OfMean z y --label-smoothing 0.2", "ce z y --label-smoothing 0.2"),
        ("of_torch.py:half z y", "softmax-focal --gamma 0.5 z y"),
        ("of_torch.py:decorated z y --gamma 1", "softmax-focal --gamma 1 z y"),
        ("of_torch.py:ce z y", "ce z y"),
        ("of_torch.py:ce z one_hot", "ce z one_hot"),
        ("of_torch.py:nll z y --takes log-probs", "ce z y"),
        ("of_torch.py:bce s b", "bce s b"),
        ("of_torch.py:bce S B", "bce S B"),
        ("of_torch.py:square S B", "mse S B"),
    ],
)
def test_torch_runs_with_its_autograd(compute, torch_file, files, own, built_in):
    check_same(compute, own, built_in, files, 1e-6 if "32" in own else 1e-9)


def test_what_a_module_holds_has_the_dtype_of_the_predictions(compute, torch_file, files):
    z, y = np.load(files["z"]), np.load(files["y"])
    losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(30), y]
    found = compute("of_torch.py:weighted", files["z"], files["y"], "-f", "value").value
    assert found == pytest.approx((np.where(y == 1, 2, 1) * losses).mean(), rel=1e-12)


def test_torch_without_a_gradient_says_so(compute, torch_file, files):
    assert compute("of_torch.py:outside", files["z"], files["y"]).code == 0
    found = compute("of_torch.py:outside", files["z"], files["y"], "--gradient", "g.npy")
    found.refuses(3, "torch knows no gradient", "leave out --gradient")


KERAS = '''
import keras
from keras import ops


class Focal(keras.losses.Loss):
    """Focal loss of one-hot rows."""

    def __init__(self, gamma=2.0, name="focal"):
        super().__init__(name=name)
        self.gamma = gamma

    def call(self, y_true, y_pred):
        l = ops.log_softmax(y_pred, axis=-1)
        return -ops.sum(y_true * (1 - ops.exp(l)) ** self.gamma * l, axis=-1)


def focal(y_true, y_pred):
    return Focal(gamma=2.0).call(y_true, y_pred)


def focal_loss(gamma=2.0):
    def loss(y_true, y_pred):
        l = ops.log_softmax(y_pred, axis=-1)
        return -ops.sum(y_true * (1 - ops.exp(l)) ** gamma * l, axis=-1)

    return loss


CategoricalCrossentropy = keras.losses.CategoricalCrossentropy
Sparse = keras.losses.SparseCategoricalCrossentropy
'''


@pytest.fixture
def keras_file(write, monkeypatch):
    if find_spec("keras") is None or find_spec("torch") is None:
        pytest.skip("keras on torch is not installed")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    return write("of_keras.py", KERAS)


@pytest.mark.parametrize(
    ("own", "built_in"),
    [
        ("of_keras.py:Focal z y --gamma 1", "softmax-focal --gamma 1 z y"),
        ("of_keras.py:focal z y", "softmax-focal --gamma 2 z y"),
        ("of_keras.py:focal_loss z32 y", "softmax-focal --gamma 2 z32 y"),
        ("of_keras.py:CategoricalCrossentropy z y", "ce z y"),
        ("of_keras.py:Sparse z y", "ce z y"),
    ],
)
def test_keras_runs_on_torch(compute, keras_file, files, own, built_in):
    check_same(compute, own, built_in, files, 1e-6)


def test_a_missing_framework_is_named_with_how_to_install_it(compute, write, files, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # an import of it fails as if it were not there
    write("needs.py", "import torch\n\ndef f(logits, labels):\n    return torch.zeros(3)\n")
    compute("needs.py:f", files["z"], files["y"]).refuses(
        3, "needs.py:1", "torch is not installed", "pip install torch"
    )


TENSORFLOW = """
import tensorflow as tf


@tf.function
def ce(labels, logits):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
"""
JAX = """
import jax


@jax.jit
def ce(logits, labels):
    return -jax.numpy.sum(labels * jax.nn.log_softmax(logits), axis=1)
"""


@pytest.mark.parametrize(("package", "text"), [("tensorflow", TENSORFLOW), ("jax", JAX)])
def test_tensorflow_and_jax_run_in_a_process_of_their_own(compute, write, files, package, text):
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    write("own.py", text)
    words = ["compute", "own.py:ce", files["z"], files["y"], "-f", "value", "--gradient", "own.npy"]
    done = subprocess.run([sys.executable, "-m", "losscli", *words], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert all(line.startswith("losscli: note:") for line in done.stderr.splitlines())
    value, slopes = numbers(compute, "ce", files["z"], files["y"])
    assert float(done.stdout) == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(np.load("own.npy"), slopes, atol=1e-12)


@pytest.mark.parametrize(
    ("settings", "backend"), [('{"backend": "tensorflow"}', "torch"), ('{"backend": "jax"}', "jax"), ("{", "torch")]
)
def test_keras_runs_on_a_backend_that_is_installed(folder, write, monkeypatch, settings, backend):
    """Keras writes its settings by itself, and names TensorFlow there."""
    from losscli.custom import frameworks

    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("KERAS_BACKEND", "taken back when the test ends")
    monkeypatch.delenv("KERAS_BACKEND")
    (folder / ".keras").mkdir()
    write(".keras/keras.json", settings)
    monkeypatch.setattr(frameworks, "find_spec", lambda name: name if name in ("torch", "jax") else None)
    frameworks.settle_keras()
    assert frameworks.os.environ["KERAS_BACKEND"] == backend


def test_a_coroutine_is_refused_before_it_is_called(compute, write, save):
    """Python warns on lines of its own of one that is called and never awaited."""
    code = write("own.py", "async def squares(y_true, y_pred):\n    return (y_true - y_pred) ** 2\n")
    compute(f"{code}:squares", save("p.npy", [1.0, 2.0]), "0").refuses(
        2, "own.py:squares: a coroutine", "leave out async"
    )
