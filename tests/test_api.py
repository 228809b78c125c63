"""The functions of `import losscli`: paths and arrays give the numbers and messages of the command line."""

import doctest
import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
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
            polars = pytest.importorskip("polars")
            z, y = polars.DataFrame(LOGITS, schema=["a", "b", "c"]), ["b", "c", "a"]
        result = losscli.compute("ce", z, y, **options)
        assert result.value == pytest.approx(MEAN, rel=1e-6 if how == "float32" else 1e-9)
        assert result.losses.shape == (3,)
        assert result.losses.mean() == pytest.approx(result.value, rel=1e-6)

    def test_columns_of_a_frame_meet_labels_by_name(self):
        polars = pytest.importorskip("polars")
        z = polars.DataFrame(LOGITS[:, ::-1], schema=["c", "b", "a"])
        result = losscli.compute("ce", z, ["b", "c", "a"])
        assert result.value == pytest.approx(MEAN, rel=1e-9)
        assert result.receipt["targets"]["matched"] == "by name"

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
