"""Numbers as people write them: one answer in options, operands, SPECs, pairs and requirements, and in Python."""

import pytest

import losscli
from losscli.errors import LosscliError
from losscli.numerals import as_number, as_whole, is_count

pytestmark = pytest.mark.quick
NUMBERS = {"1": 1.0, " 1": 1.0, "+1": 1.0, "1.": 1.0, ".5": 0.5, "1e-3": 0.001, "2E1": 20.0}
OTHER = ["1_0", "１", "٣", "1٣", "0x1p3", "0x10", "1,5", "null", "", "1 0", "½", "²", "--1", "1e", "1__0", "−1"]
WRITERS = [
    ("--delta", ["huber", "p.npy", "t.npy", "--delta={}"]),
    ("SPEC", ["huber:delta={}", "p.npy", "t.npy"]),
    ("constant", ["mse", "p.npy", "{}"]),
    ("--pos-weight", ["bce", "p.npy", "t.npy", "--pos-weight={}"]),
    ("--class-weight", ["bce", "p.npy", "t.npy", "--class-weight=1={}"]),
    ("effective", ["bce", "p.npy", "t.npy", "--class-weight=effective:{}"]),
    ("--plus", ["mse", "p.npy", "t.npy", "--plus={}*l1"]),
    ("--require", ["mse", "p.npy", "t.npy", "--require=mean <= {}"]),
    ("--output-weight", ["mse", "two.npy", "two.npy", "--output-weight={},1"]),
    ("--variance", ["gaussian-nll", "p.npy", "t.npy", "--variance={}"]),
    ("--skip-rows", ["mse", "p.csv", "t.npy", "--skip-rows={}"]),
    ("--seed", ["mse", "p.npy", "t.npy", "--interval", "--seed={}"]),
    ("--ignore-index", ["bce", "p.npy", "t.npy", "--ignore-index={}"]),
]


@pytest.fixture
def files(save, write):
    save("p.npy", [0.5, 2.0, 1.0])
    save("t.npy", [0, 1, 1])
    save("two.npy", [[0.5, 2.0], [1.0, 3.0]])
    write("p.csv", "0.5\n2.0\n1.0\n")


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers(text):
    assert as_number(text) == NUMBERS[text]


@pytest.mark.parametrize("text", OTHER)
def test_other_text(text):
    for reader in (as_number, as_whole):
        with pytest.raises(ValueError, match=r"."):
            reader(text)
    assert not is_count(text)


@pytest.mark.parametrize("text", OTHER)
@pytest.mark.parametrize("words", [words for _, words in WRITERS], ids=[name for name, _ in WRITERS])
def test_what_is_no_number_is_refused_everywhere(compute, files, words, text):
    ran = compute(*(word.format(text) for word in words))
    if text == "1,5" and words[0].startswith("huber:"):
        assert "is 2 losses" in ran.err
    assert ran.code in (2, 3), ran
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("text", NUMBERS)
def test_what_is_a_number_is_one_everywhere(compute, files, text):
    by_option, by_spec = (
        compute(*words, "-f", "value") for words in (["huber", "p.npy", "t.npy", f"--delta={text}"], [f"huber:delta={text}", "p.npy", "t.npy"])
    )  # fmt: skip
    assert (by_option.code, by_option.out) == (0, by_spec.out)
    assert by_option.out == f"{losscli.compute('huber', 'p.npy', 't.npy', delta=text).value!r}\n"
    assert (
        compute("mse", "p.npy", text, "-f", "value").out == f"{losscli.compute('mse', 'p.npy', float(text)).value!r}\n"
    )


@pytest.mark.parametrize("text", ["1e400", "Infinity", "-inf", "NaN"])
def test_what_is_not_finite_is_no_parameter_and_no_constant(compute, run, files, text):
    assert compute("huber", "p.npy", "t.npy", f"--delta={text}").code == 2
    assert compute(f"huber:delta={text}", "p.npy", "t.npy").code == 2
    run("compute", "mse", "p.npy", "--", text).refuses(3, f"{text}: no such file", "a constant is a finite number")


@pytest.mark.parametrize("word", ["none", "None", "NONE", " none"])
def test_none(compute, files, word):
    """A parameter that may have no number is said to have none in the same words everywhere; of others it is refused."""
    plain = compute("focal", "p.npy", "t.npy", "-f", "value").out
    assert compute("focal", "p.npy", "t.npy", f"--alpha={word}", "-f", "value").out == plain
    assert compute(f"focal:alpha={word}", "p.npy", "t.npy", "-f", "value").out == plain
    assert compute("huber", "p.npy", "t.npy", f"--delta={word}").code == 2
    assert compute(f"huber:delta={word}", "p.npy", "t.npy").code == 2


def test_python_reads_text_as_the_command_line_does(files):
    with pytest.raises(LosscliError):
        losscli.compute("huber", "p.npy", "t.npy", delta="1_0")


def test_columns_by_number(compute, files, write):
    write("q.csv", "1,2\n3,4\n5,6\n")
    assert compute("mse", "q.csv:2", "p.npy").code == 0
    for text in ("２", "٢", "+2", "2.0"):
        compute("mse", f"q.csv:{text}", "p.npy").refuses(3, "no")


def test_sweeps(run, files):
    for text in ("1_0", "１"):
        run("plot", "curves", f"huber:delta=1,{text}", "-o", "x.png").refuses(2, "is not a number")
        run("plot", "curves", "huber", "--range", f"0,{text}", "-o", "x.png").refuses(2, "--range")
