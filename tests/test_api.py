"""The functions of `import losscli`: paths and arrays give the numbers and messages of the command line."""

import doctest
import json
import math
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas
import polars
import pytest

import losscli

ROOT = Path(losscli.__file__).parent.parent
PAGE = ROOT / "docs" / "python.md"

LOGITS = np.array([[0.7, 1.2, 0.3], [0.4, 0.2, 0.9], [0.6, 0.3, 0.4]])
LABELS = np.array([1, 2, 0])
MEAN = 0.7943090269  # of the 3 x 3 example, by hand: the mean of log(sum(exp(z))) - z_y


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_the_page_shows_what_python_prints(monkeypatch):
    monkeypatch.chdir(ROOT)
    text = "\n".join(re.findall(r"```pycon\n(.*?)```", PAGE.read_text(), re.DOTALL))
    session = doctest.DocTestParser().get_doctest(text, {}, "docs/python.md", str(PAGE), 0)
    assert len(session.examples) > 20
    printed = []
    doctest.DocTestRunner().run(session, out=printed.append)
    assert not printed, "".join(printed)


@pytest.mark.parametrize("name", ["numpy", "polars", "typer", "rich", "matplotlib", "importlib.metadata"])
def test_the_import_loads_nothing(name):
    code = f"import sys; before = set(sys.modules); import losscli; print({name!r} in set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_what_it_offers():
    assert dir(losscli) == sorted(losscli.__all__)
    for name in losscli.__all__:
        assert getattr(losscli, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'comput'"):
        losscli.comput  # noqa: B018


class TestOperands:
    @pytest.mark.parametrize("how", ["array", "list", "float32", "strided", "paths", "csv", "text", "frame"])
    def test_the_same_number_from_all(self, tmp_path, how):
        z, y, options = LOGITS, LABELS, {}
        if how == "list":
            z, y = z.tolist(), y.tolist()
        elif how == "float32":
            z = z.astype(np.float32)
        elif how == "strided":
            z, y = np.asfortranarray(z)[::-1][::-1], np.repeat(y, 2)[::2].astype(">i4")
        elif how == "paths":
            np.save(tmp_path / "z.npy", z)
            np.save(tmp_path / "y.npy", y)
            z, y = tmp_path / "z.npy", str(tmp_path / "y.npy")
        elif how == "csv":
            (tmp_path / "z.csv").write_text("a,b,c\n" + "\n".join(",".join(map(str, row)) for row in LOGITS.tolist()))
            z = tmp_path / "z.csv"
        elif how == "text":
            y, options = np.array(["b", "c", "a"], object), {"classes": ["a", "b", "c"]}
        elif how == "frame":
            z, y = polars.DataFrame(LOGITS, schema=["a", "b", "c"]), ["b", "c", "a"]
        result = losscli.compute("ce", z, y, **options)
        assert result.value == pytest.approx(MEAN, rel=1e-6 if how == "float32" else 1e-9)
        assert result.losses.shape == (3,)
        assert result.losses.mean() == pytest.approx(result.value, rel=1e-6)

    def test_columns_of_a_frame_meet_labels_by_name(self):
        z = polars.DataFrame(LOGITS[:, ::-1], schema=["c", "b", "a"])
        result = losscli.compute("ce", z, ["b", "c", "a"])
        assert result.value == pytest.approx(MEAN, rel=1e-9)
        assert result.receipt["targets"]["matched"] == "by name"

    def test_columns_of_frames_meet_each_other_by_name(self):
        p = polars.DataFrame({"b": [0.2, 0.4], "a": [0.9, 0.3]})
        t, w = polars.DataFrame({"a": [1, 0], "b": [0, 1]}), polars.DataFrame({"a": [1.0, 1.0], "b": [0.0, 0.0]})
        assert losscli.compute("mse", p, t).value == pytest.approx((0.1**2 + 0.2**2 + 0.3**2 + 0.6**2) / 4)
        assert losscli.compute("mse", p, t, sample_weight=w).value == pytest.approx((0.1**2 + 0.3**2) / 2)

    def test_columns_without_names_meet_by_position(self):
        p = pandas.DataFrame([[2.0, 0.0], [0.0, 3.0]], columns=["cat", "dog"])
        t = pandas.DataFrame([[1, 0], [0, 1]])  # whose columns pandas calls 0 and 1
        assert losscli.compute("mse", p, t).value == pytest.approx((1 + 4) / 4)
        assert losscli.compute("ce", p, t).value == pytest.approx(
            (math.log1p(math.exp(-2)) + math.log1p(math.exp(-3))) / 2
        )

    @pytest.mark.parametrize("names", [[2, 0, 1], ["2", "0", "1"], [False, 7, True]])
    def test_names_that_are_no_text_are_names(self, names):
        order = [1, 2, 0]
        p, t = (
            pandas.DataFrame(LOGITS[:, order], columns=names),
            pandas.DataFrame(np.eye(3)[LABELS], columns=sorted(names)),
        )
        places = [names.index(name) for name in sorted(names)]
        expected = losscli.compute("ce", LOGITS[:, order][:, places], LABELS).value
        assert losscli.compute("ce", p, t).value == pytest.approx(expected, rel=1e-12)

    def test_equal_names_meet_even_if_some_are_there_twice(self):
        both = pandas.DataFrame(np.eye(3), columns=["a", "a", "c"])
        assert losscli.compute("mse", both, both, sample_weight=both).value == 0

    @pytest.mark.parametrize("kind", ["frame", "series"])
    @pytest.mark.parametrize("index", [list("xyz"), range(3), [7, 8, 9]])
    def test_rows_that_pandas_would_put_in_another_order_are_refused(self, kind, index):
        p = pandas.Series([1.0, 2.0, 3.0], index=index)
        t = p.iloc[[2, 0, 1]]
        p, t = (one.to_frame("v") for one in (p, t)) if kind == "frame" else (p, t)
        with pytest.raises(losscli.DataError, match=r"predictions and targets: their indices .* reindex"):
            losscli.compute("mse", p, t)
        assert losscli.compute("mse", p, t.loc[p.index]).value == 0
        assert losscli.compute("mse", p, t.to_numpy()).value == 2

    def test_any_two_operands_are_looked_at(self):
        p, t = pandas.Series([1.0, 2.0, 3.0], index=list("abc")), pandas.Series([1.0, 2.0, 4.0], index=list("xyz"))
        with pytest.raises(losscli.DataError, match="targets and sample_weight: their indices"):
            losscli.compute("mse", p, t, sample_weight=pandas.Series([1.0, 2.0, 3.0], index=list("zyx")))
        with pytest.raises(losscli.DataError, match="predictions and by: their indices"):
            losscli.compute("mse", p, t, by=pandas.Series(list("uvw"), index=list("cba")))
        with pytest.raises(losscli.DataError, match="model A and targets: their indices"):
            losscli.compare("mse", p, p, targets=pandas.Series([1.0, 2.0, 4.0], index=list("bca")))

    @pytest.mark.parametrize(
        ("one", "other"),
        [("xyz", "xyw"), ("xxy", "xyz"), ("xyz", "xxy"), ("xxy", "xyx"), ("xyz", "xyz"), ("xyz", None)],
    )
    def test_other_indices_say_nothing(self, one, other):
        p = pandas.Series([1.0, 2.0, 3.0], index=list(one))
        t = pandas.Series(p.to_numpy(), index=None if other is None else list(other))
        assert losscli.compute("mse", p, t).value == 0

    def test_a_tensor_that_knows_its_gradient(self):
        torch = pytest.importorskip("torch")
        z = torch.tensor(LOGITS, requires_grad=True)
        result = losscli.compute("ce", z, torch.tensor(LABELS), gradient=True)
        loss = torch.nn.functional.cross_entropy(z, torch.tensor(LABELS), reduction="sum")
        loss.backward()
        assert result.value == pytest.approx(loss.item() / 3, rel=1e-12)
        np.testing.assert_allclose(result.gradient, z.grad.numpy(), rtol=1e-9)

    def test_one_number_for_all_targets(self):
        assert losscli.compute("mse", [1, 2, 3], 0).value == pytest.approx(14 / 3)
        assert losscli.compute("mse", [1.0, 3.0], 1.0).value == 2

    @pytest.mark.parametrize(
        ("value", "fact"),
        [
            (None, "predictions: None, not a path or an array"),
            ([[1.0], [2.0, 3.0]], "NumPy makes no array of a list"),
            (np.zeros(()), "shape () is one number"),
            (np.array([1j]), "not real numbers"),
            (np.array([object()]), "Python objects"),
            ("missing.npy", "missing.npy: no such file"),
            ([0.0, np.nan], "predictions[1]: the prediction is NaN"),
        ],
    )
    def test_what_is_none_is_refused(self, value, fact):
        with pytest.raises(losscli.DataError, match=re.escape(fact)):
            losscli.compute("mse", value, 0)

    def test_a_file_that_bears_an_argument_s_name_is_not_read(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        np.save("predictions", np.ones(3))
        Path("predictions.npy").rename("predictions")
        assert losscli.compute("mse", [2.0, 2.0], 0).value == 4


FORMS = {
    "series": pandas.Series({"cat": 3.0, "dog": 1.0}),
    "row": pandas.DataFrame({"cat": [3.0], "dog": [1.0]}),
    "column": pandas.DataFrame({"w": [3.0, 1.0]}, index=["cat", "dog"]),
    "polars": polars.DataFrame({"cat": [3.0], "dog": [1.0]}),
}
"""Numbers of two classes, by their names."""


class TestLabels:
    """Numbers of classes and outputs, and centers, belong to the labels of a frame or series."""

    LOGITS = pandas.DataFrame({"dog": [2.0, 1, 0], "cat": [0.0, 3, 1]})
    LABELS = ("cat", "dog", "cat")

    @pytest.mark.parametrize("form", FORMS)
    def test_of_classes(self, form):
        found = losscli.compute("ce", self.LOGITS, self.LABELS, class_weight=FORMS[form])
        losses = [math.log1p(math.exp(2)), math.log1p(math.exp(2)), math.log1p(math.exp(-1))]
        assert found.value == pytest.approx((3 * losses[0] + losses[1] + 3 * losses[2]) / 7, rel=1e-12)
        named = losscli.compute("logit-adjusted", self.LOGITS, self.LABELS, class_counts={"cat": 3, "dog": 1})
        assert (
            losscli.compute("logit-adjusted", self.LOGITS, self.LABELS, class_counts=FORMS[form]).value == named.value
        )

    @pytest.mark.parametrize("form", FORMS)
    def test_of_outputs(self, form):
        t = pandas.DataFrame({"cat": [1, 0, 1], "dog": [0, 1, 0]})
        found = losscli.compute("mse", self.LOGITS, t, output_weight=FORMS[form]).value
        assert found == pytest.approx((3 * (1 + 9 + 0) + (4 + 0 + 0)) / 12)

    @pytest.mark.parametrize(
        "numbers", [pandas.Series({1: 3.0, 0: 1.0}), pandas.Series([1.0, 3.0]), [1.0, 3.0], {1: 3, 0: 1}]
    )
    def test_of_classes_without_names(self, numbers):
        found = losscli.compute("ce", self.LOGITS.to_numpy(), [1, 0, 1], class_weight=numbers).value
        assert found == losscli.compute("ce", self.LOGITS, self.LABELS, class_weight={"cat": 3, "dog": 1}).value

    def test_of_more_rows_and_columns_are_refused(self):
        with pytest.raises(losscli.DataError, match=r"class_weight: a data frame of shape \(2, 2\)"):
            losscli.compute("ce", self.LOGITS, self.LABELS, class_weight=pandas.DataFrame(np.eye(2)))

    def test_centers(self):
        x = pandas.DataFrame({"x": [1.0, 3.0], "y": [2.0, 4.0]})
        assert losscli.compute("center", x, [0, 1], centers=x[["y", "x"]]).value == 0
        with pytest.raises(losscli.DataError, match="centers: its index is not 0 to 1"):
            losscli.compute("center", x, [0, 1], centers=x.iloc[[1, 0]])

    @pytest.mark.filterwarnings("ignore::losscli.LosscliWarning")
    @pytest.mark.parametrize("method", ["temperature", "platt", "isotonic"])
    def test_calibrated_columns(self, method):
        rng = np.random.default_rng(0)
        z = pandas.DataFrame(rng.normal(0, 3, (60, 3)), columns=["cat", "dog", "eel"])
        more = {"bias": True} if method == "temperature" else {}
        fit = losscli.calibrate(
            z, np.array(z.columns)[(z + rng.normal(0, 2, z.shape)).to_numpy().argmax(axis=1)], method=method, **more
        )
        expected = fit.applied(z.to_numpy())
        np.testing.assert_allclose(
            fit.applied(z[["eel", "cat", "dog"]])[:, [1, 2, 0]], expected, rtol=1e-12, atol=1e-15
        )
        for wrong in (z.rename(columns={"eel": "emu"}), z[["cat", "dog"]], "z.csv"):
            with pytest.raises(losscli.DataError, match="predictions: "):
                fit.applied(wrong)

    def test_indices_of_a_comparison(self):
        a, b, t = (pandas.Series(values, list("xyz")) for values in ([1.0, 3, 7], [2.0, 3, 5], [0.0, 0, 0]))
        for option in (
            {"sample_weight": pandas.Series([9.0, 1, 1], list("zyx"))},
            {"mask": pandas.Series([1, 0, 0], list("zyx"))},
        ):
            with pytest.raises(losscli.DataError, match=f"model A and {next(iter(option))}: their indices"):
                losscli.compare("mse", a, b, targets=t, **option)


class TestOptions:
    def test_weights_are_arrays_too(self):
        own = np.log(np.exp(LOGITS).sum(axis=1)) - LOGITS[np.arange(3), LABELS]
        w = np.array([1.0, 0.0, 3.0])
        assert losscli.compute("ce", LOGITS, LABELS, sample_weight=w).value == pytest.approx(own @ w / 4)
        by_class = np.array([2.0, 1.0, 5.0])[LABELS]
        expected = own @ by_class / by_class.sum()
        for weight in ([2.0, 1.0, 5.0], {0: 2, 1: 1, 2: 5}, "0=2,1=1,2=5"):
            assert losscli.compute("ce", LOGITS, LABELS, class_weight=weight).value == pytest.approx(expected)

    def test_third_operands_and_centers(self):
        found = losscli.compute("gaussian-nll", [1.0, 2.0], [0.0, 0.0], variance=[1.0, 4.0])
        assert found.value == pytest.approx(np.mean([0.5 * (0 + 1), 0.5 * (np.log(4) + 1)]))
        assert losscli.compute("center", [[1.0, 2.0]], [0], centers=[[0.0, 0.0], [1.0, 1.0]]).value == 2.5

    def test_from_smoothing_reduction_and_parameters(self):
        p = softmax(LOGITS)
        assert losscli.compute("ce", p, LABELS, from_="probs").value == pytest.approx(MEAN)
        total = losscli.compute("huber:delta=2", [5.0, 1.0], 0, delta=1.5, reduction="sum")
        assert total.value == pytest.approx(1.5 * (5 - 0.75) + 0.5)
        assert losscli.compute("huber:delta=2", [5.0], 0).value == pytest.approx(8)
        smoothed = losscli.compute("ce", LOGITS, LABELS, label_smoothing=0.3).value
        logs = np.log(p)
        t = np.full((3, 3), 0.1) + 0.7 * np.eye(3)[LABELS]
        assert smoothed == pytest.approx(-(t * logs).sum(axis=1).mean())
        none = losscli.compute("ce", LOGITS, LABELS, reduction="none")
        assert (none.value, none.losses.shape) == (None, (3,))

    def test_a_library_s_number(self):
        found = losscli.compute("mse", [1.0, 2.0], [0.0, 0.0], sample_weight=[1.0, 3.0], as_="keras")
        assert found.value == pytest.approx((1 + 3 * 4) / 2)
        assert found.receipt["as"]["library"] == "keras"

    @pytest.mark.parametrize(
        ("options", "fact"),
        [
            ({"delt": 1}, "huber: no parameter or option 'delt' (did you mean delta?)"),
            ({"delta": -1}, "huber: delta=-1 is not in (0, inf)"),
            ({"reduction": "avg"}, "reduction='avg' is not one of mean, sum"),
            ({"label_smoothing": 0.1}, "label_smoothing: huber takes none"),
            ({"as_": "torch,keras"}, "one library at a time"),
            ({"as_": "torch", "gradient": True}, "leave out as_"),
            ({"require": ["mean << 1"]}, "mean << 1"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, options, fact):
        with pytest.raises(losscli.UsageError, match=re.escape(fact)):
            losscli.compute("huber", [1.0], 0, **options)

    def test_every_name_is_that_of_an_option_of_the_command_line(self, run):
        from losscli.api import OPTIONS

        shown = " ".join(
            run("compute", name, "--help").out for name in ("ce", "bce", "dice", "gaussian-nll", "triplet", "dpo")
        )
        shown += run("compute", "center", "--help").out + run("compute", "contrastive", "--help").out
        shown += run("compute", "giou", "--help").out + run("compute", "ctc", "--help").out
        shown += run("compute", "dpo", "--help").out + run("compute", "cox", "--help").out
        shown += "".join(run("compute", name, "--help").out for name in ("mase", "negative-binomial", "wql"))
        flags = set(re.findall(r"--[a-z-]+", shown)) | {"--operands", "--takes"}
        assert {f"--{name.rstrip('_').replace('_', '-')}" for name in OPTIONS} <= flags


class TestResult:
    @pytest.mark.parametrize("name", ["huber", "bce", "ce", "hinge", "dice"])
    def test_is_what_the_command_line_prints(self, run, tmp_path, monkeypatch, name):
        monkeypatch.chdir(tmp_path)
        draw = np.random.default_rng(1)
        z = draw.normal(size=(40, 3) if name == "ce" else 40)
        y = draw.integers(0, 3 if name == "ce" else 2, 40)
        np.save("z.npy", z)
        np.save("y.npy", y.astype(float) if name == "huber" else y)
        done = run("compute", name, "z.npy", "y.npy", "-f", "json", "--gradient", "g.npy", "-o", "l.npy", "-q")
        printed = json.loads(done.out)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = losscli.compute(name, "z.npy", "y.npy", gradient=True)
        assert json.loads(json.dumps(result.to_dict())) == printed
        np.testing.assert_array_equal(result.gradient, np.load("g.npy"))
        np.testing.assert_array_equal(
            result.losses, np.load("l.npy")["loss"] if np.load("l.npy").dtype.names else np.load("l.npy")
        )

    def test_keeps_no_losses_where_they_are_not_wanted(self):
        result = losscli.compute("mse", [1.0], 0, per_sample=False)
        assert (result.losses, result.elements, result.gradient) == (None, None, None)
        both = losscli.compute("bce", [[0.0, 1.0]], [[1, 0]], elements=True)
        np.testing.assert_allclose(both.elements, [[np.log(2), np.log1p(np.e)]], rtol=1e-12)

    def test_ignored_rows(self):
        result = losscli.compute("ce", LOGITS, [1, -100, 0], ignore_index=-100, gradient=True)
        assert (result.samples, result.ignored, result.losses.shape) == (2, 1, (2,))
        assert result.gradient.shape == (3, 3)
        assert not result.gradient[1].any()
        assert result.gradient[0].any()

    @pytest.mark.parametrize("axis", [1, -1])
    def test_the_gradient_of_many_chunks_is_softmax_less_the_label(self, monkeypatch, axis):
        # 300 positions a sample are turned in blocks, and chunks of two samples end within the file.
        monkeypatch.setattr("losscli.engine.job.CHUNK_ROWS", 600)
        rng = np.random.default_rng(5)
        y = rng.integers(4, size=5 * 300)
        z = rng.normal(size=(5 * 300, 4)) + np.eye(4)[y]
        y[7] = -100
        expected = (softmax(z) - (np.arange(4) == y[:, None])) * (y >= 0)[:, None]
        shaped = np.moveaxis(z.reshape(5, 300, 4), -1, axis)
        found = losscli.compute("ce", shaped, y.reshape(5, 300), class_axis=axis, ignore_index=-100, gradient=True)
        assert found.gradient.shape == shaped.shape
        np.testing.assert_allclose(np.moveaxis(found.gradient, axis, -1).reshape(-1, 4), expected, rtol=1e-12)
        table = losscli.compute("ce", z, y, ignore_index=-100, gradient=True)
        np.testing.assert_allclose(table.gradient, expected, rtol=1e-12)

    def test_the_gradient_of_shards_and_parts_of_positions(self, monkeypatch, tmp_path):
        monkeypatch.setattr("losscli.engine.job.CHUNK_ROWS", 6)
        rng = np.random.default_rng(6)
        z, y = rng.normal(size=(7, 4, 3)), rng.integers(3, size=(7, 4))
        for number, part in enumerate((z[:3], z[3:])):
            np.save(tmp_path / f"z-{number}.npy", part)
        found = losscli.compute("ce", str(tmp_path / "z-*.npy"), y, class_axis=-1, gradient=True)
        expected = (softmax(z.reshape(-1, 3)) - np.eye(3)[y.reshape(-1)]).reshape(z.shape)
        np.testing.assert_allclose(found.gradient, expected, rtol=1e-12)

    def test_calibration_errors_of_large_arrays_are_there_on_request(self, monkeypatch):
        monkeypatch.setattr("losscli.measurement.measure.MOST_ELEMENTS", 1)
        assert "ece" not in losscli.compute("ce", LOGITS, LABELS).summary
        assert "ece" in losscli.compute("ce", LOGITS, LABELS, reliability_of="predicted").summary
        assert "ece" in losscli.compute("ce", LOGITS, LABELS, require=["ece < 1"]).summary

    def test_shows_itself_as_a_table_of_text(self):
        result = losscli.compute("huber", [0.0, 2.0], 0, delta=1.5)
        shown = result._repr_html_()
        assert shown.startswith("<table>")
        assert "0.9375" in shown
        assert repr(result).splitlines()[:2] == [
            "loss                 huber (delta = 1.5)",
            "mean                 0.9375",
        ]
        names = losscli.compute("ce", LOGITS, ["<b>", "c", "a"], classes=["a", "<b>", "c"])
        names.signature = "<script>"
        assert "<script>" not in names._repr_html_()

    def test_requirements(self):
        met = losscli.compute("mse", [1.0, 3.0], 0, require=["mean <= 5", "max < 10"])
        assert met.met
        missed = losscli.compute("mse", [1.0, 3.0], 0, require=["mean <= 5", "max < 9"])
        assert not missed.met
        assert [entry["met"] for entry in missed.requirements] == [True, False]

    def test_warnings_are_python_s(self):
        with pytest.warns(losscli.LosscliWarning, match="double-sigmoid"):
            losscli.compute("bce", [0.2, 0.9, 0.4], [0, 1, 1])
        with pytest.warns(losscli.LosscliWarning):
            losscli.compare("mse", [1.0, 2.0], [1.0, 1.5], targets=[0.0, 0.0])


class TestWithoutSummary:
    """summary=False gives the value alone, with the same digits, in less time."""

    def test_has_the_value_and_the_mean(self):
        found, whole = losscli.compute("ce", LOGITS, LABELS, summary=False), losscli.compute("ce", LOGITS, LABELS)
        assert found.value == whole.value
        assert found.summary == {name: whole.summary[name] for name in ("mean", "perplexity", "bits", "ece", "mce")}
        assert found.baseline is None
        assert found.losses.tolist() == whole.losses.tolist()
        assert "percentiles" not in found.receipt
        assert found.signature == whole.signature
        assert json.loads(json.dumps(found.to_dict()))["summary"]["mean"] == whole.summary["mean"]
        assert "p99" not in str(found)
        assert found._repr_html_()

    def test_a_requirement_of_what_it_lacks_is_refused(self):
        found = losscli.compute("ce", LOGITS, LABELS, summary=False)
        with pytest.raises(losscli.UsageError, match=r"p99.*summary"):
            found.require("p99 < 2")
        assert found.require("mean < 2", "samples == 3").met

    def test_what_is_required_at_once_is_there(self):
        assert losscli.compute("ce", LOGITS, LABELS, summary=False, require=["p99 < 2"]).met

    def test_is_yes_or_no(self):
        with pytest.raises(losscli.UsageError, match="summary"):
            losscli.compute("ce", LOGITS, LABELS, summary="no")


class TestOtherFunctions:
    def test_check(self):
        z = np.random.default_rng(0).normal(size=(60, 3)) * 4
        report = losscli.check(z, z.argmax(axis=1))
        assert report.facts["accuracy"] == 1
        assert losscli.check(softmax(z), z.argmax(axis=1)).findings[0].code == "double-softmax"
        with pytest.raises(losscli.UsageError, match="does not read"):
            losscli.check(z, z.argmax(axis=1), loss="center")

    def test_compare_needs_no_files(self):
        draw = np.random.default_rng(0)
        y = draw.normal(size=200)
        found = losscli.compare(
            "mse", y + draw.normal(size=200), y + 0.1 * draw.normal(size=200), targets=y, resamples=999
        )
        assert not found.worse
        assert found.to_dict()["verdict"] == "better"
        assert found.to_dict()["interval"][1] < 0

    def test_rank(self):
        found = losscli.rank("mse", [0.0, 3.0, 1.0], 0, top=2)
        assert [(row["sample"], row["loss"]) for row in found.rows] == [(1, 9.0), (2, 1.0)]

    def test_calibrate(self):
        draw = np.random.default_rng(0)
        z = draw.normal(size=(4000, 3))
        y = (softmax(z).cumsum(axis=1) < draw.random((4000, 1))).sum(axis=1)
        temperature = losscli.calibrate(3 * z, y).to_dict()["temperature"]
        assert temperature == pytest.approx(3, rel=0.1)  # the logits were multiplied by 3

    def test_curves(self):
        one, other = losscli.curves("huber:delta=1,2", range=(-3, 3))
        np.testing.assert_allclose(one.value[[0, -1]], 2.5)
        np.testing.assert_allclose(other.value[[0, -1]], 4)
        assert one.slope[0] == -1

    def test_explain(self):
        assert losscli.explain("mse")["name"] == "squared-error"
        assert {losscli.explain(name)["family"] for name in ("ce", "bce")} == {"softmax", "sigmoid"}

    def test_verify(self, tmp_path):
        (tmp_path / "mine.py").write_text("def huber(p, t):\n    return abs(p - t)\n")
        found = losscli.verify(f"{tmp_path}/mine.py:huber", against="huber")
        assert found.broken
        right = losscli.verify(f"{tmp_path}/mine.py:huber", against="l1")
        assert not right.broken


def swapped_focal(y_true, y_pred, gamma=2.0, alpha=0.25):
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    return -np.where(y_true == 1, 1 - alpha, alpha) * (1 - pt) ** gamma * np.log(pt)


class HalfSquare:
    def __call__(self, y_true, y_pred):
        return (y_true - y_pred) ** 2 / 2


class TestObjects:
    """Losses that are functions or classes, as in the cells of a notebook."""

    def test_are_verified(self):
        assert losscli.verify(swapped_focal).patterns == ["alpha is swapped: the losses are those of 1 - alpha"]
        assert losscli.verify(swapped_focal, gamma=1).reference == "sigmoid-focal:gamma=1:alpha=0.25"
        for loss in (HalfSquare, HalfSquare(), lambda y_true, y_pred: (y_true - y_pred) ** 2 / 2):
            assert losscli.verify(loss, against="half-squared-error").broken == 0
        files = losscli.verify(HalfSquare, [1.0, 3.0], 0.0, against="half-squared-error")
        assert files.properties[-1].words == "that of half-squared-error in 2 rows"

    def test_are_computed(self):
        result = losscli.compute(HalfSquare, [1.0, 3.0], 0.0)
        assert (result.value, result.loss) == (2.5, "HalfSquare")
        assert losscli.rank(HalfSquare(), [1.0, 3.0], 0.0, top=1).rows[0]["loss"] == 4.5
        focal = losscli.compute(swapped_focal, [0.25], [1.0], gamma=1, takes="probs", from_="probs")
        assert focal.value == pytest.approx(0.75 * 0.75 * np.log(4))

    def test_what_is_no_loss_is_refused(self):
        with pytest.raises(losscli.UsageError, match="int is no loss"):
            losscli.verify(3)
        with pytest.raises(losscli.UsageError, match=r"as FILE\.py:NAME"):
            losscli.compute(HalfSquare, [1.0], 0.0, plus="mae")
        with pytest.raises(losscli.UsageError, match="no parameter or option 'gama'"):
            losscli.verify(swapped_focal, gama=1)
