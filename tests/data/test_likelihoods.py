"""Predictions that are the likelihoods of what happened, one number per token, without targets."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import losscli
from losscli.errors import DataError, UsageError
from losscli.losses import LOSSES

RNG = np.random.default_rng(5)
LOG_P = -RNG.exponential(2, (5, 7)).round(3)
OF_TRUE_CLASS = [name for name, loss in LOSSES.items() if loss.of_true_class]
LOGITS = RNG.normal(0, 2, (40, 6))
LABELS = RNG.integers(0, 6, 40)
FULL = LOGITS - np.logaddexp.reduce(LOGITS, axis=1, keepdims=True)
OWN = FULL[np.arange(40), LABELS]


@pytest.fixture
def tokens(save: Any) -> str:
    return save("logp.npy", LOG_P)


def test_the_losses_are_those_that_need_the_true_class_only() -> None:
    assert set(OF_TRUE_CLASS) == {
        "softmax-cross-entropy",
        "kl-divergence",
        "softmax-focal",
        "softmax-poly-1",
        "generalized-cross-entropy",
        "taylor-cross-entropy",
    }


class TestValues:
    def test_cross_entropy_is_minus_the_mean(self, compute: Any, tokens: str) -> None:
        found = compute("ce", tokens, "--from", "log-probs").json
        assert found["value"] == pytest.approx(-LOG_P.mean(), rel=1e-14)
        assert found["samples"] == 35
        assert found["summary"]["perplexity"] == pytest.approx(math.exp(-LOG_P.mean()), rel=1e-14)
        assert found["baseline"] is None
        assert found["receipt"]["targets"] == {"kind": "none"}
        assert found["receipt"]["predictions"]["shape"] == [5, 7]
        assert "|from:log-probs|targets:none|" in found["signature"]

    @pytest.mark.parametrize("name", OF_TRUE_CLASS)
    @pytest.mark.parametrize("kind", ["log-probs", "probs"])
    def test_it_is_the_loss_of_all_classes_and_the_label(self, name: str, kind: str, tmp_path: Path) -> None:
        own, full = (np.exp(OWN), np.exp(FULL)) if kind == "probs" else (OWN, FULL)
        found = losscli.compute(name, own, None, from_=kind, gradient=True)
        same = losscli.compute(name, full, LABELS, from_=kind, gradient=True)
        np.testing.assert_array_equal(found.losses, same.losses)
        np.testing.assert_array_equal(found.gradient, same.gradient[np.arange(40), LABELS])
        assert found.value == same.value

    def test_gradients_are_by_what_is_given(self) -> None:
        p = np.array([0.5, 0.125, 1.0])
        found = losscli.compute("ce", p, None, from_="probs", gradient=True)
        np.testing.assert_array_equal(found.gradient, [-2, -8, -1])
        found = losscli.compute("ce", np.log(p), None, from_="log-probs", gradient=True)
        np.testing.assert_array_equal(found.gradient, [-1, -1, -1])
        found = losscli.compute("softmax-focal", p, None, from_="probs", gradient=True)
        # The derivative of -(1 - p)**2 log(p).
        np.testing.assert_allclose(found.gradient, 2 * (1 - p) * np.log(p) - (1 - p) ** 2 / p, rtol=1e-15)

    def test_an_impossible_token_is_infinite(self, compute: Any, save: Any) -> None:
        for kind, value in (("log-probs", -math.inf), ("probs", 0.0)):
            found = compute("ce", save("p.npy", [value, 1.0 if kind == "probs" else 0.0]), "--from", kind, "-f", "csv")
            assert found.out.splitlines()[1:] == ["0,inf", "1,0.0"]
        assert "saturated-probabilities" in found.err

    def test_the_dtype_is_kept(self, compute: Any, save: Any) -> None:
        found = compute("ce", save("l.npy", LOG_P, np.float32), "--from", "log-probs", "--gradient", "g.npy").json
        assert found["receipt"]["computed_in"] == "float32"
        assert np.load("g.npy").dtype == np.float32


class TestShapes:
    def test_sequences_are_positions(self, compute: Any, tokens: str) -> None:
        words = ("ce", tokens, "--from", "log-probs")
        rows = compute(*words, "-f", "jsonl").lines
        assert [(row["sample"], row["position"]) for row in rows] == [(i, j) for i in range(5) for j in range(7)]
        assert [row["loss"] for row in rows] == (-LOG_P.reshape(-1)).tolist()
        assert "target" not in rows[0]
        found = compute(*words, "--per", "sample", "--over-positions", "sum", "-f", "jsonl").lines
        assert [row["loss"] for row in found] == pytest.approx(-LOG_P.sum(axis=1), rel=1e-14)

    def test_gradients_have_the_shape_of_the_file(self, compute: Any, tokens: str, save: Any) -> None:
        for name, shape in ((tokens, (5, 7)), (save("flat.npy", LOG_P.reshape(-1)), (35,))):
            assert compute("ce", name, "--from", "log-probs", "--gradient", "g.npy").code == 0
            np.testing.assert_array_equal(np.load("g.npy"), np.full(shape, -1.0))

    def test_masked_tokens_do_not_exist(self, compute: Any, save: Any) -> None:
        held = LOG_P.copy()
        held[2, 4:] = np.nan
        words = ("ce", save("h.npy", held), "--from", "log-probs")
        compute(*words).refuses(3, "h.npy[2, 4]: the prediction is NaN", "--mask FILE")
        mask = np.isfinite(held)
        found = compute(*words, "--mask", save("m.npy", mask)).json
        assert found["value"] == pytest.approx(-LOG_P[mask].mean(), rel=1e-14)
        assert (found["samples"], found["ignored"]) == (32, 3)

    def test_weights_may_be_those_of_tokens_or_sequences(self, compute: Any, tokens: str, save: Any) -> None:
        for weights in (RNG.uniform(0, 2, (5, 7)), RNG.uniform(0, 2, 5)):
            each = np.broadcast_to(weights.reshape(5, -1), (5, 7))
            found = compute("ce", tokens, "--from", "log-probs", "--sample-weight", save("w.npy", weights)).json
            assert found["value"] == pytest.approx(-(each * LOG_P).sum() / each.sum(), rel=1e-13)

    @pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
    def test_a_column_of_a_table(self, compute: Any, write: Any, name: str) -> None:
        lines = {
            "a.csv": ["token,logp", *(f"w{i},{one}" for i, one in enumerate(LOG_P.reshape(-1)))],
            "a.jsonl": [f'{{"token": "w{i}", "logp": {one}}}' for i, one in enumerate(LOG_P.reshape(-1))],
        }[name]
        write(name, "\n".join(lines) + "\n")
        found = compute("ce", f"{name}:logp", "--from", "log-probs").json
        assert found["value"] == pytest.approx(-LOG_P.mean(), rel=1e-14)
        compute("ce", name, "--from", "log-probs").refuses(2, "Missing argument 'TARGETS'.", f"{name}:COLUMN")

    def test_shards_and_pipes(self, compute: Any, tokens: str, save: Any) -> None:
        value = compute("ce", tokens, "--from", "log-probs", "-f", "value").out
        save("part-1.npy", LOG_P[:2])
        save("part-2.npy", LOG_P[2:])
        assert compute("ce", "part-*.npy", "--from", "log-probs", "-f", "value").out == value
        piped = compute("ce", "-", "--from", "log-probs", "-f", "value", stdin=Path(tokens).read_bytes())
        assert piped.out == value


class TestRefused:
    @pytest.mark.parametrize(
        "words",
        [
            ("ce",),
            ("ce", "--from", "logits"),
            ("brier", "--from", "log-probs"),
            ("bce", "--from", "log-probs"),
            ("mse",),
            ("ctc", "--from", "log-probs"),
        ],
    )
    def test_targets_are_missing_as_ever(self, compute: Any, tokens: str, words: tuple[str, ...]) -> None:
        loss, *options = words
        compute(loss, tokens, *options).refuses(2, f"Missing argument 'TARGETS'. (see losscli compute {loss} --help)")

    def test_a_table_is_described(self, compute: Any, write: Any) -> None:
        table = write("both.csv", "score,label\n0.5,1\n0.25,0\n")
        held = "both.csv holds 'score' (numbers in [0, 1]), 'label' (0 and 1)"
        command = "losscli compute bce both.csv:score both.csv:label -f json --from probs"
        compute("ce", table).refuses(2, "Missing argument 'TARGETS'", held, command)

    def test_other_commands_need_targets(self, run: Any, tokens: str) -> None:
        run("rank", "ce", tokens, "--from", "log-probs").refuses(2, "Missing argument 'TARGETS'.")
        with pytest.raises(DataError, match="targets: None"):
            losscli.rank("ce", LOG_P, None, from_="log-probs")

    @pytest.mark.parametrize("kind", ["log-probs", "probs"])
    def test_probabilities_of_classes_are_no_tokens(self, compute: Any, save: Any, kind: str) -> None:
        full = save("full.npy", np.exp(FULL) if kind == "probs" else FULL)
        compute("ce", full, "--from", kind).refuses(2, "Missing argument 'TARGETS'. full.npy: shape (40, 6)", "(240,)")
        deep = save("deep.npy", np.load(full).reshape(4, 10, 6))
        compute("ce", deep, "--from", kind).refuses(2, "shape (4, 10, 6)", "sum to 1")

    def test_probabilities_of_two_classes_neither(self, compute: Any, save: Any) -> None:
        two = save("two.npy", [[0.25, 0.75], [0.5, 0.5], [1, 0]])
        compute("ce", two, "--from", "probs").refuses(2, "two.npy: shape (3, 2)", "sum to 1", "(6,)")

    def test_what_is_no_likelihood(self, compute: Any, save: Any) -> None:
        compute("ce", save("p.npy", [-1.0, 0.5]), "--from", "log-probs").refuses(3, "p.npy[1]: 0.5 is not a log-prob")
        compute("ce", save("p.npy", [0.5, 1.5]), "--from", "probs").refuses(3, "p.npy[1]: 1.5 is not a probability")

    @pytest.mark.parametrize(
        "option",
        [
            "--label-smoothing 0.1",
            "--smoothing-mode half",
            "--class-weight balanced",
            "--classes a,b",
            "--label-base 1",
            "--ignore-index -100",
            "--class-axis 1",
            "--shift 1",
        ],
    )
    def test_options_about_classes(self, compute: Any, tokens: str, option: str) -> None:
        compute("ce", tokens, "--from", "log-probs", *option.split()).refuses(2, option.split()[0], "without TARGETS")

    def test_libraries(self, compute: Any, tokens: str) -> None:
        words = ("ce", tokens, "--from", "log-probs", "--as")
        compute(*words, "torch").refuses(2, "stored likelihoods have none")

    def test_an_empty_name_stays_one(self, compute: Any, tokens: str) -> None:
        compute("ce", tokens, "", "--from", "log-probs").refuses(2, "targets: the name is empty")
        with pytest.raises(UsageError, match="the name is empty"):
            losscli.compute("ce", LOG_P, "", from_="log-probs")

    def test_from_python_none_is_no_targets_only_where_none_are_needed(self) -> None:
        assert losscli.compute("ce", LOG_P, None, from_="log-probs").losses.shape == (5, 7)
        for name, more in (("ce", {}), ("brier", {"from_": "log-probs"}), ("mse", {})):
            with pytest.raises(UsageError, match="Missing argument 'targets'"):
                losscli.compute(name, LOG_P, None, **more)
            with pytest.raises(UsageError, match="Missing argument 'targets'"):
                losscli.compute(name, LOG_P, **more)
        assert (
            losscli.compute("ce", LOG_P, from_="log-probs").value
            == losscli.compute("ce", LOG_P, None, from_="log-probs").value
        )
