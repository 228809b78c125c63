"""What is written twice is generated or compared: tables and sessions of the documents, choices of options."""

import functools
import importlib.metadata
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import get_args

import numpy as np
import pytest
from commands import ROOT

from losscli.analysis import words as of_analysis
from losscli.analysis.centers import RULES
from losscli.definition import words
from losscli.engine.reduction import REDUCTIONS
from losscli.losses import FAMILIES, LOSSES
from losscli.measurement.conventions import GIVEN, PER, SMOOTHING
from losscli.plots.samples import PANELS
from losscli.plots.style import THEMES
from losscli.render import words as of_pictures


@functools.cache
def make_tables() -> ModuleType:
    """docs/make_tables.py, once for all documents, whose commands share the processes that have loaded losscli."""
    spec = importlib.util.spec_from_file_location("make_tables", ROOT / "docs" / "make_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_tables"] = module
    spec.loader.exec_module(module)
    return module


WITH_FLOAT32 = ("README.md", "docs/conventions.md", "docs/shapes.md")
"""Documents whose sessions have numbers of both dtypes, which are looked at a second time without SIMD."""


@pytest.mark.parametrize(
    "document",
    [pytest.param(name, marks=[pytest.mark.simd] * (name in WITH_FLOAT32)) for name in make_tables().DOCUMENTS],
)
def test_the_documents_show_what_the_commands_print(document: str) -> None:
    """Run `python docs/make_tables.py` when this fails, and read what changed."""
    assert make_tables().main(["--check", document]) == 0


@pytest.mark.parametrize(
    ("text", "made", "faults"),
    [
        ("![a](docs/figures/a.png)", {"a.png"}, []),
        ("![a](docs/figures/a.png)", set(), ["a.png: shown, but no session writes it"]),
        ("", {"a.png"}, ["a.png: written by a session, but not shown"]),
    ],
)
def test_a_document_shows_the_pictures_that_its_sessions_write(text: str, made: set[str], faults: list[str]) -> None:
    assert make_tables().strays(text, made) == faults


def test_the_folder_of_figures_holds_what_is_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = make_tables()
    monkeypatch.setattr(tables, "FIGURES", folder)
    (folder / "stray.png").write_bytes(b"")
    assert "robust.png: not in docs/figures" in tables.figures()
    assert tables.figures()[-1] == "stray.png: in docs/figures, but no document shows it"


@pytest.mark.parametrize(
    ("shown", "printed", "dtype", "equal"),
    [
        ("mean 0.1649221114737457", "mean 0.16492211147374573", "float64", True),  # one unit in the last place
        ("mean 0.1649221114737457", "mean 0.1649221114737477", "float64", False),
        ("mean 0.1649221139947056", "mean 0.1649221121217124", "float64", False),
        ("mean 0.1649221139947056", "mean 0.1649221121217124", "float32", True),
        ("mean 0.1649221139947056", "mean 0.1649224", "float32", False),
        ("l  2.0611536e-09", "l  2.0611537e-09", "float32", True),
        ("l  2.0611536e-09", "l  2.0612e-09", "float32", False),
        ("| -0.0001322727867171733 |", "| -0.00013227278671718717 |", "float64", True),  # the difference of two means
        ("rows 360", "rows 361", "float32", False),
        ("mean 0.5", "max 0.5", "float32", False),
        ("mean 0.5", "mean 0.5 0.5", "float32", False),
    ],
)
def test_outputs_are_the_same_to_a_few_units_in_the_last_place(
    shown: str, printed: str, dtype: str, equal: bool
) -> None:
    assert make_tables().same(shown, printed, dtype) is equal


def test_what_reads_float32_has_its_digits(folder: Path) -> None:
    """And so has what is read from a file that was written from float32, until the file is written anew."""
    np.save("single.npy", np.float32([1]))
    np.save("double.npy", np.float64([1]))
    lines = {
        "cat single.npy > /dev/null": "float32",
        "cat double.npy > /dev/null": "float64",
        "cat single.npy > made.csv": "float32",
        "head -1 'made.csv' | wc -l": "float32",
        "echo 1 > made.csv": "float64",
        "cat made.csv; (exit 3)": "float64",
        "echo $?": "float64",
    }
    singles: set[str] = set()
    made = make_tables().session("".join(f"$ {line}\n" for line in lines), folder, singles)
    assert [(step.command[2:], step.dtype) for step in made] == list(lines.items())
    assert [step.output for step in made[3:]] == ["1\n", "", "1\n", "3\n"]
    assert singles == set()


def test_a_session_is_taken_apart_by_its_commands() -> None:
    block = "$ one\n1\n2\n$ two\n$ three\n3\n"
    assert [tuple(step)[:2] for step in make_tables().steps(block)] == [
        ("$ one", "1\n2\n"),
        ("$ two", ""),
        ("$ three", "3\n"),
    ]


def test_the_choices_of_options_are_those_that_exist() -> None:
    assert get_args(words.ReductionName) == tuple(REDUCTIONS)
    assert set(get_args(words.AxisName)) == {name for family in FAMILIES.values() for name in family.axes}
    assert get_args(of_analysis.CenterRule) == tuple(RULES)
    assert get_args(of_pictures.PanelName) == tuple(PANELS)
    assert get_args(of_pictures.ThemeName) == tuple(THEMES)
    assert get_args(words.SmoothingMode) == tuple(SMOOTHING)
    assert get_args(words.PredictionKind) == tuple(GIVEN)
    assert set(PER) < set(get_args(words.UnitKind))  # libraries know masks of tables only


def test_every_loss_stands_in_the_overview_and_in_the_tables() -> None:
    overview, _, tables = (ROOT / "docs" / "losses.md").read_text().partition("<!-- families: end -->")
    assert all(f"`{name}`" in text for name in LOSSES for text in (overview, tables))


def test_the_reference_has_every_option_of_losses() -> None:
    from losscli.cli.options.losses import flags

    page = (ROOT / "docs" / "commands.md").read_text()
    assert [flag for flag in flags() if flag.startswith("--") and flag not in page] == []


def test_what_readers_save_is_there_for_the_commands_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a document whose readers copy the sample data starts without it."""
    text = "```toml file a.toml\nb = 1\n```\n\n```console\n$ cat a.toml; ls\n```\n"
    refreshed = make_tables().refreshed
    assert refreshed(text)[0].endswith("b = 1\na.toml\nexamples\nsample_data\n```\n")
    alone, _ = refreshed(text.replace("ls\n", "ls\n$ losscli demo --copy\n"))
    assert "b = 1\na.toml\n$ losscli demo --copy\nsample_data: " in alone


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 1000


def test_the_version_is_written_once() -> None:
    import losscli

    version = losscli.__version__
    assert importlib.metadata.version("losscli") == version
    holders = [path.name for path in (ROOT / "losscli").rglob("*.py") if f'"{version}"' in path.read_text()]
    assert holders == ["version.py"]
    assert f'"{version}"' not in (ROOT / "pyproject.toml").read_text()
