"""`losscli demo`: what a newcomer sees."""

import json
import re

import pytest


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

    def test_runs_as_a_process_of_its_own(self, process):
        done = process("demo", "--format", "value")
        assert done.code == 0
        assert float(done.out) == pytest.approx(self.SCORE, rel=1e-8)
