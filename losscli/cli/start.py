"""Where the command begins: signals are met from here on, before the imports that take most of a short command's time."""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]
"""Signals that end a command, with the exit code of 128 and their number."""


def main() -> NoReturn:
    """Run the command line and exit with the code that its contract promises."""
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup, and in the background of a script
            signal.signal(number, _stopped)
    from losscli.cli.main import main as run

    run()


def _stopped(number: int, frame: FrameType | None) -> NoReturn:
    # Not by an exception, which could come up anywhere, inside an import or a destructor too.
    sinks = sys.modules.get("losscli.io.sinks")
    remove = getattr(sinks, "remove_temporaries", None)  # which is missing while the module is being imported
    if remove is not None:
        remove()
    if number == signal.SIGINT:
        os.write(2, b"losscli: interrupted\n")
    os._exit(128 + number)
