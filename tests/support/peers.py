"""Names that other libraries have, for the tests of names: of losses that losscli does not have, and of those that it has by another name."""

LIBRARIES = {
    "torch, optax, TensorFlow, scikit-learn, torchmetrics, timm": "AdaptiveLogSoftmaxWithLoss PairwiseDistance make_fenchel_young_loss "
    "multiclass_generalized_dice_loss compute_weighted_loss mean_pairwise_squared_error nce_loss sampled_softmax_loss "
    "scale_regularization_loss ctc_loss_with_forward_probs HalfBinomialLossArrayAPI minkowski_distance hausdorff_distance "
    "create_classification_loss compute_class_weights",
    "pytorch-metric-learning": "AngularLoss BaseMetricLossFunction CrossBatchMemory DynamicSoftMarginLoss FastAPLoss "
    "GeneralizedLiftedStructureLoss GenericPairLoss HistogramLoss InstanceLoss IntraPairVarianceLoss LargeMarginSoftmaxLoss "
    "LiftedStructureLoss ManifoldLoss MarginLoss MultipleLosses NCALoss P2SGradLoss PNPLoss ProxyAnchorLoss ProxyNCALoss RankedListLoss "
    "SelfSupervisedLoss SignalToNoiseRatioContrastiveLoss SmoothAPLoss SoftTripleLoss ThresholdConsistentMarginLoss TupletMarginLoss "
    "VICRegLoss WeightRegularizerMixin EmbeddingRegularizerMixin BaseLossWrapper",
    "statsmodels": "MQuantileNorm RobustNorm",
    "kornia, MONAI": "HausdorffERLoss HausdorffERLoss3D inverse_depth_smoothness_loss mutual_information_loss mutual_information_loss_2d "
    "normalized_mutual_information_loss total_variation AUCMLoss AsymmetricUnifiedFocalLoss BarlowTwinsLoss BendingEnergyLoss BoundaryLoss "
    "DeepSupervisionLoss DiffusionLoss GeneralizedDiceFocalLoss GeneralizedWassersteinDiceLoss GlobalMutualInformationLoss HausdorffDTLoss "
    "JukeboxLoss LocalNormalizedCrossCorrelationLoss LogHausdorffDTLoss MaskedLoss MultiScaleLoss NACLLoss PatchAdversarialLoss SURELoss "
    "SoftDiceclDiceLoss SoftclDiceLoss",
    "XGBoost, LightGBM, CatBoost": "survival:aft survival:cox rank:ndcg rank:map lambdarank rank_xendcg xendcg LambdaMart YetiRank "
    "YetiRankPairwise StochasticRank StochasticFilter QueryRMSE QueryCrossEntropy LogLinQuantile GroupQuantile SurvivalAft cox-nloglik "
    "aft-nloglik interval-regression-accuracy MultiRMSEWithMissingValues QueryAUC NormalizedGini FilteredDCG",
    "TensorFlow Addons, TensorFlow Ranking": "LiftedStructLoss WeightedKappaLoss TripletSemiHardLoss TripletHardLoss approx_ndcg_loss "
    "approx_mrr_loss gumbel_approx_ndcg_loss neural_sort_ndcg_loss unique_softmax_loss list_mle_loss pairwise_soft_zero_one_loss "
    "click_em_loss mixture_em_loss ordinal_loss coupled_rankdistil_loss pairwise_mse_loss",
    "allRank, PaddlePaddle, MXNet": "lambdaLoss neuralNDCG listMLE approxNDCGLoss pointwise_rmse rank_loss hsigmoid_loss margin_cross_entropy "
    "npair_loss_v2 square_error_cost SDMLLoss",
    "PyTorch Forecasting, scoringrules": "MASE MQF2DistributionLoss NegativeBinomialDistributionLoss LogNormalDistributionLoss "
    "BetaDistributionLoss ImplicitQuantileNetworkDistributionLoss MultivariateNormalDistributionLoss variogram_score energy_score "
    "interval_score weighted_interval_score twcrps_ensemble owcrps_ensemble vrcrps_ensemble dss_ensemble logs_normal crps_beta crps_gamma",
    "sentence-transformers": "MultipleNegativesRankingLoss CachedMultipleNegativesRankingLoss MegaBatchMarginLoss BatchHardTripletLoss "
    "BatchAllTripletLoss BatchSemiHardTripletLoss BatchHardSoftMarginTripletLoss CoSENTLoss AnglELoss OnlineContrastiveLoss "
    "DenoisingAutoEncoderLoss GISTEmbedLoss CachedGISTEmbedLoss MatryoshkaLoss Matryoshka2dLoss AdaptiveLayerLoss MarginMSELoss "
    "ContrastiveTensionLoss SoftmaxLoss DistillKLDivLoss",
    "lightly": "DCLLoss DCLWLoss DINOLoss IBOTPatchLoss MSNLoss PMSNLoss NegativeCosineSimilarity SwaVLoss TiCoLoss VICRegLLoss MMCRLoss "
    "HyperSphereLoss KoLeoLoss DetConSLoss MACLLoss CO2Regularizer EMPSSLLoss WMSELoss",
    "OpenMMLab": "GHMC GHMR BoundedIoULoss SeesawLoss VarifocalLoss EQLV2Loss GaussianFocalLoss DistributionFocalLoss "
    "KnowledgeDistillationKLDivLoss DDQAuxLoss MultiPosCrossEntropyLoss EIoULoss SIoULoss AdaptiveWingLoss SoftWingLoss StarLoss "
    "KeypointOHKMMSELoss JointsMSELoss KeypointMSELoss RLELoss BoneLoss SemiSupervisionLoss AssociativeEmbeddingLoss MPJPELoss "
    "OhemCrossEntropy SiLogLoss",
    "torchtune, TRL": "DPOLoss RSOLoss SimPOLoss PPOLoss GRPOLoss ForwardKLLoss ReverseKLLoss CEWithChunkedOutputLoss exo_pair nca_pair "
    "bco_pair sppo_hard discopop apo_zero",
    "torchaudio, auraloss": "RNNTLoss STFTLoss MultiResolutionSTFTLoss MelSTFTLoss SISDRLoss SNRLoss SDSDRLoss ESRLoss DCLoss",
    "rlax": "clipped_surrogate_pg_loss dpg_loss mpo_loss vmpo_loss qpg_loss rpg_loss",
    "PyTorch3D, GeomLoss, KerasCV": "chamfer_distance mesh_laplacian_smoothing mesh_normal_consistency point_mesh_face_distance "
    "mesh_edge_loss SamplesLoss BinaryPenaltyReducedFocalCrossEntropy",
}
"""Names of losses that losscli did not have when this was written, by the libraries that have them."""
ABSENT = [name for names in LIBRARIES.values() for name in names.split()]

FOUND = {
    "binary_logloss": "sigmoid-cross-entropy",
    "multi_logloss": "softmax-cross-entropy",
    "MultiLogloss": "sigmoid-cross-entropy",
    "logloss": "softmax-cross-entropy",
    "mlogloss": "softmax-cross-entropy",
    "binary:logistic": "sigmoid-cross-entropy",
    "binary:logitraw": "sigmoid-cross-entropy",
    "multi:softprob": "softmax-cross-entropy",
    "reg:squarederror": "half-squared-error",
    "reg:squaredlogerror": "squared-log-error",
    "reg:absoluteerror": "absolute-error",
    "reg:pseudohubererror": "pseudo-huber",
    "reg:quantileerror": "quantile",
    "reg:gamma": "log-gamma",
    "reg:tweedie": "log-tweedie",
    "count:poisson": "log-poisson",
    "binary:hinge": "hinge",
    "rank:pairwise": "pairwise-logistic",
    "cross_entropy_lambda": "sigmoid-cross-entropy",
    "regression_l1": "absolute-error",
    "regression_l2": "half-squared-error",
    "gamma": "log-gamma",
    "tweedie": "log-tweedie",
    "tweedie-nloglik@1.5": "tweedie-nloglik",
    "MultiClass": "softmax-cross-entropy",
    "MultiClassOneVsAll": "sigmoid-cross-entropy",
    "RMSEWithUncertainty": "gaussian-nll",
    "rank:ndcg": "lambdarank",
    "LambdaMart": "lambdarank",
    "rank_xendcg": "listwise-softmax",
    "rank:map": "pairwise-logistic",
    "survival:cox": "cox-efron",
    "LogLinQuantile": "quantile",
    "YetiRank": "lambdarank",
    "StochasticRank": "approx-ndcg",
    "QueryRMSE": "mse",
    "ndcg@10": "approx-ndcg",
    "NDCG": "approx-ndcg",
    "MultiRMSE": "mse",
    "gan": "non-saturating-gan",
    "GANLoss": "wasserstein-gan",
    "merror": "multiclass-zero-one",
    "mphe": "pseudo-huber",
    "charbonnier": "pseudo-huber",
    "LovaszLoss": "lovasz-hinge",
    "gamma-nll": "gamma-deviance",
    "poisson-nll": "log-poisson",
    "tweedie-nll": "tweedie-deviance",
    "HuberT": "huber",
    "DiceCELoss": "dice",
    "HalfGammaLoss": "log-gamma",
    "LabelSmoothingCrossEntropy": "softmax-cross-entropy",
}
"""Names of losses that losscli has by another name, or of several losses -> a loss that the message must name."""
