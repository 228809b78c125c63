"""What an errand takes along of a job, and what comes back with its results."""

from typing import Any

from losscli.engine.collector import Aggregate, Collector
from losscli.engine.job import Job
from losscli.io.travel import Travellers, layout_of
from losscli.records import fields, is_dataclass, replace

ROWS = ("predictions", "targets", "element_weights", "mask", "third_operand")
"""Fields of a job with one row for each row of the predictions."""
UNITS = ("weights", "unit_weights")
"""Fields of a job with one row for each row, or for each of its samples."""


def narrowed(arguments: tuple[Any, ...], start: int, stop: int, way: Travellers) -> tuple[Any, ...]:
    """Return the arguments of a function of chunks for another process: those parts of sources that the rows need."""
    return tuple(_narrowed(argument, start, stop, way) for argument in arguments)


def _narrowed(argument: Any, start: int, stop: int, way: Travellers) -> Any:
    if isinstance(argument, Job):
        return _job(argument, start, stop, way)
    if isinstance(argument, list | tuple):
        parts = [_narrowed(part, start, stop, way) for part in argument]
        return type(argument)(*parts) if hasattr(argument, "_fields") else type(argument)(parts)
    if isinstance(argument, Collector) and is_dataclass(argument):
        held = {item.name: getattr(argument, item.name) for item in fields(argument)}
        changed = {
            name: tuple(way.of(one, start, stop) for one in value)
            if isinstance(value, tuple)
            else way.of(value, start, stop)
            for name, value in held.items()
            if all(hasattr(one, "read") for one in (value if isinstance(value, tuple) else (value,)))
        }
        return replace(argument, **changed) if changed else argument
    return argument


def _job(job: Job, start: int, stop: int, way: Travellers) -> Job:
    changed: dict[str, Any] = {
        name: way.of(source, start, stop) for name in ROWS if (source := getattr(job, name)) is not None
    }
    first, after = start, stop
    if job.layout is not None:
        first, cuts = job.layout.cut(start, stop)
        after = first + len(cuts)
    for name in UNITS:
        source = getattr(job, name)
        if source is not None:
            of_samples = job.layout is not None and source.shape[0] != job.samples
            changed[name] = way.of(source, *((first, after) if of_samples else (start, stop)))
    if job.layout is not None:
        changed["layout"] = layout_of(job.layout, start, stop)
    return replace(job, **changed)


def received(arguments: tuple[Any, ...], found: Any) -> Any:
    """Return the result of a chunk as a pass takes it: collectors of this process take what was sent to them."""
    aggregate = getattr(found, "aggregate", None)
    collectors = next((argument for argument in arguments if isinstance(argument, list | tuple)), ())
    if not isinstance(aggregate, Aggregate):
        return found
    taking = [one for one in collectors if isinstance(one, Collector) and one.record in aggregate.records]
    records = {one.record: one.received(aggregate.records[one.record]) for one in taking}
    return found._replace(aggregate=Aggregate({**aggregate.records, **records}))
