"""Losses of the user's own that couple rows: recognised by calling them on a few rows, refused, or made of the whole file.

What they must give is the formula, evaluated by hand or by the framework's own call with all rows.
"""

import json
import math
import pickle
from importlib.util import find_spec

import numpy as np
import pytest

import losscli
from losscli.custom import frameworks
from losscli.engine import whole_file

MINE = '''
import numpy as np

calls = []

def log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))

# Losses whose rows are coupled
def rmse(y_true, y_pred): return np.sqrt(np.mean((y_true - y_pred) ** 2))
def dice(y_true, y_pred): return 1 - 2 * np.sum(y_true * y_pred) / (np.sum(y_true) + np.sum(y_pred))
def correlation(y_true, y_pred): return 1 - np.corrcoef(y_true, y_pred)[0, 1]
def offset(y_true, y_pred): return np.sum((y_true - y_pred) ** 2) + 0.5
def hardest(y_true, y_pred): return np.max((y_true - y_pred) ** 2)
def two_or_more(y_true, y_pred):
    if len(y_true) < 2:
        raise ValueError("a batch of one")
    return np.mean((y_true - y_pred) ** 2)
def standardised(y_true, y_pred): return ((y_pred - y_pred.mean()) / y_pred.std() - y_true) ** 2
def over_the_batch(y_true, y_pred): return -log_softmax(y_pred) * y_true
def elements(y_true, y_pred): return (y_pred - y_pred.mean(axis=0) - y_true) ** 2
def balanced(labels, logits):
    rows = -log_softmax(logits)[np.arange(len(labels)), labels]
    weights = 1 / np.bincount(labels, minlength=logits.shape[1])[labels]
    return np.sum(weights * rows) / np.sum(weights)
def large_only(y_true, y_pred):
    """The mean of the errors above 10: coupled on rows that have some, and 0 on rows of small numbers."""
    errors = np.abs(y_true - y_pred)
    return errors[errors > 10].mean() if (errors > 10).any() else 0.0

# Losses of rows
def mse(y_true, y_pred): return np.mean((y_true - y_pred) ** 2)
def sse(y_true, y_pred): return np.sum((y_true - y_pred) ** 2)
def with_epsilon(y_true, y_pred): return np.sum((y_true - y_pred) ** 2) / (len(y_true) + 1e-7)
def in_float32(y_true, y_pred): return np.mean((y_true.astype(np.float32) - y_pred.astype(np.float32)) ** 2)
def mean_and_constant(y_true, y_pred): return np.mean((y_true - y_pred) ** 2) + 0.25
def ce(labels, logits): return -log_softmax(logits)[np.arange(len(labels)), labels].mean()
def ce_rows(y_true, logits): return -(y_true * log_softmax(logits)).sum(axis=1)
def squares(y_true, y_pred): return (y_true - y_pred) ** 2
def bce_of_outcomes(labels, probs): return -np.mean(labels * np.log(probs) + (1 - labels) * np.log1p(-probs))

# Losses that are random, or have a memory
def dropout(y_true, y_pred): return (y_true - y_pred * (np.random.random(y_pred.shape) > 0.5)) ** 2
def noisy_mean(y_true, y_pred): return np.mean((y_true - y_pred + np.random.normal(size=y_pred.shape)) ** 2)
def counting(y_true, y_pred):
    calls.append(1)
    return np.mean((y_true - y_pred) ** 2) * len(calls)
'''


@pytest.fixture
def three(write, save):
    """The files of the example of the issue: 1, 2, 3 against 0, 0, 1."""
    write("mine.py", MINE)
    return save("p.npy", [1.0, 2.0, 3.0]), save("t.npy", [0.0, 0.0, 1.0])


@pytest.fixture
def many(write, save):
    """Thirty rows of numbers, of one and of four columns, with targets of every kind."""
    write("mine.py", MINE)
    rng = np.random.default_rng(3)
    made = {"r": rng.normal(0, 1, 30), "t": rng.normal(0, 1, 30), "z": rng.normal(0, 2, (30, 4))}
    made |= {"m": rng.normal(0, 1, (30, 4)), "y": rng.integers(0, 4, 30), "b": rng.integers(0, 2, 30)}
    made |= {"q": rng.random(30), "far": rng.normal(0, 30, 30)}
    for name, array in made.items():
        save(f"{name}.npy", array)
    return made


def refused(outcome, *parts):
    assert outcome.code == 3, outcome
    (line,) = outcome.err.splitlines()
    assert all(part in line for part in ("couples rows", "--per file", *parts)), line


@pytest.mark.quick
def test_the_root_of_a_mean_is_refused_with_what_was_called(compute, three):
    outcome = compute("mine.py:rmse", *three)
    refused(
        outcome,
        "mine.py:rmse couples rows: called on the first 3 rows of p.npy, it returns 1.732051",
        "neither the mean (1.666667) nor the sum (5) of what it returns on each alone (1, 2, 2)",
        "return one number per row",
    )
    assert outcome.out == ""


@pytest.mark.quick
def test_the_root_of_a_mean_is_that_of_the_whole_file(compute, three):
    result = compute("mine.py:rmse", *three, "--per", "file").json
    assert result["value"] == math.sqrt(3)
    assert (result["samples"], result["numerator"], result["denominator"]) == (1, math.sqrt(3), 1)
    assert result["receipt"]["per"] == "file"
    assert "|per:file|" in result["signature"]
    assert "called once with all rows" in result["receipt"]["definition"]


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("rmse", "r t"),
        ("rmse", "z m"),
        ("dice", "q b"),
        ("correlation", "r t"),
        ("offset", "r t"),
        ("hardest", "r t"),
        ("two_or_more", "r t"),
        ("balanced", "z y"),
        ("large_only", "far t"),
        ("standardised", "r t"),
        ("over_the_batch", "r t"),
        ("elements", "z m"),
    ],
)
def test_losses_that_couple_rows_are_refused(compute, many, name, files):
    predictions, targets = files.split()
    refused(compute(f"mine.py:{name}", f"{predictions}.npy", f"{targets}.npy"))


@pytest.mark.parametrize(
    ("name", "files", "words"),
    [
        ("mse", "r t", ""),
        ("mse", "z m", ""),
        ("with_epsilon", "r t", ""),
        ("in_float32", "r t", ""),
        ("mean_and_constant", "r t", ""),
        ("ce", "z y", ""),
        ("ce_rows", "z y", ""),
        ("ce_rows", "z y", "--label-smoothing 0.1"),
        ("squares", "z m", ""),
        ("bce_of_outcomes", "q b", "--from probs"),
    ],
)
def test_losses_of_rows_are_not_called_coupled(compute, many, name, files, words):
    predictions, targets = files.split()
    row_by_row = compute(f"mine.py:{name}", f"{predictions}.npy", f"{targets}.npy", *words.split())
    assert row_by_row.code == 0, row_by_row.err
    whole = compute(f"mine.py:{name}", f"{predictions}.npy", f"{targets}.npy", *words.split(), "--per", "file").json
    assert whole["value"] == pytest.approx(row_by_row.json["value"], rel=1e-6)
    assert (row_by_row.json["samples"], whole["samples"]) == (30, 1)


def test_a_loss_that_adds_rows_up_says_so(compute, save, three):
    outcome = compute("mine.py:sse", *three)
    assert outcome.json["value"] == 3
    assert "its own number for all of them is that of --reduction sum" in outcome.err
    summed = compute("mine.py:sse", *three, "--reduction", "sum")
    assert summed.json["value"] == 9
    assert "adds rows up" not in summed.err
    assert compute("mine.py:sse", *three, "--per", "file").json["value"] == 9
    assert "adds rows up" not in compute("mine.py:mse", *three).err
    # Rows without a loss do not tell a sum from a mean; rows that are made up do.
    assert "adds rows up" in compute("mine.py:sse", three[0], save("same.npy", [1.0, 2.0, 3.0])).err


@pytest.mark.parametrize("name", ["dropout", "noisy_mean", "counting"])
@pytest.mark.parametrize("per", [[], ["--per", "file"]])
def test_random_losses_are_called_random_and_not_coupled(compute, three, name, per):
    outcome = compute(f"mine.py:{name}", *three, *per)
    assert outcome.code == 0
    assert f"warning: mine.py:{name} is random, or remembers earlier calls" in outcome.err


@pytest.mark.parametrize(
    "words",
    [
        "rank mine.py:rmse p.npy t.npy",
        "compare mine.py:rmse p.npy p.npy --targets t.npy",
        "plot samples mine.py:rmse p.npy t.npy -o a.png",
        "compute mine.py:rmse p.npy t.npy --gradient g.npy",
        "compute mine.py:rmse p.npy t.npy -o a.csv",
    ],
)
def test_every_command_refuses_losses_that_couple_rows(run, three, folder, words):
    refused(run(*words.split()))
    assert not list(folder.glob("[ag].*"))


def test_check_suites_and_curves_refuse_them_too(run, write, three):
    report = run("check", *three, "--loss", "mine.py:rmse", "-f", "json")
    assert report.code == 3
    (finding,) = json.loads(report.out)["findings"]
    assert (finding["code"], "couples rows" in finding["message"]) == ("unusable", True)
    write("s.toml", "[measure.a]\nloss='mine.py:rmse'\npredictions='p.npy'\ntargets='t.npy'\n")
    suite = run("run", "s.toml", "-f", "json")
    assert suite.code == 3
    assert "couples rows" in json.loads(suite.out)["measures"][0]["errors"][0]
    write("f.toml", "[measure.a]\nloss='mine.py:rmse'\npredictions='p.npy'\ntargets='t.npy'\nper='file'\n")
    assert run("run", "f.toml", "-f", "json").json["measures"][0]["value"] == math.sqrt(3)
    curves = run("plot", "curves", "mine.py:rmse", "-o", "a.png")
    assert (curves.code, "a curve is of one row alone" in curves.err) == (3, True)


@pytest.mark.parametrize("words", ["rank mine.py:mse p.npy t.npy", "compare mine.py:mse p.npy p.npy --targets t.npy"])
def test_one_loss_for_all_rows_can_neither_be_ranked_nor_compared(run, three, words):
    outcome = run(*words.split(), "--per", "file")
    assert outcome.code == 2
    assert "of the whole file, not of rows" in outcome.err


@pytest.mark.parametrize("per", ["class", "column", "sample,class"])
def test_what_else_could_have_a_loss_is_refused(compute, three, per):
    outcome = compute("mine.py:mse", *three, "--per", per)
    assert (outcome.code, "--per sample" in outcome.err, "--per file" in outcome.err) == (2, True, True)


@pytest.mark.parametrize("per", ["position", "sample", "row"])
def test_rows_may_be_named(compute, three, per):
    assert compute("mine.py:mse", *three, "--per", per).json["samples"] == 3


def test_verify_uses_the_same_words(run, three):
    report = run("verify", "mine.py:rmse", *three, "--against", "squared-error", "-f", "json")
    found = {entry["property"]: entry for entry in report.json["properties"]}
    assert report.code == 1
    assert "neither the mean nor the sum" in found["per sample"]["words"]
    assert "it couples rows: called on the first 3 rows of p.npy" in found["value on the files"]["words"]


@pytest.mark.parametrize("name", ["dropout", "noisy_mean"])
def test_verify_calls_random_losses_random(run, three, name):
    report = run("verify", f"mine.py:{name}", "--against", "squared-error", "-f", "json")
    found = {entry["property"]: entry for entry in report.json["properties"]}
    assert found["per sample"]["words"].startswith("it is random, or remembers earlier calls")
    assert found["permutation"]["verdict"] == "skipped"


@pytest.mark.parametrize("columns", [1, 4])
def test_the_gradient_of_the_whole_file_has_its_shape(compute, many, columns):
    x, t = (many["r"], many["t"]) if columns == 1 else (many["z"], many["m"])
    names = ("r.npy", "t.npy") if columns == 1 else ("z.npy", "m.npy")
    value = compute("mine.py:rmse", *names, "--per", "file", "-f", "value", "--gradient", "g.npy").value
    rmse = math.sqrt(np.mean((x - t) ** 2))
    assert value == pytest.approx(rmse, rel=1e-14)
    slopes = np.load("g.npy")
    assert slopes.shape == x.shape
    np.testing.assert_allclose(slopes, (x - t) / (x.size * rmse), rtol=0, atol=1e-9)


def test_ignored_rows_are_not_there(compute, save, write, many):
    y = many["y"].copy()
    y[[2, 5, 11]] = 9
    save("y9.npy", y)
    words = ["mine.py:balanced", "z.npy", "y9.npy", "--ignore-index", "9", "--per", "file"]
    result = compute(*words, "--gradient", "g.npy").json
    kept = y != 9
    z = many["z"][kept] - many["z"][kept].max(axis=1, keepdims=True)
    rows = np.log(np.exp(z).sum(axis=1)) - z[np.arange(27), y[kept]]
    weights = 1 / np.bincount(y[kept])[y[kept]]
    assert result["value"] == pytest.approx(rows @ weights / weights.sum(), rel=1e-12)
    assert (result["samples"], result["ignored"], result["receipt"]["targets"]["kind"]) == (1, 3, "index")
    slopes = np.load("g.npy")
    assert slopes.shape == (30, 4)
    assert not slopes[~kept].any()
    assert slopes[kept].any(axis=1).all()


def test_a_mask_is_a_shorter_file(compute, save, many):
    there = np.arange(len(many["r"])) % 3 > 0
    hidden = np.where(there, many["r"], np.nan)
    words = ["--per", "file", "--mask", save("mask.npy", there), "--gradient", "g.npy"]
    found = compute("mine.py:rmse", save("h.npy", hidden), "t.npy", *words).json
    residual = (many["r"] - many["t"])[there]
    assert found["value"] == pytest.approx(np.sqrt((residual**2).mean()), rel=1e-13)
    assert found["ignored"] == np.count_nonzero(~there)
    expected = np.zeros(len(there))
    expected[there] = residual / len(residual) / found["value"]
    np.testing.assert_allclose(np.load("g.npy"), expected, rtol=0, atol=1e-9)


def test_arrays_with_more_axes_are_one_loss(compute, save, many):
    cube = np.random.default_rng(3).normal(size=(2, 3, 4))
    save("cube.npy", cube)
    found = compute(
        "mine.py:rmse", "cube.npy", save("zeros.npy", np.zeros((2, 3, 4))), "--per", "file", "--gradient", "g.npy"
    )
    value = np.sqrt((cube**2).mean())
    assert found.json["value"] == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(np.load("g.npy"), cube / cube.size / value, rtol=0, atol=1e-9)


def test_numbers_of_rows_become_one_by_their_mean_or_sum(compute, many):
    z = (many["r"] - many["r"].mean()) / many["r"].std()
    rows = (z - many["t"]) ** 2
    words = ["mine.py:standardised", "r.npy", "t.npy", "--per", "file"]
    assert compute(*words).json["value"] == pytest.approx(rows.mean(), rel=1e-13)
    assert compute(*words, "--over-positions", "sum").json["value"] == pytest.approx(rows.sum(), rel=1e-13)
    centred = (many["z"] - many["z"].mean(axis=0) - many["m"]) ** 2
    compute("mine.py:elements", "z.npy", "m.npy", "--per", "file", "--gradient", "g.npy")
    residual = many["z"] - many["z"].mean(axis=0) - many["m"]
    np.testing.assert_allclose(np.load("g.npy"), 2 * (residual - residual.mean(axis=0)) / 120, rtol=0, atol=1e-9)
    assert compute("mine.py:elements", "z.npy", "m.npy", "--per", "file").json["value"] == pytest.approx(centred.mean())


def test_the_whole_file_has_one_row_of_output_without_a_target(compute, three):
    rows = compute("mine.py:rmse", *three, "--per", "file", "--per-sample").json["rows"]
    assert rows == [{"sample": 0, "loss": math.sqrt(3)}]


def test_weights_of_rows_have_no_meaning_for_the_whole_file(compute, save, many):
    save("w.npy", np.ones(30))
    weighted = compute("mine.py:rmse", "r.npy", "t.npy", "--per", "file", "--sample-weight", "w.npy")
    assert (weighted.code, "--sample-weight" in weighted.err) == (2, True)
    by_class = compute("mine.py:ce", "z.npy", "y.npy", "--per", "file", "--class-weight", "balanced")
    assert (by_class.code, "--class-weight" in by_class.err) == (2, True)


@pytest.mark.parametrize("words", [("--targets-from", "logits"), ("--temperature", "2")])
def test_the_whole_file_is_given_no_distributions(compute, three, words):
    compute("mine.py:rmse", *three, "--per", "file", *words).refuses(2, f"{words[0]}: mine.py:rmse is given no")


def test_faults_of_rows_have_their_places(compute, save, three):
    save("nan.npy", [1.0, np.nan, 3.0])
    outcome = compute("mine.py:rmse", "nan.npy", "t.npy", "--per", "file")
    assert (outcome.code, "nan.npy[1]: the prediction is NaN" in outcome.err) == (3, True)
    outcome = compute("mine.py:rmse", "p.npy", "nan.npy", "--per", "file")
    assert (outcome.code, "nan.npy[1]: the target is NaN" in outcome.err) == (3, True)
    save("q.npy", [0.5, 1.5, 0.5])
    outcome = compute("mine.py:bce_of_outcomes", "q.npy", "t.npy", "--per", "file", "--from", "probs")
    assert (outcome.code, "q.npy[1]: 1.5 is not a probability" in outcome.err) == (3, True)
    save("same.npy", [1.0, 1.0, 1.0])
    outcome = compute("mine.py:correlation", "same.npy", "t.npy", "--per", "file", "-q")
    assert (outcome.code, "the loss of all 3 rows together is NaN" in outcome.err) == (3, True)


def test_what_is_too_large_is_refused(compute, many, monkeypatch):
    monkeypatch.setattr(whole_file, "MOST_BYTES", 119 * whole_file.HELD_BYTES_OF_CUSTOM)
    outcome = compute("mine.py:rmse", "z.npy", "m.npy", "--per", "file")
    assert (outcome.code, "the limit is" in outcome.err) == (3, True)
    monkeypatch.setattr(whole_file, "MOST_BYTES", 120 * whole_file.HELD_BYTES_OF_CUSTOM)
    monkeypatch.setattr("losscli.custom.loss.MOST_DIFFERENCES", 119)
    outcome = compute("mine.py:rmse", "z.npy", "m.npy", "--per", "file", "--gradient", "g.npy")
    assert (outcome.code, "120 elements; the limit is 119" in outcome.err) == (3, True)
    assert frameworks.MOST_DIFFERENCES == 1 << 15


def test_predictions_may_come_from_a_pipe(compute, three):
    with open("p.npy", "rb") as file:
        data = file.read()
    assert compute("mine.py:rmse", "-", "t.npy", "--per", "file", stdin=data).json["value"] == math.sqrt(3)
    assert compute("mine.py:mse", "-", "t.npy", stdin=data).json["value"] == 3
    refused(compute("mine.py:rmse", "-", "t.npy", stdin=data))


def test_python_has_the_same(three):
    with pytest.raises(losscli.DataError, match="couples rows"):
        losscli.compute("mine.py:rmse", *three)
    result = losscli.compute("mine.py:rmse", np.array([1.0, 2, 3]), np.array([0.0, 0, 1]), per="file", gradient=True)
    assert result.value == math.sqrt(3)
    assert result.losses.tolist() == [math.sqrt(3)]
    np.testing.assert_allclose(result.gradient, np.array([1, 2, 2]) / (3 * math.sqrt(3)), rtol=1e-9)


def test_one_row_couples_with_nothing(compute, write, save):
    write("mine.py", MINE.replace("# Losses of rows", "def always(y_true, y_pred): return (y_true - y_pred) ** 2"))
    assert compute("mine.py:always", save("a.npy", [1.0]), save("b.npy", [3.0])).json["value"] == 4


def test_a_loss_of_the_whole_file_is_the_same_in_another_process(three):
    from losscli.definition.request import Request
    from losscli.lookup.spec import single
    from losscli.measurement.prepare import prepare

    job = prepare(Request(single("mine.py:rmse"), *three, per="file")).job
    again = pickle.loads(pickle.dumps(job.loss))
    targets = job.encoding.targets(job.targets.read(0, 1))
    (value,), _ = again(job.predictions.read(0, 1), targets, job.extras)
    assert value == math.sqrt(3)
    assert again.family is job.loss.family


TORCH = '''
import torch
from torch import nn


def rmse(input, target):
    return torch.sqrt(torch.mean((input - target) ** 2))


class Normalised(nn.Module):
    """Batch normalisation in front of a squared error."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3, affine=False, momentum=0.0)

    def forward(self, input, target):
        return ((self.norm(input) - target) ** 2).mean(dim=1)


def contrastive(logits, labels):
    """Cosines of rows with each other, as in a batch of pairs: each row's loss needs all others."""
    z = nn.functional.normalize(logits, dim=1)
    return nn.functional.cross_entropy(z @ z.T, torch.arange(len(z)), reduction="none")


def weighted(logits, labels):
    weight = torch.tensor([1.0, 2.0, 5.0], dtype=logits.dtype)
    return nn.functional.nll_loss(torch.log_softmax(logits, dim=1), labels, weight=weight)


class Dropped(nn.Module):
    def forward(self, input, target):
        return (nn.functional.dropout(input, 0.5, True) - target) ** 2
'''


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.filterwarnings("ignore")
def test_torch_couples_rows_in_many_ways(compute, write, save):
    import torch

    write("net.py", TORCH)
    rng = np.random.default_rng(1)
    x, t, y = rng.normal(0, 2, (12, 3)), rng.normal(0, 1, (12, 3)), rng.integers(0, 3, 12)
    p, m, labels = save("x.npy", x), save("m.npy", t), save("y.npy", y)
    refused(compute("net.py:rmse", p, m))
    refused(compute("net.py:Normalised", p, m), "a row's loss depends on the rows beside it")
    refused(compute("net.py:contrastive", p, labels), "a row's loss depends on the rows beside it")
    refused(compute("net.py:weighted", p, labels))
    assert "is random" in compute("net.py:Dropped", p, m).err
    result = compute("net.py:rmse", p, m, "--per", "file", "--gradient", "g.npy").json
    tensor = torch.tensor(x, requires_grad=True)
    value = torch.sqrt(torch.mean((tensor - torch.tensor(t)) ** 2))
    value.backward()
    assert result["value"] == value.item()
    np.testing.assert_allclose(np.load("g.npy"), tensor.grad.numpy(), rtol=1e-12)
    result = compute("net.py:weighted", p, labels, "--per", "file").json
    wanted = torch.nn.functional.cross_entropy(
        torch.tensor(x), torch.tensor(y), weight=torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)
    )
    assert result["value"] == pytest.approx(wanted.item(), rel=1e-14)
    assert json.dumps(result["receipt"])


SCALED = """
import numpy as np
def scaled(y_true, y_pred): return (y_true - y_pred) ** 2 / np.max(np.abs(y_true))
def bounded(y_true, y_pred):
    if np.abs(y_true).max() > 2 and np.abs(y_true).max() < 50: raise ValueError("of another unit")
    return (y_true - y_pred) ** 2 / np.max(np.abs(y_true))
def rows(y_true, y_pred): return (y_true - y_pred) ** 2 / (1 + np.abs(y_true))
"""


@pytest.mark.parametrize("where", ["first", "nowhere"])
def test_rows_that_are_coupled_by_the_largest_target_are_seen(compute, write, save, where):
    """The first rows have one target; rows of other places tell, and where no target differs, rows that are made up."""
    write("s.py", SCALED)
    rng = np.random.default_rng(8)
    targets = rng.uniform(1, 9, 5000) if where == "first" else np.ones(5000)
    targets[:100] = 1
    files = save("p.npy", targets + rng.normal(size=5000)), save("t.npy", targets)
    outcome = compute("s.py:scaled", *files)
    refused(outcome, "8 rows of p.npy from its beginning" if where == "first" else "8 rows made up for it")
    whole = compute("s.py:scaled", *files, "--per", "file").json["value"]
    assert whole == pytest.approx(np.mean((np.load("p.npy") - targets) ** 2) / targets.max(), rel=1e-14)
    assert compute("s.py:rows", *files).code == 0


@pytest.mark.parametrize("at", ["middle", "last"])
def test_rows_of_every_place_tell(compute, write, save, at):
    """Rows that are made up are refused by the loss, and one place alone has targets of another size."""
    write("s.py", SCALED)
    targets = np.ones(5000)
    targets[slice(2450, 2550) if at == "middle" else slice(4990, 5000)] = 60
    files = save("p.npy", targets + 1), save("t.npy", targets)
    refused(compute("s.py:bounded", *files), "8 rows of p.npy from its beginning to its end")


def test_what_no_row_can_tell_is_a_note(compute, write, save):
    """A loss that is undefined for the rows that are tried is tried on rows made up for it only, or on none."""
    write("s.py", SCALED + "def logs(y_true, y_pred): return y_true * np.log(y_pred)\n")
    infinite = save("p.npy", np.zeros(50)), save("t.npy", np.ones(50))
    told = compute("s.py:logs", *infinite)
    assert (told.code, "only rows made up for it tell that no row's loss depends" in told.err) == (0, True)
    large = save("q.npy", np.arange(2000.0, 2050)), save("u.npy", np.arange(2000.0, 2050))
    assert "made up for it" not in compute("s.py:rows", *large).err


def test_logits_of_more_axes_become_probabilities_one_by_one(compute, save, write):
    write("own.py", "def mine(p, t):\n    return abs(p - t)\n")
    z, t = np.linspace(-2, 2, 24).reshape(4, 3, 2), np.arange(24.0).reshape(4, 3, 2) % 2
    words = ("own.py:mine", save("z.npy", z), save("t.npy", t), "--from", "logits")
    expected = pytest.approx(np.abs(1 / (1 + np.exp(-z)) - t).mean(), rel=1e-12)
    assert [compute(*words, *per).json["value"] for per in ((), ("--per", "file"))] == [expected, expected]
