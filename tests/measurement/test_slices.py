"""Slices and intervals: values against exact fractions, intervals against SciPy and enumeration, and what is undefined."""

import itertools
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import losscli
from losscli.engine import job as engine
from losscli.engine.collectors import slices as collector

SCIPY = json.loads((Path(__file__).parent / "intervals.json").read_text())["cases"]
ROWS = 500

pytestmark = pytest.mark.filterwarnings(
    "ignore:labels-unrelated", "ignore:.*too few for an interval", "ignore:saturated"
)


def data(n, power, weighted):
    i = np.arange(n)
    return (-np.log((i + 0.5) / n)) ** power, 1.0 + (7 * i) % 5 if weighted else None


@pytest.fixture
def table():
    """Predictions, targets, weights and slices of some rows."""
    rng = np.random.default_rng(3)
    names = rng.choice(["a", "b", "c", "rare"], ROWS, p=[0.5, 0.3, 0.19, 0.01])
    return rng.normal(size=ROWS), rng.normal(size=ROWS), rng.integers(0, 5, ROWS) / 2, names


def exact(p, t, w, reduction):
    """The value of some rows in fractions, of squared errors."""
    losses = [Fraction(float((a - b) ** 2)) for a, b in zip(p, t, strict=True)]
    weights = [Fraction(float(one)) for one in w]
    total = sum(loss * weight for loss, weight in zip(losses, weights, strict=True))
    below = {
        "mean": sum(weights),
        "sum": 1,
        "sum-over-batch-size": len(losses),
        "sum-by-nonzero-weights": sum(one != 0 for one in weights),
    }[reduction]
    return float(total / below)


class TestValues:
    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("reduction", ["mean", "sum", "sum-over-batch-size", "sum-by-nonzero-weights"])
    def test_are_those_of_the_rows_alone(self, table, reduction, weighted, monkeypatch):
        monkeypatch.setattr(engine, "CHUNK_ROWS", 64)
        p, t, w, names = table
        w = w if weighted else np.ones(ROWS)
        found = losscli.compute("mse", p, t, sample_weight=w, by=names, reduction=reduction).slices
        assert {one.name for one in found.found} == {"a", "b", "c", "rare"}
        for one in found.found:
            own = names == one.name
            assert one.value == pytest.approx(exact(p[own], t[own], w[own], reduction), rel=1e-13)
            assert one.samples == own.sum()
            losses = (p[own] - t[own]) ** 2
            alike = {"mean": losses.mean(), "std": losses.std(), "min": losses.min(), "max": losses.max()}
            assert {key: one.statistics[key] for key in alike} == pytest.approx(alike, rel=1e-12)
        assert [one.value for one in found.found] == sorted((one.value for one in found.found), reverse=True)

    def test_one_slice_of_all_rows_is_the_total(self, table):
        p, t, w, _ = table
        found = losscli.compute("mse", p, t, sample_weight=w, by=np.zeros(ROWS), interval=True)
        (one,) = found.slices.found
        assert (one.name, one.value) == ("0", pytest.approx(found.value, rel=1e-15))
        assert one.interval == found.interval
        assert one.weight == w.sum()

    def test_sums_of_many_rows_keep_their_digits(self):
        """Added up one after another, 50,000 numbers lose some three digits."""
        names = np.arange(100_000) % 2
        values = np.where(names == 0, 0.1, 0.3)
        for one in losscli.compute("l1", values, 0, by=names, per_sample=False).slices.found:
            own = values[names == int(one.name)]
            assert one.value == pytest.approx(float(sum(map(Fraction, own.tolist())) / len(own)), rel=3e-16, abs=0)

    def test_ignored_rows_are_in_no_slice(self):
        z = np.random.default_rng(0).normal(size=(6, 3))
        names = np.array(["a", "a", "b", "b", "c", "c"])
        labels = np.array([0, -1, 2, 1, -1, -1])
        found = losscli.compute("ce", z, labels, ignore_index=-1, by=names).slices.found
        assert {one.name: one.samples for one in found} == {"a": 1, "b": 2}
        each = np.log(np.exp(z).sum(axis=1)) - z[np.arange(6), labels]
        assert {one.name: one.value for one in found} == pytest.approx({"a": each[0], "b": each[2:4].mean()})

    def test_class_weights_hold_in_slices(self):
        z, labels = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 3
        weights, names = np.array([1.0, 4.0, 0.5]), np.arange(40) % 4
        found = losscli.compute("ce", z, labels, class_weight="0=1,1=4,2=0.5", by=names).slices.found
        each = np.log(np.exp(z).sum(axis=1)) - z[np.arange(40), labels]
        for one in found:
            own = names == int(one.name)
            assert one.value == pytest.approx(np.average(each[own], weights=weights[labels[own]]), rel=1e-12)

    def test_a_slice_of_weights_0_has_no_value(self):
        found = losscli.compute("mse", [1.0, 2.0, 3.0], 0, sample_weight=[1.0, 0, 0], by=["x", "y", "y"], interval=True)
        first, other = found.slices.found
        assert (first.name, first.value, first.undefined) == ("y", None, "all weights are 0")
        assert first.record()["interval_undefined"] == "the value is undefined"
        assert (other.name, other.value) == ("x", 1.0)
        assert other.interval.undefined == "1 sample, which does not tell how much samples differ"

    def test_infinite_losses_stay_in_their_slice(self):
        p = np.array([0.0, 0.5, 0.25, 0.5])
        found = losscli.compute("bce", p, [1, 1, 1, 0], from_="probs", by=["x", "y", "y", "x"], interval=True)
        assert found.interval.undefined == "a loss is infinite"
        values = {one.name: one.value for one in found.slices.found}
        assert values == {"x": np.inf, "y": pytest.approx((np.log(2) + np.log(4)) / 2)}
        assert {one.name: one.interval.undefined for one in found.slices.found} == {
            "x": "a loss is infinite",
            "y": None,
        }
        assert found.to_dict()["interval"] is None

    def test_a_sum_beyond_the_range_is_said(self):
        found = losscli.compute("l1", [1e308, 1e308, 1e308], 0, by=["x", "x", "y"], interval=True)
        by_name = {one.name: one for one in found.slices.found}
        assert by_name["x"].undefined == "the sum of the losses is too large for a number"
        assert by_name["y"].value == 1e308

    @pytest.mark.parametrize("loss", ["ce", "softmax-focal"])
    def test_statistics_that_follow_from_the_mean(self, loss):
        z, labels = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 3
        found = losscli.compute(loss, z, labels, by=labels % 2, interval=True)
        names = {"perplexity", "bits"} if loss == "ce" else set()
        for one in found.slices.found:
            assert set(one.transformed) == names
            if names:
                assert one.transformed["perplexity"] == pytest.approx(np.exp(one.value), rel=1e-14)
        if names:
            assert found.intervals["perplexity"][:2] == pytest.approx(tuple(np.exp(found.interval[:2])), rel=1e-14)

    def test_a_librarys_number_has_slices(self, table):
        p, t, w, names = table
        found = losscli.compute("mse", p, t, sample_weight=w, as_="keras", by=names).slices.found
        for one in found:  # Keras divides by the number of rows, and computes in float32
            own = names == one.name
            assert one.value == pytest.approx(((p[own] - t[own]) ** 2 * w[own]).sum() / own.sum(), rel=1e-6)


class TestIntervals:
    @pytest.mark.parametrize("many", [False, True])
    @pytest.mark.parametrize("case", SCIPY[1:4], ids=lambda case: f"{case['n']}, {case['weighted']}")
    def test_are_those_of_scipy(self, case, many, monkeypatch):
        """All are of random resamples, whose ends differ by a part of the standard error."""
        if many:
            monkeypatch.setattr(collector, "EXACT_ROWS", 10)
            monkeypatch.setattr(engine, "CHUNK_ROWS", 64)
        x, w = data(case["n"], case["power"], case["weighted"])
        more = {} if w is None else {"sample_weight": w}
        found = losscli.compute("l1", x, 0, interval=True, confidence=case["confidence"], seed=5, **more)
        assert found.interval[:2] == pytest.approx((case["low"], case["high"]), abs=0.06 * case["se"])
        method = found.receipt["interval"]["method"]
        assert "ABC" in method if many else "BCa" in method
        assert ("seed" in found.receipt["interval"]) is not many

    @pytest.mark.parametrize("many", [False, True])
    def test_a_sum_is_so_many_times_the_mean(self, table, many, monkeypatch):
        if many:
            monkeypatch.setattr(collector, "EXACT_ROWS", 10)
        p, t, _, names = table
        mean = losscli.compute("mse", p, t, by=names, interval=True)
        total = losscli.compute("mse", p, t, by=names, interval=True, reduction="sum")
        assert total.interval[:2] == pytest.approx([ROWS * end for end in mean.interval[:2]], rel=1e-12)
        for one in mean.slices.found:
            other = next(found for found in total.slices.found if found.name == one.name)
            assert other.interval[:2] == pytest.approx([one.samples * end for end in one.interval[:2]], rel=1e-12)

    @pytest.mark.parametrize("many", [False, True])
    @pytest.mark.parametrize("reduction", ["sum", "sum-over-batch-size", "sum-by-nonzero-weights"])
    def test_a_weighted_sum_has_its_own_denominator(self, table, reduction, many, monkeypatch):
        """Weight times loss of each row is what is resampled: as a loss without weights, or with the weights 0 and 1."""
        if many:
            monkeypatch.setattr(collector, "EXACT_ROWS", 10)
        p, t, w, _ = table
        found = losscli.compute("mse", p, t, sample_weight=w, interval=True, reduction=reduction)
        terms = w * (p - t) ** 2
        if reduction == "sum-by-nonzero-weights":
            alone = losscli.compute("l1", terms, 0, interval=True, sample_weight=(w != 0).astype(float))
        else:
            alone = losscli.compute("l1", terms, 0, interval=True)
        times = ROWS if reduction == "sum" else 1
        assert found.interval[:2] == pytest.approx([times * end for end in alone.interval[:2]], rel=1e-9)

    @pytest.mark.parametrize("many", [False, True])
    @pytest.mark.parametrize("reduction", ["sum", "sum-over-batch-size"])
    def test_sums_of_ragged_samples(self, reduction, many, monkeypatch):
        if many:
            monkeypatch.setattr(collector, "EXACT_ROWS", 10)
        rng = np.random.default_rng(2)
        x, y = rng.normal(size=(40, 4, 9)), rng.integers(0, 4, (40, 9))
        y[rng.random((40, 9)) < 0.4] = -1
        found = losscli.compute("ce", x, y, class_axis=1, ignore_index=-1, interval=True, reduction=reduction)
        sums, counts = np.nansum(found.losses, axis=1), (~np.isnan(found.losses)).sum(axis=1).astype(float)
        if reduction == "sum":
            alone, times = losscli.compute("l1", sums, 0, interval=True), 40
        else:
            alone, times = losscli.compute("l1", sums / counts, 0, sample_weight=counts, interval=True), 1
        assert found.interval[:2] == pytest.approx([times * end for end in alone.interval[:2]], rel=1e-9)

    def test_few_rows_by_enumeration(self):
        """Of three rows all 27 resamples are known: the interval's ends are among their means."""
        x, w = [1.0, 2.0, 4.0], np.array([1.0, 3.0, 0.5])
        with pytest.warns(match="3 samples: too few for an interval to rely on"):
            found = losscli.compute("l1", x, 0, sample_weight=w, interval=True)
        means = [
            np.average(np.array(x)[list(rows)], weights=w[list(rows)]) for rows in itertools.product(range(3), repeat=3)
        ]
        for end in found.interval[:2]:
            assert np.isclose(end, means, rtol=1e-9).any()

    @pytest.mark.parametrize("many", [False, True])
    def test_equal_losses(self, many, monkeypatch):
        if many:
            monkeypatch.setattr(collector, "EXACT_ROWS", 10)
        found = losscli.compute("l1", np.full(50, 0.1), 0, interval=True, sample_weight=np.arange(50.0))
        assert found.interval[:2] == (found.value, found.value)

    @pytest.mark.parametrize("many", [False, True])
    def test_threads_and_seeds(self, table, many, monkeypatch):
        monkeypatch.setattr(engine, "CHUNK_ROWS", 64)
        if many:
            monkeypatch.setattr(collector, "EXACT_ROWS", 10)
        p, t, w, names = table
        runs = [
            losscli.compute("mse", p, t, sample_weight=w, by=names, interval=True, threads=threads, seed=seed).to_dict()
            for threads, seed in ((1, 0), (2, 0), (2, 1))
        ]
        assert runs[0] == runs[1]
        assert (runs[0]["interval"] == runs[2]["interval"]) is many  # in closed form nothing is drawn

    @pytest.mark.parametrize("many", [False, True])
    def test_whole_samples_are_resampled(self, many, monkeypatch):
        """Positions of a sample are alike: an interval of positions would be far too narrow."""
        if many:
            monkeypatch.setattr(collector, "EXACT_ROWS", 10)
        rng = np.random.default_rng(2)
        level = rng.exponential(size=200)
        x = np.repeat(level[:, None], 50, axis=1)
        found = losscli.compute("l1", x[:, None], np.zeros_like(x)[:, None], class_axis=1, interval=True)
        alone = losscli.compute("l1", level, 0, interval=True)
        assert found.samples in (10_000, 200 * 50)
        assert found.interval[:2] == pytest.approx(alone.interval[:2], rel=1e-9)

    def test_ragged_samples_weigh_as_their_positions(self):
        rng = np.random.default_rng(2)
        x, y = rng.normal(size=(30, 4, 9)), rng.integers(0, 4, (30, 9))
        y[rng.random((30, 9)) < 0.4] = -1
        found = losscli.compute("ce", x, y, class_axis=1, ignore_index=-1, interval=True)
        sums, counts = np.nansum(found.losses, axis=1), (~np.isnan(found.losses)).sum(axis=1)
        means = sums / counts
        as_rows = losscli.compute("l1", means, 0, sample_weight=counts.astype(float), interval=True)
        assert found.interval[:2] == pytest.approx(as_rows.interval[:2], rel=1e-9)

    def test_lists_are_resampled_whole(self):
        rng = np.random.default_rng(2)
        group = np.repeat(np.arange(40), rng.integers(2, 6, 40))
        scores, gains = rng.normal(size=len(group)), rng.integers(0, 3, len(group)).astype(float)
        found = losscli.compute(
            "listnet", scores, gains, group=group, interval=True, by=np.where(group < 25, "web", "app")
        )
        alone = losscli.compute("l1", found.losses, 0, interval=True)
        assert found.interval[:2] == pytest.approx(alone.interval[:2], rel=1e-6)
        assert {one.name: one.samples for one in found.slices.found} == {"web": 25, "app": 15}
        assert found.receipt["interval"]["unit"] == "list"


class TestUnits:
    def test_positions_samples_and_cells(self):
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(30, 4, 5)), (rng.random((30, 4, 5)) < 0.5).astype(float)
        names = np.arange(30) % 3
        for per in ("position", "sample", "sample,class"):
            found = losscli.compute("bce", x, y, class_axis=1, per=per, by=names, interval=True)
            each = np.logaddexp(0, x) - y * x
            for one in found.slices.found:
                assert one.value == pytest.approx(each[names == int(one.name)].mean(), rel=1e-12)
                assert one.few  # 10 samples, however many positions they have
            assert found.interval[:2] == pytest.approx(
                losscli.compute("l1", each.mean(axis=(1, 2)), 0, interval=True).interval[:2], rel=1e-9
            )

    @pytest.mark.parametrize("per", ["sample", "sample,class"])
    def test_masks(self, per):
        rng = np.random.default_rng(0)
        x, y = rng.random((30, 4, 5)), (rng.random((30, 4, 5)) < 0.5).astype(float)
        names = np.arange(30) % 3
        how = {"class_axis": 1, "per": per, "from_": "probs"}
        found = losscli.compute("dice", x, y, by=names, **how)
        for one in found.slices.found:
            own = names == int(one.name)
            assert one.value == pytest.approx(losscli.compute("dice", x[own], y[own], **how).value, rel=1e-12)

    @pytest.mark.parametrize("per", ["class", "file"])
    def test_units_of_all_samples_are_refused(self, per):
        x = np.random.default_rng(0).normal(size=(30, 4, 5))
        for more in ({"by": np.arange(30)}, {"interval": True}):
            with pytest.raises(losscli.LosscliError, match=r"of all samples together.*say --per sample"):
                losscli.compute("bce", x, np.ones_like(x), class_axis=1, per=per, **more)

    def test_a_single_mask_is_refused(self):
        with pytest.raises(losscli.LosscliError, match=r": dice has losses of all samples .*give each mask as a row"):
            losscli.compute("dice", np.zeros(9), np.ones(9), interval=True)


def test_a_pass_keeps_no_row(monkeypatch):
    """What is kept of many rows does not grow with them."""
    from losscli import api
    from losscli.definition.resampling import Resampling
    from losscli.losses import find

    sizes = []
    for rows in (40_000, 160_000):
        p = np.random.default_rng(0).normal(size=rows)
        request = api._request(find("mse").bind(), p, 0.0, {})
        request = api._sliced(request, np.arange(rows) % 100, Resampling(), None)
        _, result = api.measured(request)
        sliced = result.aggregate[collector.Sliced]
        assert sliced.few is None
        sizes.append(sum(part.nbytes for record in sliced.influences for part in record))
    assert sizes[0] == sizes[1]


def test_rows_of_weight_0_do_not_tell_how_much_samples_differ(compute, save):
    save("p.npy", [1.0, 2.0, 5.0]), save("w.npy", [0.0, 1.0, 0.0])
    done = compute("mse", "p.npy", "0", "--sample-weight", "w.npy", "--interval")
    assert done.json["interval"] is None
    assert done.json["interval_undefined"].startswith("1 sample, ")


def test_the_interval_of_tiny_losses_is_not_a_point():
    """Scaled by powers of two, all sums are scaled exactly, and so are the ends."""
    p = np.array([1.0, 2.0, 0.5, 3.0, 0.25])
    one, tiny = (losscli.compute("mse", p * scale, 0, interval=True).interval for scale in (1.0, 2.0**-25))
    assert one.low < one.high
    assert (tiny.low, tiny.high) == (one.low * 2.0**-50, one.high * 2.0**-50)


def test_slices_of_no_value_are_refused(compute, save):
    words = ("mse", save("p.npy", [1.0, 2.0]), save("t.npy", [0.0, 1.0]), "--interval", "--reduction", "none")
    compute(*words).refuses(2, "--reduction none leaves none")
