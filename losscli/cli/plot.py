"""`losscli plot ...`: pictures of losses, of the losses in a file, of reliability and of features."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import typer
from typer.core import TyperGroup

from losscli.cli.command import HELP, Command, LossGroup, loss_command, operands, running_options, say, typed
from losscli.cli.compare import OPTIONS, Confidence, Margin, Resamples
from losscli.cli.options import (
    PICTURED,
    Classes,
    ColumnNames,
    Dpi,
    From,
    Header,
    Id,
    Ignore,
    LabelBase,
    Picture,
    Progress,
    Quiet,
    Seed,
    Size,
    Spec,
    TargetsOption,
    ThemeName,
    Threads,
    Title,
    Unmatched,
    requested,
    signature,
    spliced,
)
from losscli.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from losscli.analysis.curves import Curve
    from losscli.definition.loss import Loss
    from losscli.plots.style import Look

AxisName = Literal["residual", "margin", "logit", "probability", "distance"]
DATA_SUFFIXES = (".csv", ".json")


class PlotGroup(TyperGroup):
    """The kinds of picture, in the order in which they are explained."""

    def list_commands(self, ctx: Any) -> list[str]:
        return ["curves", "samples", "reliability", "features", "compare"]


app = typer.Typer(
    add_completion=False,
    cls=PlotGroup,
    help="Draw losses, or the losses of a file, to PNG, SVG or PDF by the suffix of FILE.",
    no_args_is_help=True,
    context_settings=HELP,
)


def pair(text: str | None, option: str, example: str) -> tuple[float, float] | None:
    """Two numbers, with a comma, a colon, '..', 'x' or a space between them."""
    if text is None:
        return None
    for between in (",", ":", "..", "x", None):
        parts = text.split(between)
        if len(parts) == 2:
            try:
                return float(parts[0]), float(parts[1])
            except ValueError:
                continue
    raise UsageError(f"{option} {text!r} is not two numbers, as in {option} {example}")


def look_of(title: str | None, size: str | None, dpi: int, theme: str) -> "Look":
    from losscli.plots.style import Look

    return Look(title, pair(size, "--size", "8,5"), dpi, theme)


class Gallery:
    """The files of a plot command: opened before the work, and published together when all went well."""

    def __init__(self, output: str, look: "Look", data: str | None = None) -> None:
        from losscli.io.sinks import Outputs, is_special
        from losscli.io.writers import suffix_of
        from losscli.plots.style import FORMATS

        self.look = look
        suffixes = tuple(FORMATS)
        # A device or pipe has no suffix to go by.
        self.suffix = ".png" if is_special(output, suffixes) else suffix_of(output, suffixes, "--output")
        self.data_suffix = None if data is None else suffix_of(data, DATA_SUFFIXES, "--data")
        self.files = Outputs()
        try:
            self.picture = self.files.open(Path(output))
            self.data = None if data is None else self.files.open(Path(data))
        except BaseException:
            self.files.discard()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.files.discard()

    def keep_apart(self, inputs: frozenset[str]) -> None:
        """Refuse to write over what is read."""
        from losscli.io.sinks import keep_apart

        for file in self.files.files:
            keep_apart(file.path, inputs)

    def write_data(self, curves: "Sequence[Curve]") -> None:
        """The numbers of the picture as CSV, or as JSON: one record a row."""
        from losscli.analysis.curves import records
        from losscli.io.strict_json import strict_json
        from losscli.io.writers import TextWriter
        from losscli.io.writers import records as rows_of

        if self.data is None:
            return
        if self.data_suffix == ".csv":
            TextWriter(self.data, ",").write(records(curves))
            return
        rows = [strict_json(row) for part in rows_of(records(curves, nested=True)) for row in part]
        self.data.write(("[\n  " + ",\n  ".join(rows) + "\n]\n").encode())

    def publish(self, draw: "Callable[[], Figure]", description: str) -> list[str]:
        """Draw and write the picture, give all files their names, and return what to tell the user."""
        from losscli.plots.style import drawing, render

        with drawing(self.look):
            figure = draw()
            title = figure.get_suptitle() or "losscli"
            data, notes = render(figure, self.suffix, self.look, {"Title": title, "Description": description})
        self.picture.write(data)
        self.files.publish()
        return notes


@app.command(cls=Command, context_settings=HELP)
def curves(
    spec: Annotated[
        list[str],
        typer.Argument(
            metavar="SPEC...",
            show_default=False,
            help="LOSS[:PARAM=VALUE[,VALUE...]]..., as huber:delta=1 or softmax-focal:gamma=0,0.5,1,2,5.",
        ),
    ],
    output: Picture,
    x: Annotated[
        AxisName | None,
        typer.Option("--x", show_default=False, help="What to draw over. Default: the first that the losses share."),
    ] = None,
    range: Annotated[
        str | None,
        typer.Option("--range", metavar="LOW,HIGH", show_default=False, help="Ends of the axis, such as -3,3."),
    ] = None,
    gradient: Annotated[
        bool, typer.Option("--gradient/--no-gradient", show_default=False, help="With the gradient (default), or not.")
    ] = True,
    log: Annotated[
        bool, typer.Option("--log", show_default=False, help="Logarithmic scale of value and gradient.")
    ] = False,
    mark: Annotated[
        bool, typer.Option("--mark", show_default=False, help="Mark where a loss changes its form: delta, beta, c ...")
    ] = False,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="FILE", help="The drawn numbers as well: .csv or .json.", show_default=False),
    ] = None,
    title: Title = None,
    size: Size = None,
    dpi: Dpi = 150,
    theme: ThemeName = "light",
    quiet: Quiet = False,
) -> None:
    """Draw the value of losses and its gradient, over what the losses are functions of.

    Sigmoid losses: over the logit, the probability, or the margin.

    Softmax losses: over the probability of the true class, or its logit.

    Most others have one axis: a residual, margin, logit, probability or distance.

    Losses of whole rows are drawn over one number of a small example; the label of the axis says which.
    """
    from losscli.analysis.curves import check_range, default_range, drawable, shared_axis, trace
    from losscli.lookup.spec import spec as spec_of
    from losscli.lookup.spec import specs

    losses = drawable(specs(spec))
    name, axes = shared_axis(losses, x)
    low, high = pair(range, "--range", "-3,3") or default_range(losses, axes)
    check_range(low, high, name, axes)
    look = look_of(title, size, dpi, theme)
    with Gallery(output, look, data) as gallery:
        from losscli.plots import curves as picture

        traced = [trace(bound, axes[bound.family.name], low, high) for bound in losses]
        gallery.write_data(traced)
        notes = gallery.publish(
            lambda: picture.draw(traced, axes[losses[0].family.name], look, gradient, log, mark),
            f"{' '.join(map(spec_of, losses))} over the {name}",
        )
    if mark and not any(curve.breaks for curve in traced):
        notes.append(f"--mark: none of these losses changes its form over a {name} from {low:g} to {high:g}")
    if not quiet:
        say(notes)


def _samples_command(loss: "Loss") -> Any:
    return loss_command(loss, lambda values, typed: samples(loss, values), signature(loss, PICTURED))


class SamplesGroup(LossGroup):
    """The losses as sub-commands of `plot samples`."""

    make = staticmethod(_samples_command)


samples_app = typer.Typer(
    cls=SamplesGroup,
    help="Draw the losses of a file: distribution, by class, against confidence, concentration. "
    "Each loss has its own options: losscli plot samples LOSS --help",
    no_args_is_help=True,
    subcommand_metavar="LOSS PREDICTIONS TARGETS -o FILE [OPTIONS]",
)


@samples_app.callback()
def _group() -> None:
    pass


app.add_typer(samples_app, name="samples")


def samples(loss: "Loss", values: dict[str, Any]) -> int:
    """Do what a parsed command line of `plot samples` asks for."""
    from losscli.cli.progress import Progress as Shown
    from losscli.definition.request import Request
    from losscli.engine.classes import groups_of, has_confidence
    from losscli.engine.collectors.breakdown import Profile, Profiler
    from losscli.measurement.class_labels import group_names
    from losscli.measurement.prepare import prepare

    bound = loss.bind(**{name: values.pop(name) for name in loss.parameters})
    look = look_of(*(values.pop(name) for name in ("title", "size", "dpi", "theme")))
    running = running_options(values)
    output, panel, log, quiet = (values.pop(name) for name in ("output", "panel", "log", "quiet"))
    request = Request(loss=bound, **operands(values))
    with Gallery(output, look) as gallery:
        with Shown(running.progress) as progress:
            measurement = prepare(request, looked=progress.looking)
        gallery.keep_apart(measurement.files)
        job = measurement.job
        grouped, confident = groups_of(job), has_confidence(job)
        missing = {} if grouped else {"classes": _why_no_classes(loss, job.encoding.kind)}
        missing |= {} if confident else {"confidence": _why_no_confidence(loss, job.encoding.kind)}
        if panel in missing:
            raise UsageError(f"--panel {panel}: {missing[panel]}")
        weighted = job.weights is not None or job.class_weights is not None
        measurement.observe(Profiler(grouped, confident and panel in (None, "confidence"), weighted))
        with Shown(running.progress) as progress:
            progress.of(job.samples, job.size)
            result = measurement.run(threads=running.threads, seen=progress)
        from losscli.plots import samples as picture

        panels = [panel] if panel else [name for name in picture.PANELS if name not in missing]
        names = group_names(measurement.job, measurement.decoded) if grouped else []
        sampled = picture.Sampled(result, result.aggregate[Profile], grouped, names, log)
        notes = gallery.publish(lambda: picture.draw(sampled, panels, look), result.signature)
    if not quiet:
        left_out = [f"no panel of {name}: {why}" for name, why in missing.items() if job.encoding.kind == "soft"]
        say([*measurement.notes, *left_out, *notes])
    return 0


def _why_no_classes(loss: "Loss", kind: str) -> str:
    if loss.family.coupled in ("masks", "file") and loss.family.target_type != "numbers":
        return f"{loss.name} is a loss of masks, not of rows that have a class"
    return "soft targets name no class" if kind == "soft" else f"the targets of {loss.name} are numbers, not classes"


def _why_no_confidence(loss: "Loss", kind: str) -> str:
    if loss.family.likelihood is None:
        return f"the predictions of {loss.name} are no probabilities, nor logits of one"
    return "soft targets name no true class"


Predictions = Annotated[
    str,
    typer.Argument(
        metavar="PREDICTIONS", show_default=False, help="Logits or probabilities, (n, k) or, for two classes, (n,)."
    ),
]
Labels = Annotated[
    str,
    typer.Argument(metavar="TARGETS", show_default=False, help="The true classes: indices, names, or one-hot rows."),
]


@app.command(cls=Command, context_settings=HELP)
def reliability(
    predictions: Predictions,
    targets: Labels,
    output: Picture,
    given: From = "logits",
    bins: Annotated[int, typer.Option("--bins", metavar="N", help="How many bins, from 1 to 1000.")] = 15,
    binning: Annotated[
        Literal["width", "mass"],
        typer.Option("--binning", help="Bins of equal width from 0 to 1, or of equal mass: as many rows in each."),
    ] = "width",
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate",
            show_default=False,
            help="Before and after calibration by the temperature that losscli calibrate fits to these very rows.",
        ),
    ] = False,
    id: Id = None,
    on_unmatched: Unmatched = "error",
    classes: Classes = None,
    label_base: LabelBase = 0,
    columns: ColumnNames = None,
    header: Header = None,
    ignore_index: Ignore = None,
    title: Title = None,
    size: Size = None,
    dpi: Dpi = 150,
    theme: ThemeName = "light",
    quiet: Quiet = False,
) -> None:
    """Draw confidence against accuracy: whether predictions are as often right as they claim.

    Confidence is the probability of the predicted class, the likeliest one.

    ECE, the expected calibration error: the mean over the rows of |accuracy - confidence| of their bin.
    """
    from losscli.analysis.calibration.fit import calibrate as fitted
    from losscli.analysis.calibration.fit import check_bins, refuse_soft
    from losscli.analysis.calibration.reliability import Reliability
    from losscli.analysis.calibration.temperature import likelihood
    from losscli.definition.request import Request
    from losscli.engine.collectors.calibration_bins import Judge, Verdicts
    from losscli.measurement.prepare import prepare

    check_bins(bins)
    look = look_of(title, size, dpi, theme)
    request = Request(
        likelihood(None),
        typed(predictions),
        typed(targets),
        prediction_kind=given,
        id=id,
        on_unmatched=on_unmatched,
        classes=classes,
        label_base=label_base,
        columns=columns,
        header=header,
        ignore_index=ignore_index,
    )
    with Gallery(output, look) as gallery:
        from losscli.plots import reliability as picture

        if calibrate:
            made = fitted(request, bins=bins, opened=lambda measurement: gallery.keep_apart(measurement.files))
            job, said = made.measurement.job, made.notes
            found, after = made.before.reliability(binning), made.after.reliability(binning)
            band = made.after.to_dict(made.seed)["ece"][binning]["band"]
            change = picture.Change(after, made.temperature, made.fit.limit, band)
        else:
            measurement = prepare(request, choose=likelihood)
            gallery.keep_apart(measurement.files)
            job, said, change = measurement.job, measurement.notes, None
            refuse_soft(job)
            measurement.observe(Judge())
            found = Reliability.of(measurement.run().aggregate[Verdicts], bins, binning)
        about = f"{job.predictions.name}, {job.targets.name} | from {given} | bins (low, high], {found.describe()}"
        if change is not None:
            about += f" | {change.words}"
        notes = gallery.publish(lambda: picture.draw(found, look, about, change), f"ECE {found.error!r} | {about}")
    if not quiet:
        say([*said, *notes])


@app.command(cls=Command, context_settings=HELP)
def features(
    features: Annotated[
        str, typer.Argument(metavar="FEATURES", show_default=False, help="One row a sample, two features or more.")
    ],
    labels: Annotated[
        str, typer.Argument(metavar="LABELS", show_default=False, help="The class of each row: indices or names.")
    ],
    output: Picture,
    centers: Annotated[
        str | None,
        typer.Option(
            "--centers",
            metavar="FILE",
            show_default=False,
            help="Class centers, shape (k, d); a column 'class' names them. Default: the means of the classes.",
        ),
    ] = None,
    id: Id = None,
    on_unmatched: Unmatched = "error",
    columns: ColumnNames = None,
    header: Header = None,
    ignore_index: Ignore = None,
    title: Title = None,
    size: Size = None,
    dpi: Dpi = 150,
    theme: ThemeName = "light",
    quiet: Quiet = False,
) -> None:
    """Draw features by class with the classes' centers; more than two dimensions by their principal components."""
    from losscli.analysis.features import load

    look = look_of(title, size, dpi, theme)
    features, labels = typed(features), typed(labels)
    with Gallery(output, look) as gallery:
        cloud = load(features, labels, centers, id, columns, header, ignore_index, on_unmatched)
        gallery.keep_apart(cloud.files)
        from losscli.plots import features as picture

        about = f"{features}, {labels} | centers: {'means of the classes' if centers is None else centers}"
        notes = gallery.publish(lambda: picture.draw(cloud, look), about)
    if not quiet:
        say([*cloud.notes, *notes])


def compare(
    spec: Spec,
    models: Annotated[list[str], typer.Argument(metavar="A B", show_default=False, help="Predictions of two models.")],
    targets: TargetsOption,
    output: Picture,
    given: dict[str, Any],
    margin: Margin = 0.0,
    confidence: Confidence = 0.95,
    resamples: Resamples = 10_000,
    seed: Seed = 0,
    threads: Threads = None,
    progress: Progress = None,
    title: Title = None,
    size: Size = None,
    dpi: Dpi = 150,
    theme: ThemeName = "light",
    quiet: Quiet = False,
) -> int:
    """Draw the paired differences of two models, row for row: their distribution, the losses, and the classes.

    The verdict is that of `losscli compare` with the same options.
    """
    from losscli.analysis.compare import Terms, compare_all
    from losscli.cli.progress import Progress as Shown
    from losscli.lookup.spec import single

    terms = Terms(margin, confidence, resamples, seed, top=0)
    running = running_options({"threads": threads, "progress": progress, "quiet": quiet})
    look = look_of(title, size, dpi, theme)
    if len(models) != 2:
        raise UsageError(f"plot compare {spec}: {len(models)} models; name two")
    request = requested(single(spec), typed(models[0]), typed(targets), given)
    with Gallery(output, look) as gallery:
        with Shown(running.progress) as shown:
            names = [typed(model) for model in models]
            found = compare_all(
                request,
                names,
                terms,
                running.threads,
                shown.looking,
                lambda job: shown.of(job.samples, job.size),
                shown,
            )
        gallery.keep_apart(found.files)
        from losscli.lookup.spec import spec as spec_of
        from losscli.measurement.receipt import signature as signature_of
        from losscli.plots import compare as picture

        loss = spec_of(request.loss)
        about = f"A: {names[0]}, B: {names[1]} | {signature_of(found.first.measurement.receipt)}"
        one = found.comparisons[0]
        notes = gallery.publish(lambda: picture.draw(one, loss, terms, look, about), about)
    if not quiet:
        say([*found.notes, *notes])
    return 0


app.command(cls=Command, context_settings=HELP, name="compare")(spliced(compare, OPTIONS))
