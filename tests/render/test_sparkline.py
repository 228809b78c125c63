"""Pictures of characters: the line of bars in compute's table, and the small curve of explain."""

import itertools
import json
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from curve_points import FIRST, true
from hypothesis import given, settings
from hypothesis import strategies as st

from losscli.definition.request import Request
from losscli.engine.aggregates import EXACT_LOSSES, Quantiles
from losscli.engine.histogram import Histogram
from losscli.lookup.names import find
from losscli.losses import FAMILIES, LOSSES
from losscli.measurement.prepare import prepare
from losscli.render import catalogue
from losscli.render import sparkline as sketch
from losscli.render.result import to_table
from losscli.render.screen import Screen

quick = settings(max_examples=60, deadline=None, derandomize=True)
ENCODINGS = ("utf-8", "ascii")
BLOCKS = " ▁▂▃▄▅▆▇█"
SIGNS = " .:-=+*#@"


class TestBars:
    @pytest.mark.parametrize(
        ("counts", "heights"),
        [
            ([0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 3, 4, 5, 6, 7, 8]),
            ([8, 0, 4], [8, 0, 4]),
            ([1, 10**9], [1, 8]),
            ([10**9 - 1, 10**9], [8, 8]),
            ([3, 1, 1], [8, 3, 3]),
            ([5, 5, 5], [8, 8, 8]),
            ([1], [8]),
        ],
    )
    def test_by_hand(self, counts, heights):
        assert sketch.bars(counts, "utf-8") == "".join(BLOCKS[height] for height in heights)
        assert sketch.bars(np.array(counts), "ascii") == "".join(SIGNS[height] for height in heights)

    @quick
    @given(st.lists(st.integers(0, 10**12), min_size=1, max_size=40).filter(any))
    def test_nothing_is_a_space_and_nothing_else_is(self, counts):
        for encoding, levels in (("utf-8", BLOCKS), ("ascii", SIGNS)):
            heights = [levels.index(sign) for sign in sketch.bars(counts, encoding)]
            assert len(heights) == len(counts)
            assert [height == 0 for height in heights] == [count == 0 for count in counts]
            assert heights[counts.index(max(counts))] == 8
            ordered = sorted(zip(counts, heights, strict=True))
            assert [height for _, height in ordered] == sorted(heights)

    @pytest.mark.parametrize(
        ("encoding", "levels"),
        [
            ("utf-8", BLOCKS),
            ("UTF-16", BLOCKS),
            ("cp437", SIGNS),  # has some of the blocks
            ("latin-1", SIGNS),
            ("ascii", SIGNS),
            ("no-such-encoding", SIGNS),
            (None, SIGNS),
        ],
    )
    def test_an_encoding_without_blocks_gets_signs(self, encoding, levels):
        assert sketch.bars([0, 1, 2, 3, 4, 5, 6, 7, 8], encoding) == levels

    def test_signs_are_in_every_encoding(self):
        assert sketch.can_show(sketch.ASCII, "ascii")
        assert len(sketch.ASCII) == len(sketch.BLOCKS) == len(set(sketch.ASCII)) == len(set(sketch.BLOCKS))


# The dots of a braille character by its bits, as Unicode numbers them: 1 2 3 7 down the left, 4 5 6 8 down the right.
BRAILLE = {(0, 0): 0, (1, 0): 1, (2, 0): 2, (0, 1): 3, (1, 1): 4, (2, 1): 5, (3, 0): 6, (3, 1): 7}


def dots(lines: list[str], width: int, encoding: str) -> Any:
    """Which dots of a drawing are set, from its top to its bottom."""
    if encoding != "utf-8":
        return np.array([[sign == "*" for sign in f"{line:{width}}"] for line in lines])
    found = np.zeros((4 * len(lines), 2 * width), bool)
    for i, line in enumerate(lines):
        for j, sign in enumerate(line):
            bits = 0 if sign == " " else ord(sign) - 0x2800
            assert 0 <= bits < 256
            for (row, column), bit in BRAILLE.items():
                found[4 * i + row, 2 * j + column] = bits >> bit & 1
    return found


class TestCurve:
    @pytest.mark.parametrize(
        ("y", "lines"),
        [
            ([0, 1, 2, 3], ["   *", "  *", " *", "*"]),
            ([3, 2, 1, 0], ["*", " *", "  *", "   *"]),
            ([0, 0, 3, 3], ["  **", "  *", "  *", "**"]),
            ([3, 3, 0, 0], ["**", "  *", "  *", "  **"]),
            ([0, 3, 0, 3], [" * *", " ***", " ***", "* *"]),
            ([7, 7, 7, 7], ["", "", "", "****"]),
            ([0, math.nan, 3, 2], ["  *", "   *", "", "*"]),
            ([math.inf, 3, 1, 0], [" *", "  *", "  *", "   *"]),
            ([-1, -1, -math.inf, 2], ["   *", "", "", "**"]),
        ],
    )
    def test_by_hand(self, y, lines):
        assert sketch.curve(np.arange(4.0), np.array(y, float), 4, 4, "ascii") == lines

    def test_braille_has_two_by_four_dots_a_character(self):
        x = np.arange(8.0)
        lines = sketch.curve(x, x, 4, 2, "utf-8")
        assert (dots(lines, 4, "utf-8") == np.eye(8, dtype=bool)[::-1]).all()
        assert len(lines) == 2
        assert max(map(len, lines)) == 4

    @quick
    @given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.sampled_from(ENCODINGS))
    def test_a_curve_is_in_one_piece_and_fills_its_height(self, y, encoding):
        x = np.linspace(-2, 5, 481)
        y = np.interp(x, np.linspace(-2, 5, len(y)), y)
        shown = dots(sketch.curve(x, y, 20, 6, encoding), 20, encoding)
        rows = [np.flatnonzero(column) for column in shown.T]
        assert all(len(row) and (np.diff(row) == 1).all() for row in rows)
        for before, after in itertools.pairwise(rows):
            assert after[0] <= before[-1] + 1
            assert before[0] <= after[-1] + 1

    def test_lines_end_with_what_is_drawn(self):
        lines = sketch.curve(np.arange(4.0), np.array([3.0, 1, 0, 0]), 4, 4, "utf-8")
        assert all(line == line.rstrip() for line in lines)


def of(values: Any, bins: int = 30, log: bool | None = None) -> Histogram | None:
    return Histogram.of(Quantiles.of(np.array(values, float)), bins, log)


MIXED = st.lists(
    st.one_of(
        st.just(0.0),
        st.just(math.inf),
        st.integers(-1000, 1000).map(lambda i: i / 8),
        st.integers(-900, 900).map(lambda i: 10.0 ** (i / 100)),
    ),
    max_size=60,
)


class TestHistogram:
    def test_linear_by_hand(self):
        found = of([0, 1, 2, 3, 4, 4], 4)
        assert (found.edges.tolist(), found.counts.tolist()) == ([0, 1, 2, 3, 4], [1, 1, 1, 3])
        assert (found.log, found.not_positive, found.infinite) == (False, 0, 0)

    def test_logarithmic_by_hand(self):
        found = of([1, 1, 5, 50, 1000], 3, log=True)
        assert found.edges == pytest.approx([1, 10, 100, 1000], rel=1e-12)
        assert found.edges[[0, -1]].tolist() == [1, 1000]
        assert found.counts.tolist() == [3, 1, 1]
        assert found.log

    @pytest.mark.parametrize(
        ("values", "log"),
        [
            ([1] * 98 + [1000] * 2, True),
            ([1] * 99 + [1000], False),  # its p99 is 1
            ([1] * 98 + [20] * 2, False),
            ([1] * 98 + [20.01] * 2, True),
            ([0] * 60 + [1] * 38 + [1000] * 2, False),  # nothing is 20 times a median of 0
            ([-1] * 98 + [1000] * 2, False),
            ([0] * 40 + [1] * 58 + [1000] * 2, True),
            ([1] * 98 + [30] * 2 + [math.inf] * 50, True),
            ([1] * 50 + [math.inf] * 50, False),
            (range(1, 1000), False),
        ],
    )
    def test_the_scale_is_logarithmic_where_p99_is_twenty_medians(self, values, log):
        assert of([*values]).log is log

    def test_a_scale_that_is_asked_for_is_taken(self):
        assert of([1] * 98 + [1000] * 2, log=False).log is False
        assert of([1, 2, 3], log=True).log is True

    def test_zeros_and_infinities_are_counted_apart(self):
        values = [0] * 5 + [-1] * 2 + [math.inf] * 3 + [1, 5, 50, 100]
        logarithmic, linear = of(values, 2, log=True), of(values, 2, log=False)
        assert (logarithmic.not_positive, logarithmic.infinite, logarithmic.counts.tolist()) == (7, 3, [2, 2])
        assert (linear.not_positive, linear.infinite) == (0, 3)
        assert linear.edges.tolist() == [-1, 49.5, 100]
        assert linear.counts.tolist() == [9, 2]

    @pytest.mark.parametrize(
        ("values", "log"),
        [([], None), ([], True), ([math.inf], None), ([0, 0], True), ([-1, 0, math.inf], True)],
    )
    def test_nothing_to_show_is_none(self, values, log):
        assert of(values, log=log) is None

    @pytest.mark.parametrize("log", [True, False])
    @pytest.mark.parametrize("value", [3.0, 1e-30, 1e300])
    def test_one_value_is_within_one_bin(self, value, log):
        found = of([value] * 7, 5, log)
        assert found.counts.tolist() == [0, 0, 7, 0, 0]
        assert found.edges[0] < value < found.edges[-1]

    @pytest.mark.parametrize("value", [0.0, -3.0])
    def test_one_value_that_has_no_logarithm(self, value):
        found = of([value] * 7, 5)
        assert found.counts.tolist() == [0, 0, 7, 0, 0]
        assert found.edges[0] < value < found.edges[-1]

    def test_rounding_is_no_spread(self):
        assert of([1, 1 + 1e-12, 1 - 1e-12], 5).counts.tolist() == [0, 0, 3, 0, 0]
        assert np.count_nonzero(of([1, 1 + 1e-6], 5).counts) == 2

    @quick
    @given(MIXED, st.integers(1, 40), st.sampled_from([None, True, False]))
    def test_every_loss_is_counted_once_where_it_belongs(self, values, bins, log):
        found = of(values, bins, log)
        finite = [value for value in values if math.isfinite(value)]
        if found is None:
            assert not [value for value in finite if value > 0 or not log]
            return
        shown = [value for value in finite if value > 0 or not found.log]
        assert len(found.edges) == bins + 1
        assert (np.diff(found.edges) > 0).all()
        assert found.infinite == len(values) - len(finite)
        assert found.not_positive == len(finite) - len(shown)
        places = [min(int(np.searchsorted(found.edges, value, side="right")) - 1, bins - 1) for value in shown]
        assert found.counts.tolist() == [Counter(places)[i] for i in range(bins)]
        steps = np.diff(np.log(found.edges) if found.log else found.edges)
        assert steps == pytest.approx(np.full(bins, steps.mean()), rel=1e-6)

    def test_of_more_losses_than_are_kept(self):
        """From the sketch of leading bits: counts are whole, and values off by 2^-11 at most."""
        half = EXACT_LOSSES // 2
        values = np.repeat([1.0, 2.5, 4.0], [half, half, 7])
        losses = Quantiles.of(values)
        assert not losses.exact
        found = Histogram.of(losses, 3)
        assert found.counts.tolist() == [half, half, 7]
        assert found.edges[[0, -1]] == pytest.approx([1, 4], rel=2**-11)
        tail = Quantiles.of(np.repeat([-1.0, 1, 1000, math.inf], [9, half, half // 20, half]))
        found = Histogram.of(tail, 3)
        assert (found.log, found.not_positive, found.infinite) == (True, 9, half)
        assert found.counts.tolist() == [half, 0, half // 20]


def line_of(out: str) -> str | None:
    """The distribution in a table, without its name."""
    found = [line.removeprefix("distribution").strip() for line in out.splitlines() if line.startswith("distribution")]
    assert len(found) <= 1
    return found[0] if found else None


SHAPES = [
    # 30 bins of width 29 / 30: one loss in each.
    pytest.param(range(30), f"0 [{'█' * 30}] 29", id="flat"),
    pytest.param([1, 1, 1, 2], f"1 [█{' ' * 28}▃] 2", id="two"),
    pytest.param([1] * 98 + [1000] * 2, f"1 [█{' ' * 28}▁] 1000, log scale", id="tail"),
    pytest.param([0] + [1] * 97 + [1000] * 2, f"1 [█{' ' * 28}▁] 1000, log scale, 1 at 0 or below", id="zero"),
    pytest.param(
        [0] * 1200 + [1] * 3000 + [1000] * 100, f"1 [█{' ' * 28}▁] 1000, log scale, 1,200 at 0 or below", id="zeros"
    ),
    pytest.param([0, 0, 0, 1], f"0 [█{' ' * 28}▃] 1", id="zero on a linear scale"),
    pytest.param([1.23456789, 2345.6789], f"1.235 [█{' ' * 28}█] 2346, log scale", id="digits"),
    pytest.param([3, 3, 3], None, id="one value"),
    pytest.param([0, 0], None, id="nothing but zeros"),
    pytest.param([5], None, id="one sample"),
]


class TestDistribution:
    @pytest.mark.parametrize(("losses", "line"), SHAPES)
    def test_a_line_of_the_table(self, run, save, losses, line):
        done = run("compute", "l1", save("p.npy", [*losses], float), "0")
        assert (done.code, done.err) == (0, "")
        assert line_of(done.out) == line

    @pytest.mark.parametrize(
        ("chances", "line"),
        [
            ([1, 1 / 2, 1 / 4, 0], f"0 [█{' ' * 14}█{' ' * 13}█] 1.386, 1 infinite"),
            ([1 / 2, 1 / 4, 0, 0, 0], f"0.6931 [█{' ' * 28}█] 1.386, 3 infinite"),
            ([1 / 2, 0], None),
            ([0, 0], None),
        ],
    )
    def test_infinite_losses_are_counted(self, run, save, chances, line):
        done = run(
            "compute", "bce", save("p.npy", chances, float), save("t.npy", [1] * len(chances)), "--from", "probs"
        )
        assert done.code == 0
        assert line_of(done.out) == line

    def test_it_stands_below_the_largest_loss(self, run, save):
        out = run("compute", "l1", save("p.npy", [1.0, 2.0]), "0").out
        names = [line.split("  ")[0] for line in out.splitlines()]
        assert names[names.index("distribution") - 1] == "max"

    def test_it_is_of_the_losses_before_weights_and_without_ignored_rows(self, run, save):
        p, t, w = save("p.npy", [[1.0], [2], [5], [9]]), save("t.npy", [0, 0, 0, -1.0]), save("w.npy", [0.0, 5, 5, 1])
        out = run("compute", "l1", p, t, "--sample-weight", w, "--ignore-index", "-1", "--reduction", "sum").out
        assert line_of(out) == f"1 [█{' ' * 6}█{' ' * 21}█] 5"

    @pytest.mark.parametrize("format", ["json", "jsonl", "csv", "tsv", "markdown", "value"])
    def test_only_the_table_has_it(self, run, save, format):
        done = run("compute", "l1", save("p.npy", [1.0, 2.0]), "0", "-f", format)
        assert done.code == 0
        assert "distribution" not in done.out
        assert "█" not in done.out

    def test_a_terminal_that_is_not_utf_8_gets_ascii(self, process, save):
        p = save("p.npy", [1.0] * 98 + [1000.0] * 2)
        done = process("compute", "l1", p, "0", env={"PYTHONIOENCODING": "ascii"})
        assert done.code == 0
        assert line_of(done.out) == f"1 [@{' ' * 28}.] 1000, log scale"
        assert done.out.isascii()
        assert "\\u" not in done.out

    @pytest.mark.parametrize("encoding", ENCODINGS)
    def test_it_is_one_line_on_a_terminal_of_eighty_columns(self, save, encoding):
        p = save("p.npy", [1.0] * 98 + [1000.0] * 2)
        result = prepare(Request(find("l1").bind(), predictions=p, targets="0")).run()
        table = to_table(result, None, Screen(80, True, encoding))
        full, least = ("█", "▁") if encoding == "utf-8" else ("@", ".")
        assert f"1 [{full}{' ' * 28}{least}] 1000, log scale" in table


def drawing_of(lines: list[str]) -> tuple[list[str], list[str], str, str]:
    """A curve of explain: its labels, its picture, the line below it, and the line of its ends."""
    *rows, frame, ends = lines
    cut = [line.index("|") for line in rows]
    assert len(set(cut)) == 1
    return (
        [line[: cut[0]].strip() for line in rows],
        [line[cut[0] + 1 :] for line in rows],
        frame[cut[0] :],
        ends[cut[0] + 1 :],
    )


# What a loss takes on its natural axis: ends, least and largest value; None where it is cut.
FRAMES = {
    "squared-error": (-3, 3, 0, 9),
    "half-squared-error": (-3, 3, 0, 4.5),
    "absolute-error": (-3, 3, 0, 3),
    "huber": (-3, 3, 0, 2.5),
    "smooth-l1": (-3, 3, 0, 2.5),
    "tukey-biweight": (-5.9, 5.9, 0, 4.6851**2 / 6),
    "hinge": (-3, 3, 0, 4),
    "ctc": (-6, 6, -math.log1p(-0.5 / (1 + math.exp(6))), -math.log1p(-0.5 / (1 + math.exp(-6)))),
    "squared-hinge": (-3, 3, 0, 16),
    "ramp": (-3, 3, 0, 2),
    "logistic": (-3, 3, math.log1p(math.exp(-3)), math.log1p(math.exp(3))),
    "zero-one": (-3, 3, 0, 1),
    "sigmoid-cross-entropy": (-6, 6, math.log1p(math.exp(-6)), math.log1p(math.exp(6))),
    "softmax-cross-entropy": (0, 1, 0, None),
    "kl-divergence": (0, 1, 0, None),
    "softmax-focal": (0, 1, 0, None),
    # The series up to the square is 25 at 6, and 1/2 at -1.
    "taylor-softmax-cross-entropy": (-6, 6, math.log(26 / 25), math.log(3)),
    "neyman-chi-square": (0, 1, 0, 0.75 + 0.75**2 / 0.25),
    "logit-adjusted": (-6, 6, math.log1p(10 * math.exp(-6)), math.log1p(10 * math.exp(6))),
    "center": (0, 3, 0, 4.5),
    "absolute-percentage-error": (-1.5, 3, 0, 3),
    "poisson": (-1.8, 3, 2 - 2 * math.log(2), 0.2 - 2 * math.log(0.2)),
    "gaussian-nll": (-3, 3, 0, 4.5),
    "ranked-probability-score": (0, 1, 0, 1),
    "multiclass-hinge": (-3, 3, 0, 4),
    "listwise-softmax": (-3, 3, math.log1p(math.exp(-3)), math.log1p(math.exp(3))),
    "margin-ranking": (-3, 3, 0, 3),
    "dpo": (-30, 30, math.log1p(math.exp(-3)), math.log1p(math.exp(3))),
    "kto": (-60, 60, 1 / (1 + math.exp(6)), 1 / (1 + math.exp(-6))),
    # Odds of exp(-1) / (1 - exp(-1)) against those of exp(-0.01) and of exp(-4).
    "orpo": (
        -4,
        -0.01,
        0.01 + 0.1 * math.log1p(math.expm1(0.01) / math.expm1(1)),
        4 + 0.1 * math.log1p(math.expm1(4) / math.expm1(1)),
    ),
    "lsgan": (-3, 3, 0, 8),
    "cosine-distance": (0, 2, 0, 2),
    "cosine-embedding": (0, 2, 0, 1),
    "contrastive": (0, 2, 0, 0.5),
    "triplet": (0, 2, 0, 2),
    "normalized-softmax": (0, 2, math.log1p(math.exp(-20)), math.log1p(math.exp(20))),
    # Cosines with the positive and the negative: 1 and 0 at one end, and 0 and 1 at the other.
    "multi-similarity": (
        0,
        1,
        math.log1p(math.exp(-1)) / 2 + math.log1p(math.exp(-25)) / 50,
        math.log1p(math.exp(1)) / 2 + math.log1p(math.exp(25)) / 50,
    ),
    "n-pairs": (0, 1, math.log1p(math.exp(-1)), math.log1p(math.exp(1))),
    # The other row's features are at a right angle to the target throughout.
    "clip": (
        0,
        1,
        math.log1p(math.exp(-1 / 0.07)),
        (math.log1p(math.exp(1 / 0.07)) + math.log(2)) / 2,
    ),
    "proxy-nca": (0, 1, -2, 2),
    "batch-hard-triplet": (0, 1, 0, 2),
    "batch-all-triplet": (0, 1, 0, 2),
    "dice": (0, 1, 0.5 / 4, 1.5 / 3),
    "lovasz-hinge": (-3, 3, 0, 2),
    # Of one class p and 1/4 against 1 and 0, and of the other 1 - p and 3/4 against 0 and 1.
    "generalized-dice": (0, 1, 0.125, 0.625),
    # The Lovász extension of both classes: (1 + 5/8) / 2 down to (1/8 + 1/4) / 2.
    "lovasz-softmax": (0, 1, 0.1875, 0.8125),
    # Each row and each column has one positive and one negative.
    "two-way": (
        -6,
        6,
        math.log1p(math.exp(-2)) + math.log1p(math.exp(-7)),
        math.log1p(math.exp(-2)) + math.log1p(math.exp(5)),
    ),
    "cox": (-3, 3, math.log(2 + 4 * math.exp(-3)), math.log(2 + 4 * math.exp(3))),
    "weighted-percentage-error": (-3, 3, 1 / 3, 4 / 3),
    "laplace-nll": (-3, 3, math.log(2), math.log(2) + 3),
    # Of two failures, of which the probability is y**2 / (1 + y)**3.
    "negative-binomial-nll": (-1.8, 3, 3 * math.log(3) - 2 * math.log(2), 3 * math.log(1.2) - 2 * math.log(0.2)),
    "interval-score": (-3, 3, 2, 2 + 2 / 0.05 * 2),
    "multi-quantile": (-3, 3, 0.2 / 3, (0.1 * 4 + 0.5 * 3 + 0.9 * 2) / 3),
    "weighted-quantile": (-3, 3, 2 * (0.2 + 0.2) / 3 / 3, 2 * (3.7 + 0.2) / 3 / 3),
    "root-scaled-error": (-3, 3, math.sqrt(1 / 2), math.sqrt(10 / 2)),
    "max-error": (-3, 3, 1, 3),
    "iou": (0, 3, 0, 1),
    "coral": (-6, 6, math.log1p(math.exp(-6)), math.log1p(math.exp(6))),
    "crps": (-3, 3, 1 / 9, 3 - 2 / 9),
    # Members (-1/2, 1/2), (0, 0) and (1/2, -1/2) around (r, 0), which are sqrt(1/2), sqrt(1/2) and sqrt(2) apart.
    "energy-score": (
        -3,
        3,
        math.sqrt(2) / 9,
        (math.hypot(2.5, 0.5) + 3 + math.hypot(3.5, 0.5)) / 3 - 2 * math.sqrt(2) / 9,
    ),
}


class TestExplainsCurve:
    @pytest.mark.parametrize(
        ("name", "encoding"), [*((name, "utf-8") for name in LOSSES), *((name, "ascii") for name in FIRST)]
    )
    def test_every_dot_is_on_the_loss(self, name, encoding):
        loss = LOSSES[name]
        bound = loss.bind()
        over, axis = next(iter(loss.family.axes.items()))
        words, lines = catalogue.curve(loss.bind(), encoding)
        assert words.startswith(f"loss over the {axis.label}")
        labels, rows, frame, ends = drawing_of(lines)
        low, high = map(float, ends.split())
        bottom, top = float(labels[-1]), float(labels[0])
        assert labels[1:-1] == [""] * 6
        assert frame == "+" + "-" * 60
        assert max(map(len, rows)) <= len(ends) == 60
        shown = dots(rows, 60, encoding)[::-1]
        places = np.linspace(low, high, shown.shape[1])
        seen = endless = 0
        for x, column in zip(places[::3], shown.T[::3], strict=True):
            value = float(true(bound, over, float(x))[0])
            found = np.flatnonzero(column)
            endless += value == np.inf
            if value > top * 1.05:
                assert not len(found), x
                continue
            seen += len(found) > 0
            row = (value - bottom) / (top - bottom) * (len(shown) - 1)
            if value < top * 0.95 or len(found):
                assert found.min() - 1 <= row <= found.max() + 1, x
        assert seen > 0.9 * (len(places[::3]) - endless)

    @pytest.mark.parametrize("encoding", ENCODINGS)
    @pytest.mark.parametrize("name", FRAMES)
    def test_ends_and_extremes_by_hand(self, name, encoding):
        labels, rows, _, ends = drawing_of(catalogue.curve(LOSSES[name].bind(), encoding)[1])
        low, high, least, most = FRAMES[name]
        assert [float(word) for word in ends.split()] == [low, high]
        assert float(labels[-1]) == pytest.approx(least, rel=1e-3)
        shown = dots(rows, 60, encoding)
        assert shown[-1].any()
        if most is not None:
            assert float(labels[0]) == pytest.approx(most, rel=1e-3)
            assert shown[0].any()
        else:
            # Cut, but not below what it takes at 0.05.
            at = true(LOSSES[name].bind(), "probability", 0.05)[0]
            assert at < float(labels[0]) < 7

    def test_a_loss_of_each_family_has_a_frame_of_the_test(self):
        # Of three views, and of the variances of two, nobody knows by hand where the least value is.
        assert set(FAMILIES) - {LOSSES[name].family.name for name in FRAMES} == {"views", "two-views"}

    def test_parameters_are_named(self):
        assert catalogue.curve(LOSSES["huber"].bind(), "ascii")[0].endswith("; delta = 1")
        assert catalogue.curve(LOSSES["sigmoid-focal"].bind(), "ascii")[0].endswith("; gamma = 2")
        assert ";" not in catalogue.curve(LOSSES["hinge"].bind(), "ascii")[0]

    def test_it_is_a_section_of_explain(self, run):
        for name in ("huber", "softmax-focal"):
            lines = run("explain", name).out.splitlines()
            words, drawn = catalogue.curve(LOSSES[name].bind(), "utf-8")
            start = lines.index("Curve")
            assert lines[start + 1] == f"  {words}"
            assert lines[start + 2 : start + 2 + len(drawn)] == [f"  {line}".rstrip() for line in drawn]

    def test_ascii_where_the_terminal_is_not_utf_8(self, process):
        done = process("explain", "tukey", env={"PYTHONIOENCODING": "ascii"})
        assert done.code == 0
        assert done.out.isascii()
        assert "\\u" not in done.out
        lines = [f"  {line}".rstrip() for line in catalogue.curve(LOSSES["tukey-biweight"].bind(), "ascii")[1]]
        assert [line for line in lines if line not in done.out.splitlines()] == []
        assert sum(line.count("*") for line in lines) >= 60

    @pytest.mark.parametrize(
        ("name", "breaks", "words"),
        [
            ("huber", ["-delta", "delta"], "  at r = -delta, delta"),
            ("tukey", ["-c", "c"], "  at r = -c, c"),
            ("hinge", ["1"], "  at m = 1"),
            ("ramp", ["s", "1"], "  at m = s, 1"),
            ("zero-one", ["0"], "  at m = 0"),
            ("mse", [], None),
            ("bce", [], None),
        ],
    )
    def test_breaks_are_named(self, run, name, breaks, words):
        assert json.loads(run("explain", name, "-f", "json").out)["breaks"] == breaks
        lines = run("explain", name).out.splitlines()
        if words is None:
            assert "Changes its form" not in lines
        else:
            assert lines[lines.index("Changes its form") + 1] == words

    @pytest.mark.parametrize(
        ("name", "axes"),
        [
            ("mse", ["residual"]),
            ("hinge", ["margin"]),
            ("bce", ["logit", "probability", "margin"]),
            ("ce", ["probability", "logit"]),
            ("center", ["distance"]),
        ],
    )
    def test_axes_are_listed(self, run, name, axes):
        assert json.loads(run("explain", name, "-f", "json").out)["axes"] == axes


class TestSeries:
    """A curve of numbers, one character for each."""

    @pytest.mark.parametrize(
        ("values", "breaks", "expected"),
        [
            ([0, 1, 2, 3, 4, 5, 6, 7], [], "▁▂▃▄▅▆▇█"),
            ([5, 5, 5], [], "▅▅▅"),
            ([1, None, math.nan, math.inf, 2], [], "▁??^█"),
            ([1, 2, 10, 30], [2], "▁█|▁█"),
            ([-1e308, 0, 1e308], [], "▁▅█"),
            ([3], [], "▅"),
            ([None], [], "?"),
        ],
    )
    def test_rises_from_the_smallest_to_the_largest(self, values, breaks, expected):
        assert sketch.series(values, [True] * len(values), breaks, "utf-8") == expected

    def test_shows_the_first_and_the_last_of_many_and_every_break(self):
        text = sketch.series(list(range(1000)), [True] * 1000, [500], "utf-8")
        assert len(text) == sketch.MOST_POINTS + 1
        assert (text[0], text[-1], text.count("|")) == ("▁", "█", 1)

    def test_in_ascii(self):
        assert sketch.series([0, 7, None], [True, True, False], [], "ascii") == ".@_"
