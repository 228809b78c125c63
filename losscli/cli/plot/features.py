"""`losscli plot features FEATURES LABELS`: features by class, with the classes' centers."""

from typing import Annotated, Any

from losscli.cli.command import say
from losscli.cli.options.declare import OfLosses, operand
from losscli.cli.options.files import Labels
from losscli.cli.options.losses import OF_DIALECTS, centers_option, fields, only
from losscli.cli.options.picture import Looks, Picture, Quiet
from losscli.cli.plot.delivery import PlotDelivery

WORDS = ("id", "on-unmatched", "columns", "header", *OF_DIALECTS, "dtype", "ignore-index")


def features(
    features: Annotated[str, operand("FEATURES", help="One row per sample, two features or more.")],
    labels: Labels,
    output: Picture = None,
    *,
    centers: Annotated[
        str | None,
        centers_option(
            "Class centers, shape (k, d); a column 'class' names them. Default: the means of the classes.", panel=None
        ),
    ] = None,
    given: Annotated[dict[str, Any], OfLosses(only(*WORDS))],
    looks: Looks,
    quiet: Quiet = False,
) -> None:
    """Draw features by class with the classes' centers; more than two dimensions by their principal components."""
    from losscli.analysis.features import load

    look = looks.look()
    with PlotDelivery("features", output, look) as delivery:
        cloud = load(features, labels, centers, **fields(given))
        delivery.keep_apart(cloud.files)
        from losscli.plots import features as picture

        about = f"{features}, {labels} | centers: {'means of the classes' if centers is None else centers}"
        notes = delivery.publish(lambda: picture.draw(cloud, look), about)
    say([*cloud.notes, *notes], quiet)
