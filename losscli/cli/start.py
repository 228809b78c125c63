"""The entry point of the command: signals are handled first, before the imports, which take most of a short run."""

import gc
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

RARELY = 100_000
"""New objects after which Python looks for garbage in circles. Imports make some 60,000 objects that stay, and looking at them
after each 700, as Python does by itself, is a tenth of a short run; a pass has next to no such garbage."""
ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]
"""Signals that end a command; the exit code is 128 plus the signal's number."""


def main() -> NoReturn:
    """Run the command line and exit with the code that its contract promises."""
    asking = os.environ.get("_LOSSCLI_COMPLETE")
    if asking is not None:  # a shell asks what may follow on a command line: answered without the imports of a command
        from losscli.cli.completion import main as complete

        complete(asking)
        sys.exit(0)
    gc.set_threshold(RARELY)
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:  # ignored under nohup, for example
            signal.signal(number, _stopped)
    from losscli.cli.main import main as run

    try:
        run()
    finally:
        gc.freeze()  # or Python would look at all objects for garbage in circles, several times, before it ends


def _stopped(number: int, frame: FrameType | None) -> NoReturn:
    # Not by an exception, which could be raised anywhere, even inside an import or a destructor.
    sinks = sys.modules.get("losscli.io.sinks")
    remove = getattr(sinks, "remove_temporaries", None)  # None while the module is being imported
    if remove is not None:
        remove()
    if number == signal.SIGINT:
        os.write(2, b"losscli: interrupted\n")
    os._exit(128 + number)
