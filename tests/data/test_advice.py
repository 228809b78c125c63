"""What a new user is told about a table of which no column is named: the words that name the right ones."""

import math

import pytest

import losscli

ROWS = [("C1", "basic, small", 3, False, 0.25), ("C2", "pro", 40, True, 0.75), ("C3", "pro", 9, False, 0.125)]
LOSS = pytest.approx(-(math.log(0.75) + math.log(0.75) + math.log(0.875)) / 3)
MEANT = "churn.csv:p churn.csv:churned --from probs"


@pytest.fixture
def churn(write):
    """A table as pandas writes it: an index without a name, words, True and False, probabilities."""
    lines = [f'{i},{name},"{plan}",{months},{left},{p}' for i, (name, plan, months, left, p) in enumerate(ROWS)]
    return write("churn.csv", "\n".join([",customer,plan,tenure,churned,p", *lines, ""]))


@pytest.mark.parametrize("words", [["check"], ["compute", "bce"]])
@pytest.mark.parametrize("targets", [[], ["churn.csv"], ["churn.csv:churned"]])
def test_the_first_command_says_everything(run, churn, words, targets):
    done = run(*words, churn, *targets)
    assert done.code in (2, 3)
    assert MEANT in done.out + done.err


@pytest.mark.parametrize("targets", ["churn.csv", "churn.csv:churned"])
def test_python_says_it_too(churn, targets):
    with pytest.raises(losscli.LosscliError, match=f"; by what the columns hold, say {MEANT}$"):
        losscli.compute("bce", churn, targets)


def test_a_probability_of_1_is_one(write):
    with pytest.raises(losscli.LosscliError, match=r"say t\.csv:a t\.csv:y --from probs$"):
        losscli.compute("bce", write("t.csv", "name,a,y\nu,0.5,1\nv,1,0\nw,0,1\n"), "t.csv:y")


def test_python_says_nothing_of_scores_that_are_not_clear(write):
    with pytest.raises(losscli.LosscliError) as raised:
        losscli.compute("bce", write("t.csv", "a,b,y\n0.5,0.25,1\n0.75,0.5,0\n"), "t.csv:y")
    assert "by what the columns hold" not in str(raised.value)


def test_and_the_second_gives_the_loss(run, churn):
    done = run("compute", "bce", *MEANT.split(), "-f", "value")
    assert done.value == LOSS
    assert done.err == ""


def test_missing_targets_come_with_the_columns(run, churn):
    run("compute", "bce", churn).refuses(
        2, "TARGETS", "'churned' (False and True)", "'p' (numbers in [0, 1])", "'plan' (basic, small and pro)"
    )


def test_of_two_columns_that_may_be_meant_both_are_said(run, write):
    table = write("t.csv", "name,u,v,y\na,0.5,0.25,1\nb,0.75,0.125,0\n")
    both = "may be those of 'v' as well; with all that is missing: losscli compute bce t.csv:u t.csv:y --from probs"
    run("compute", "bce", table, f"{table}:y").refuses(3, both)


def test_scores_are_logits(run, write):
    table = write("t.csv", "name,z,y\na,-1.5,1\nb,2.25,0\n")
    run("compute", "bce", table, f"{table}:y").refuses(3, "losscli compute bce t.csv:z t.csv:y\n")
