"""The manual page: made from the declarations, up to date, and without a fault for man."""

import shutil
import subprocess

import pytest
from commands import ROOT

from losscli.cli.main import COMMANDS
from losscli.cli.options.losses import flags

PAGE = ROOT / "docs" / "losscli.1"


def test_the_page_is_up_to_date(run):
    """If it is not: losscli help --man > docs/losscli.1."""
    assert run("help", "--man").out == PAGE.read_text(encoding="utf-8")


def test_it_has_every_command_and_option(run):
    text = run("help", "--man").out.replace("\\-", "-")
    assert all(f"LOSSCLI {name.upper()}" in text for name in COMMANDS)
    missing = [flag for flag in flags() if flag.startswith("--") and flag not in text]
    assert missing == []


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_has_no_complaint():
    done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", str(PAGE)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "LOSSCLI(1)" in done.stdout


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_mandoc_has_no_warning():
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", str(PAGE)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
