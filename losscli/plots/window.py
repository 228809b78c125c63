"""A window with a figure, for people at a display: the only place where pyplot is used."""

import os
import sys

from losscli.errors import DataError

BACKENDS = ("macosx", "qtagg", "gtk4agg", "gtk3agg", "wxagg", "tkagg")
"""Matplotlib's backends with a window, in the order in which they are tried."""


def open_backend() -> None:
    """Make figures of pyplot appear in windows, with the first toolkit that works here; MPLBACKEND is tried first.

    Raises
    ------
    DataError
        if there is no display, or no toolkit that Matplotlib can draw with.
    """
    if sys.platform.startswith("linux") and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))):
        raise DataError(
            "--show: there is no display here (DISPLAY is not set); leave --show out, and the picture is written to a file"
        )
    from matplotlib import pyplot

    wanted = os.environ.get("MPLBACKEND", "")
    for backend in [name for name in (wanted, *BACKENDS) if name]:
        try:
            pyplot.switch_backend(backend)
        except (ImportError, ValueError):  # no such toolkit, or no display
            continue
        if backend.lower() not in ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template"):
            return
    raise DataError(
        "--show: Matplotlib finds no toolkit for a window; install one, as by pip install PyQt6, or leave --show out, "
        "and the picture is written to a file"
    )


def wait() -> None:
    """Show the windows of all figures of pyplot, and return when they are closed."""
    from matplotlib import pyplot

    pyplot.show(block=True)


def close() -> None:
    """Forget the figures of pyplot, whether they were shown or not."""
    from matplotlib import pyplot

    pyplot.close("all")
