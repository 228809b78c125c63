"""`losscli plot compare SPEC A B --targets TARGETS`: the paired differences of two models."""

from typing import Annotated, Any

from losscli.cli.command import say
from losscli.cli.comparing import targets_of
from losscli.cli.options.declare import OfLosses, operand
from losscli.cli.options.files import TargetsOption
from losscli.cli.options.losses import OF_COMPARISONS, Spec, library_of, requested
from losscli.cli.options.picture import Looks, Picture, Quiet
from losscli.cli.options.running import Judging, Running
from losscli.cli.plot.delivery import PlotDelivery
from losscli.errors import DataError, UsageError


def compare(
    spec: Spec,
    models: Annotated[list[str], operand("A B", help="Predictions of two models.")],
    output: Picture = None,
    targets: TargetsOption = None,
    *,
    judging: Judging,
    running: Running,
    looks: Looks,
    quiet: Quiet = False,
    given: Annotated[dict[str, Any], OfLosses(OF_COMPARISONS)],
) -> int:
    """Draw the paired differences of two models, row for row: their distribution, the losses, and the classes.

    The verdict is that of `losscli compare` with the same options.
    """
    from losscli.analysis.compare import Terms, compare_all
    from losscli.lookup.names import elsewhere
    from losscli.lookup.spec import single
    from losscli.lookup.spec import spec as spec_of
    from losscli.measurement.receipt import signature

    terms = Terms(**judging._asdict(), top=0)
    running = running.begun(quiet)
    look = looks.look()
    targets = targets_of("plot compare", spec, models, targets, given)
    if len(models) != 2:
        raise UsageError(f"plot compare {spec}: {len(models)} models; name two")
    library, typed = library_of(spec, given)
    request = requested(single(spec), models[0], targets, given)
    with PlotDelivery("compare", output, look) as delivery:
        with running.shown() as shown:
            found = compare_all(
                request, models, terms, running.threads, shown.looking, shown.start, shown, library, typed
            )
        delivery.keep_apart(found.files)
        for fact in found.infinite_losses():
            what = f"--as {found.clipping}, which clips" if found.clipping else f"{found.bounded}, which is bounded"
            raise DataError(
                f"{fact}; a picture has no place for them: draw {what}"
                if found.clipping or found.bounded
                else f"{fact}; a picture has no place for them"
            )
        from losscli.plots import compare as picture

        about = f"A: {models[0]}, B: {models[1]} | {signature(found.first.measurement.receipt)}"
        one, loss = found.comparisons[0], spec_of(request.loss)
        notes = delivery.publish(lambda: picture.draw(one, loss, terms, look, about), about)
    say([*found.notes, *elsewhere(spec), *notes], quiet)
    return 0
