"""`losscli demo`: what a newcomer sees."""

import json
import re

import pytest
from commands import SAMPLE_DATA


class TestDemo:
    # The score that scikit-learn 1.9.1 gave for these files (sample_data/README.md).
    SCORE = 0.164922112

    def test_runs_from_any_folder(self, run):
        done = run("demo")
        assert done.code == 0
        assert "0.1649221" in done.out
        assert "360" in done.out

    def test_shows_the_command_it_runs_and_that_command_works(self, run):
        shown = run("demo", "--format", "json")
        assert json.loads(shown.out)["value"] == pytest.approx(self.SCORE, rel=1e-8)
        command = re.search(r"losscli (compute .*)", shown.err + shown.out).group(1)
        again = run(*command.split(), "-f", "json")
        assert json.loads(again.out)["value"] == json.loads(shown.out)["value"]

    def test_shows_some_samples_with_their_names(self, run):
        out = run("demo").out
        assert re.search(r"d\d{4}", out)
        assert re.search(r"\b(zero|one|two|three|four|five|six|seven|eight|nine)\b", out)
        assert "340 more" in out

    def test_says_what_it_shows_and_what_comes_next(self, run):
        before, after = run("demo").err.split("$ losscli compute")
        assert "360 pictures of handwritten digits" in before
        assert "losscli demo --copy" in after.splitlines()[-1]

    def test_runs_as_a_process_of_its_own(self, process):
        done = process("demo", "--format", "value")
        assert done.code == 0
        assert float(done.out) == pytest.approx(self.SCORE, rel=1e-8)


class TestCopy:
    def test_puts_the_files_into_a_folder_here(self, run, folder):
        done = run("demo", "--copy")
        assert done.code == 0
        files = {path.name: path.read_bytes() for path in SAMPLE_DATA.iterdir() if path.is_file()}
        assert {path.name: path.read_bytes() for path in (folder / "sample_data").iterdir()} == files
        assert done.out == f"sample_data: {len(files)} files, described in sample_data/README.md\n"
        assert run("run", "sample_data/losscli.toml").code == 0

    def test_leaves_what_is_there_and_adds_what_is_missing(self, run, folder):
        run("demo", "--copy")
        (folder / "sample_data" / "alice.txt").unlink()
        (folder / "sample_data" / "mine.txt").write_text("mine")
        before = (folder / "sample_data" / "README.md").stat().st_ino
        assert run("demo", "--copy").code == 0
        assert (folder / "sample_data" / "README.md").stat().st_ino == before
        assert (folder / "sample_data" / "alice.txt").read_bytes() == (SAMPLE_DATA / "alice.txt").read_bytes()
        assert (folder / "sample_data" / "mine.txt").read_text() == "mine"

    def test_refuses_to_replace_another_file_and_writes_nothing(self, run, folder):
        (folder / "sample_data").mkdir()
        (folder / "sample_data" / "cancer.csv").write_text("mine")
        done = run("demo", "--copy")
        assert (done.code, done.out) == (3, "")
        assert done.err.startswith("losscli: sample_data/cancer.csv: exists and is not the sample data's; go to")
        assert [path.name for path in (folder / "sample_data").iterdir()] == ["cancer.csv"]

    def test_says_when_the_folder_cannot_be_made(self, run, write):
        write("sample_data", "a file")
        done = run("demo", "--copy")
        assert done.code == 3
        assert done.err == "losscli: sample_data: cannot be made, File exists; go to an empty folder\n"
