"""What is written twice is generated or compared: tables and sessions of the documents, choices of options."""

import importlib.metadata
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from losscli.cli import options, plot
from losscli.definition.registry import FAMILIES, LOSSES
from losscli.engine.reduction import REDUCTIONS
from losscli.plots.samples import PANELS
from losscli.render import text as render

ROOT = Path(__file__).parent.parent


def make_tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_tables", ROOT / "docs" / "make_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_tables"] = module
    spec.loader.exec_module(module)
    return module


def test_the_documents_show_what_the_commands_print(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run `python docs/make_tables.py` when this fails, and read what changed."""
    monkeypatch.chdir(ROOT)
    assert make_tables().main(["--check"]) == 0


def test_the_choices_of_options_are_those_that_exist() -> None:
    assert set(get_args(options.ReductionName)) == set(REDUCTIONS)
    assert get_args(options.FormatName) == render.FORMATS
    assert set(get_args(plot.AxisName)) == {name for family in FAMILIES.values() for name in family.axes}
    assert get_args(options.PanelName) == tuple(PANELS)


def test_every_loss_stands_in_the_overview_and_in_the_tables() -> None:
    overview, _, tables = (ROOT / "docs" / "losses.md").read_text().partition("<!-- families: end -->")
    assert all(f"`{name}`" in text for name in LOSSES for text in (overview, tables))


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 1000


def test_the_version_is_written_once() -> None:
    import losscli

    version = losscli.__version__
    assert importlib.metadata.version("losscli") == version
    holders = [path.name for path in (ROOT / "losscli").rglob("*.py") if f'"{version}"' in path.read_text()]
    assert holders == ["__init__.py"]
    assert f'"{version}"' not in (ROOT / "pyproject.toml").read_text()
