"""`losscli compute` of every loss through the command line."""

import math

import pytest
from by_hand import LOG2, binary, cross_entropy, near, probabilities, sigmoid

ONE_SAMPLE = [
    ("squared-error", "", 3, 1, 4),
    ("half-squared-error", "", 3, 1, 2),
    ("absolute-error", "", -1, 1, 2),
    ("huber", "", 3, 1, 1.5),
    ("huber", "", 1.5, 1, 0.125),
    ("huber", "--delta 3", 3, 1, 2),
    ("huber", "--delta 0.5", 3, 1, 0.5 * (2 - 0.25)),
    ("smooth-l1", "", 3, 1, 1.5),
    ("smooth-l1", "--beta 0.5", 3, 1, 1.75),
    ("smooth-l1", "--beta 4", 3, 1, 0.5),
    ("tukey-biweight", "", 100, 0, 4.6851**2 / 6),
    ("tukey-biweight", "--c 2", 1, 0, 4 / 6 * (1 - 0.75**3)),
    ("hinge", "", 0.5, 1, 0.5),
    ("hinge", "", 0.5, 0, 1.5),
    ("hinge", "", 0.5, -1, 1.5),
    ("hinge", "", 2, 1, 0),
    ("squared-hinge", "", 0.5, 0, 2.25),
    ("ramp", "", -5, 1, 2),
    ("ramp", "--s 0", -5, 1, 1),
    ("ramp", "--s=-3", -2, 1, 3),
    ("ramp", "--s -3", -2, 1, 3),
    ("sigmoid-cross-entropy", "", 1.5, 1, binary(1.5, 1)),
    ("sigmoid-cross-entropy", "", 1.5, 0, binary(1.5, 0)),
    ("sigmoid-cross-entropy", "", 1.5, -1, binary(1.5, 0)),
    ("sigmoid-cross-entropy", "", 1.5, 0.25, binary(1.5, 0.25)),
    ("sigmoid-cross-entropy", "--from probs", 0.25, 1, math.log(4)),
    ("sigmoid-cross-entropy", "--from log-probs", math.log(0.25), 1, math.log(4)),
    ("sigmoid-cross-entropy", "--from log-probs", math.log(0.25), 0, -math.log(0.75)),
    ("sigmoid-cross-entropy", "--pos-weight 3", 0, 1, 3 * LOG2),
    ("sigmoid-cross-entropy", "--pos-weight 3", 0, 0, LOG2),
    ("sigmoid-focal", "", 0, 1, 0.25 * LOG2),
    ("sigmoid-focal", "--gamma 0", 0, 1, LOG2),
    ("sigmoid-focal", "--gamma 1", 1.5, 1, (1 - sigmoid(1.5)) * binary(1.5, 1)),
    ("sigmoid-focal", "--alpha 0.25", 0, 1, 0.25 * 0.25 * LOG2),
    ("sigmoid-focal", "--alpha 0.25", 0, 0, 0.75 * 0.25 * LOG2),
    ("sigmoid-focal", "--gamma 2", 0, 0.25, 0.25 * LOG2),
]


class TestLosses:
    @pytest.mark.parametrize(("loss", "options", "prediction", "target", "expected"), ONE_SAMPLE)
    def test_one_sample(self, compute, save, loss, options, prediction, target, expected):
        p, t = save("p.npy", [float(prediction)]), save("t.npy", [float(target)])
        assert compute(loss, p, t, *options.split(), "-f", "value").value == near(expected)

    @pytest.mark.parametrize(
        ("loss", "options", "target", "expected"),
        [
            ("softmax-cross-entropy", "", [0, 1, 0], cross_entropy([1, 2, 4], 1)),
            ("kl-divergence", "", [0, 1, 0], cross_entropy([1, 2, 4], 1)),
            ("softmax-focal", "--gamma 0", [0, 1, 0], cross_entropy([1, 2, 4], 1)),
            ("softmax-focal", "", [0, 1, 0], (1 - probabilities([1, 2, 4])[1]) ** 2 * cross_entropy([1, 2, 4], 1)),
            (
                "softmax-focal",
                "--gamma 1",
                [0.5, 0.5, 0],
                sum(0.5 * (1 - probabilities([1, 2, 4])[k]) * cross_entropy([1, 2, 4], k) for k in (0, 1)),
            ),
            (
                "softmax-cross-entropy",
                "",
                [0.5, 0.25, 0.25],
                sum(t * cross_entropy([1, 2, 4], k) for k, t in enumerate([0.5, 0.25, 0.25])),
            ),
            (
                "kl-divergence",
                "",
                [0.5, 0.25, 0.25],
                sum(t * (math.log(t) + cross_entropy([1, 2, 4], k)) for k, t in enumerate([0.5, 0.25, 0.25])),
            ),
        ],
    )
    def test_softmax_losses_of_one_row(self, compute, save, loss, options, target, expected):
        p, t = save("p.npy", [[1.0, 2.0, 4.0]]), save("t.npy", [target])
        assert compute(loss, p, t, *options.split(), "-f", "value").value == near(expected)

    def test_center_is_half_the_squared_distance_summed_over_the_features(self, compute, save):
        x, y = save("x.npy", [[1.0, 2.0], [0.0, 5.0]]), save("y.npy", [1, 0])
        c = save("c.npy", [[0.0, 1.0], [4.0, 6.0]])
        rows = compute("center", x, y, "--centers", c, "-f", "jsonl").lines
        assert [row["loss"] for row in rows] == [(9 + 16) / 2, 16 / 2]

    def test_center_without_centers_says_what_is_missing(self, compute, save):
        x, y = save("x.npy", [[1.0, 2.0]]), save("y.npy", [0])
        compute("center", x, y).refuses(2, "--centers")

    def test_centers_of_a_table_are_found_by_the_class_s_name(self, compute, write):
        x = write("x.csv", "id,x,y\na,1,2\nb,0,5\n")
        y = write("y.csv", "id,label\na,dog\nb,cat\n")
        c = write("c.csv", "class,x,y\ncat,0,1\ndog,4,6\n")
        rows = compute("center", x, y, "--centers", c, "--id", "id", "-f", "jsonl").lines
        assert [row["loss"] for row in rows] == [12.5, 8.0]

    @pytest.mark.parametrize(
        ("alias", "name"),
        [
            ("mse", "squared-error"),
            ("mean-squared-error", "squared-error"),
            ("l2", "half-squared-error"),
            ("l2-loss", "half-squared-error"),
            ("l1", "absolute-error"),
            ("mae", "absolute-error"),
            ("mean-absolute-error", "absolute-error"),
            ("tukey", "tukey-biweight"),
            ("biweight", "tukey-biweight"),
            ("bce", "sigmoid-cross-entropy"),
            ("binary-cross-entropy", "sigmoid-cross-entropy"),
            ("binary-crossentropy", "sigmoid-cross-entropy"),
            ("bce-with-logits", "sigmoid-cross-entropy"),
            ("binary-focal", "sigmoid-focal"),
            ("focal", "sigmoid-focal"),
            ("squared_error", "squared-error"),
            ("Mean_Squared-Error", "squared-error"),
            ("SMOOTH_L1", "smooth-l1"),
        ],
    )
    def test_an_alias_is_as_good_as_the_name(self, compute, save, alias, name):
        p, t = save("p.npy", [0.5, -0.5]), save("t.npy", [1, 0])
        assert compute(alias, p, t).json["loss"] == name

    @pytest.mark.parametrize(
        ("alias", "name"),
        [
            ("ce", "softmax-cross-entropy"),
            ("cross-entropy", "softmax-cross-entropy"),
            ("categorical-crossentropy", "softmax-cross-entropy"),
            ("sparse-categorical-crossentropy", "softmax-cross-entropy"),
            ("sparse-softmax-cross-entropy", "softmax-cross-entropy"),
            ("sparse_softmax_cross_entropy", "softmax-cross-entropy"),
            ("kl", "kl-divergence"),
            ("kullback-leibler", "kl-divergence"),
            ("categorical-focal", "softmax-focal"),
            ("sparse-focal", "softmax-focal"),
        ],
    )
    def test_an_alias_of_a_softmax_loss(self, compute, tiny, alias, name):
        assert compute(alias, *tiny).json["loss"] == name

    @pytest.mark.parametrize("alias", ["center-loss", "center_loss"])
    def test_an_alias_of_center(self, compute, save, alias):
        x, y, c = save("x.npy", [[1.0]] * 2), save("y.npy", [0, 0]), save("c.npy", [[3.0]])
        assert compute(alias, x, y, "--centers", c).json["loss"] == "center"

    @pytest.mark.parametrize("name", ["nll", "log-loss", "log_loss"])
    def test_a_name_with_several_meanings_is_refused_with_the_choices(self, compute, tiny, name):
        compute(name, *tiny).refuses(2, "sigmoid-cross-entropy", "softmax-cross-entropy")

    @pytest.mark.parametrize(
        ("name", "meant"), [("hubber", "huber"), ("softmax-cross-entrpy", "softmax-cross-entropy")]
    )
    def test_a_misspelt_name_is_answered_with_the_nearest(self, compute, tiny, name, meant):
        compute(name, *tiny).refuses(2, name, f"did you mean {meant}?")


class TestSpecs:
    @pytest.mark.parametrize(
        ("spec", "expected"),
        [
            ("huber:delta=2", (0.5 + 8) / 2),
            ("huber:delta=2.0", (0.5 + 8) / 2),
            ("mse", 13),
            ("smooth-l1:beta=0.5", (0.75 + 4.75) / 2),
            ("own.py:mine:c=3", 9),
            ("own.py:mine", 3),
        ],
    )
    def test_a_spec_may_stand_for_a_loss(self, compute, save, write, spec, expected):
        write("own.py", "def mine(prediction, target, c=1):\n    return abs(prediction - target) * c\n")
        p, t = save("p.npy", [1.0, 5.0]), save("t.npy", [0.0, 0.0])
        assert compute(spec, p, t, "-f", "value").value == near(expected)

    def test_none_is_the_default_of_a_parameter_that_may_be_none(self, compute, save):
        p, t = save("p.npy", [0.0]), save("t.npy", [1.0])
        assert compute("focal:alpha=none:gamma=1", p, t, "-f", "value").value == near(0.5 * LOG2)

    @pytest.mark.parametrize(
        ("spec", "said"),
        [
            ("huber:delta=1,2", "is 2 losses; say one value for each parameter"),
            ("huber:dleta=2", "did you mean delta?"),
            ("huber:delta=-1", "delta=-1 is not in (0, inf)"),
            ("huber:delta=x", "is not a number"),
            ("reg:squarederror", "another program's name"),
        ],
    )
    def test_what_is_no_spec_of_one_loss(self, run, spec, said):
        done = run("compute", spec, "p.npy", "t.npy")
        assert (done.code, said in done.err) == (2, True), done.err

    def test_an_option_beside_the_same_parameter(self, run):
        assert "--delta is given twice" in run("compute", "huber:delta=2", "p.npy", "t.npy", "--delta", "3").err


@pytest.mark.parametrize("again", ["a.csv", "./a.csv"])
def test_a_file_is_one_output_only(run, save, tmp_path, again):
    p = save("p.npy", [1.0, 2.0])
    run("compute", "mse", p, "0", "-o", "a.csv", "--gradient", again).refuses(2, again, "two outputs")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.npy"]
