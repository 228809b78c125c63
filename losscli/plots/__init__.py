"""Pictures: a loss or a result -> a Matplotlib Figure. No pyplot, no display, and no state that outlives a picture.

Only the plot commands import this package, and with it Matplotlib.
"""

import contextlib
import logging
import os
from importlib.util import find_spec
from pathlib import Path


def _import_matplotlib() -> None:
    """Import Matplotlib for the first time, with its own settings.

    It reads a `matplotlibrc` of the working folder, of the environment or of the user's, in that order, and complains
    or fails where one cannot be read. Pictures depend on none of them.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR + 1)  # where it keeps its fonts concerns nobody
    spec = find_spec("matplotlib")
    own = Path(spec.origin).parent / "mpl-data" if spec is not None and spec.origin else None
    backend = os.environ.pop("MPLBACKEND", None)  # of a screen, which is not used
    try:
        with contextlib.ExitStack() as stack:
            if own is not None and (own / "matplotlibrc").is_file():
                with contextlib.suppress(OSError):  # a working folder that was removed holds no settings
                    stack.enter_context(contextlib.chdir(own))  # the first place where it looks for them
            import matplotlib  # noqa: F401
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend


_import_matplotlib()
