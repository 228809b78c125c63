"""`losscli plot curves SPEC...`: losses and their gradients over one variable."""

from typing import Annotated, Any

from losscli.cli.command import say
from losscli.cli.options.declare import OfLosses, operand, option
from losscli.cli.options.losses import label_smoothing_option, only, pos_weight_option
from losscli.cli.options.picture import Looks, Picture, Quiet, numbers, pair
from losscli.cli.plot.delivery import PlotDelivery
from losscli.definition.words import AxisName


def curves(
    spec: Annotated[
        list[str],
        operand(
            "SPEC...",
            help="LOSS[:PARAM=VALUE[,VALUE...]]..., such as huber:delta=1 or softmax-focal:gamma=0,0.5,1,2,5.",
        ),
    ],
    output: Picture = None,
    *,
    x: Annotated[
        AxisName | None,
        option("--x", show_default=False, help="What to draw over. Default: the first that the losses share."),
    ] = None,
    range: Annotated[str | None, option("--range", metavar="LOW,HIGH", help="Ends of the axis, such as -3,3.")] = None,
    y_range: Annotated[
        str | None,
        option("--y-range", metavar="LOW,HIGH", help="Ends of the scale of values. Default: where the losses differ."),
    ] = None,
    gradient: Annotated[
        bool, option("--gradient/--no-gradient", show_default=False, help="With the gradient (default), or not.")
    ] = True,
    log: Annotated[bool, option("--log", show_default=False, help="Logarithmic scale of value and gradient.")] = False,
    mark: Annotated[
        bool, option("--mark", show_default=False, help="Mark where a loss changes its form: delta, beta, c ...")
    ] = False,
    label_smoothing: Annotated[
        str | None,
        label_smoothing_option("E,...", "Targets smoothed by E in [0, 1); a curve for each E.", None),
    ] = None,
    pos_weight: Annotated[
        str | None,
        pos_weight_option("X,...", "Factor of the positive term; a curve for each X.", None),
    ] = None,
    target: Annotated[
        str | None,
        option("--target", metavar="T,...", help="Target in [0, 1] in place of 1; a curve for each T."),
    ] = None,
    data: Annotated[
        str | None, option("--data", metavar="FILE", help="The drawn numbers as well: .csv or .json.")
    ] = None,
    looks: Looks,
    quiet: Quiet = False,
    given: Annotated[dict[str, Any], OfLosses(only("operands", "takes"))],
) -> None:
    """Draw the value of losses and its gradient, over what the losses are functions of.

    Sigmoid losses: over the logit, the probability, or the margin.

    Softmax losses: over the probability of the true class, or its logit.

    Most others have one axis: a residual, margin, logit, probability or distance.

    Losses that you wrote (FILE.py:NAME) and that depend on a difference: over the residual. Your others: over logit,
    probability or margin, if it is known which they take.

    Losses of whole rows are drawn over one number of a small example; the label of the axis says which.
    """
    from losscli.analysis.curves import (
        check_range,
        check_values,
        default_range,
        joint_label,
        shared_axis,
        swept,
        trace,
        words_of,
    )
    from losscli.api import losses_to_draw
    from losscli.lookup.names import elsewhere
    from losscli.wording import quoted

    losses = losses_to_draw(
        spec, given.get("operands"), given.get("takes"), "" if output is None else f" -o {quoted(output)}"
    )
    notes = [bound.declaration.definition for bound in losses if bound.family.custom]
    every = swept(
        losses,
        numbers(label_smoothing, "--label-smoothing"),
        numbers(pos_weight, "--pos-weight"),
        numbers(target, "--target"),
    )
    name, axes = shared_axis(losses, x)
    low, high = pair(range, "--range", "-3,3") or default_range(losses, axes)
    check_range(low, high, name, axes)
    shown = pair(y_range, "--y-range", "0,5")
    look = looks.look()
    with PlotDelivery("curves", output, look, data) as delivery:
        from losscli.plots import curves as picture

        traced = [trace(bound, axes[bound.family.name], low, high, setting) for bound, setting in every]
        check_values(traced, shown, name, log)
        delivery.write_data(traced)
        drawn_over = [setting.applied(axes[bound.family.name], bound.family) for bound, setting in every]
        axis = drawn_over[0]._replace(label=joint_label(drawn_over))
        about = f"{' '.join(map(words_of, traced))} over the {name}"
        notes += delivery.publish(lambda: picture.draw(traced, axis, look, gradient, log, mark, shown), about)
    if mark and not any(at.name for curve in traced for at in curve.breaks):
        notes.append(f"--mark: none of these losses changes its form over a {name} from {low:g} to {high:g}")
    say(dict.fromkeys([*elsewhere(*spec), *notes]), quiet)
