"""What people install: the wheel, made from the sdist, in a folder without the clone; and the files that describe the project."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from commands import ROOT

import losscli

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))}


def ran(*words: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words], cwd=cwd, env=CLEAN | variables, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel, built from what the sdist holds and nothing else."""
    folder = tmp_path_factory.mktemp("dist")
    made = ran(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    assert made.returncode == 0, made.stderr
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        # The first patches of 3.11 have no filters, and 3.12 warns of extraction without one.
        archive.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    made = ran(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=folder / sdist.name[:-7])
    assert made.returncode == 0, made.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """The folder into which pip installed the wheel alone; what it needs is found where the tests run."""
    folder = tmp_path_factory.mktemp("installed")
    done = ran(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "-t", folder, wheel, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


class TestWheel:
    def test_does_the_main_job_in_an_empty_folder(self, installed, tmp_path):
        done = ran(installed / "bin" / "losscli", "demo", cwd=tmp_path, PYTHONPATH=str(installed))
        assert done.returncode == 0, done.stderr
        assert str(installed / "losscli" / "sample_data") in done.stderr
        assert "0.1649221" in done.stdout  # the mean cross-entropy of the digits, as tests of compute prove it
        assert not list(tmp_path.iterdir())

    def test_brings_the_sample_data_to_who_follows_the_lessons(self, installed, tmp_path):
        done = ran(installed / "bin" / "losscli", "demo", "--copy", cwd=tmp_path, PYTHONPATH=str(installed))
        assert done.returncode == 0, done.stderr
        ours = {path.name for path in (ROOT / "sample_data").iterdir() if path.is_file()}
        assert {path.name for path in (tmp_path / "sample_data").iterdir()} == ours

    def test_has_every_module_and_the_files_of_pages_and_marks_its_types(self, wheel):
        inside = set(zipfile.ZipFile(wheel).namelist())
        ours = {
            str(path.relative_to(ROOT))
            for kind in ("py", "js", "css", "json", "txt")
            for path in (ROOT / "losscli").rglob(f"*.{kind}")
        }
        assert {"losscli/gallery/site.css", "losscli/gallery/curve.js"} <= ours
        assert ours <= inside
        assert "losscli/py.typed" in inside
        assert not [name for name in inside if name.startswith(("tests", "docs", "benchmarks"))]

    def test_runs_a_suite_and_draws(self, installed, tmp_path):
        sample = installed / "losscli" / "sample_data"
        done = ran(
            installed / "bin" / "losscli", "run", sample / "losscli.toml", cwd=tmp_path, PYTHONPATH=str(installed)
        )
        assert (done.returncode, "4 measurements, 4 met" in done.stdout) == (0, True), done.stderr
        words = (installed / "bin" / "losscli", "plot", "curves", "huber", "-o", "huber.svg")
        done = ran(*words, cwd=tmp_path, PYTHONPATH=str(installed))
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "huber.svg").read_text().startswith("<?xml")


class TestDescription:
    """One version, one license and one author, wherever they stand."""

    PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())

    def test_of_the_citation_is_that_of_the_package(self, wheel):
        with zipfile.ZipFile(wheel) as archive:
            (place,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            said = importlib.metadata.PathDistribution(zipfile.Path(archive, place.removesuffix("METADATA"))).metadata
        assert said["Version"] == self.CITATION["version"] == losscli.__version__
        assert said["License-Expression"] == self.CITATION["license"] == "MIT"
        assert said["Author"] == self.CITATION["authors"][0]["name"] == "The losscli developers"
        assert said["Summary"] == self.PROJECT["description"]

    def test_the_newest_entry_of_the_changelog_is_no_older_than_the_version(self):
        heads = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
        assert losscli.__version__ in heads

    def test_every_extra_is_told_with_its_reason(self):
        text = (ROOT / "pyproject.toml").read_text()
        block = text[text.index("[project.optional-dependencies]") : text.index("[project.scripts]")]
        bare = [line for line in block.splitlines() if line.startswith('    "') and "#" not in line]
        assert bare == []


class TestImage:
    def test_is_ten_lines_at_most_and_installs_this_project(self):
        lines = (ROOT / "Dockerfile").read_text().splitlines()
        assert len(lines) <= 10
        assert any(line.startswith("COPY . ") for line in lines)
        assert 'ENTRYPOINT ["losscli"]' in lines
        assert "USER 1000" in lines  # not root
