"""The closed sets of words for how results are shown, for options to list; it imports nothing else."""

from typing import Literal, get_args

RecordFormat = Literal["table", "json"]
"""Formats of every result: a table for people, and JSON."""
RowFormat = Literal["jsonl", "csv", "tsv"]
"""Formats that hold rows, and nothing else."""
ROW_FORMATS: tuple[str, ...] = get_args(RowFormat)
RankFormat = Literal[RecordFormat, RowFormat, "markdown"]
"""Formats of `losscli rank`."""
ResultFormat = Literal[RankFormat, "value"]
"""Formats of `losscli compute`; value is the number alone."""
ReportFormat = Literal[RecordFormat, "markdown"]
"""Formats of a report that has no rows of its own."""
VerifyFormat = Literal[RecordFormat, "junit"]
"""Formats of `losscli verify`."""
AuditFormat = Literal[RecordFormat, "markdown", "junit"]
"""Formats of `losscli audit`."""
SuiteFormat = Literal[RecordFormat, "junit", "markdown", "github"]
"""Formats of `losscli run`; github is annotations of GitHub Actions."""

# Words of pictures stand here because importing losscli.plots loads Matplotlib, which help must not.
PanelName = Literal[
    "distribution",
    "classes",
    "confidence",
    "concentration",
]
"""Panels of `losscli plot samples`, which `losscli.plots.samples.PANELS` draws."""
ThemeName = Literal["light", "dark"]
"""Colours of pictures, which are in `losscli.plots.style.THEMES`."""
