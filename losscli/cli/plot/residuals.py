"""`losscli plot residuals PREDICTIONS TARGETS`: predicted against actual numbers, and their residuals."""

from typing import Annotated, Any

from losscli.cli.command import say
from losscli.cli.options.declare import OfLosses
from losscli.cli.options.files import NumberTargets, Predictions
from losscli.cli.options.losses import OF_DIALECTS, fields, only
from losscli.cli.options.picture import Looks, Picture, Quiet
from losscli.cli.options.running import Running
from losscli.cli.plot.delivery import PlotDelivery, named

WORDS = ("id", "on-unmatched", "columns", "header", *OF_DIALECTS, "dtype", "ignore-index", "sample-weight")


def residuals(
    predictions: Predictions,
    targets: NumberTargets,
    output: Picture = None,
    *,
    given: Annotated[dict[str, Any], OfLosses(only(*WORDS))],
    running: Running,
    looks: Looks,
    quiet: Quiet = False,
) -> None:
    """Draw predicted against actual numbers, and the residuals, predicted minus actual: against the prediction, and how they are distributed.

    RMSE and R2 are those of losscli compute mse, which prints R2 as skill.
    """
    from losscli.analysis.residuals import residuals as measured
    from losscli.definition.request import Request
    from losscli.lookup.names import find

    look = looks.look()
    running = running.begun(quiet)
    request = Request(find("squared-error").bind(), predictions, targets, **fields(given))
    with PlotDelivery("residuals", output, look) as delivery:
        with running.shown() as shown:

            def opened(measurement: Any) -> None:
                delivery.keep_apart(measurement.files)
                shown.start(measurement.job)

            found = measured(request, running.threads, shown.looking, opened, shown)
        from losscli.plots import residuals as picture

        about = picture.small_words(found, named(predictions, targets))
        notes = delivery.publish(lambda: picture.draw(found, look, about), about)
    say([*found.measurement.notes, *notes], quiet)
