"""Bits of tokens, and bits per byte of the text behind them."""

import math
from typing import Any

import numpy as np
import pytest

import losscli

RNG = np.random.default_rng(11)
LOG_P = -RNG.exponential(2, (4, 6))
NATS = -LOG_P.sum()
LOGITS = RNG.normal(0, 1, (4, 6, 5))
LABELS = RNG.integers(0, 5, (4, 6))


@pytest.fixture
def words(save: Any) -> tuple[str, ...]:
    return "ce", save("logp.npy", LOG_P), "--from", "log-probs"


def bits_per_byte(found: Any) -> float:
    assert found.code == 0, found.err
    return found.json["summary"]["bits_per_byte"]


def test_bits_are_nats_over_the_logarithm_of_two(compute: Any, save: Any, words: Any) -> None:
    summary = compute(*words).json["summary"]
    assert summary["bits"] == pytest.approx(NATS / 24 / math.log(2), rel=1e-14)
    assert summary["perplexity"] == pytest.approx(2 ** summary["bits"], rel=1e-13)
    # A fair coin is one bit, and one of eight classes three.
    for classes in (2, 8):
        found = compute("ce", save("z.npy", np.zeros((3, classes))), save("t.npy", [0, 1, 1])).json["summary"]
        assert found["bits"] == pytest.approx(math.log2(classes), rel=1e-15)
    assert "bits" not in compute("ce", "z.npy", "t.npy", "--label-smoothing", "0.1").json["summary"]
    assert "bits" not in compute("kl-divergence", "z.npy", "t.npy").json["summary"]


def test_the_bytes_of_all(compute: Any, words: Any) -> None:
    for text, number in (("100", 100), ("62.5", 62.5), ("1e2", 100)):
        found = compute(*words, "--bytes", text)
        assert bits_per_byte(found) == pytest.approx(NATS / math.log(2) / number, rel=1e-14)
        assert found.json["receipt"]["bytes"] == number
    assert "|bytes:100|" in found.json["signature"]
    assert "bits_per_byte" not in compute(*words).json["summary"]


def test_a_file_of_samples_or_tokens(compute: Any, save: Any, write: Any, words: Any) -> None:
    of_samples, of_tokens = np.array([7, 0, 30, 12]), RNG.integers(1, 9, (4, 6))
    table = write("b.csv", "id,bytes\n" + "".join(f"s{i},{one}\n" for i, one in enumerate(of_samples)))
    for name, number in (
        (save("b.npy", of_samples), 49),
        (save("b2.npy", of_samples[:, None]), 49),
        (save("bt.npy", of_tokens), of_tokens.sum()),
        (f"{table}:bytes", 49),
    ):
        assert bits_per_byte(compute(*words, "--bytes", name)) == pytest.approx(NATS / math.log(2) / number, rel=1e-14)
    flat = ("ce", save("flat.npy", LOG_P.reshape(-1)), "--from", "log-probs", "--bytes")
    found = compute(*flat, save("bf.npy", of_tokens.reshape(-1)))
    assert bits_per_byte(found) == pytest.approx(NATS / math.log(2) / of_tokens.sum(), rel=1e-14)


def test_the_sum_is_that_of_the_losses_whatever_the_reduction(compute: Any, words: Any) -> None:
    for reduction in ("mean", "sum", "sum-over-batch-size", "none"):
        found = compute(*words, "--bytes", "100", "--reduction", reduction)
        assert bits_per_byte(found) == pytest.approx(NATS / math.log(2) / 100, rel=1e-14)


def test_ignored_tokens_have_bytes_and_no_loss(compute: Any, save: Any) -> None:
    """Total loss over total bytes: a text is no shorter where a token is not predicted."""
    labels = LABELS.copy()
    labels[:, :2] = -100
    words = save("z.npy", LOGITS), save("t.npy", labels), "--class-axis", "-1", "--ignore-index", "-100"
    log_p = LOGITS - np.logaddexp.reduce(LOGITS, axis=2, keepdims=True)
    nats = -np.take_along_axis(log_p, LABELS[..., None], axis=2)[:, 2:].sum()
    for text in ("40", save("b.npy", [10, 10, 10, 10])):
        assert bits_per_byte(compute("ce", *words, "--bytes", text)) == pytest.approx(
            nats / math.log(2) / 40, rel=1e-13
        )


def test_requirements(compute: Any, words: Any) -> None:
    at = NATS / math.log(2) / 100
    met = ("--require", f"bits_per_byte <= {at + 0.01}", "--require", "perplexity < 1000", "--require", "bits > 0")
    found = compute(*words, "--bytes", "100", *met)
    assert found.code == 0
    assert [one["met"] for one in found.json["requirements"]] == [True, True, True]
    assert compute(*words, "--bytes", "100", "--require", f"bits_per_byte <= {at - 0.01}").code == 1
    compute(*words, "--require", "bits_per_byte <= 100").refuses(2, "has no bits_per_byte")


@pytest.mark.parametrize("text", ["0", "-5", "inf", "-inf", "nan", "0.0"])
def test_numbers_that_are_no_bytes(compute: Any, words: Any, text: str) -> None:
    compute(*words, "--bytes", text).refuses(2, f"--bytes {text}: a text has more bytes than 0")


@pytest.mark.parametrize(
    ("numbers", "parts"),
    [
        ([1, 2, -1, 4], ("b.npy[2]: -1 is no number of bytes",)),
        ([1, 2, math.inf, 4], ("b.npy[2]: inf is no number of bytes",)),
        ([1, math.nan, 2, 4], ("b.npy[1]: nan is no number of bytes",)),
        ([0, 0, 0, 0], ("b.npy: no bytes in all",)),
        ([1, 2, 3], ("b.npy has shape (3,)", "one number per sample, (4,)")),
        (np.ones((6, 4, 2)), ("b.npy has shape (6, 4, 2)",)),
    ],
)
def test_files_that_are_no_bytes(compute: Any, save: Any, words: Any, numbers: Any, parts: Any) -> None:
    compute(*words, "--bytes", save("b.npy", numbers)).refuses(3, *parts)


@pytest.mark.parametrize(
    "more",
    [
        "--sample-weight w.npy",
        "--class-weight 0=2",
        "--label-smoothing 0.1",
        "--per sample",
        "--per file",
        "--as torch",
    ],
)
def test_what_changes_the_sum_is_refused(compute: Any, save: Any, more: str) -> None:
    save("w.npy", np.ones(4))
    words = save("z.npy", LOGITS), save("t.npy", LABELS), "--class-axis", "-1"
    compute("ce", *words, "--bytes", "100", *more.split()).refuses(2, "ytes", more.split()[0])


def test_only_cross_entropy_has_bits_per_byte(compute: Any, save: Any, words: Any) -> None:
    compute("softmax-focal", *words[1:], "--bytes", "100").refuses(2, "--bytes: softmax-focal is not")
    compute("mse", words[1], words[1], "--bytes", "100").refuses(2, "mse takes no --bytes")
    by_id = save("z.npy", LOGITS[:, 0]), save("t.npy", LABELS[:, 0])
    compute("ce", *by_id, "--bytes", "nothing.npy").refuses(3, "nothing.npy: no such file (--bytes)")


def test_rows_joined_by_ids_have_no_file_of_bytes(compute: Any, write: Any, save: Any) -> None:
    p, t = write("p.csv", "id,a,b\nx,1,0\ny,0,1\n"), write("t.csv", "id,label\ny,b\nx,a\n")
    words = ("ce", p, t, "--id", "id", "--bytes")
    compute(*words, save("b.npy", [1, 2])).refuses(2, "matched by --id", "as a number")
    assert bits_per_byte(compute(*words, "3")) == pytest.approx(
        2 * math.log1p(math.exp(-1)) / math.log(2) / 3, rel=1e-14
    )


def test_from_python() -> None:
    for given in (48, np.full(4, 12)):
        found = losscli.compute("ce", LOG_P, None, from_="log-probs", bytes=given)
        assert found.summary["bits_per_byte"] == pytest.approx(NATS / math.log(2) / 48, rel=1e-14)


class TestBytesOfWhatCounts:
    """Bytes of samples or tokens that are left out are not behind the units."""

    P, T = np.zeros((2, 3, 4)), [[0, 1, 2], [3, 3, 3]]

    def test_of_samples(self, compute, save):
        files = save("p.npy", self.P), save("t.npy", [[0, 1, -1], [-1, -1, -1]]), save("b.npy", [10, 30])
        found = compute("ce", *files[:2], "--class-axis", "-1", "--ignore-index", "-1", "--bytes", files[2]).json
        assert found["summary"]["bits_per_byte"] == pytest.approx(2 * 2 / 10)

    def test_of_tokens(self, compute, save):
        files = save("p.npy", self.P), save("t.npy", self.T), save("b.npy", [[1, 2, 3], [4, 5, 6]])
        mask = save("m.npy", [[1, 0, 1], [0, 0, 1]])
        found = compute("ce", *files[:2], "--class-axis", "-1", "--mask", mask, "--bytes", files[2]).json
        assert found["summary"]["bits_per_byte"] == pytest.approx(3 * 2 / (1 + 3 + 6))

    def test_of_shifted_tokens(self, compute, save):
        files = save("p.npy", self.P), save("t.npy", self.T), save("b.npy", [[1, 2, 3], [4, 5, 6]])
        found = compute("ce", *files[:2], "--class-axis", "-1", "--shift", "1", "--bytes", files[2]).json
        assert found["summary"]["bits_per_byte"] == pytest.approx(4 * 2 / (2 + 3 + 5 + 6))

    def test_another_shape_names_the_right_one(self, compute, save):
        files = save("p.npy", self.P), save("t.npy", self.T), save("b.npy", [[1, 2], [4, 5]])
        compute("ce", *files[:2], "--class-axis", "-1", "--bytes", files[2]).refuses(3, "(2, 2)", "(2,)", "(2, 3)")

    def test_a_sample_that_two_reads_share_counts_once(self, compute, save, monkeypatch):
        files = save("p.npy", self.P), save("t.npy", self.T), save("b.npy", [5, 7])
        monkeypatch.setattr("losscli.io.source.SCAN_BYTES", 16)  # two tokens, and a sample has three
        found = compute("ce", *files[:2], "--class-axis", "-1", "--bytes", files[2]).json
        assert found["summary"]["bits_per_byte"] == pytest.approx(6 * 2 / (5 + 7))
