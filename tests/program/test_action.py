"""The GitHub Action, the hooks of pre-commit and the release: their steps run by bash, as far as they need no GitHub."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from commands import ROOT

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
GH = """#!/usr/bin/env python3
# Stands where GitHub's own command would: keeps the comments of a pull request in a file.
import json, os, re, sys
words, store = sys.argv[1:], os.environ["STORE"]
comments = json.load(open(store)) if os.path.exists(store) else []
if os.environ.get("READ_ONLY") and "--method" in words:
    sys.exit("HTTP 403")
if "--method" not in words:
    assert words[-1] == ".[] | select(.body | startswith(env.MARK)) | .id", words
    print(*(number for number, body in comments if body.startswith(os.environ["MARK"])), sep="\\n")
else:
    method, field = words[words.index("--method") + 1], words[words.index("-F") + 1]
    body = open(field.removeprefix("body=@")).read()
    place = next(word for word in words if word.startswith("repos/"))
    if method == "POST":
        assert re.fullmatch(r"repos/o/r/issues/7/comments", place), place
        comments.append([len(comments) + 1, body])
    else:
        number = int(re.fullmatch(r"repos/o/r/issues/comments/(\\d+)", place)[1])
        comments = [[n, body if n == number else old] for n, old in comments]
    json.dump(comments, open(store, "w"))
"""


@pytest.fixture
def step(folder):
    """Run a step of the action as GitHub does: by bash -eo pipefail, with the step's variables and the files of the runner."""
    runner = folder / "runner"
    binaries = runner / "losscli" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "losscli").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m losscli "$@"\n')
    (binaries / "losscli").chmod(0o755)
    (binaries / "gh").write_text(GH)
    (binaries / "gh").chmod(0o755)

    def run(name, inputs=(), **variables):
        found = {key: item.get("default", "") for key, item in ACTION["inputs"].items()} | dict(inputs)
        text = {key: filled(value, found, variables) for key, value in STEPS[name]["env"].items()}
        env = os.environ | {
            "RUNNER_TEMP": str(runner),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_REPOSITORY": "o/r",
            "STORE": str(runner / "comments.json"),
            "PATH": f"{binaries}:{os.environ['PATH']}",
        }
        words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[name]["run"]]
        return subprocess.run(
            words, cwd=folder, env=env | text | variables, capture_output=True, text=True, timeout=120
        )

    return run


def filled(value, inputs, variables):
    """Return a value of an `env` with its expression replaced; a test gives those that are not of inputs as variables."""
    if not value.startswith("${{"):
        return value
    name = value.strip("${} ").split(" || ")[0]
    return inputs[name.removeprefix("inputs.")] if name.startswith("inputs.") else variables.get(name, "")


@pytest.fixture
def suite(folder, save, write):
    def make(limit):
        save("p.npy", [1.0, 2.0]), save("t.npy", [1.0, 4.0])
        write(
            "losscli.toml",
            f'[measure.rates]\nloss = "mse"\npredictions = "p.npy"\ntargets = "t.npy"\nrequire = "mean <= {limit}"\n',
        )

    return make


class TestRun:
    """The mean squared error of 1, 2 against 1, 4 is 2."""

    @pytest.mark.parametrize(("limit", "status", "outcome"), [(2, 0, "met"), (1, 1, "NOT MET")])
    def test_writes_summary_report_and_results_and_passes_the_status_on(
        self, step, suite, folder, limit, status, outcome
    ):
        suite(limit)
        assert step("Run the suite").returncode == 0
        assert (folder / "output").read_text() == f"exit-code={status}\n"
        assert outcome in (folder / "summary").read_text()
        assert (folder / "summary").read_text() == (folder / "losscli-report" / "report.md").read_text()
        results = json.loads((folder / "losscli-report" / "results.json").read_text())
        assert results["measures"][0]["value"] == 2
        assert (folder / "losscli-report" / "report.html").read_text().startswith("<!DOCTYPE html>")
        assert "<testsuite" in (folder / "losscli-report" / "report.xml").read_text()
        assert step("The verdict", STATUS=str(status)).returncode == status

    def test_a_faulty_suite_says_so_in_the_summary_and_leaves_no_old_report(self, step, suite, folder, write):
        suite(2)
        step("Run the suite")
        (folder / "summary").unlink()
        write("losscli.toml", "[measure.rates]\nlos = 'mse'\n")
        done = step("Run the suite")
        assert done.returncode == 0
        assert "exit-code=2" in (folder / "output").read_text()
        assert "losscli measured nothing (exit code 2)" in (folder / "summary").read_text()
        assert "losscli: losscli.toml" in (folder / "summary").read_text()
        assert not (folder / "losscli-report" / "results.json").exists()

    def test_a_baseline_is_compared_with(self, step, suite, folder):
        suite(2)
        step("Run the suite")
        shutil.copy(folder / "losscli-report" / "results.json", folder / "accepted file.json")
        step("Run the suite", {"baseline": "accepted file.json"})
        assert "value against accepted file.json" in (folder / "summary").read_text()

    def test_names_of_files_are_no_commands(self, step, folder):
        done = step("Run the suite", {"suite": '$(touch made)"; touch made; ".toml'})
        assert (done.returncode, (folder / "made").exists()) == (0, False)
        assert "exit-code=3" in (folder / "output").read_text()


class TestComment:
    def comment(self, step, folder, text, **more):
        (folder / "losscli-report").mkdir(exist_ok=True)
        (folder / "losscli-report" / "report.md").write_text(text)
        return step("Comment on the pull request", **{"NUMBER": "7"} | more)

    def test_is_written_once_and_then_updated(self, step, folder):
        for text in ("first", "second"):
            assert self.comment(step, folder, text).returncode == 0
        assert json.loads((folder / "runner" / "comments.json").read_text()) == [
            [1, "<!-- losscli losscli.toml -->\nsecond"]
        ]

    def test_two_suites_have_a_comment_each(self, step, folder):
        self.comment(step, folder, "one"), self.comment(step, folder, "two", SUITE="other.toml")
        assert [number for number, _ in json.loads((folder / "runner" / "comments.json").read_text())] == [1, 2]

    def test_a_long_report_is_cut_between_letters(self, step, folder):
        assert self.comment(step, folder, "é" * 59_999 + "x").returncode == 0
        ((_, body),) = json.loads((folder / "runner" / "comments.json").read_text())
        assert 30_000 <= len(body) <= 30_100

    def test_a_token_that_only_reads_stops_nothing(self, step, folder):
        done = self.comment(step, folder, "text", READ_ONLY="1")
        assert done.returncode == 0
        assert "::notice::losscli: the comment could not be written" in done.stdout


class TestInstall:
    def test_makes_an_environment_of_its_own(self, step, folder):
        """The real environment and the real pip; an empty package in the place of losscli, which would need an index."""
        package = folder / "package"
        (package / "losscli").mkdir(parents=True)
        (package / "losscli" / "__init__.py").write_text("")
        (package / "losscli-9.dist-info").mkdir()
        (package / "losscli-9.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: losscli\nVersion: 9\n")
        (package / "losscli-9.dist-info" / "WHEEL").write_text(
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        (package / "losscli-9.dist-info" / "RECORD").write_text("")
        shutil.make_archive(str(folder / "losscli-9-py3-none-any"), "zip", package)
        (folder / "losscli-9-py3-none-any.zip").rename(folder / "losscli-9-py3-none-any.whl")
        shutil.rmtree(folder / "runner" / "losscli")
        done = step("Install losscli", {"install": "./losscli-9-py3-none-any.whl"}, PIP_NO_INDEX="1")
        assert done.returncode == 0, done.stderr
        assert list((folder / "runner" / "losscli" / "lib").glob("python*/site-packages/losscli/__init__.py"))


class TestHooks:
    def test_name_commands_that_exist(self, run):
        hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
        assert [hook["id"] for hook in hooks] == ["losscli-run", "losscli-verify"]
        for hook in hooks:
            program, *words = hook["entry"].split()
            assert program == "losscli"
            assert run(*words, "--help").code == 0


def test_every_action_that_is_used_is_pinned_to_a_commit():
    for name in ("action.yml", ".github/workflows/release.yml"):
        for line in (ROOT / name).read_text().splitlines():
            if "uses:" in line:
                assert len(line.split("@")[1].split(" # v")[0]) == 40, line


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("github-actions", "action.yml"),
        ("github-workflows", ".github/workflows/release.yml"),
        ("citation-file-format", "CITATION.cff"),
    ],
)
def test_fits_its_schema(schema, file):
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(ROOT / file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_the_image_and_the_hooks_pass_their_linters():
    tools = Path(sys.executable).parent
    for words in (["hadolint", "Dockerfile"], ["pre-commit", "validate-manifest", ".pre-commit-hooks.yaml"]):
        tool = tools / words[0]
        if not tool.exists():
            pytest.skip(f"{words[0]} is not installed here")
        done = subprocess.run([tool, *words[1:]], cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
