"""Tables as people have them, with the first command that a newcomer would type: the number, or a message whose command gives it.

The expected numbers are worked out here from the cells, not read from an output.
"""

import math
import os
import re
import shlex
import subprocess
import sys

import pytest

from losscli.cli import mending
from losscli.render.screen import Screen, message


def bce(*pairs):
    return -sum(math.log(p if t else 1 - p) for p, t in pairs) / len(pairs)


def ce(*probabilities):
    return -sum(map(math.log, probabilities)) / len(probabilities)


def softmax_ce(*rows):
    return sum(math.log(sum(map(math.exp, z))) - z[t] for z, t in rows) / len(rows)


CHURN = """customer_id,age,churn_probability,churn
1001,34,0.82,Yes
1002,51,0.11,No
1003,28,0.47,Yes
1004,62,0.35,No
1005,44,0.91,Yes
"""
CHURN_BCE = bce((0.82, 1), (0.11, 0), (0.47, 1), (0.35, 0), (0.91, 1))
RICH = """customer_id,tenure,monthly_charges,contract,churn_probability,churn
7590-VHVEG,1,29.85,Month-to-month,0.62,No
5575-GNVDE,34,56.95,One year,0.05,No
3668-QPYBK,2,53.85,Month-to-month,0.41,Yes
7795-CFOCW,45,42.3,One year,0.03,No
9237-HQITU,2,70.7,Month-to-month,0.77,Yes
"""
RICH_BCE = bce((0.62, 0), (0.05, 0), (0.41, 1), (0.03, 0), (0.77, 1))
IRIS = """,setosa,versicolor,virginica,species
0,0.9,0.08,0.02,setosa
1,0.1,0.7,0.2,versicolor
2,0.05,0.25,0.7,virginica
3,0.2,0.5,0.3,virginica
"""
PROBA = """proba_cat,proba_dog,proba_owl
0.7,0.2,0.1
0.1,0.8,0.1
0.3,0.3,0.4
"""
WIDE = """image,fold,logit_cat,logit_dog,logit_owl,label
a.png,1,2.0,0.5,-1.0,cat
b.png,2,0.1,1.9,0.3,dog
c.png,1,-0.5,0.4,1.2,owl
d.png,3,0.6,0.2,0.4,owl
"""
WIDE_CE = softmax_ce(([2.0, 0.5, -1.0], 0), ([0.1, 1.9, 0.3], 1), ([-0.5, 0.4, 1.2], 2), ([0.6, 0.2, 0.4], 2))
HOUSES = """Id,SalePrice,predicted
1461,208500,200000
1462,181500,190000
1463,223500,220000
"""
PRICES = ((200000 - 208500) ** 2 + (190000 - 181500) ** 2 + (220000 - 223500) ** 2) / 3
SUBMISSION = "id,target\n3,0.9\n1,0.2\n2,0.6\n"
SOLUTION = "id,target\n1,0\n2,1\n3,1\n"
KAGGLE = bce((0.9, 1), (0.2, 0), (0.6, 1))

TITANIC = """PassengerId,Pclass,Sex,Age,Fare,Survived,prob
1,3,male,22,7.25,0,0.1
2,1,female,38,71.28,1,0.9
3,3,female,26,7.92,1,0.6
4,1,female,35,53.1,1,0.95
5,3,male,35,8.05,0,0.15
"""
SENTIMENTS = """text,label,negative,neutral,positive
"good, really",positive,0.1,0.2,0.7
bad,negative,0.8,0.1,0.1
meh,neutral,0.3,0.4,0.3
"""
TWO = "id,y_true,model_a,model_b\n1,0,0.2,0.3\n2,1,0.7,0.6\n3,1,0.9,0.4\n4,0,0.1,0.2\n"

CASES = {
    "churn table, bce, no targets": ({"churn.csv": CHURN}, "compute bce churn.csv", CHURN_BCE),
    "churn table as both operands": ({"churn.csv": CHURN}, "compute bce churn.csv churn.csv", CHURN_BCE),
    "churn table, only the predictions named": (
        {"churn.csv": CHURN},
        "compute bce churn.csv:churn_probability churn.csv",
        CHURN_BCE,
    ),
    "churn table, only the targets named": ({"churn.csv": CHURN}, "compute bce churn.csv churn.csv:churn", CHURN_BCE),
    "churn table, loss of classes": ({"churn.csv": CHURN}, "compute ce churn.csv churn.csv", CHURN_BCE),
    "churn table without a loss": ({"churn.csv": CHURN}, "compute churn.csv", CHURN_BCE),
    "churn table twice, without a loss": ({"churn.csv": CHURN}, "compute churn.csv churn.csv:churn", CHURN_BCE),
    "churn table, loss at the end": ({"churn.csv": CHURN}, "compute churn.csv churn.csv bce", CHURN_BCE),
    "churn table, the squared error": (
        {"churn.csv": CHURN},
        "compute mse churn.csv",
        (0.18**2 + 0.11**2 + 0.53**2 + 0.35**2 + 0.09**2) / 5,
    ),
    "churn table with other columns": ({"my churn.csv": RICH}, "compute bce 'my churn.csv'", RICH_BCE),
    "a name with a quote": ({"it's churn.csv": CHURN}, 'compute bce "it\'s churn.csv"', CHURN_BCE),
    "predict_proba of two classes beside the label": (
        {"p.csv": "prob_No,prob_Yes,y\n0.3,0.7,Yes\n0.9,0.1,No\n0.6,0.4,Yes\n"},
        "compute bce p.csv",
        bce((0.7, 1), (0.1, 0), (0.4, 1)),
    ),
    "predict_proba of many classes, and labels": (
        {"p.csv": PROBA, "y.csv": "label\ncat\ndog\ncat\n"},
        "compute ce p.csv y.csv --from probs",
        ce(0.7, 0.8, 0.3),
    ),
    "probabilities with pandas' index and label": (
        {"iris.csv": IRIS},
        "compute ce iris.csv iris.csv:species",
        ce(0.9, 0.7, 0.7, 0.3),
    ),
    "the same, without targets": ({"iris.csv": IRIS}, "compute ce iris.csv", ce(0.9, 0.7, 0.7, 0.3)),
    "wide logits, a fold, a file name and a label": ({"wide.csv": WIDE}, "compute ce wide.csv", WIDE_CE),
    "the same, as both operands": ({"wide.csv": WIDE}, "compute ce wide.csv wide.csv", WIDE_CE),
    "the same, without a loss": ({"wide.csv": WIDE}, "compute wide.csv", WIDE_CE),
    "the same, under the binary loss": ({"wide.csv": WIDE}, "compute bce wide.csv", WIDE_CE),
    "a regression table": ({"houses.csv": HOUSES}, "compute mse houses.csv", PRICES),
    "a regression table as both": ({"houses.csv": HOUSES}, "compute mse houses.csv houses.csv", PRICES),
    "a regression table without a loss": ({"houses.csv": HOUSES}, "compute houses.csv", PRICES),
    "y_true and y_pred": (
        {"r.csv": "y_true,y_pred\n1.5,1.0\n2.5,3.0\n0.5,2.5\n"},
        "compute mae r.csv",
        (0.5 + 0.5 + 2) / 3,
    ),
    "a submission and its solution": (
        {"submission.csv": SUBMISSION, "solution.csv": SOLUTION},
        "compute bce submission.csv solution.csv",
        KAGGLE,
    ),
    "ids in another order and no loss": (
        {"submission.csv": SUBMISSION, "solution.csv": SOLUTION},
        "compute submission.csv solution.csv",
        KAGGLE,
    ),
    "an index that pandas wrote in both": (
        {"p.csv": ",yhat\n0,1.5\n1,2.0\n2,2.5\n", "t.csv": ",y\n0,1.0\n1,2.5\n2,2.0\n"},
        "compute mse p.csv t.csv",
        0.25,
    ),
    "a key in both files": (
        {"p.csv": "key,y\n11,1\n25,2\n37,3\n", "t.csv": "key,y\n11,2\n25,3\n37,4\n"},
        "compute mse p.csv t.csv",
        1.0,
    ),
    "targets in a file with features": (
        {
            "p.csv": "PassengerId,probability\n892,0.2\n893,0.6\n894,0.1\n",
            "test.csv": "PassengerId,Pclass,Age,Survived\n892,3,34.5,0\n893,3,47.0,1\n894,2,62.5,0\n",
        },
        "compute bce p.csv test.csv",
        bce((0.2, 0), (0.6, 1), (0.1, 0)),
    ),
    "two columns for two classes": (
        {"p.csv": "no,yes\n0.3,0.7\n0.9,0.1\n0.6,0.4\n", "t.csv": "y\n1\n0\n1\n"},
        "compute bce p.csv t.csv --from probs",
        bce((0.7, 1), (0.1, 0), (0.4, 1)),
    ),
    "a spare column and the targets' name in the predictions": (
        {"of.csv": "cat,dog,target\n2,0,0\n0,2,1\n", "y.csv": "target\ncat\ndog\n"},
        "compute ce of.csv y.csv",
        math.log(1 + math.exp(-2)),
    ),
    "without a header, an id and a number": (
        {"p.csv": "w1,0.5\nw2,1.5\nw3,2.5\n", "t.csv": "w1,1.0\nw2,1.0\nw3,3.0\n"},
        "compute mse p.csv t.csv --no-header",
        0.25,
    ),
    "words of one's own for two outcomes": (
        {"p.csv": "score,status\n0.8,lost\n0.3,kept\n0.6,lost\n0.2,kept\n"},
        "compute bce p.csv",
        bce((0.8, 1), (0.3, 0), (0.6, 1), (0.2, 0)),
    ),
    "the same under a loss of classes": (
        {"p.csv": "score,status\n0.8,lost\n0.3,kept\n0.6,lost\n0.2,kept\n"},
        "compute ce p.csv",
        bce((0.8, 1), (0.3, 0), (0.6, 1), (0.2, 0)),
    ),
    "a decimal comma alone": (
        {"p.csv": "prognose;wert\n1,5;1,0\n2,0;2,5\n2,5;2,0\n"},
        "compute mse p.csv:prognose p.csv:wert",
        0.25,
    ),
    "passengers, some columns of which are outcomes too": (
        {"titanic.csv": TITANIC},
        "compute bce titanic.csv",
        bce((0.1, 0), (0.9, 1), (0.6, 1), (0.95, 1), (0.15, 0)),
    ),
    "the same for the hinge of scores": (
        {"titanic.csv": TITANIC},
        "compute hinge titanic.csv",
        ((1 + 0.1) + (1 - 0.9) + (1 - 0.6) + (1 - 0.95) + (1 + 0.15)) / 5,
    ),
    "texts of sentiments": ({"senti.csv": SENTIMENTS}, "compute brier senti.csv", (0.14 + 0.06 + 0.54) / 3),
    "classes that are numbers": (
        {"p.csv": "0,1,2,y\n0.2,0.3,0.5,2\n0.6,0.3,0.1,0\n0.2,0.7,0.1,1\n"},
        "compute ce p.csv",
        ce(0.5, 0.6, 0.7),
    ),
    "a forecast of sales": (
        {"sales.csv": "date,store,sales,forecast\n2024-01-01,1,10.5,11\n2024-01-02,1,12,11.5\n2024-01-03,2,9,9.5\n"},
        "compute mse sales.csv",
        0.25,
    ),
    "the same column in a file with others": (
        {"P.csv": "id,price\n1,2.5\n2,3.5\n3,1.0\n", "T.csv": "id,price,area\n3,1.5,10.5\n1,2.0,20.5\n2,3.0,5.25\n"},
        "compute mse P.csv T.csv",
        0.25,
    ),
    "soft targets": (
        {"p.csv": "target,prediction\n0.1,0.2\n0.9,0.8\n"},
        "compute bce p.csv",
        -(0.1 * math.log(0.2) + 0.9 * math.log(0.8)),
    ),
    "two models": (
        {"two.csv": TWO},
        "compute bce two.csv",
        bce((0.2, 0), (0.7, 1), (0.9, 1), (0.1, 0)),
    ),
    "one of two models": (
        {"two.csv": TWO},
        "compute bce two.csv:model_b",
        bce((0.3, 0), (0.6, 1), (0.4, 1), (0.2, 0)),
    ),
    "semicolons and decimal commas": (
        {"p.csv": "kunde;forecast;actual\nA;1,5;1,0\nB;2,0;2,5\nC;2,5;2,0\n"},
        "compute mse p.csv",
        0.25,
    ),
}


def command_of(message):
    """Return the command line at the end of a message, as it is pasted into a shell."""
    found = re.search(r": (losscli .*)$", message.strip(), re.DOTALL)
    assert found, message
    return found[1]


@pytest.mark.parametrize(("files", "line", "expected"), CASES.values(), ids=CASES)
def test_the_first_command_gives_the_number_or_the_command_that_does(files, line, expected, write, run):
    for name, text in files.items():
        write(name, text)
    found = run(*shlex.split(line), "-f", "value")
    if found.code:
        assert found.out == ""
        assert found.err.count("losscli: ") == 1  # one message, whatever is missing
        found = run(*shlex.split(command_of(found.err))[1:])
    assert found.code == 0, found.err
    assert float(found.out) == pytest.approx(expected, rel=1e-12)


LOGITS = [[[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]], [[-0.75, 1.0, 0.0], [0.0, 0.5, 1.0]]]
AXIS_LABELS = [[2, 0], [1, 2]]


def test_the_axis_of_classes_is_the_one_that_fits(save, run):
    save("z.npy", LOGITS)
    save("t.npy", AXIS_LABELS)
    rows = [
        (z, t) for sample, labels in zip(LOGITS, AXIS_LABELS, strict=True) for z, t in zip(sample, labels, strict=True)
    ]
    message = run("compute", "ce", "z.npy", "t.npy", "-f", "value").err
    assert command_of(message) == "losscli compute ce z.npy t.npy -f value --class-axis -1"
    assert float(run(*shlex.split(command_of(message))[1:]).out) == pytest.approx(softmax_ce(*rows), rel=1e-12)


def test_what_makes_probabilities_of_logits_is_one_option_of_the_command(save, run):
    save("z.npy", [[2.0, 0.0, -1.0], [0.1, 1.2, 0.3], [1.0, 1.0, 1.0]])
    save("t.npy", [0, 1, 2])
    message = run("compute", "dice", "z.npy", "t.npy").err
    assert message.endswith("; with all that is missing: losscli compute dice z.npy t.npy --activation softmax\n")


def test_one_score_under_a_loss_of_classes_is_one_of_outcomes(save, run):
    save("s.npy", [0.5, -1.0, 2.0])
    save("t.npy", [1, 0, 1])
    message = run("compute", "ce", "s.npy", "t.npy", "-f", "value").err
    assert command_of(message) == "losscli compute bce s.npy t.npy -f value"


@pytest.mark.parametrize("command", ["check", "rank bce", "calibrate"])
def test_other_commands_say_their_own_line(command, write, run):
    write("churn.csv", CHURN)
    found = run(*command.split(), "churn.csv")
    line = command_of(found.err)
    assert line == f"losscli {command} churn.csv:churn_probability churn.csv:churn --from probs"
    assert run(*shlex.split(line)[1:]).code == 0


def test_compare_says_targets_and_what_predictions_are(write, run):
    write("a.csv", "id,p,y\n" + "".join(f"{i},{0.1 + i / 20},{i % 2}\n" for i in range(12)))
    write("b.csv", "id,p,y\n" + "".join(f"{i},{0.2 + i / 30},{i % 2}\n" for i in range(12)))
    found = run("compare", "bce", "a.csv", "b.csv")
    assert command_of(found.err) == "losscli compare bce a.csv:p b.csv:p --targets a.csv:y --from probs"
    assert run(*shlex.split(command_of(found.err))[1:]).code == 0


def test_check_with_a_loss_as_an_operand(write, run):
    write("churn.csv", CHURN)
    found = run("check", "ce", "churn.csv", "churn.csv")
    assert found.code == 2
    assert command_of(found.err).endswith(" --loss bce")
    assert run(*shlex.split(command_of(found.err))[1:]).code == 0


def test_check_of_a_file_as_both_operands_says_the_columns(write, run):
    write("churn.csv", CHURN)
    found = run("check", "churn.csv", "churn.csv")
    assert found.code == 3
    assert command_of(found.err) == "losscli check churn.csv:churn_probability churn.csv:churn --from probs"


def test_without_a_loss_those_that_fit_are_named(save, run):
    save("z.npy", [[2.0, 0.0, -1.0], [0.1, 1.2, 0.3]])
    save("t.npy", [0, 1])
    message = run("compute", "z.npy", "t.npy").err
    assert "ce, brier and softmax-focal fit" in message
    assert command_of(message) == "losscli compute ce z.npy t.npy"


def test_a_message_that_needs_nothing_more_stays_as_it_is(write, run):
    write("p.csv", "p\n0.5\nnan\n")
    write("t.csv", "t\n1\n0\n")
    assert "losscli compute" not in run("compute", "bce", "p.csv", "t.csv", "--from", "probs").err
    assert "losscli compute" not in run("compute", "huber", "p.csv", "t.csv", "--delta", "-1").err
    assert "losscli compute" not in run("compute", "mse", "nowhere.csv", "t.csv").err


def test_columns_that_do_not_tell_are_listed(write, run):
    write("p.csv", "a,b,c\n0.5,1.5,2.5\n1.25,0.75,0.5\n")
    message = run("compute", "mse", "p.csv").err
    assert "'a' (numbers), 'b' (numbers), 'c' (numbers)" in message
    assert "losscli compute mse p.csv:" not in message


@pytest.mark.parametrize("name", ["my churn.csv", "it's churn.csv", "$HOME churn.csv", "churn (1); x.csv", "`x`.csv"])
def test_the_command_can_be_pasted_into_a_shell(name, write, folder):
    write(name, CHURN)
    start = [sys.executable, "-m", "losscli"]
    message = subprocess.run(
        [*start, "compute", "bce", name, "-f", "value"], capture_output=True, text=True, check=False
    ).stderr
    line = command_of(message).replace("losscli", f"{shlex.quote(sys.executable)} -m losscli", 1)
    pasted = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert float(pasted.stdout) == pytest.approx(CHURN_BCE, rel=1e-12)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("name", ["churn.csv", "my (long) name; of a file.csv"])
def test_on_a_terminal_the_command_is_not_broken(width, name, write):
    write(name, CHURN)
    shown = message(
        f"a fact about {name}; with all that is missing: losscli compute bce {shlex.quote(f'{name}:churn_probability')} "
        f"{shlex.quote(f'{name}:churn')} --from probs",
        Screen(width, True),
        error=True,
    )
    pasted = shown[shown.index("losscli compute") :].replace("\\\n", " ")
    assert "\x1b" not in pasted
    assert "\n" not in pasted
    assert shlex.split(pasted) == [
        *("losscli", "compute", "bce", f"{name}:churn_probability", f"{name}:churn", "--from", "probs")
    ]


def test_an_option_in_a_spec_is_said_as_one(save, run):
    save("z.npy", [[2.0, 0.0], [0.5, 1.0]])
    save("t.npy", [0, 1])
    found = run("compute", "softmax-focal:gamma=0:label_smoothing=0.1", "z.npy", "t.npy", "-f", "value")
    found.refuses(2, "label-smoothing is an option of the command")
    line = command_of(found.err)
    assert line == "losscli compute softmax-focal:gamma=0 z.npy t.npy -f value --label-smoothing 0.1"
    right = [
        math.log(1 + math.exp(-lead)) for lead in (2.0, 0.5)
    ]  # of the true class; of the other one it is the lead more
    expected = sum(0.95 * loss + 0.05 * (loss + lead) for loss, lead in zip(right, (2.0, 0.5), strict=True)) / 2
    assert float(run(*shlex.split(line)[1:]).out) == pytest.approx(expected, rel=1e-12)
    run("compute", "ce", "z.npy", "t.npy", "--also", "ce:label_smoothing=0.1").refuses(2, "say --label-smoothing 0.1")


def test_a_warning_about_probabilities_has_the_whole_command(write, run):
    write("churn.csv", CHURN)
    found = run("compute", "bce", "churn.csv:churn_probability", "churn.csv:churn", "-f", "value")
    assert found.code == 0
    line = command_of(found.err)
    assert line == "losscli compute bce churn.csv:churn_probability churn.csv:churn -f value --from probs"
    found = run(*shlex.split(line)[1:])
    assert found.err == ""
    assert float(found.out) == pytest.approx(CHURN_BCE, rel=1e-12)


def test_files_that_are_large_or_elsewhere_are_not_read_again(write, run, monkeypatch):
    write("churn.csv", CHURN)
    monkeypatch.setattr(mending, "MOST_BYTES", len(CHURN) - 1)
    assert ": losscli compute" not in run("compute", "bce", "churn.csv", "churn.csv").err
    assert mending._bytes(mending.Line.of(["compute", "bce", "s3://bucket/p.csv", "t.csv"])) == math.inf
    monkeypatch.setattr(mending, "MOST_BYTES", 2 * len(CHURN))
    assert ": losscli compute" in run("compute", "bce", "churn.csv", "churn.csv").err


def test_a_picture_of_samples(write, run, folder):
    write("churn.csv", CHURN)
    found = run("plot", "samples", "bce", "churn.csv", "-o", "losses.png", "--title", "Losses of churn")
    line = command_of(found.err)
    assert line == (
        "losscli plot samples bce churn.csv:churn_probability churn.csv:churn -o losses.png --title 'Losses of churn' --from probs"
    )
    assert [path.name for path in folder.iterdir()] == ["churn.csv"]
    assert run(*shlex.split(line)[1:]).code == 0


def test_a_picture_of_reliability(write, run, folder):
    write("spam.csv", "score,outcome\n0.2,ham\n0.7,spam\n0.4,ham\n0.6,ham\n0.9,spam\n0.3,spam\n")
    found = run("plot", "reliability", "spam.csv:score", "spam.csv:outcome", "-o", "r.png", "--binning", "mass")
    line = command_of(found.err)
    assert line.startswith(
        "losscli plot reliability spam.csv:score spam.csv:outcome -o r.png --binning mass --from probs --classes ham,spam"
    )
    assert [path.name for path in folder.iterdir()] == ["spam.csv"]
    assert run(*shlex.split(line)[1:]).code == 0


def test_a_window_that_cannot_open_is_all_that_is_said(write, run, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    write("spam.csv", "score,outcome\n0.2,ham\n0.7,spam\n0.4,ham\n")
    for command in (("reliability",), ("samples", "bce")):
        found = run("plot", *command, "spam.csv:score", "spam.csv:outcome", "--show")
        assert "display" in found.err
        assert "losscli plot" not in found.err


def test_an_id_that_is_not_named_is_no_class(write, run):
    write("p.csv", "id,cat,dog,owl\n0,1,2,0\n1,0,3,1\n2,0,0,1\n")
    write("y.csv", "id,label\n1,cat\n2,owl\n0,dog\n")
    found = run("compute", "ce", "p.csv", "y.csv")
    assert "there are 4 classes" not in found.err
    assert (
        "column 'id' is in both files, and counts as a class while it is not named as their id: y.csv has 2 columns, and the predictions have 4"
        in found.err
    )
    assert run(*shlex.split(command_of(found.err))[1:], "-f", "value").value == pytest.approx(
        softmax_ce(([1, 2, 0], 1), ([0, 3, 1], 0), ([0, 0, 1], 2)), rel=1e-12
    )


def test_a_trial_writes_nothing(write, run, folder, monkeypatch):
    monkeypatch.delenv("POLARS_MAX_THREADS", raising=False)
    write("churn.csv", CHURN)
    found = run("compute", "bce", "churn.csv", "-o", "out.json", "--gradient", "g.npy", "--threads", "1")
    line = command_of(found.err)
    assert line.startswith(
        "losscli compute bce churn.csv:churn_probability churn.csv:churn -o out.json --gradient g.npy"
    )
    assert [path.name for path in folder.iterdir()] == ["churn.csv"]
    assert "POLARS_MAX_THREADS" not in os.environ
    assert run(*shlex.split(line)[1:]).code == 0
    assert (folder / "g.npy").exists()


def test_two_models_of_one_table(write, run):
    write("two.csv", TWO)
    assert "the predictions may be those of 'model_b' as well; with" in run("compute", "bce", "two.csv").err
    found = run("compare", "bce", "two.csv:model_a", "two.csv:model_b")
    line = command_of(found.err)
    assert line == "losscli compare bce two.csv:model_a two.csv:model_b --targets two.csv:y_true --from probs"
    assert run(*shlex.split(line)[1:]).code == 0


def test_what_columns_hold_is_said_once(write, run):
    write("churn.csv", CHURN)
    write("one.csv", "p\n0.5\n0.25\n")
    for command in ("calibrate", "compute bce", "check"):
        assert run(*command.split(), "churn.csv").err.count("churn.csv holds") == 1
    message = run("compute", "bce", "one.csv").err
    assert "one.csv holds 'p' (numbers in [0, 1]) (see" in message


@pytest.mark.parametrize(
    ("words", "scores", "classes"),
    [
        (("churned", "stayed"), "churn_probability", "stayed,churned"),  # of which the name of the scores speaks
        (("churned", "stayed"), "p", "churned,stayed"),  # the last one, as scikit-learn sorts them
        (("Retained", "Lost"), "p_retained", "Lost,Retained"),
    ],
)
def test_two_words_are_outcomes_both_ways(write, run, words, scores, classes):
    rows = [(words[0], 0.75), (words[1], 0.25), (words[0], 0.875)]
    write("w.csv", f"age,{scores},status\n" + "".join(f"{30 + i},{p},{word}\n" for i, (word, p) in enumerate(rows)))
    message = run("compute", "bce", "w.csv").err
    negative, positive = classes.split(",")
    assert (
        f"; the command at the end takes '{positive}' as the positive outcome; if '{negative}' is it, say --classes {positive},{negative}"
        in message
    )
    found = run(*shlex.split(command_of(message))[1:], "-f", "value")
    assert found.value == pytest.approx(bce(*((p, word == positive) for word, p in rows)), rel=1e-12)


def test_a_command_that_a_message_has_already_says_what_predictions_are(save, run):
    save("a.npy", [[0.9, 0.1], [0.25, 0.75], [0.5, 0.5]]), save("b.npy", [[0.8, 0.2], [0.5, 0.5], [0.4, 0.6]])
    save("y.npy", [0, 1, 1])
    line = command_of(run("compare", "ce", "a.npy", "b.npy", "y.npy").err)
    assert line == "losscli compare ce a.npy b.npy --targets y.npy --from probs"


def test_other_predictions_to_calibrate_are_not_tried(write, run):
    write("churn.csv", CHURN)
    said = run(
        "calibrate", "churn.csv", "churn.csv:churn", "--from", "probs", "--apply", "churn.csv", "-o", "o.csv"
    ).err
    assert "losscli calibrate" not in said


@pytest.mark.parametrize(
    ("scores", "labels", "classes"),
    [
        ("prob_ham", ("ham", "spam"), "spam,ham"),
        ("logit_no", ("no", "yes"), "yes,no"),
        ("prob_0", ("0", "1"), "1,0"),
        ("p_negative", ("0", "1"), "1,0"),
    ],
)
def test_the_name_of_a_score_says_what_is_positive(write, run, scores, labels, classes):
    rows = [(0.75, 0), (0.25, 1), (0.875, 0)]
    cells = [(math.log(p / (1 - p)) if "logit" in scores else p, labels[i]) for p, i in rows]
    write("s.csv", f"{scores},label\n" + "".join(f"{score!r},{label}\n" for score, label in cells))
    line = command_of(run("compute", "bce", "s.csv").err)
    assert f"--classes {classes}" in line
    assert run(*shlex.split(line)[1:], "-f", "value").value == pytest.approx(
        bce(*((p, not i) for p, i in rows)), rel=1e-12
    )


def test_a_column_is_not_compared_with_itself(write, run):
    write("reg.csv", "y_pred,y_true\n1.5,1.25\n2.5,2.75\n")
    assert "y_true reg.csv:y_true" not in run("compute", "mse", "reg.csv:y_true").err


def test_where_an_output_is_at_fault_nothing_is_missing(write, run):
    write("churn.csv", CHURN)
    line = ("compute", "bce", "churn.csv:churn_probability", "churn.csv:churn", "--from", "probs")
    assert run(*line, "-o", "no/folder/x.json").err.count("losscli") == 1


def test_pipes_and_devices_are_not_read_again(run, folder):
    os.mkfifo(folder / "pipe")
    for name in ("pipe", "/dev/zero"):
        assert "TARGETS" in run("compute", "mse", name).err


def test_probabilities_of_masks_are_said_to_be_some(save, run):
    p = [[0.75, 0.25], [0.5, 0.5], [0.125, 0.875]]
    save("p.npy", p), save("y.npy", [0, 1, 1])
    assert command_of(run("compute", "dice", "p.npy", "y.npy").err).endswith("y.npy --from probs")


@pytest.mark.parametrize("missing", ["0.625", ""])  # which of both it is can be told without the last cell
def test_of_two_probabilities_it_is_that_of_the_outcome(write, run, missing):
    write("two.csv", f"p_no,p_yes,bought\n0.25,0.75,yes\n0.5,0.5,no\n{missing},0.375,no\n")
    line = command_of(run("compute", "bce", "two.csv").err)
    assert line == "losscli compute bce two.csv:p_yes two.csv:bought --from probs"
    expected = bce((0.75, 1), (0.5, 0), (0.375, 0))
    assert run(*shlex.split(line)[1:], "-f", "value").value == pytest.approx(expected, rel=1e-12)


def test_outcomes_of_a_loss_of_classes_are_not_put_in_order(write, run):
    write("z.csv", "logit_ham,logit_spam,label\n1.5,0.25,spam\n-1,0.5,spam\n2,-2,ham\n")
    line = command_of(run("compute", "ce", "z.csv").err)
    assert "--classes" not in line
    assert run(*shlex.split(line)[1:], "-f", "value").value == pytest.approx(
        softmax_ce(([1.5, 0.25], 1), ([-1, 0.5], 1), ([2, -2], 0)), rel=1e-12
    )


def test_small_negative_logits_are_no_logarithms(write, run):
    write("one.csv", "score,seen\n-0.0000001,1\n-0.0000002,0\n-0.0000003,1\n")
    assert "log-probs" not in command_of(run("compute", "bce", "one.csv").err)
    write("one.csv", "score,seen\n-0.0000001,yes\n-0.0000002,no\n-0.0000003,yes\n")
    assert "log-probs" not in command_of(run("compute", "ce", "one.csv").err)


def test_a_score_beside_an_id_needs_no_name(write, run):
    write("p.csv", "id,score\n1,0.5\n2,-1.5\n3,2.25\n")
    write("y.csv", "id,seen\n2,yes\n3,no\n1,yes\n")
    line = command_of(run("compute", "ce", "p.csv", "y.csv").err)
    assert line.startswith("losscli compute bce p.csv y.csv --id id")
    assert run(*shlex.split(line)[1:]).code == 0


def test_squared_errors_of_words(write, run):
    write("w.csv", "p,bought\n0.75,yes\n0.5,no\n0.25,no\n")
    line = command_of(run("compute", "mse", "w.csv").err)
    assert line.startswith("losscli compute sigmoid-brier w.csv:p w.csv:bought")
    expected = (0.25**2 + 0.5**2 + 0.25**2) / 3
    assert run(*shlex.split(line)[1:], "-f", "value").value == pytest.approx(expected, rel=1e-12)
