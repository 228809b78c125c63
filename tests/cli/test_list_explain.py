"""`losscli list` and `explain`: what a newcomer sees, and what scripts read."""

import json
import math

import pytest

import losscli
from losscli.losses import FAMILIES

# The table of the contract: family, aliases and parameters with their defaults.
CONTRACT = {
    "squared-error": ("residual", ("mse", "mean-squared-error"), {}),
    "half-squared-error": ("residual", ("l2", "l2-loss"), {}),
    "absolute-error": ("residual", ("l1", "mae", "mean-absolute-error"), {}),
    "huber": ("residual", (), {"delta": 1}),
    "smooth-l1": ("residual", (), {"beta": 1}),
    "tukey-biweight": ("residual", ("tukey", "biweight"), {"c": 4.6851}),
    "hinge": ("margin", (), {}),
    "squared-hinge": ("margin", (), {}),
    "ramp": ("margin", (), {"s": -1}),
    "sigmoid-cross-entropy": (
        "sigmoid",
        ("bce", "binary-cross-entropy", "binary-crossentropy", "bce-with-logits"),
        {},
    ),
    "softmax-cross-entropy": (
        "softmax",
        (
            "ce",
            "cross-entropy",
            "categorical-crossentropy",
            "sparse-categorical-crossentropy",
            "sparse-softmax-cross-entropy",
        ),
        {},
    ),
    "kl-divergence": ("softmax", ("kl", "kullback-leibler"), {}),
    "sigmoid-focal": ("sigmoid", ("binary-focal", "focal"), {"gamma": 2, "alpha": None}),
    "softmax-focal": ("softmax", ("categorical-focal", "sparse-focal"), {"gamma": 2}),
    "center": ("embedding", ("center-loss",), {}),
}

NAMES = [*CONTRACT, *(alias for _, aliases, _ in CONTRACT.values() for alias in aliases)]


class TestList:
    def test_json_holds_every_loss_of_the_contract(self, run):
        found = {entry["name"]: entry for entry in json.loads(run("list", "--format", "json").out)}
        assert set(CONTRACT) <= set(found)
        for name, (family, aliases, parameters) in CONTRACT.items():
            assert found[name]["family"] == family
            assert set(aliases) <= set(found[name]["aliases"])
            assert {item["name"]: item["default"] for item in found[name]["parameters"]} == parameters

    def test_every_loss_has_a_formula_a_definition_otherwise(self, run):
        for entry in json.loads(run("list", "-f", "json").out):
            assert entry.get("formula") or entry.get("definition")

    def test_no_name_stands_for_two_losses(self, run):
        found = json.loads(run("list", "-f", "json").out)
        names = [name for entry in found for name in (entry["name"], *entry["aliases"])]
        assert len(names) == len(set(names))

    def test_every_loss_can_be_computed_by_each_of_its_names(self, run):
        for entry in json.loads(run("list", "-f", "json").out):
            assert run("compute", entry["name"], "--help").code == 0
            for alias in entry["aliases"]:  # which so is known as a command, without the help, which takes longest
                run("compute", alias).refuses(2, "Missing argument 'PREDICTIONS'", f"losscli compute {alias} --help")

    def test_a_family(self, run):
        found = json.loads(run("list", "--family", "margin", "--format", "json").out)
        names = [entry["name"] for entry in found]
        assert names[:5] == ["hinge", "squared-hinge", "ramp", "logistic", "zero-one"]
        assert {entry["family"] for entry in found} == {"margin"}

    @pytest.mark.parametrize("family", FAMILIES)
    def test_every_family_has_losses(self, run, family):
        found = json.loads(run("list", "--family", family, "-f", "json").out)
        assert {entry["family"] for entry in found} == {family}

    def test_an_unknown_family_is_refused_with_the_choices(self, run):
        run("list", "--family", "sofmax").refuses(2, "softmax", "margin")

    def test_the_table_names_every_loss_alias_and_parameter(self, run):
        out = run("list").out
        for name, (family, aliases, parameters) in CONTRACT.items():
            line = next(line for line in out.splitlines() if line.split()[:1] == [name])
            assert all(word in line for word in (family, *aliases, *parameters))

    def test_the_table_is_not_cut_or_coloured_in_a_pipe(self, run, monkeypatch):
        monkeypatch.setenv("COLUMNS", "20")
        out = run("list").out
        assert "\x1b" not in out
        assert "…" not in out
        assert "Cross-entropy that down-weights what is already predicted well." in out
        assert "where(" not in out  # formulas are in explain


class TestSearch:
    @pytest.mark.parametrize(
        ("words", "found"),
        [
            (("pinball",), ["quantile"]),
            (("mean-squared-error",), ["squared-error"]),
            (("ranknet",), ["pairwise-logistic"]),
            (("QUANTILE",), ["quantile", "multi-quantile", "weighted-quantile"]),
            (("squared", "hinge"), ["squared-hinge"]),
            (("beyond delta",), []),
            (("linear beyond",), ["huber"]),
            (("BCEWithLogitsLoss",), ["sigmoid-cross-entropy"]),
            (("cross_entropy with a", "family"), []),
        ],
    )
    def test_looks_at_names_aliases_and_summaries(self, run, words, found):
        done = run("list", *words, "-f", "json")
        if not found:
            return done.refuses(2, f"list {' '.join(words)}", "no loss has this", "losscli list")
        entries = json.loads(done.out)
        assert set(found) <= {entry["name"] for entry in entries}
        assert entries == [entry for entry in json.loads(run("list", "-f", "json").out) if entry in entries]
        assert len(entries) < 12
        return None

    def test_within_a_family(self, run):
        entries = json.loads(run("list", "hinge", "--family", "margin", "-f", "json").out)
        assert {entry["family"] for entry in entries} == {"margin"}
        run("list", "quantile", "--family", "margin").refuses(2, "no loss has this")

    def test_a_statistic_is_answered_with_the_command_that_gives_it(self, run):
        run("list", "accuracy").refuses(2, "is a statistic, not a loss", "losscli compute multiclass-zero-one")

    def test_a_name_with_several_meanings_finds_them(self, run):
        names = {entry["name"] for entry in json.loads(run("list", "log-loss", "-f", "json").out)}
        assert {"sigmoid-cross-entropy", "softmax-cross-entropy"} <= names

    def test_a_misspelt_word_is_answered_with_the_nearest(self, run):
        run("list", "hinje").refuses(2, "did you mean hinge?")

    def test_a_name_of_a_library_is_told_beside_the_loss(self, run):
        assert "(also called BCEWithLogitsLoss)" in run("list", "bcewithlogits").out

    def test_an_alias_is_told_on_a_terminal(self):
        from losscli.render.catalogue import entries, listed, searched
        from losscli.render.screen import Screen

        found = searched(entries(), ["pinball"])
        assert "(also called pinball," in " ".join(listed(found, Screen(120), ["pinball"]).split())
        assert "also called" not in listed(searched(entries(), ["huber"]), Screen(120), ["huber"])


class TestParts:
    def test_short_is_the_first_part_of_the_page(self, run):
        short, page = run("explain", "huber", "--short").out, run("explain", "huber").out
        assert page.startswith(short.rstrip())
        titles = [line for line in short.splitlines() if line and not line.startswith(" ")][1:]
        assert titles == ["Formula", "where", "Curve"]

    def test_libraries_are_the_last_part(self, run):
        alone, page = run("explain", "huber", "--libraries").out, run("explain", "huber").out
        assert alone.partition("\n\n")[2].rstrip() in page
        assert "torch.nn.functional.huber_loss(p, t, delta=delta)" in alone
        assert "Formula" not in alone

    def test_a_loss_of_no_library(self, run):
        assert "No library that losscli knows has this loss." in run("explain", "tukey", "--libraries").out

    def test_both_are_refused(self, run):
        run("explain", "huber", "--short", "--libraries").refuses(2, "say one of them")


class TestExplain:
    @pytest.mark.parametrize("name", NAMES)
    def test_every_name_and_alias(self, run, name):
        done = run("explain", name)
        canonical = next(main for main, (_, aliases, _) in CONTRACT.items() if name == main or name in aliases)
        assert done.code == 0
        assert done.out.startswith(canonical)
        assert "\x1b" not in done.out

    @pytest.mark.parametrize("name", CONTRACT)
    def test_json_is_the_entry_of_list(self, run, name):
        found = json.loads(run("explain", name, "--format", "json").out)
        assert found == next(entry for entry in json.loads(run("list", "-f", "json").out) if entry["name"] == name)

    @pytest.mark.parametrize("name", CONTRACT)
    def test_says_formula_gradient_targets_and_source(self, run, name):
        found = json.loads(run("explain", name, "-f", "json").out)
        text = " ".join(run("explain", name).out.split())
        for key in ("summary", "formula", "gradient", "targets", "source"):
            assert found[key], key
            assert " ".join(str(found[key]).split()) in text
        for case in (*found["special_cases"], *found["relations"]):
            assert " ".join(case.split()) in text

    @pytest.mark.parametrize(
        ("name", "parts"),
        [
            ("huber", ["--delta", "(0, inf)", "1"]),
            ("tukey", ["--c", "(0, inf)", "4.6851"]),
            ("ramp", ["--s", "(-inf, 1)", "-1"]),
            ("focal", ["--gamma", "[0, inf)", "2", "--alpha", "[0, 1]", "none"]),
        ],
    )
    def test_parameters_have_domains_and_defaults(self, run, name, parts):
        out = run("explain", name).out
        assert [part for part in parts if part not in out] == []

    @pytest.mark.parametrize("name", ["smooth_l1", "Smooth-L1", "SMOOTH_L1"])
    def test_dashes_underscores_and_capitals_are_the_same(self, run, name):
        assert run("explain", name).out == run("explain", "smooth-l1").out

    @pytest.mark.parametrize("name", ["nll", "log-loss", "log_loss", "NLL"])
    def test_a_name_with_several_meanings_is_refused_with_the_choices(self, run, name):
        run("explain", name).refuses(2, "sigmoid-cross-entropy", "softmax-cross-entropy")

    def test_a_misspelt_name_is_answered_with_the_nearest(self, run):
        run("explain", "hinje").refuses(2, "did you mean hinge?")

    def test_lines_are_short_enough_to_read(self, run):
        assert max(len(line) for line in run("explain", "softmax-focal").out.splitlines()) <= 110


class TestParameters:
    """explain of a SPEC with parameters: formula, curve and values at these."""

    def test_values_are_those_of_the_formula(self, run):
        out = run("explain", "huber:delta=2").out
        assert out.startswith("huber:delta=2  (residual)\n")
        assert "; delta = 2\n" in out
        for r in range(-3, 4):
            loss = r * r / 2 if abs(r) <= 2 else 2 * (abs(r) - 1)
            assert f"at r = {r}: loss {loss:g}, slope {max(-2, min(2, r))}\n" in out
        assert out.endswith("losscli compute huber PREDICTIONS TARGETS --delta 2\n")

    def test_as_json(self, run):
        record = run("explain", "focal:gamma=0", "-f", "json").json
        assert record["at"]["parameters"] == {"gamma": 0.0, "alpha": None}
        for row in record["at"]["values"]:
            assert row["value"] == pytest.approx(math.log1p(math.exp(-row["x"])), rel=1e-12)  # the cross-entropy
        assert "at" not in run("explain", "focal", "-f", "json").json

    def test_in_python(self):
        assert losscli.explain("huber:delta=2")["at"]["parameters"] == {"delta": 2.0}
        assert losscli.explain("rmse")["commands"] == ["losscli compute mse PREDICTIONS TARGETS"]

    def test_a_loss_without_an_axis_is_explained(self, run):
        assert run("explain", "dpo:beta=0.2").out.startswith("dpo:beta=0.2")
