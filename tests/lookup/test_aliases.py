"""Every alias against the definition of who uses it: what the libraries gave, the formulas, and losscli's own numbers."""

import json
import subprocess
import sys
from functools import cache
from typing import Any

import numpy as np
import pytest
from aliases import FUNCTIONS, OPTIONS, PREDICTIONS, TARGETS, THIRD, USES, Use, inputs_of
from commands import ROOT

import losscli
from losscli.errors import UsageError
from losscli.lookup.meanings import AMBIGUOUS, each_name, meaning, plain
from losscli.lookup.names import find
from losscli.losses import LOSSES, declared

GOLDEN = {
    (line["call"], line["inputs"]): line["value"]
    for line in json.loads((ROOT / "tests" / "lookup" / "aliases.json").read_text())
}
FLOAT32 = ("keras", "tensorflow", "torchvision", "timm", "xgboost", "lightgbm", "catboost")
"""Libraries that compute, or print, no more than float32."""
DEFAULTS = 2e-6
"""How far numbers are apart because of a library's own small constants: PyTorch adds 1e-6 to distances, segmentation-models 1e-7 to masks."""


def each_use(uses: tuple[Use, ...] = USES) -> list[Any]:
    return [pytest.param(use, id=f"{use.names.split()[0]}-{use.source.split(',')[0]}") for use in uses]


@cache
def formula(use: Use) -> float:
    """The number of the place that uses the names, by its formula."""
    names = {name: getattr(np, name) for name in np.__all__} | {"sum": np.sum, "abs": np.abs} | FUNCTIONS
    return float(eval(use.formula, names | inputs_of(use.inputs)))


def computed(name: str, kind: str, **options: Any) -> float:
    """losscli's number for inputs; `p` and `t` among the options stand for predictions and targets that are changed."""
    values = inputs_of(kind)
    predictions = options.pop("p", next(values[letter] for letter in PREDICTIONS if letter in values))
    targets = options.pop("t", next((values[letter] for letter in TARGETS if letter in values), None))
    if (kind in THIRD and find(name).family.third_operand) or kind == "centers":
        option, letter = THIRD[kind]
        options[option] = values[letter]
        targets = values["t"] if "t" in values and kind != "triplets" else targets
    taken = {
        key: value for key, value in OPTIONS.get(kind, {}).items() if key != "from_" or find(name).family.takes_from
    }
    found = losscli.compute(name, predictions, targets, per_sample=False, **(taken | options))
    return float(found.value)


def from_losscli(use: Use) -> float:
    """The place's number by way of losscli's."""
    names = {name: getattr(np, name) for name in np.__all__} | {"sum": np.sum} | FUNCTIONS | inputs_of(use.inputs)
    settings = eval(f"dict({use.settings})")
    names["loss"] = lambda **options: computed(use.loss, use.inputs, **(settings | options))
    names["other"] = lambda name, **options: computed(name, use.inputs, **options)
    return float(eval(use.same, names))


class TestTable:
    def test_every_alias_of_every_loss_is_in_the_table(self) -> None:
        known = {(plain(name), use.loss) for use in USES for name in use.names.split()}
        for loss in LOSSES.values():
            for alias in loss.aliases:
                assert (plain(alias), loss.name) in known, (
                    f"{loss.name} has the alias {alias!r}, which nobody has checked: put a Use into tests/support/aliases.py, with who calls "
                    f"it so and by which formula, and run tests/support/make_aliases.py if it is a library's; if the number differs from "
                    f"losscli's, say so in ELSEWHERE in losscli/lookup/meanings.py; if the name means several losses, put it into AMBIGUOUS"
                )

    def test_the_table_is_of_aliases_that_there_are(self) -> None:
        for use in USES:
            for name in use.names.split():
                loss = declared(name)
                assert loss is not None, f"{name} is no name of a loss"
                assert loss.name == use.loss, f"{name} is {loss.name}, not {use.loss}"

    def test_what_libraries_gave_is_on_record(self) -> None:
        missing = [use.call for use in USES if use.call and (use.call, use.inputs) not in GOLDEN]
        assert not missing, "run tests/support/make_aliases.py"
        assert set(GOLDEN) == {(use.call, use.inputs) for use in USES if use.call}

    @pytest.mark.parametrize("name", [name for name, _ in each_name(AMBIGUOUS)])
    def test_no_ambiguous_name_is_a_loss(self, name: str) -> None:
        with pytest.raises(UsageError, match="different losses in different places"):
            find(name)


@pytest.mark.parametrize("use", each_use(tuple(use for use in USES if use.call)))
def test_the_formula_is_what_the_library_gave(use: Use) -> None:
    tolerance = 2e-5 if use.source.split()[0] in FLOAT32 else DEFAULTS
    assert formula(use) == pytest.approx(GOLDEN[use.call, use.inputs], rel=tolerance, abs=tolerance)


@pytest.mark.filterwarnings("ignore::losscli.LosscliWarning")
@pytest.mark.parametrize("use", each_use())
def test_losscli_gives_the_formulas_number_or_says_that_it_does_not(use: Use) -> None:
    if use.same:
        assert from_losscli(use) == pytest.approx(formula(use), rel=1e-9, abs=1e-12)
    if use.same != "loss()":
        for name in use.names.split():
            assert meaning(name), f"{use.source} means something else by {name}: say so in ELSEWHERE"


def test_the_libraries_that_are_installed_still_give_it() -> None:
    """In a process of its own, since importing all of them is not for other tests."""
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "support" / "make_aliases.py", "--installed"],
        capture_output=True,
        check=True,
        text=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    for line in found:
        tolerance = 2e-5 if line["library"].split()[0] in FLOAT32 else DEFAULTS
        assert line["value"] == pytest.approx(GOLDEN[line["call"], line["inputs"]], rel=tolerance, abs=tolerance), line
