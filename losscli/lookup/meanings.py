"""Words that are no name of one loss alone: what they mean, and what to say instead.

Each table has names as its keys, several of one meaning separated by blanks; capitals, '-' and '_' make no difference.
`losscli.lookup.names` reads them. A declared loss is found by its own name whatever is here, so a loss that is added under one
of these names only has to be taken out of the table.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TypeVar

from losscli.definition.registry import plain
from losscli.records import NamedTuple

AMBIGUOUS: Mapping[str, Mapping[str, str]] = {
    "log-loss": {
        "sigmoid-cross-entropy": "of outcomes 0 and 1",
        "softmax-cross-entropy": "of classes",
    },
    "multi-logloss": {
        "softmax-cross-entropy": "of classes, as LightGBM's multi_logloss; its predictions are probabilities: --from probs",
        "sigmoid-cross-entropy": "of several labels, as CatBoost's MultiLogloss",
    },
    "nll nll-loss negative-log-likelihood": {
        "softmax-cross-entropy": "of classes, with --from log-probs where predictions are log-probabilities",
        "sigmoid-cross-entropy": "of outcomes 0 and 1",
        "gaussian-nll": "of means and variances",
    },
    "focal-loss": {
        "sigmoid-focal": "one sigmoid for each output, as in torchvision",
        "softmax-focal": "one softmax over the classes, as in kornia",
    },
    "class-balanced-loss class-balanced-cross-entropy": {
        "softmax-cross-entropy": "with --class-weight effective:0.999, which weighs classes by their effective number, as Cui et al. 2019",
        "balanced-cross-entropy": "of a sigmoid for each output, with the weight beta of the positives",
    },
    "class-balanced-focal class-balanced-focal-loss": {
        "softmax-focal": "with --class-weight effective:0.999, over classes",
        "sigmoid-focal": "with --class-weight effective:0.999, of a sigmoid for each output",
    },
    "chi-square chi-squared chi2": {
        "pearson-chi-square": "sum((t - p)**2 / p), over the prediction",
        "neyman-chi-square": "sum((t - p)**2 / t), over the target",
    },
    "gan gan-loss adversarial adversarial-loss discriminator-loss generator-loss": {
        "non-saturating-gan": "the cross-entropy of the first GANs",
        "lsgan": "squared errors",
        "hinge-gan": "hinge losses of the discriminator",
        "wasserstein-gan": "the scores themselves, of a critic",
    },
    "log-iou": {
        "log-jaccard": "minus the logarithm of the IoU of masks",
        "log-box-iou": "minus the logarithm of the IoU of two boxes",
    },
    "charbonnier charbonnier-loss": {
        "pseudo-huber": "with delta = eps; times 1 / eps, plus eps, it is sqrt(r**2 + eps**2), as most code has it, and with "
        "delta = 1 kornia's charbonnier_loss",
        "barron": "with alpha = 1: the general loss of Barron 2019, which calls this case Charbonnier",
    },
    "gamma gamma-nll gamma-loss": {
        "log-gamma": "y + t * exp(-y), of predictions that are logarithms of means",
        "gamma-nloglik": "log(y) + t / y, of predictions that are means",
        "gamma-deviance": "2 * (log(y / t) + t / y - 1), of predictions that are means",
    },
    "poisson-nll": {
        "log-poisson": "exp(y) - t * y, of predictions that are logarithms of rates: PyTorch's default",
        "poisson": "y - t * log(y), of predictions that are rates",
        "poisson-nloglik": "y - t * log(y) + log(t!), with all of its terms",
        "poisson-deviance": "twice the distance from the best rate, which is the target itself",
    },
    "tweedie tweedie-nll tweedie-loss": {
        "log-tweedie": "of predictions that are logarithms of means, as the objectives of XGBoost, LightGBM and CatBoost have it",
        "tweedie-nloglik": "of predictions that are means, as the metrics of XGBoost and LightGBM have it",
        "tweedie-deviance": "of predictions that are means, as in scikit-learn",
    },
    "lovasz lovasz-loss": {
        "lovasz-hinge": "one score for each element of a mask",
        "lovasz-softmax": "a column for each class",
    },
    "cox-ph cox-ph-loss cox-loss cox-nll cox-nloglik survival:cox": {
        "cox": "ties by Breslow, as XGBoost, statsmodels' PHReg and scikit-survival have it by default",
        "cox-efron": "ties by Efron, as lifelines and R's coxph have it by default",
    },
    "intersection-over-union iou-score": {
        "jaccard": "of masks: one minus it",
        "iou": "of boxes: one minus it",
    },
}
"""Names that mean different losses in different places -> the losses, each with what it is; they are refused."""

ELSEWHERE: Mapping[str, str] = {
    "corn-loss": "the mean over the rows here; coral-pytorch divides by the number of thresholds that count",
    "proxy-nca-loss": "without the own proxy in the sum here and in the paper; pytorch-metric-learning's ProxyNCALoss has it, which is "
    "proxy-nca-plus-plus with scale = 1",
    "semi-hard semi-hard-triplet-loss triplet-semi-hard triplet-semi-hard-loss batch-semi-hard": "the mean over the pairs of each row "
    "here, over all pairs of the file in TensorFlow Addons: the same with as many rows in each class, or with class weights of one less "
    "than its rows",
    "approx-ndcg approx-ndcg-loss": "TensorFlow Ranking's and allRank's are minus NDCG, without the 1",
    "l2": "half the square; LightGBM's l2 has no half",
    "l2-loss": "optax's is half the square of each element, tf.nn's half the sum of squares",
    "lorentzian": "with log(1 + (r / c)**2 / 2) elsewhere: this with c larger by sqrt(2), divided by c**2",
    "cauchy-loss": "kornia's is log(1 + r**2 / 2): this with c = sqrt(2)",
    "welsch-loss correntropy leclerc": "1 - exp(-r**2 / 2) elsewhere, as in kornia: this with c = sqrt(2)",
    "geman-mcclure-loss": "kornia's is 2 * r**2 / (r**2 + 4): this with c = 2",
    "adaptive-robust": "with fixed alpha and c here; the adaptive loss, which learns both, adds the logarithm of its normaliser",
    "lp lq-loss": "a power of the absolute residual here; the Lq loss for noisy labels is generalized-cross-entropy",
    "trimmed-mean": "the norm of statsmodels: half the square, constant beyond c; no loss is left out of the mean",
    "talwar": "c is 2 by default; MATLAB's robustfit uses 2.795",
    "truncated-quadratic": "with a half here; min(r**2, c**2) elsewhere",
    "wing-loss wing": "width is 5 and curvature 0.5 by default, as in segmentation-models; the paper has 10 and 2",
    "mape mean-absolute-percentage-error": "a fraction here and in scikit-learn, times 100 in Keras; LightGBM and CatBoost divide by "
    "max(1, |t|)",
    "smape symmetric-mean-absolute-percentage-error": "from 0 to 2 here and in torchmetrics, times 100 in CatBoost; half of it elsewhere",
    "poisson poisson-loss": "of rates here and in Keras; torch's PoissonNLLLoss, LightGBM and CatBoost take logarithms of rates, which is "
    "log-poisson",
    "poisson-nll-loss": "torch's default takes logarithms of rates; with log_input=False it is poisson",
    "mean-tweedie-deviance tweedie-deviance-score": "power is 1.5 by default here; in scikit-learn and torchmetrics it is 0, the squared error",
    "hinge-loss": "scikit-learn's is multiclass-hinge for more than two classes; torchmetrics' takes a sigmoid first",
    "soft-margin": "log(1 + exp(-m)), as in torch; the loss of a soft-margin support vector machine is hinge",
    "quadratically-smoothed-hinge": "a quarter of it elsewhere: (1 - m)**2 / 4 between -1 and 1, and -m below",
    "zero-one-loss": "of scores here; scikit-learn's takes labels, and of several outputs per sample one wrong one counts as all",
    "hamming-loss hamming-distance hamming": "of scores here, positive above 0; scikit-learn's takes labels, torchmetrics' probabilities above 0.5",
    "focal": "of one sigmoid an output here; with a softmax over the classes it is softmax-focal",
    "sigmoid-focal-loss": "alpha is 0.25 by default in torchvision and kornia, none in optax and here",
    "poly-binary-cross-entropy": "epsilon is 1 by default, as in the paper; timm's is 2",
    "asl asymmetric-loss asymmetric-loss-multi-label asymmetric-multi-label": "the mean over a sample's outputs here; timm's adds them up and "
    "takes the mean over samples: --over-outputs sum; its authors' code adds up everything",
    "balanced-bce balanced-binary-cross-entropy": "beta is 0.5 by default, half the cross-entropy, and not taken from the targets",
    "kl-div-loss kl-div": "torch's default divides by the number of elements, not of rows; scipy.special.kl_div is generalized-kl",
    "categorical-focal-crossentropy": "Keras multiplies it by alpha = 0.25 by default; here weights of classes are --class-weight",
    "poly-loss poly-loss-cross-entropy poly-cross-entropy": "epsilon is 1 by default, as in the paper; in optax and timm it is 2",
    "categorical-generalized-cross-entropy": "q is 0.7 by default, as in the paper; in Keras it is 0.5",
    "sce sce-loss": "the symmetric cross-entropy of Wang et al. 2019; GraphMAE's sce_loss is a scaled cosine error",
    "brier-score-loss brier-score": "scikit-learn halves it for two classes, and sums over more",
    "quadratic-score": "a loss here, the Brier score; the score itself is 1 minus it",
    "jsd js jensen-shannon-divergence js-divergence": "in nats, and no root; scipy's jensenshannon is its root, AugMix's loss is jsd-cross-entropy",
    "spherical-score": "a loss here: 1 minus the score",
    "asl-single-label asymmetric-loss-single-label asymmetric-single-label": "gamma_pos is 0 by default, as in its authors' code, and targets "
    "are not smoothed; timm has 1, and both smooth by 0.1",
    "rps": "not divided by the number of classes minus 1, which others do",
    "squared-emd squared-earth-mover": "the sum over the classes here; others take the mean, or its root",
    "emd wasserstein wasserstein-1 earth-movers-distance earth-mover-distance": "between distributions over ordered classes, one apart; scipy's "
    "is between samples, NIMA's has a power of 2, and the Wasserstein loss of a GAN is none of these",
    "jsd-cross-entropy jsd-ce": "timm's smooths the targets by 0.1: --label-smoothing 0.1",
    "multiclass-hinge-loss": "of scores, as in optax; torchmetrics' takes a softmax first",
    "sparsemax-loss": "optax's sparsemax_loss is that of one output, binary-sparsemax; its multiclass_sparsemax_loss is this",
    "query-soft-max": "CatBoost divides the targets of a list by their sum",
    "pairwise-hinge": "margin is 0 by default here, and 1 in TensorFlow Ranking",
    "contrastive-loss": "half the square here; TensorFlow Addons' has no half, pytorch-metric-learning's no square and no half; MONAI's "
    "ContrastiveLoss is nt-xent",
    "triplet-loss": "of distances here, with margin 1; FaceNet squares them, with margin 0.2",
    "triplet-margin-loss": "of given triplets here, in torch and in optax; pytorch-metric-learning's makes all triplets of a batch",
    "arcface-loss": "margin is 0.5 radians here, and 28.6 degrees, 0.4992, in pytorch-metric-learning",
    "am-softmax additive-margin-softmax": "scale is 64 by default, CosFace's; AM-Softmax has 30",
    "ntxent nt-xent-loss": "a mean over the pairs of each row, then over rows; optax and pytorch-metric-learning take it over all pairs",
    "simclr": "temperature is 0.07 by default; SimCLR's own is 0.1 to 1",
    "supcon-loss": "temperature is 0.1 by default; in its authors' code it is 0.07",
    "npairs n-pair n-pairs-loss": "of cosines here and in pytorch-metric-learning; the paper's is of dot products, and TensorFlow Addons "
    "adds a penalty of their length",
    "dice-loss soft-dice binary-dice-loss": "smooth is 0 by default here and 1 in optax, whose dice_loss takes a softmax; "
    "segmentation-models' pools the batch, MONAI's is the mean over rows and classes",
    "jaccard-loss": "segmentation-models' pools the batch; here a row, or what --per says, is a mask",
    "tversky tversky-loss": "alpha weighs false positives here; in Keras up to 3.15 it weighs false negatives",
    "focal-tversky-loss": "alpha weighs false positives here; in its authors' code, which has 0.7 for it, false negatives",
    "mcc matthews matthews-correlation-coefficient mcc-loss": "a loss here: 1 minus the coefficient, of soft counts",
    "gdl": "of masks here; in prediction of pictures it is the gradient difference loss",
    "generalized-dice-loss": "optax's multiclass_generalized_dice_loss is a weighted mean of Dice losses, which is another number",
    "iou box-iou iou-loss": "a loss of boxes here: 1 minus the intersection over union; torchvision's box_iou is the ratio itself, and UnitBox's loss "
    "its logarithm, with a minus",
    "generalized-box-iou distance-box-iou complete-box-iou": "a loss here; torchvision's function without _loss is 1 minus it, of all pairs of boxes",
    "cosine-similarity cosine-proximity": "1 - cos here; the loss of Keras is minus the cosine (--as keras), and in torch and optax it is the "
    "cosine itself, no loss",
    "conservative-dpo cdpo": "label_smoothing is 0 by default, which is dpo: say --label-smoothing",
    "simpo-loss": "beta is 2 by default, as in torchtune; in TRL it is 0.1",
    "orpo-loss": "of mean log-probabilities; TRL takes the likelihood over all tokens of a batch, where long responses count more",
    "lsgan-loss least-squares-gan lsgan-discriminator": "half the square, and the mean over real and fake samples together; the paper adds the means of "
    "both, twice as much for as many of both, and most code has no half",
    "hinge-gan-loss hinge-gan-discriminator gan-hinge hinge-discriminator wgan wgan-loss wasserstein-gan-loss wgan-critic "
    "vanilla-gan": "the mean over real and fake samples together; papers add the means of both, twice as much for as many of both",
    "gaussian": "of means and variances here; the Gaussian family of generalized linear models is half-squared-error",
    "ctc-loss": "torch's mean divides the loss of each sequence by its length: --as torch",
}
"""Names of a loss that mean something else in other places -> what; said whenever a number is asked for by such a name."""

_NONE = "losscli does not compute it"
_RANKS = "it depends on the order of all rows, and losscli does not compute it"
_HARD = "of decisions instead of scores, and losscli does not compute it"

STATISTICS: Mapping[str, str] = {
    "rmse root-mean-squared-error root-mean-square-error rms-error l2-root": "the root of the mean squared error: `losscli compute mse "
    "PREDICTIONS TARGETS` prints it as rmse",
    "rmsle root-mean-squared-log-error root-mean-squared-logarithmic-error": "the root of the mean squared-log-error: `losscli compute "
    "msle PREDICTIONS TARGETS` prints it as rmsle",
    "nrmse normalized-root-mean-squared-error cvrmse": "the root of the mean squared error, divided by a scale of the targets: `losscli compute mse "
    "PREDICTIONS TARGETS` prints rmse",
    "perplexity ppl": "the exponential of the mean cross-entropy: `losscli compute ce PREDICTIONS TARGETS` prints it as perplexity",
    "bits-per-byte bpb bits-per-character bpc": "the cross-entropy in bits for each byte: `losscli compute ce PREDICTIONS TARGETS --bytes FILE` "
    "prints it as bits_per_byte",
    "ece mce calibration-error expected-calibration-error maximum-calibration-error binary-calibration-error multiclass-calibration-error "
    "calibration ace": "how far probabilities are from frequencies: `losscli compute ce PREDICTIONS TARGETS --from probs` (bce for one "
    "column, p(positive) against the fraction of positives) prints ece and mce",
    "classwise-ece classwise-calibration-error static-calibration-error": "the mean over classes of the ece of each class's probability: "
    "`losscli compute ce PREDICTIONS TARGETS --classwise-ece` prints it as classwise_ece",
    "accuracy acc top-1 top-1-accuracy categorical-accuracy sparse-categorical-accuracy multiclass-accuracy accuracy-score error-rate error merror "
    "multi-error num-errors": "1 minus the mean of multiclass-zero-one (the error rate is that mean): `losscli compute multiclass-zero-one "
    "PREDICTIONS TARGETS`; of one column, zero-one",
    "binary-accuracy binary-error": "1 minus the mean of zero-one (the error rate is that mean): `losscli compute zero-one PREDICTIONS TARGETS`",
    "top-k top-k-accuracy top-5 top-5-accuracy top-3 top-10 top-5-error top-k-error top-k-categorical-accuracy hit-rate hits-at-k": f"{_NONE}; "
    "`losscli compute multiclass-zero-one PREDICTIONS TARGETS` is 1 minus top-1",
    "balanced-accuracy balanced-accuracy-score": "1 minus the mean of multiclass-zero-one with classes weighing alike: `losscli compute "
    "multiclass-zero-one PREDICTIONS TARGETS --class-weight balanced`",
    "auc auroc roc-auc roc-auc-score auc-roc gini c-index concordance-index auc-mu": f"{_RANKS}; `losscli compute bce PREDICTIONS "
    "TARGETS` judges the same scores row by row",
    "map mean-average-precision average-precision average-precision-score ap auprc pr-auc aucpr": f"{_RANKS}; `losscli compute bce "
    "PREDICTIONS TARGETS` judges the same scores row by row",
    "ndcg dcg ndcg-score dcg-score average-gain filtered-dcg": f"{_NONE}; `losscli compute approx-ndcg PREDICTIONS TARGETS` is 1 minus a smooth "
    "approximation of NDCG",
    "mrr mean-reciprocal-rank precision-at-k recall-at-k label-ranking-loss coverage-error multilabel-ranking-loss pfound err "
    "label-ranking-average-precision multilabel-coverage-error": f"{_NONE}; `losscli compute listwise-softmax PREDICTIONS TARGETS` is a loss of lists",
    "multi-rmse": "the root of the mean over samples of the squared errors' sum: of one output `losscli compute mse PREDICTIONS TARGETS` prints "
    "it as rmse",
    "multi-rmse-with-missing-values": "the root of a mean of squared errors over what is there: `losscli compute mse PREDICTIONS TARGETS --missing "
    "ignore`",
    "r2 r2-score r-squared coefficient-of-determination": "1 minus the squared error over that of the targets' mean: `losscli compute "
    "mse PREDICTIONS TARGETS` prints it as skill",
    "rse relative-squared-error": "the squared error over that of the targets' mean: `losscli compute mse PREDICTIONS TARGETS` prints 1 minus "
    "it as skill",
    "d2 d2-score d2-absolute-error-score": "1 minus the loss over that of the best constant: `losscli compute mae PREDICTIONS TARGETS` prints it "
    "as skill",
    "d2-pinball-score": "1 minus the loss over that of the best constant: `losscli compute quantile PREDICTIONS TARGETS` prints the loss",
    "d2-tweedie-score": "1 minus the loss over that of the best constant: `losscli compute tweedie-deviance PREDICTIONS TARGETS` prints the loss",
    "d2-log-loss-score d2-brier-score brier-skill-score bss": "1 minus the loss over that of the classes' frequencies: `losscli compute ce "
    "PREDICTIONS TARGETS --from probs`, or brier, prints it as skill",
    "f1 f1-score f-score f-beta fbeta-score f2 f1-macro f1-micro total-f1": f"{_HARD}; of soft counts it is 1 minus the loss of `losscli "
    "compute dice PREDICTIONS TARGETS`",
    "dice-score dice-coefficient dice-coef dsc dice-similarity-coefficient soft-dice-score": "1 minus the loss: `losscli compute dice PREDICTIONS TARGETS`",
    "generalized-dice-score": "1 minus the loss: `losscli compute generalized-dice PREDICTIONS TARGETS`",
    "jaccard-index jaccard-score miou mean-iou soft-jaccard-score": "1 minus the loss: `losscli compute jaccard PREDICTIONS TARGETS`",
    "tversky-index soft-tversky-score": "1 minus the loss: `losscli compute tversky PREDICTIONS TARGETS`",
    "precision recall sensitivity specificity tpr fpr tnr fnr confusion-matrix critical-success-index informedness youden": f"{_HARD}; "
    "`losscli compute zero-one PREDICTIONS TARGETS` counts the wrong ones",
    "kappa cohen-kappa cohens-kappa quadratic-weighted-kappa qwk w-kappa weighted-kappa": f"{_HARD}; `losscli compute multiclass-zero-one PREDICTIONS TARGETS` counts "
    "the wrong ones, and ranked-probability-score weighs how far off they are",
    "explained-variance explained-variance-score evs": f"{_NONE}; `losscli compute mse PREDICTIONS TARGETS` prints R2, which also counts a shift, as "
    "skill",
    "pearson pearsonr pearson-corrcoef pearson-correlation correlation corr spearman spearman-corrcoef kendall kendall-rank-corrcoef ccc "
    "concordance concordance-corrcoef concordance-correlation": f"{_NONE}; `losscli compute mse PREDICTIONS TARGETS` prints R2 "
    "as skill",
    "mean-bias-error mbe bias mean-error": f"errors of both signs cancel in it, and {_NONE}; `losscli compute mae PREDICTIONS TARGETS` counts them all",
    "psnr peak-signal-noise-ratio psnr-loss": "10 * log10 of the squared range over the mean squared error: `losscli compute mse PREDICTIONS TARGETS`",
    "ssim ms-ssim structural-similarity ssim-loss ms-ssim-loss ssim3d-loss lpips perceptual-loss": f"of windows of pictures, and {_NONE}; `losscli compute "
    "mse PREDICTIONS TARGETS` goes element by element",
    "bleu rouge meteor chrf wer cer ter word-error-rate character-error-rate edit-distance": f"of words, and {_NONE}; `losscli compute ctc PREDICTIONS TARGETS` "
    "is a loss of sequences",
    "log-likelihood loglik log-prob": "minus a loss: `losscli compute ce PREDICTIONS TARGETS` of classes, gaussian-nll of means and variances",
    "entropy": "of one distribution; `losscli compute kl PREDICTIONS TARGETS` compares two",
}
"""Names of statistics, which are no losses -> what they are, and the command that gives them or what is near."""


class Named(NamedTuple):
    """What a name of another program means here: the words after `losscli compute`, and what to know about it."""

    loss: str
    options: str = ""
    remark: str = ""


_PROBS = "--from probs"
_MARGINS = "of its raw scores (margins), which are logarithms of means"

OTHERS: Mapping[str, Named] = {
    # XGBoost: objectives and metrics
    "reg:squarederror reg:linear regression regression-l2 regression-mse": Named(
        "half-squared-error", remark="as the objective; the metric has no half: squared-error"
    ),
    "reg:squaredlogerror": Named("squared-log-error", remark="the objective is half of it"),
    "reg:absoluteerror regression-l1": Named("absolute-error"),
    "reg:pseudohubererror mphe": Named("pseudo-huber", remark="huber_slope is delta"),
    "reg:quantileerror": Named("quantile", "--tau 0.5", "quantile_alpha is tau"),
    "reg:logistic binary:logistic binary binary-logloss binomial binomial-deviance xentropy": Named(
        "sigmoid-cross-entropy", _PROBS, "its predictions are probabilities; of raw scores, leave out --from"
    ),
    "binary:logitraw": Named("sigmoid-cross-entropy"),
    "binary:hinge binary-hinge binary-hinge-loss": Named("hinge", remark="of raw scores"),
    "count:poisson": Named(
        "log-poisson", remark=f"{_MARGINS}; of its predictions, which are means, it is poisson-nloglik"
    ),
    "reg:gamma": Named("log-gamma", remark=f"{_MARGINS}; of its predictions, which are means, take gamma-nloglik"),
    "reg:tweedie": Named("log-tweedie", remark=f"{_MARGINS}; tweedie_variance_power is --power"),
    "multi:softmax multi:softprob multiclass softmax mlogloss multinomial multinomial-deviance": Named(
        "softmax-cross-entropy", _PROBS, "its predictions are probabilities; of raw scores, leave out --from"
    ),
    "rank:pairwise": Named("pairwise-logistic"),
    "rank:ndcg lambdarank-ndcg lambda-mart": Named(
        "lambdarank", remark="whose gradient it trains with, but for what XGBoost and LightGBM divide by in addition"
    ),
    "rank:map": Named("pairwise-logistic", remark="without the weights of pairs by MAP, which losscli does not have"),
    "rank-xendcg rank:xendcg xendcg xe-ndcg-mart": Named(
        "listwise-softmax",
        remark="of the targets 2**relevance - g over their sum, where g is drawn at random from 0 to 1",
    ),
    "tweedie-nloglik@": Named("tweedie-nloglik", remark="the number behind @ is --power"),
    # LightGBM and CatBoost
    "multiclass-ova ova ovr multi-class-one-vs-all multi-cross-entropy": Named(
        "sigmoid-cross-entropy", remark="one output for each class"
    ),
    "cross-entropy-lambda xentlambda": Named(
        "sigmoid-cross-entropy", remark="with equal weights of rows only; otherwise losscli has none"
    ),
    "rmse-with-uncertainty": Named(
        "gaussian-nll", "--variance FILE", "CatBoost adds log(2 pi) / 2, and predicts log of the deviation"
    ),
    "pair-logit-pairwise": Named("pairwise-logistic"),
    "log-lin-quantile": Named("quantile", "--tau 0.5", "of the exponentials of the raw scores"),
    # scikit-learn
    "half-binomial-loss": Named("sigmoid-cross-entropy"),
    "half-multinomial-loss": Named("softmax-cross-entropy"),
    "half-poisson-loss": Named("log-poisson"),
    "half-gamma-loss": Named("log-gamma"),
    "half-tweedie-loss": Named("log-tweedie"),
    "half-tweedie-loss-identity": Named("tweedie-deviance", remark="which is twice as much"),
    # PyTorch, timm, segmentation-models, MONAI, kornia, statsmodels
    "soft-target-cross-entropy linear-cross-entropy linear-cross-entropy-loss": Named("softmax-cross-entropy"),
    "label-smoothing-cross-entropy soft-cross-entropy-loss label-smoothed-nll-loss smooth-labels label-smoothing label-smoothing-loss": Named(
        "softmax-cross-entropy", "--label-smoothing 0.1"
    ),
    "soft-bce-with-logits-loss": Named("sigmoid-cross-entropy"),
    "weighted-cross-entropy": Named("softmax-cross-entropy", "--class-weight A,B"),
    "weighted-bce balanced-sigmoid-cross-entropy": Named("sigmoid-cross-entropy", "--pos-weight X"),
    "focal-loss-with-logits binary-focal-loss-with-logits": Named("sigmoid-focal", "--alpha 0.25"),
    "softmax-focal-loss-with-logits": Named("softmax-focal"),
    "box-giou-loss": Named("giou"),
    "squared-chord squared-chord-distance": Named(
        "normalized-squared-distance",
        remark="of two vectors of length 1; of two distributions it is twice the squared Hellinger distance",
    ),
    "least-squares": Named("half-squared-error"),
    "js-div-loss-2d js-div-loss": Named("jensen-shannon", remark="summed over the classes of each position"),
    "kl-div-loss-2d": Named("kl-divergence", remark="summed over the classes of each position"),
    "dice-ce dice-ce-loss dice-cross-entropy": Named("dice", "--plus softmax-cross-entropy", "the sum of two losses"),
    "bce-dice bce-dice-loss dice-bce dice-bce-loss": Named(
        "dice", "--plus sigmoid-cross-entropy", "the sum of two losses"
    ),
    "dice-focal dice-focal-loss": Named("dice", "--plus sigmoid-focal", "the sum of two losses"),
    "masked-dice-loss": Named("dice", "--mask FILE"),
    "sub-center-arcface-loss": Named("arcface", remark="with one center for each class; losscli has none with several"),
    "multilabel-hamming-distance multiclass-hamming-distance binary-hamming-distance": Named(
        "zero-one", remark="of scores"
    ),
}
"""Names that other programs have for a loss, or for one with options -> the command. They are refused with it, as their predictions are
of another kind or some of them need an option."""

_LISTS = "`losscli compute lambdarank PREDICTIONS TARGETS --group LISTS`, or approx-ndcg, judges orders"
NEAR: Mapping[str, str] = {
    "yeti-rank yeti-rank-pairwise stochastic-rank stochastic-filter": f"draws orders at random while it trains; {_LISTS}",
    "query-rmse": "the squared error after the best shift of each group, which losscli does not take out; `losscli compute mse PREDICTIONS "
    "TARGETS` keeps it",
    "query-cross-entropy": "the cross-entropy after the best shift of each group, which losscli does not take out; `losscli compute bce "
    "PREDICTIONS TARGETS` keeps it",
    "group-quantile": "of errors within groups; `losscli compute quantile PREDICTIONS TARGETS` is that of each row",
    "survival-aft survival:aft aft-nloglik": "of times that may be censored; `losscli compute log-normal-nll PREDICTIONS TARGETS --scale S` is that of "
    "times that are not, and cox takes those that are",
}
"""Names of losses that other programs have and losscli does not -> what they are, and the command that is near."""

Meaning = TypeVar("Meaning")


def each_name(table: Mapping[str, Meaning]) -> Iterator[tuple[str, Meaning]]:
    """Yield each name of a table by itself, with what it means."""
    return ((name, meaning) for names, meaning in table.items() for name in names.split())


def _by_plain(table: Mapping[str, Meaning]) -> dict[str, Meaning]:
    return {plain(name): meaning for name, meaning in each_name(table)}


_AMBIGUOUS, _ELSEWHERE = _by_plain(AMBIGUOUS), _by_plain(ELSEWHERE)


@cache
def _refused() -> tuple[Mapping[str, str], Mapping[str, str], Mapping[str, Named]]:
    """Return the tables of statistics, near losses and other programs' names; they are needed for names of no loss only."""
    return _by_plain(STATISTICS), _by_plain(NEAR), _by_plain(OTHERS)


def meaning(name: str) -> str | None:
    """Return what the name of a loss means in other places, if that is something else; None otherwise."""
    return _ELSEWHERE.get(plain(name.rpartition(".")[2]))


def choices(name: str) -> Mapping[str, str] | None:
    """Return the losses that an ambiguous name may mean, each with what it is; None for other names."""
    return _AMBIGUOUS.get(plain(name))


def leading_to(loss: str) -> list[str]:
    """Return the names that mean a loss in some places, or in another program, by the loss's own name."""
    ambiguous = [name for name, meant in each_name(AMBIGUOUS) if loss in meant]
    return ambiguous + [name for name, named in each_name(OTHERS) if named.loss == loss]


def instead(name: str) -> str | None:
    """Return what to say instead of a name that is a statistic, or that another program has for a loss; None for other names."""
    statistics, near, others = _refused()
    word = plain(name)
    first, at, _ = word.partition("@")  # as ndcg@10
    if first in statistics:
        return f"is a statistic, not a loss: {statistics[first]}"
    if word in near:
        return f"is a loss that losscli does not have: {near[word]}"
    named = others.get(word) or others.get(first) or others.get(first + at)
    if named is None:
        return None
    remark = f" ({named.remark})" if named.remark else ""
    options = f" {named.options}" if named.options else ""
    return f"is another program's name; here it is {named.loss}{remark}: losscli compute {named.loss} PREDICTIONS TARGETS{options}"
