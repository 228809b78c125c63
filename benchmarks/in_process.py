"""Contenders side by side in one process, on the same arrays in memory.

Usage: `python in_process.py REQUEST_AS_JSON`, where a request is `InProcess` in run.py. Prints a JSON object a line:
which contender begins, so that it is known who was at work if this process is killed, and what came of it.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from measure import OUT_OF_MEMORY, SLOW, TIMEOUT
from workloads import Workload, from_json

SHORT = 0.2
"""Seconds: what takes less is called more than once, and the calls are timed together."""
REST = 0.3
"""Seconds before each call: threads of the one before, which spin for a while, come to rest."""


def load(path: str) -> Any:
    """Read an array into memory that starts at a multiple of 64 bytes, so that JAX need not copy it."""
    mapped = np.load(path, mmap_mode="r")
    room = np.empty(mapped.nbytes + 64, np.uint8)
    start = -room.ctypes.data % 64
    array = room[start : start + mapped.nbytes].view(mapped.dtype).reshape(mapped.shape)
    array[...] = mapped
    return array


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def timed(call: Callable[[], float], calls: int = 1) -> tuple[float, float]:
    time.sleep(REST)
    start = time.perf_counter()
    for _ in range(calls):
        value = call()
    return (time.perf_counter() - start) / calls, value


def main(request: dict[str, Any]) -> None:
    """Warm up each contender once, for compilers and caches, then time them in turn."""
    workload, gradient = from_json(request["workload"]), request["gradient"]
    predictions, targets = map(load, request["files"])
    spent: dict[str, float] = {}
    ready: dict[str, tuple[Callable[[], float], int]] = {}
    for turn in range(request["repeats"] + 1):
        for contender in request["contenders"]:
            name = contender["name"]
            if (turn and name not in ready) or (turn > 1 and spent.get(name, 0.0) > SLOW):
                continue
            say(begins=name)
            try:
                if turn:
                    seconds, value = timed(*ready[name])
                    spent[name] = seconds
                    say(contender=name, seconds=seconds, value=float(value))
                else:
                    call = prepared(contender, workload, predictions, targets, gradient)
                    call()
                    seconds, _ = timed(call)
                    ready[name] = call, max(1, int(SHORT / max(seconds, 1e-6)))
            except Exception as error:  # noqa: BLE001 - each framework has its own; the others go on
                said = f"{type(error).__name__}: {error}"
                ready.pop(name, None)
                first = said.splitlines()[0][:200]
                say(contender=name, fault="out of memory" if OUT_OF_MEMORY.search(said) else f"failed: {first}")
                continue
            if seconds > TIMEOUT:
                ready.pop(name, None)
                say(contender=name, fault="timeout")


def prepared(
    contender: dict[str, Any], workload: Workload, predictions: Any, targets: Any, gradient: bool
) -> Callable[[], float]:
    if contender["module"] == "sum":  # the physical limit: each number is read once
        return predictions.sum
    prepare = import_module(f"peers.{contender['module']}").prepare
    return prepare(workload.loss, predictions, targets, gradient, contender["threads"], **workload.options)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
