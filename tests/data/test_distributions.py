"""Targets that are distributions, given as logits, probabilities or log-probabilities, and losses at a temperature."""

import math

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose

import losscli
from losscli.losses import LOSSES

STUDENT = [[2.0, -1.0, 0.5], [0.25, 3.0, -2.0]]
TEACHER = [[1.0, 0.0, -0.5], [-1.0, 2.5, 0.75]]
T = 3.0
TORCH = {
    "kl": (
        0.729186449428612,
        [
            [0.11402106621508677, -0.18317833872766132, 0.06915727251257445],
            [0.12765559611362776, 0.1417731557660124, -0.26942875187964016],
        ],
    ),
    "ce": (
        1.1161956104353754,
        [
            [0.012669007357231865, -0.020353148747517924, 0.007684141390286049],
            [0.014183955123736417, 0.015752572862890262, -0.029936527986626688],
        ],
    ),
    "smoothed": (
        1.1297916869612918,
        [
            [0.014287890916880689, -0.02076799404122423, 0.0064801031243435225],
            [0.011404663186213623, 0.019112350883952245, -0.030517014070165882],
        ],
    ),
    "labels": (
        0.5716008201389833,
        [
            [-0.082253268157391, 0.031053953870974593, 0.05119931428641639],
            [0.04194659130406405, -0.061760758037601005, 0.019814166733536958],
        ],
    ),
    "bce": (
        6.314137983691843,
        [
            [0.03909308115175125, -0.04128510323115736, 0.04157048321679988],
            [0.051695745917528846, 0.01699964733229875, -0.11146643482580763],
        ],
    ),
}
"""What PyTorch 2.13.0 computed of STUDENT (s) and TEACHER (t) in float64, mean and gradient by s:

kl: F.kl_div(F.log_softmax(s / T, -1), F.softmax(t / T, -1), reduction='batchmean') * T * T
ce: F.cross_entropy(s / T, F.softmax(t / T, -1)); smoothed: with label_smoothing=0.1; labels: of [0, 1] instead of t
bce: F.binary_cross_entropy_with_logits(s / T, torch.sigmoid(t / T)) * T * T
"""


def softmax(z, temperature=1.0):
    e = np.exp(np.asarray(z, np.float64) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-np.asarray(z, np.float64)))


def given_as(kind, z, over_classes=True):
    """Logits as predictions or targets of a kind."""
    p = softmax(z) if over_classes else sigmoid(z)
    return {"logits": np.asarray(z, np.float64), "probs": p, "log-probs": np.log(p)}[kind]


@pytest.mark.parametrize(
    ("name", "loss", "options"),
    [
        ("kl", "kl", {"targets_from": "logits", "temperature": T, "temperature_squared": True}),
        ("ce", "ce", {"targets_from": "logits", "temperature": T}),
        ("smoothed", "ce", {"targets_from": "logits", "temperature": T, "label_smoothing": 0.1}),
        ("labels", "ce", {"temperature": T}),
        ("bce", "bce", {"targets_from": "logits", "temperature": T, "temperature_squared": True}),
    ],
)
def test_numbers_of_pytorch(name, loss, options):
    targets = [0, 1] if name == "labels" else TEACHER
    found = losscli.compute(loss, STUDENT, targets, gradient=True, **options)
    value, slopes = TORCH[name]
    assert found.value == pytest.approx(value, rel=1e-14)
    assert_allclose(found.gradient / len(STUDENT), slopes, rtol=1e-13)
    single = losscli.compute(loss, np.float32(STUDENT), np.asarray(targets), gradient=True, **options)
    assert single.gradient.dtype == np.float32
    assert single.value == pytest.approx(value, rel=1e-6)


@pytest.mark.quick
def test_the_command_line(compute, save):
    words = ("--targets-from", "logits", "--temperature", "3", "--temperature-squared")
    found = compute("kl", save("s.npy", STUDENT), save("t.npy", TEACHER), *words, "--gradient", "g.npy")
    assert found.json["value"] == pytest.approx(TORCH["kl"][0], rel=1e-14)
    assert_allclose(np.load("g.npy") / 2, TORCH["kl"][1], rtol=1e-13)
    receipt = found.json["receipt"]
    assert (receipt["targets_from"], receipt["temperature"], receipt["temperature_squared"]) == ("logits", 3, True)
    assert "|targets:soft|targets-from:logits|temperature:3|temperature-squared:yes|" in found.json["signature"]
    plain = compute("kl", "s.npy", save("p.npy", softmax(TEACHER)))
    assert not {"targets_from", "temperature", "temperature_squared"} & plain.json["receipt"].keys()
    assert "temperature" not in plain.json["signature"]


@pytest.mark.parametrize("loss", ["kl", "ce", "brier", "jensen-shannon", "rps", "emd", "bce", "sigmoid-brier"])
@pytest.mark.parametrize("kind", ["logits", "probs", "log-probs"])
def test_targets_of_every_kind_are_the_same_targets(loss, kind):
    over_classes = LOSSES[losscli.explain(loss)["name"]].family.target_type == "classes"
    right = losscli.compute(loss, STUDENT, given_as("probs", TEACHER, over_classes))
    found = losscli.compute(loss, STUDENT, given_as(kind, TEACHER, over_classes), targets_from=kind)
    assert_allclose(found.losses, right.losses, rtol=1e-12, atol=1e-15)
    assert found.receipt["targets"]["kind"] == "soft"


@pytest.mark.parametrize("kind", ["logits", "probs", "log-probs"])
def test_the_temperature_is_that_of_the_targets_too(kind):
    found = losscli.compute("kl", STUDENT, given_as(kind, TEACHER), targets_from=kind, temperature=T)
    assert found.value == pytest.approx(TORCH["kl"][0] / T**2, rel=1e-13)
    found = losscli.compute("bce", STUDENT, given_as(kind, TEACHER, False), targets_from=kind, temperature=T)
    assert found.value == pytest.approx(TORCH["bce"][0] / T**2, rel=1e-13)


def test_targets_of_no_kind_have_no_temperature():
    found = losscli.compute("ce", STUDENT, softmax(TEACHER, T), temperature=T)
    assert found.value == pytest.approx(TORCH["ce"][0], rel=1e-14)


def losses_of(target_type):
    return [
        name for name, one in LOSSES.items() if one.family.takes_distributions and one.family.target_type == target_type
    ]


def labels_and_soft(loss):
    family = LOSSES[loss].family
    if family.target_type != "classes":
        return [np.array([[0, 1, 0], [1, 0, 1]]), sigmoid(TEACHER)]
    return [softmax(TEACHER)] if family.soft else [np.array([1, 2]), softmax(TEACHER)]


def counts(loss):
    """The counts of three classes, for losses that need them."""
    return {"class_counts": [50, 3, 20]} if LOSSES[loss].family.takes_class_counts else {}


ALL = losses_of("classes") + losses_of("outcomes")


@pytest.mark.parametrize("loss", ALL)
@pytest.mark.parametrize("temperature", [0.5, 4.0])
def test_every_loss_at_a_temperature_is_that_of_divided_logits(loss, temperature):
    over_classes = LOSSES[loss].family.target_type == "classes"
    for targets in labels_and_soft(loss):
        right = losscli.compute(loss, np.array(STUDENT) / temperature, targets, gradient=True, **counts(loss))
        for kind in ("logits", "probs", "log-probs"):
            x = given_as(kind, STUDENT, over_classes)
            options = {"from_": kind, "temperature": temperature, "gradient": True, **counts(loss)}
            found = losscli.compute(loss, x, targets, **options)
            assert_allclose(found.losses, right.losses, rtol=1e-10, atol=1e-14)
            if kind == "logits":
                assert_allclose(found.gradient, right.gradient / temperature, rtol=1e-12, atol=1e-15)
            elif not over_classes:
                p = sigmoid(STUDENT)
                scale = p * (1 - p) if kind == "probs" else 1 - p
                assert_allclose(found.gradient, right.gradient / temperature / scale, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("loss", losses_of("classes"))
@pytest.mark.parametrize("kind", ["probs", "log-probs"])
def test_gradients_by_probabilities_are_differences(loss, kind):
    # Along lines on which the probabilities of a row keep their sum, since others are refused.
    p, step = softmax(STUDENT), 1e-6
    for line in ([1, -1, 0], [0, 1, -1]):
        for targets in labels_and_soft(loss):
            ahead, behind = (
                losscli.compute(
                    loss,
                    p + sign * step * np.array(line) if kind == "probs" else np.log(p + sign * step * np.array(line)),
                    targets,
                    from_=kind,
                    temperature=2.5,
                    **counts(loss),
                ).losses
                for sign in (1, -1)
            )
            x = p if kind == "probs" else np.log(p)
            options = {"from_": kind, "temperature": 2.5, "gradient": True, **counts(loss)}
            gradient = losscli.compute(loss, x, targets, **options).gradient
            moved = gradient if kind == "probs" else gradient / p
            assert_allclose(moved @ line, (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 20.0])
def test_sixty_digits(temperature):
    z = np.array([[600.0, -30.0, 3.0], [1e-8, 0.0, -1e-8], [40.0, 39.0, -600.0]])
    t = softmax([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0], [1.0, 0.5, 0.0]])
    with mpmath.workdps(60):
        for kind in ("logits", "log-probs", "probs"):
            x = z if kind == "logits" else z - z.max(axis=1, keepdims=True)
            x = x if kind == "logits" else x - np.log(np.exp(x).sum(axis=1, keepdims=True))
            x = np.exp(x) if kind == "probs" else x
            found = losscli.compute("ce", x, t, from_=kind, temperature=temperature, gradient=True)
            for row in range(3):
                given = [mpmath.mpf(float(number)) for number in x[row]]
                u = [(mpmath.log(one) if one else mpmath.ninf) if kind == "probs" else one for one in given]
                e = [mpmath.exp(one / mpmath.mpf(temperature)) for one in u]
                p = [one / sum(e) for one in e]
                if all(p):
                    right = -sum(mpmath.mpf(float(a)) * mpmath.log(b) for a, b in zip(t[row], p, strict=True))
                    assert found.losses[row] == pytest.approx(float(right), rel=1e-14)
                total = sum(mpmath.mpf(float(a)) for a in t[row])
                for i in range(3):
                    slope = (p[i] * total - mpmath.mpf(float(t[row][i]))) / mpmath.mpf(temperature)
                    if kind == "probs":
                        slope = slope / given[i] if given[i] else mpmath.ninf
                    assert found.gradient[row, i] == pytest.approx(float(slope), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 20.0])
def test_sixty_digits_of_outcomes(temperature):
    z = np.array([700.0, 30.0, 1e-9, -1e-9, 0.25, -20.0, -700.0])
    t = np.array([0.25, 0.5, 0.75, 0.5, 0.1, 0.9, 0.3])
    with mpmath.workdps(60):
        for kind in ("logits", "log-probs", "probs"):
            p = sigmoid(z)
            x = {"logits": z, "probs": p, "log-probs": np.minimum(z, 0) - np.log1p(np.exp(-np.abs(z)))}[kind]
            used = np.flatnonzero((x != 1) if kind == "probs" else (x != 0) | (kind == "logits"))
            found = losscli.compute("bce", x[used], t[used], from_=kind, temperature=temperature, gradient=True)
            for at, row in enumerate(used):
                given, target, heat = (mpmath.mpf(float(one)) for one in (x[row], t[row], temperature))
                if kind == "logits":
                    p, q = 1 / (1 + mpmath.exp(-given)), 1 / (1 + mpmath.exp(given))
                else:
                    p, q = (given, 1 - given) if kind == "probs" else (mpmath.exp(given), -mpmath.expm1(given))
                own, other = (1 / (1 + (b / a) ** (1 / heat)) for a, b in ((p, q), (q, p)))
                right = -target * mpmath.log(own) - (1 - target) * mpmath.log(other)
                scale = {"logits": 1, "probs": p * q, "log-probs": q}[kind]
                slope = (own - target) / heat / scale
                assert found.losses[at] == pytest.approx(float(right), rel=1e-14, abs=0)
                assert found.gradient[at] == pytest.approx(float(slope), rel=1e-11, abs=0)


@pytest.mark.parametrize(("temperature", "steep"), [(0.5, 0.0), (2.0, math.inf)])
def test_gradients_at_probabilities_of_0(temperature, steep):
    # d/dp of p**(1/T) at p = 0 is 0 for T < 1 and inf for T > 1; what is impossible and expected has a loss of inf.
    options = {"from_": "probs", "temperature": temperature, "gradient": True}
    found = losscli.compute("ce", [[0.0, 0.25, 0.75], [0.0, 0.5, 0.5]], [[0, 1, 0], [0, 0.5, 0.5]], **options)
    assert found.gradient[:, 0].tolist() == [steep, steep]
    assert np.isfinite(found.losses).all()
    found = losscli.compute("brier", [[0.0, 0.25, 0.75], [0.0, 0.25, 0.75]], [[0.0, 0, 1], [1, 0, 0]], **options)
    p = np.array([0.25, 0.75]) ** (1 / temperature)
    p /= p.sum()
    others = [2 * (p[0] * p[0] + p[1] * (p[1] - 1)), 2 * (p[0] * p[0] + p[1] * p[1])]
    right = [(0 - others[0]) * steep if steep else 0, (-2 - others[1]) * steep if steep else 0]
    assert found.gradient[:, 0].tolist() == right
    with pytest.warns(losscli.LosscliWarning, match="exactly 0"):
        found = losscli.compute("ce", [[0.0, 1.0, 0.0]], [0], **options)
    assert found.losses.tolist() == [math.inf]
    assert found.gradient[0, 0] == -math.inf
    found = losscli.compute("bce", [0.0, 1.0], [0, 1], **options)
    assert found.losses.tolist() == [0, 0]
    assert found.gradient.tolist() == [steep, -steep]
    found = losscli.compute("bce", [-math.inf, 0.0], [0, 1], **options | {"from_": "log-probs"})
    assert found.gradient.tolist() == [0, -steep]
    found = losscli.compute("sigmoid-brier", [0.0, 1.0], [0, 1], **options)
    assert found.gradient.tolist() == [0, 0]


def test_a_temperature_of_1_changes_nothing():
    for kind in ("logits", "probs", "log-probs"):
        x = given_as(kind, STUDENT)
        plain = losscli.compute("ce", x, [0, 1], from_=kind, gradient=True)
        found = losscli.compute("ce", x, [0, 1], from_=kind, gradient=True, temperature=1)
        assert found.losses.tolist() == plain.losses.tolist()
        assert found.gradient.tolist() == plain.gradient.tolist()


def test_masked_logits_are_probabilities_of_0():
    found = losscli.compute("ce", STUDENT, [[0.0, -math.inf, 0.0], [-math.inf, 5.0, -math.inf]], targets_from="logits")
    right = losscli.compute("ce", STUDENT, [[0.5, 0, 0.5], [0, 1, 0]])
    assert_allclose(found.losses, right.losses, rtol=1e-15)
    found = losscli.compute("ce", STUDENT, [[math.inf, 7.0, 0.0], [0.0, math.inf, -3.0]], targets_from="logits")
    assert_allclose(found.losses, losscli.compute("ce", STUDENT, [0, 1]).losses, rtol=1e-15)


def test_large_logits_of_targets_do_not_overflow():
    found = losscli.compute("kl", [[1.0, 0.0]], [[100_000.0, 99_999.0]], targets_from="logits")
    assert found.value == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("kind", "targets", "words"),
    [
        ("logits", [[0, 1, 2], [np.nan, 0, 0]], "t.npy[1, 0]: nan is not a logit"),
        ("logits", [[0, 1, 2], [-np.inf] * 3], "t.npy[1]: the targets of the row have no softmax"),
        ("logits", [[np.inf, np.inf, 2], [0, 0, 0]], "t.npy[0]: the targets of the row have no softmax"),
        ("probs", [[0.5, 0.5, 0], [1.5, -0.5, 0]], "t.npy[1, 0]: 1.5 is not a probability"),
        (
            "probs",
            [[0.5, 0.5, 0], [0.5, 0.25, 0]],
            "t.npy[1]: the targets of the row are of probabilities that sum to 0.75",
        ),
        ("log-probs", [[0.5, 0.5, 0], [0, 0, 0]], "t.npy[0, 0]: 0.5 is not a log-probability"),
        (
            "log-probs",
            [[-1, -1, -1], [-1, -1, -1]],
            "t.npy[0]: the targets of the row are of probabilities that sum to 1.10364",
        ),
    ],
)
def test_what_is_no_distribution(run, save, kind, targets, words):
    for more in ((), ("--temperature", "2")):
        found = run(
            "compute", "ce", save("s.npy", STUDENT), save("t.npy", targets, float), "--targets-from", kind, *more
        )
        assert (found.code, words in found.err) == (3, True)
        assert len(found.err.splitlines()) == 1


def test_labels_are_no_distributions(run, save):
    for labels in ([0, 1], [[0], [1]]):
        found = run("compute", "ce", save("s.npy", STUDENT), save("y.npy", labels), "--targets-from", "logits")
        assert found.code == 3
        assert "takes one column for each of 3 classes; if these are labels, leave it out" in found.err
    found = run("compute", "bce", "s.npy", save("y.npy", [0, 1]), "--targets-from", "logits")
    assert found.code == 3
    for option in (("--ignore-index", "0"), ("--label-base", "1")):
        found = run("compute", "ce", "s.npy", save("t.npy", TEACHER), "--targets-from", "logits", *option)
        assert found.code == 2
        assert "is for labels" in found.err


def test_faults_of_predictions_are_seen_as_they_were_read(run, save):
    targets = save("t.npy", TEACHER)
    words = ("--targets-from", "logits", "--temperature", "2")
    found = run("compute", "kl", save("s.npy", [[0, 1, np.nan], [0, 0, 0]]), targets, *words)
    assert (found.code, "s.npy[0, 2]: the prediction is NaN" in found.err) == (3, True)
    found = run("compute", "kl", save("s.npy", [[0.5, 0.5, 0], [2.0, -1, 0]]), targets, *words, "--from", "probs")
    assert (found.code, "s.npy[1, 0]: 2 is not a probability" in found.err) == (3, True)
    found = run("compute", "kl", save("s.npy", [[0.5, 0.5, 0], [0.5, 0, 0]]), targets, *words, "--from", "probs")
    assert (found.code, "sum to 0.5, not 1" in found.err) == (3, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--temperature", "0"), "--temperature 0 is not a number above 0"),
        (("--temperature", "-1"), "--temperature -1 is not a number above 0"),
        (("--temperature", "nan"), "--temperature nan is not a number above 0"),
        (("--temperature", "inf"), "--temperature inf is not a number above 0"),
        (("--temperature-squared",), "say which T"),
        (("--temperature-squared", "--temperature", "1e308"), "no float64 holds the square of 1e+308"),
        (("--temperature-squared", "--temperature", "1e-200"), "no float64 holds the square of 1e-200"),
        (("--temperature", "2", "--as", "keras", "--from", "probs"), "--temperature does not go together with"),
    ],
)
def test_options_that_make_no_sense(run, save, words, message):
    found = run("compute", "ce", save("s.npy", softmax(STUDENT)), save("y.npy", [0, 1]), *words)
    assert (found.code, message in found.err) == (2, True)


def test_options_from_python_that_make_no_sense():
    for options, message in (
        ({"temperature": "hot"}, "temperature='hot' is not a number"),
        ({"temperature": -2}, "is not a number above 0"),
        ({"targets_from": "logit"}, "did you mean logits"),
    ):
        with pytest.raises(losscli.UsageError, match=message):
            losscli.compute("ce", STUDENT, [0, 1], **options)
    with pytest.raises(losscli.UsageError, match="temperature: squared-error takes none"):
        losscli.compute("mse", [1.0], [1.0], temperature=2)


def test_a_parameter_of_the_same_name_is_the_losss_own(compute, save, write):
    features = save("f.npy", np.random.default_rng(0).normal(size=(6, 4)))
    labels = save("y.npy", [0, 0, 1, 1, 2, 2])
    found = compute("nt-xent", features, labels, "--temperature", "0.5")
    assert found.json["parameters"]["temperature"] == 0.5
    assert "temperature" not in found.json["receipt"]
    assert "|temperature:0.5|" in found.json["signature"]
    code = """
        import numpy as np
        def own(y_pred, y_true, temperature=2.0):
            z = y_pred / temperature
            return -(y_true * (z - np.log(np.exp(z).sum(axis=1, keepdims=True)))).sum(axis=1)
    """
    write("own.py", "\n".join(line[8:] for line in code.splitlines()))
    student, labels = save("s.npy", STUDENT), save("y.npy", [0, 1])
    for temperature in ("2", "3"):
        found = compute("own.py:own", student, labels, "--temperature", temperature)
        right = losscli.compute("ce", STUDENT, [0, 1], temperature=float(temperature)).value
        assert found.json["value"] == pytest.approx(right, rel=1e-14)
        assert found.json["parameters"]["temperature"] == float(temperature)


CODE = """
import numpy as np
def own(y_pred, y_true):
    return -(y_true * ({})).sum(axis=1)
"""


@pytest.mark.parametrize(
    ("kind", "log"),
    [
        ("logits", "y_pred - np.log(np.exp(y_pred).sum(axis=1, keepdims=True))"),
        ("probs", "np.log(y_pred)"),
        ("log-probs", "y_pred"),
    ],
)
def test_losses_of_ones_own(write, save, kind, log):
    write("own.py", CODE.format(log))
    x = given_as(kind, STUDENT)
    options = {"targets_from": "logits", "temperature": T, "from_": kind, "gradient": True}
    right = losscli.compute("ce", x, TEACHER, **options)
    found = losscli.compute("own.py:own", x, TEACHER, **options)
    assert found.value == pytest.approx(right.value, rel=1e-13)
    assert_allclose(found.gradient, right.gradient, rtol=1e-5)  # its gradient is made of differences
    with pytest.raises(losscli.UsageError, match="say --targets-from probs if they are"):
        losscli.compute("own.py:own", x, softmax(TEACHER), temperature=T, from_=kind)


def test_columns_are_matched_by_name(write):
    predictions = write("s.csv", "logit_a,logit_b,logit_c\n2,-1,0.5\n0.25,3,-2\n")
    targets = write("t.csv", "c,b,a\n-0.5,0,1\n0.75,2.5,-1\n")
    found = losscli.compute("kl", predictions, targets, targets_from="logits", temperature=T)
    assert found.value == pytest.approx(TORCH["kl"][0] / T**2, rel=1e-14)
    assert found.receipt["targets"]["matched"] == "by name"
    with pytest.raises(losscli.LosscliError, match="are not named as the predictions'"):
        losscli.compute("kl", predictions, write("o.csv", "x,y,z\n-0.5,0,1\n0.75,2.5,-1\n"), targets_from="logits")


def test_probabilities_are_taken_as_they_are(save, compute):
    rng = np.random.default_rng(5)
    words = (
        "ce",
        save("z.npy", rng.normal(size=(200, 3))),
        save("t.npy", rng.dirichlet([1, 1, 1], 200)),
        "-f",
        "jsonl",
    )
    plain, said = compute(*words).lines, compute(*words, "--targets-from", "probs").lines
    assert [row["loss"] for row in plain] == [row["loss"] for row in said]


def test_what_a_summary_says_at_a_temperature():
    at = {"targets_from": "logits", "temperature": T}
    found = losscli.compute("kl", STUDENT, TEACHER, **at)
    squared = losscli.compute("kl", STUDENT, TEACHER, **at, temperature_squared=True)
    assert squared.baseline.value == pytest.approx(9 * found.baseline.value, rel=1e-14)
    assert squared.baseline.skill == pytest.approx(found.baseline.skill, rel=1e-12)
    plain = losscli.compute("ce", STUDENT, [0, 1], temperature=T)
    assert plain.summary["perplexity"] == pytest.approx(math.exp(TORCH["labels"][0]), rel=1e-14)
    assert "ece" not in plain.summary
    nine = losscli.compute("ce", STUDENT, [0, 1], temperature=T, temperature_squared=True)
    assert nine.value == pytest.approx(9 * plain.value, rel=1e-14)
    assert "perplexity" not in nine.summary


@pytest.mark.usefixtures("small_chunks")
def test_many_chunks_and_tables(write, save):
    random = np.random.default_rng(3)
    student, teacher = random.normal(size=(2, 500, 3))
    teacher += student
    right = losscli.compute("kl", student, softmax(teacher / T), temperature=T, threads=1)
    text = "\n".join(["a,b,c", *(",".join(map(repr, row)) for row in teacher.tolist())]) + "\n"
    found = losscli.compute("kl", save("s.npy", student), write("t.csv", text), targets_from="logits", temperature=T)
    assert_allclose(found.losses, right.losses, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize(
    ("kind", "log", "other"),
    [
        ("logits", "-np.log1p(np.exp(-y_pred))", "-np.log1p(np.exp(y_pred))"),
        ("probs", "np.log(y_pred)", "np.log(1 - y_pred)"),
        ("log-probs", "y_pred", "np.log(-np.expm1(y_pred))"),
    ],
)
def test_losses_of_ones_own_of_one_outcome(write, kind, log, other):
    write(
        "own.py",
        f"import numpy as np\ndef own(y_pred, y_true):\n    return -y_true * {log} - (1 - y_true) * {other}\n",
    )
    x, targets = given_as(kind, STUDENT, False)[0], TEACHER[0]
    options = {"targets_from": "logits", "temperature": T, "from_": kind, "gradient": True}
    right = losscli.compute("bce", x, targets, **options)
    found = losscli.compute("own.py:own", x, targets, **options)
    assert_allclose(found.losses, right.losses, rtol=1e-12)
    assert_allclose(found.gradient, right.gradient, rtol=1e-5)


def test_a_loss_of_ones_own_that_takes_labels_only(write):
    write(
        "own.py",
        "import numpy as np\n"
        "def own(y_pred, y_true):\n"
        "    return np.log(np.exp(y_pred).sum(axis=1)) - y_pred[np.arange(len(y_pred)), y_true]\n",
    )
    with pytest.raises(losscli.LosscliError, match="--targets-from makes rows of targets, and it takes none"):
        losscli.compute("own.py:own", STUDENT, TEACHER, targets_from="logits")
