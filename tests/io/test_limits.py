"""A machine at its limits: the message names the limit, and blames neither the file nor the folder for temporary files."""

import errno
import os
import resource

import pytest

from losscli.cli import main, mending
from losscli.errors import DataError
from losscli.io import bytes as raw
from losscli.io import join
from losscli.io.bytes import Spool
from losscli.io.guarded import readable


def raiser(error):
    def raises(*words):
        raise error

    return raises


def test_memory_that_is_short_is_not_the_files_fault():
    fact = r"^a\.parquet: cannot be read now, since memory is short; .*ulimit -v"
    with pytest.raises(DataError, match=fact), readable("a.parquet", "a Parquet file"):
        raise MemoryError


@pytest.mark.parametrize(
    ("number", "words"), [(errno.EMFILE, r"too many files are open; .*ulimit -n"), (errno.ENOSPC, "TMPDIR")]
)
def test_why_there_is_no_copy(monkeypatch, number, words):
    monkeypatch.setattr(raw, "Nameless", raiser(OSError(number, os.strerror(number))))
    with pytest.raises(DataError, match=words) as found:
        Spool("a.csv", most_held=0).write(b"1")
    assert ("TMPDIR" in str(found.value)) == (number == errno.ENOSPC)


@pytest.mark.parametrize(
    ("limit", "most"), [(256, 32), (1024, 128), (10**6, 256), (resource.RLIM_INFINITY, 256), (4, 1)]
)
def test_piles_leave_files_to_others(monkeypatch, limit, most):
    monkeypatch.setattr(resource, "getrlimit", lambda what: (limit, limit))
    assert join.Piles("a", join.PRINT, 10**9).number == most


def test_memory_that_is_short_for_a_cure(monkeypatch, capsys):
    """Looking for the command line that helps may need as much memory as the command did."""
    monkeypatch.setattr(mending, "completed", raiser(MemoryError()))
    assert main._report(DataError("a.csv: is no table")) == 3
    assert capsys.readouterr().err == "losscli: a.csv: is no table\n"
