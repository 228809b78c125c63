"""The command line as a whole: its commands, its exit codes, and a standard output that is full."""

import pytest

from losscli.errors import DataError, UsageError


class TestCommandLine:
    @pytest.mark.parametrize("words", [("list",), ("explain", "huber"), ("--version",)])
    def test_a_full_standard_output_is_an_error_of_every_command(self, process, words):
        with open("/dev/full", "wb") as full:
            done = process(*words, stdout=full, env={"PYTHONUNBUFFERED": ""})
        assert done.code == 3
        assert done.err.startswith("losscli: ")
        assert done.err.count("\n") == 1

    def test_a_file_called_like_a_negative_number_and_a_negative_constant(self, compute, write):
        assert compute("l1", write("-1", "3\n"), "-2").json["value"] == 5


def test_commands_are_summed_up_as_they_say_themselves():
    """`losscli --help` has its own summaries, so that it need not import every command."""
    from losscli.cli.main import COMMANDS, app
    from losscli.cli.main import typer as typer_module

    group = typer_module.main.get_command(app)
    assert list(COMMANDS) == group.list_commands(None)
    for name, (_, _, summary) in COMMANDS.items():
        own = group.get_command(None, name).help
        first = own.split("\n\n")[0].split(":")[0].split(" by the ")[0].split(". ")[0].rstrip(".")
        assert summary.startswith(first), (summary, first)


def test_a_misspelt_command_has_a_cure(run):
    run("computer", "ce").refuses(2, "computer", "did you mean compute?")


@pytest.mark.parametrize("kind", [DataError, UsageError])
def test_kinds_of_errors_have_codes(kind):
    assert kind("x").code == {"DataError": 3, "UsageError": 2}[kind.__name__]
