"""An error is one line, whatever is in it."""

import numpy as np
import pytest


class TestOneLine:
    """Whatever a name or a cell holds, an error is one line."""

    def test_a_cell_with_line_breaks(self, compute, write):
        compute("l1", write("p.csv", 'v\n1\n"x\ny"\n'), "0").refuses(3, "p.csv:3")

    def test_a_file_s_name_with_a_line_break(self, compute, write):
        compute("l1", write("p\nq.csv", "v\n1\nx\n"), "0").refuses(3, "not a number")

    def test_markup_in_a_label_is_shown_as_it_is(self, compute, write):
        p, t = write("p.csv", "cat,dog\n1,2\n"), write("t.csv", "label\n[/INST]\n")
        compute("ce", p, t).refuses(3, "[/INST]")

    def test_a_defect_says_what_to_report(self, compute, save, monkeypatch):
        def broken(*_, **__):
            raise ZeroDivisionError("by design\nof this test")

        monkeypatch.setattr("losscli.api.prepare", broken)
        compute("l1", save("p.npy", [1.0]), "0").refuses(70, "ZeroDivisionError", "by design", "report")

    def test_memory_that_runs_out_is_no_defect(self, compute, save, monkeypatch):
        def hungry(*_, **__):
            raise MemoryError

        monkeypatch.setattr("losscli.api.prepare", hungry)
        compute("l1", save("p.npy", [1.0]), "0").refuses(3, "memory")

    def test_a_folder_that_is_gone_is_not_called_standard_output(self, compute, folder, monkeypatch):
        (folder / "gone").mkdir()
        monkeypatch.chdir(folder / "gone")
        (folder / "gone").rmdir()
        compute("l1", "p.npy", "0").refuses(3, "the folder in which the command runs", "No such file")

    @pytest.mark.parametrize("option", ["--sample-weight", "--mask"])
    def test_a_missing_file_is_told_with_its_option(self, compute, save, option):
        compute("l1", save("p.npy", [1.0]), "0", option, "none.npy").refuses(3, f"none.npy: no such file ({option})")

    def test_an_interrupt_has_its_own_code(self, compute, save, monkeypatch):
        def interrupted(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr("losscli.api.prepare", interrupted)
        done = compute("l1", save("p.npy", [1.0]), "0")
        assert (done.code, done.out) == (130, "")

    def test_traceback_shows_where_an_error_came_from(self, process, save):
        done = process("compute", "l1", save("p.npy", [np.nan]), "0", "--traceback")
        assert done.code == 3
        assert "Traceback (most recent call last)" in done.err
        assert done.err.splitlines()[-1].startswith("losscli: ")

    @pytest.mark.parametrize(
        ("words", "part"),
        [
            (("computer",), "computer"),
            (("compute", "mse", "p.npy", "0", "--formt", "json"), "--format"),
            (("--nothing",), "--nothing"),
            (("list", "--family", "marginn"), "did you mean margin?"),
            (("explain", "hubr"), "did you mean huber?"),
            (("explain",), "LOSS"),
        ],
    )
    def test_a_misspelt_command_line(self, run, words, part):
        run(*words).refuses(2, part)

    def test_a_pattern_that_the_shell_replaced_is_to_be_quoted(self, run, save, folder):
        (folder / "run2").mkdir()
        predictions = [save(f"run2/p-{number}.npy", [1.0]) for number in (1, 2, 10)]
        targets = [save(f"t{number}.npy", [1.0]) for number in (1, 2)]
        run("compute", "mse", *predictions, *targets).refuses(
            2, "5 files are too many: run2/p-1.npy, run2/p-2.npy ...; quote a pattern", ": 'run2/p-*.npy'"
        )
        run("compute", "mse", predictions[0], "0", "and").refuses(2, "unexpected extra argument")
