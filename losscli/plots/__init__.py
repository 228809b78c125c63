"""Pictures: from a loss or a result to a Matplotlib Figure. No pyplot and no display
except for `window`, and no state that outlives a picture.

Only the plot commands import this package, and with it Matplotlib.
"""

import contextlib
import logging
import os
from importlib.util import find_spec
from pathlib import Path


def _import_matplotlib() -> None:
    """Import Matplotlib for the first time, with its own settings.

    It reads a `matplotlibrc` from the working folder, the environment or the user's settings, in that order, and
    complains or fails if one cannot be read. Pictures depend on none of them.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR + 1)  # no messages about its cache of fonts
    spec = find_spec("matplotlib")
    own = Path(spec.origin).parent / "mpl-data" if spec is not None and spec.origin else None
    backend = os.environ.pop("MPLBACKEND", None)  # it names a display, which is not used
    try:
        with contextlib.ExitStack() as stack:
            if own is not None and (own / "matplotlibrc").is_file():
                with contextlib.suppress(OSError):  # the working folder may have been removed
                    stack.enter_context(contextlib.chdir(own))  # the first place where it looks for settings
            import matplotlib  # noqa: F401
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend


_import_matplotlib()
