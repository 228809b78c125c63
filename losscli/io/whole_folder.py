"""A folder of files that is written completely or not at all, and replaces an older one of its kind only."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from losscli.definition.address import is_remote
from losscli.errors import DataError, UsageError
from losscli.io.sinks import hidden_name, unfinished
from losscli.io.small_file import small_text


class WholeFolder:
    """A folder that appears under its name only when all of its files are written.

    Parameters
    ----------
    path
        the folder; it is made, and replaced if it holds nothing but what an earlier run wrote.
    marker
        the name of the file that lists the files of such a folder, one in a line after the first.
    what
        the kind of folder, for messages.

    Raises
    ------
    UsageError
        for an address, and for the folder in which the command runs, which would be gone.
    DataError
        if the path is no folder, or holds other files.
    """

    def __init__(self, path: str, marker: str, what: str) -> None:
        if is_remote(path):
            raise UsageError(f"{path}: is an address; a {what} is written to a folder of this machine")
        self.path, self.marker, self.what = path, marker, what
        self.target = Path(os.path.realpath(path))
        here = Path.cwd()
        if self.target in (here, *here.parents):
            raise UsageError(
                f"{path or repr(path)} is or holds the folder in which you are; a {what} is written to a folder of its own, such as -o {what}"
            )
        self._look()

    def _look(self) -> None:
        """Raise a DataError if something is in the place that no earlier run has written."""
        if not self.target.exists():
            above = next(folder for folder in self.target.parents if folder.exists())
            if not above.is_dir():
                raise DataError(f"{self.path}: cannot be written: {above} is a file; name another place")
            return
        if not self.target.is_dir():
            raise DataError(f"{self.path}: is a file, and a {self.what} is a folder; name another place")
        try:
            listed = small_text(
                str(self.target / self.marker), f"no {self.what} has such a list of its files"
            ).splitlines()[1:]
        except FileNotFoundError:
            listed = []
        except (OSError, UnicodeDecodeError) as error:
            raise self._failed(error) from error
        known = {self.marker, *listed}
        there = (Path(folder) / name for folder, _, names in os.walk(self.target) for name in names)
        other = sorted(name for file in there if (name := file.relative_to(self.target).as_posix()) not in known)
        if other:
            raise DataError(
                f"{self.path}: has files that losscli did not write, such as {other[0]}; name a new or an empty folder"
            )

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write all files, by their paths in the folder, beside the place, and then put them there.

        Raises
        ------
        DataError
            if they cannot be written; what was there before is there still.
        """
        beside = self._beside()
        try:
            with unfinished(_Folder(beside)):
                beside.mkdir(parents=True)
                for name, content in files.items():
                    (beside / name).parent.mkdir(parents=True, exist_ok=True)
                    (beside / name).write_bytes(content)
                self._publish(beside)
        except OSError as error:
            raise self._failed(error) from error

    def _publish(self, beside: Path) -> None:
        """Give the written folder its name; an older one is put aside first, and back if that fails."""
        if not self.target.exists():
            os.rename(beside, self.target)
            return
        old = self._beside()
        os.rename(self.target, old)
        try:
            os.rename(beside, self.target)
        except OSError:
            os.rename(old, self.target)
            raise
        shutil.rmtree(old, ignore_errors=True)

    def _beside(self) -> Path:
        return self.target.parent / hidden_name(self.target.name)

    def _failed(self, error: Exception) -> DataError:
        return DataError(f"{self.path}: cannot be written: {getattr(error, 'strerror', None) or error}")


class _Folder:
    """A folder that is not published yet, and is removed as files are."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def unlink(self, missing_ok: bool = False) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
