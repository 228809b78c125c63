"""Preference losses: of the log-probabilities that a language model gives to responses which people like more or less.

Predictions are log-probabilities of whole responses under the model that is trained, the policy. Some losses compare them
with those under a reference model. A core of pairs gets h or d, by how much the preferred response leads, shape (n,); a core
of feedback gets the log-ratio h of one response and whether it is desirable; a core of odds gets both log-probabilities.
"""

from collections.abc import Callable
from typing import Annotated

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.domain import LOG_PROBABILITIES, NON_NEGATIVE, POSITIVE, Domains, Interval
from losscli.definition.loss import Axis, BoundLoss, Parameters, same
from losscli.definition.registry import family, loss
from losscli.elementary import log1p
from losscli.losses.contrastive import logistic, softplus
from losscli.losses.ranking import pairs


def of_log_probabilities(parameters: Parameters) -> Domains:
    """Return the domains of losses whose predictions are log-probabilities."""
    return Domains(predictions=LOG_PROBABILITIES)


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(h) with h = t * ((x1 - r1) - (x2 - r2)): dh/dx is t for the first response and -t for the second."""
    assert isinstance(targets, Dense)
    assert extras.third_operand is not None
    x = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    ratio, t = x - extras.third_operand.astype(x.dtype), targets.t.astype(x.dtype)
    value, slope = loss.core(t * (ratio[:, 0] - ratio[:, 1]))
    return value, np.stack([t * slope, -t * slope], axis=1) if gradient else None


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    rows = np.stack([x, np.zeros_like(x)], axis=1)
    return rows, Dense(np.ones(len(x), np.int8)), Extras(third_operand=np.zeros_like(rows))


PAIR_TARGETS = (
    "labels in {0, 1} or in {-1, 1}, one per row: 1 where the first response is preferred; or the constant 1, where it "
    "always is"
)
TWO_RESPONSES = "the log-probabilities of two responses"

preference = family(
    name="preference",
    lift=lift,
    summary="functions of how much more a policy prefers the better of two responses than a reference model does",
    variables={
        "h": "t * ((x1 - r1) - (x2 - r2)), of the log-probabilities x of both responses under the policy and r under the "
        "reference model, with t = 1 where the first is preferred and -1 otherwise"
    },
    value="f(h)",
    gradient="t * df/dh for the first response, and the opposite for the second",
    targets=PAIR_TARGETS,
    target_type="signs",
    rows=TWO_RESPONSES,
    width=2,
    one_target=True,
    third_operand="reference",
    axes={
        "margin": Axis(
            "h", "log-ratio h of the preferred response minus that of the other", (-30.0, 30.0), _place, (1.0, 0.0)
        )
    },
    several_outputs=False,
)

Beta = Annotated[float, POSITIVE, "factor of the log-ratios: how closely the policy keeps to the reference"]
SUMMED = "a response's log-probability is the sum over its tokens, without the prompt"
AVERAGED = "a response's log-probability is the mean over its tokens: the length does not count"


@loss(
    preference,
    "(1 - label_smoothing) * log(1 + exp(-beta * h)) + label_smoothing * log(1 + exp(beta * h))",
    slope="beta * (label_smoothing / (1 + exp(-beta * h)) - (1 - label_smoothing) / (1 + exp(beta * h)))",
    aliases=("dpo-loss", "direct-preference-optimization", "conservative-dpo", "cdpo"),
    source="Rafailov, Sharma, Mitchell, Ermon, Manning and Finn 2023, Direct Preference Optimization: Your Language Model is "
    "Secretly a Reward Model, arXiv:2305.18290; Mitchell 2023, A note on DPO with noisy preferences (the smoothing)",
    special=(
        SUMMED,
        "label_smoothing above 0 is conservative DPO: the share of labels that may be wrong; here the expected loss under "
        "such labels, which is not divided by 1 - 2 * label_smoothing as robust DPO is",
    ),
    relations=(
        same("pairwise_logistic(beta * h)", label_smoothing=0.0),
        same("sigmoid_cross_entropy(beta * h, 1 - label_smoothing)"),
    ),
    domains=of_log_probabilities,
    facts=("convex",),
)
def dpo(
    h: Array,
    *,
    beta: Beta = 0.1,
    label_smoothing: Annotated[float, Interval(0, 0.5, True), "share of the labels that may be wrong"] = 0.0,
) -> tuple[Array, Array]:
    """Minus the log-probability that the preferred response wins, with log-ratios as rewards."""
    z = beta * h
    # Terms whose factor is 0 are left out, for they may be infinite.
    value, slope = (1 - label_smoothing) * softplus(-z), -(1 - label_smoothing) * logistic(-z)
    if label_smoothing:
        value, slope = value + label_smoothing * softplus(z), slope + label_smoothing * logistic(z)
    return value, beta * slope


@loss(
    preference,
    "(h - 1 / (2 * beta))**2",
    slope="2 * (h - 1 / (2 * beta))",
    aliases=("ipo-loss", "identity-preference-optimization"),
    source="Azar, Rowland, Piot, Guo, Calandriello, Valko and Munos 2023, A General Theoretical Paradigm to Understand "
    "Learning from Human Preferences, arXiv:2310.12036 (equation 17, where beta is called tau)",
    special=(
        "TRL takes log-probabilities that are means over the tokens, as the authors did; the formula is for both, and the "
        "files decide",
    ),
    relations=(same("squared_error(h - 1 / (2 * beta))"),),
    domains=of_log_probabilities,
    breaks=lambda parameters: {},
    facts=("convex",),
)
def ipo(
    h: Array, *, beta: Annotated[float, POSITIVE, "half of one over the lead that is wanted"] = 0.1
) -> tuple[Array, Array]:
    """The squared distance of the lead from one over two beta, beyond which it is too large."""
    gap = h - 0.5 / beta
    return gap * gap, 2 * gap


@loss(
    pairs,
    "log(1 + exp(gamma - beta * d))",
    slope="-beta / (1 + exp(beta * d - gamma))",
    aliases=("simpo-loss", "simple-preference-optimization"),
    source="Meng, Xia and Chen 2024, SimPO: Simple Preference Optimization with a Reference-Free Reward, arXiv:2405.14734",
    special=(
        AVERAGED + "; no reference model",
        "labels as for the other losses of pairs; the constant 1 where the first response is always preferred",
        "TRL has beta 0.1 by default, and a label_smoothing, which is 0 by default",
    ),
    relations=(same("bradley_terry(beta * d, margin=gamma)"),),
    domains=of_log_probabilities,
    facts=("convex",),
)
def simpo(
    d: Array,
    *,
    beta: Annotated[float, POSITIVE, "factor of the log-probabilities"] = 2.0,
    gamma: Annotated[float, NON_NEGATIVE, "by how much the reward of the preferred response is to lead"] = 0.5,
) -> tuple[Array, Array]:
    """Minus the log-probability that the preferred response wins by a margin, with mean log-probabilities as rewards."""
    z = gamma - beta * d
    return softplus(z), -beta * logistic(z)


@loss(
    pairs,
    "log(1 + exp(margin - d))",
    slope="-1 / (1 + exp(d - margin))",
    aliases=("bradley-terry-loss", "reward-model-loss", "reward-modeling-loss", "reward-loss"),
    source="Bradley and Terry 1952, Rank Analysis of Incomplete Block Designs, doi:10.1093/biomet/39.3-4.324; Ouyang et al. "
    "2022, Training language models to follow instructions with human feedback, arXiv:2203.02155 (of rewards); Touvron et "
    "al. 2023, Llama 2, arXiv:2307.09288 (the margin)",
    special=(
        "predictions are the rewards of two responses; the constant 1 as TARGETS says that the first is always preferred",
        "the margin is one for all rows; TRL's is a column, one per row",
        "TRL's center_rewards_coefficient, a penalty of the sum of both rewards, is not in it",
    ),
    relations=(same("pairwise_logistic(d - margin)"),),
    facts=("convex",),
)
def bradley_terry(
    d: Array, *, margin: Annotated[float, NON_NEGATIVE, "by how much the preferred response is to lead"] = 0.0
) -> tuple[Array, Array]:
    """Minus the log-probability that the preferred response wins, whose odds are the exponential of its lead."""
    z = margin - d
    return softplus(z), -logistic(z)


def lift_feedback(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(h, desirable) with the log-ratio h = x - r, elementwise."""
    assert isinstance(targets, Dense)
    assert extras.third_operand is not None
    x = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    value, slope = loss.core(x - extras.third_operand.astype(x.dtype), targets.t > 0)
    return value, slope if gradient else None


def _place_feedback(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return x, Dense(np.ones(len(x), np.int8)), Extras(third_operand=np.zeros_like(x))


feedback = family(
    name="feedback",
    lift=lift_feedback,
    summary="functions of the log-ratio of single responses that are desirable or not, elementwise",
    variables={
        "h": "x - r, of a response's log-probability x under the policy and r under the reference model",
        "t": "1 where the response is desirable, and -1 where not",
    },
    value="f(h, t)",
    gradient="df/dh",
    targets="labels in {0, 1} or in {-1, 1}, one for each response: 1 where it is desirable",
    target_type="signs",
    third_operand="reference",
    axes={"margin": Axis("h", "log-ratio h of a desirable response", (-60.0, 60.0), _place_feedback, own=False)},
    several_outputs=True,
)


@loss(
    feedback,
    "where(t > 0, desirable_weight / (1 + exp(beta * (h - kl))), undesirable_weight / (1 + exp(beta * (kl - h))))",
    slope="where(t > 0, -desirable_weight, undesirable_weight) * beta / (1 + exp(beta * (h - kl)))"
    " / (1 + exp(beta * (kl - h)))",
    aliases=("kto-loss", "kahneman-tversky-optimization"),
    source="Ethayarajh, Xu, Muennighoff, Jurafsky and Kiela 2024, KTO: Model Alignment as Prospect Theoretic Optimization, "
    "arXiv:2402.01306",
    special=(
        SUMMED,
        "kl is the reference point z0 of the paper: an estimate, made from prompts with the responses of others, of how far "
        "the policy is from the reference model. Such pairs are not in these files, so it is given as a number; TRL sets it "
        "to 0 where it would be below",
        "the factors of desirable and undesirable responses are part of the loss; the mean is over all responses",
    ),
    domains=of_log_probabilities,
    facts=("bounded",),
)
def kto(
    h: Array,
    desirable: Array,
    *,
    beta: Beta = 0.1,
    kl: Annotated[float, NON_NEGATIVE, "log-ratio that counts as neither gain nor loss"] = 0.0,
    desirable_weight: Annotated[float, NON_NEGATIVE, "factor of desirable responses"] = 1.0,
    undesirable_weight: Annotated[float, NON_NEGATIVE, "factor of undesirable responses"] = 1.0,
) -> tuple[Array, Array]:
    """One minus the value of a response: the logistic function of its log-ratio above a reference point, or below it."""
    z = beta * (h - kl)
    wrong = logistic(np.where(desirable, -z, z))
    weight = np.where(desirable, desirable_weight, undesirable_weight)
    slope = beta * weight * wrong * logistic(np.where(desirable, z, -z))
    return weight * wrong, np.where(desirable, -slope, slope)


def lift_odds(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(w, l) of the log-probabilities of the preferred response and of the other; its slopes are by both."""
    assert isinstance(targets, Dense)
    x = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    x, first = np.where(x > 0, np.nan, x), targets.t > 0
    w, l = np.where(first, x[:, 0], x[:, 1]), np.where(first, x[:, 1], x[:, 0])
    value, slopes = loss.core(w, l, gradient=gradient)
    if not gradient:
        return value, None
    by_w, by_l = slopes
    return value, np.stack([np.where(first, by_w, by_l), np.where(first, by_l, by_w)], axis=1)


def _place_odds(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([x, np.full_like(x, -1)], axis=1), Dense(np.ones(len(x), np.int8)), Extras()


odds = family(
    name="odds",
    lift=lift_odds,
    summary="functions of the log-probabilities of the better and of the worse of two responses, without a reference model",
    variables={
        "w": "log-probability of the preferred response",
        "l": "log-probability of the other response",
    },
    value="f(w, l)",
    gradient="df/dw for the preferred response, df/dl for the other",
    targets=PAIR_TARGETS,
    target_type="signs",
    rows=TWO_RESPONSES,
    width=2,
    one_target=True,
    axes={
        "margin": Axis(
            "w",
            "log-probability w of the preferred response; that of the other is -1",
            (-4.0, -0.01),
            _place_odds,
            (1.0, 0.0),
            domain=LOG_PROBABILITIES,
            own=False,
        )
    },
    several_outputs=False,
)


def log_of_rest(x: Array) -> Array:
    """Return log(1 - exp(x)) of numbers x <= 0."""
    return np.where(x > -0.6931471805599453, np.log(-np.expm1(x)), log1p(-np.exp(x)))


@loss(
    odds,
    "-w + beta * log(1 + exp(l) / (1 - exp(l)) * (1 - exp(w)) / exp(w))",
    aliases=("orpo-loss", "odds-ratio-preference-optimization"),
    source="Hong, Lee and Thorne 2024, ORPO: Monolithic Preference Optimization without Reference Model, arXiv:2403.07691",
    special=(
        AVERAGED + "; no reference model",
        "-w is the negative log-likelihood of the preferred response per token; the logarithm has the ratio of the odds "
        "p / (1 - p) of both",
        "TRL takes the likelihood part as the mean over all tokens of a batch, in which long responses count more",
        "a response of log-probability 0 has infinite odds",
    ),
    domains=of_log_probabilities,
)
def orpo(
    w: Array, l: Array, *, beta: Annotated[float, NON_NEGATIVE, "factor of the odds ratio (lambda in the paper)"] = 0.1
) -> tuple[Array, Callable[[], tuple[Array, Array]]]:
    """The negative log-likelihood of the preferred response, plus minus the log of the logistic function of the log odds ratio."""
    gap = (l - w) - (log_of_rest(l) - log_of_rest(w))

    def slopes() -> tuple[Array, Array]:
        # In exponentials of w and l over the larger one, no term cancels and none vanishes.
        top = np.maximum(w, l)
        a, b = np.exp(l - top), np.exp(w - top)
        rest_w, rest_l = -np.expm1(w), -np.expm1(l)
        share = a / (a * rest_w + b * rest_l)
        return -1 - beta * share, beta * share * rest_w / rest_l

    return (beta * softplus(gap) if beta else 0 * gap) - w, slopes
