"""Names of the types that are safe to load.

A file cannot extend these lists. Other types are loaded only if the caller trusts them by name. The
types do not run code that their state names. Those whose state contains indices of arrays are
checked in ``_meaning.py``.
"""

from __future__ import annotations

# Estimators of fashionkit, and classes of their attributes.
OURS = frozenset(
    f"fashionkit.{name}"
    for name in (
        "_backbones.networks.Backbone",
        "_backbones.onnx_extractor.OnnxBackbone",
        "baselines._neighbors.BoundedKNeighborsClassifier",
        "decision._outliers.NeighborDetector",
        "decision._selective.SelectiveClassifier",
        "decision._monitor.PredictionMonitor",
        "features._backbone.BackboneFeatures",
        "features._chunked.ChunkedTransformer",
        "features._color.ColorHistogram",
        "features._hog.HOGFeatures",
        "features._pca.BoundedPCA",
        "features._pixels.PixelFeatures",
        "features._sift.SIFTFeatures",
        "inspection._duplicate_finder.DuplicateFinder",
        "neural._cnn.CNNClassifier",
        "neural._core.engine.OptimizerState",
        "neural._core.inference.TrainedNetwork",
        "neural._core.network.NetworkSource",
        "neural._core.network.NetworkSpec",
        "neural._distilled.DistilledClassifier",
        "neural._hierarchical.HierarchicalCNNClassifier",
        "neural._hierarchy.Hierarchy",
        "neural._transfer.TransferClassifier",
        "persistence._distributions.Distribution",
        "preprocessing._augmentation.Augmentation",
        "preprocessing._loader.ImageLoader",
        "preprocessing._product_photo.ProductPhotoPreprocessor",
        "search._embedding.ClassifierScores",
        "search._embedding.NetworkFeatures",
        "search._image_search.ImageSearch",
        "svm._calibrated.CalibratedSVC",
        "svm._invariant.InvariantSVC",
        "svm._nystroem.NystroemClassifier",
    )
)

# Classes of scikit-learn: meta-estimators, splitters, and estimators that compute in NumPy or whose
# arrays are checked.
SKLEARN = frozenset(
    f"sklearn.{name}"
    for name in (
        "calibration.CalibratedClassifierCV",
        "calibration._CalibratedClassifier",
        "calibration._SigmoidCalibration",
        "calibration._TemperatureScaling",
        "compose._column_transformer.ColumnTransformer",
        "decomposition._pca.PCA",
        "decomposition._truncated_svd.TruncatedSVD",
        "discriminant_analysis.LinearDiscriminantAnalysis",
        "discriminant_analysis.QuadraticDiscriminantAnalysis",
        "dummy.DummyClassifier",
        "ensemble._bagging.BaggingClassifier",
        "ensemble._forest.ExtraTreesClassifier",
        "ensemble._forest.RandomForestClassifier",
        "ensemble._stacking.StackingClassifier",
        "ensemble._voting.VotingClassifier",
        "feature_selection._variance_threshold.VarianceThreshold",
        "frozen._frozen.FrozenEstimator",
        "impute._base.SimpleImputer",
        "isotonic.IsotonicRegression",
        "linear_model._logistic.LogisticRegression",
        "linear_model._logistic.LogisticRegressionCV",
        "linear_model._ridge.RidgeClassifier",
        "linear_model._ridge.RidgeClassifierCV",
        "metrics._scorer._MultimetricScorer",
        "metrics._scorer._PassthroughScorer",
        "metrics._scorer._Scorer",
        "model_selection._classification_threshold.FixedThresholdClassifier",
        "model_selection._classification_threshold.TunedThresholdClassifierCV",
        "model_selection._search.GridSearchCV",
        "model_selection._search.RandomizedSearchCV",
        "model_selection._search_successive_halving.HalvingGridSearchCV",
        "model_selection._search_successive_halving.HalvingRandomSearchCV",
        "model_selection._split.GroupKFold",
        "model_selection._split.GroupShuffleSplit",
        "model_selection._split.KFold",
        "model_selection._split.LeaveOneGroupOut",
        "model_selection._split.RepeatedKFold",
        "model_selection._split.RepeatedStratifiedKFold",
        "model_selection._split.ShuffleSplit",
        "model_selection._split.StratifiedGroupKFold",
        "model_selection._split.StratifiedKFold",
        "model_selection._split.StratifiedShuffleSplit",
        "multiclass.OneVsOneClassifier",
        "multiclass.OneVsRestClassifier",
        "multioutput.MultiOutputClassifier",
        "naive_bayes.GaussianNB",
        "neighbors._classification.KNeighborsClassifier",
        "neighbors._nearest_centroid.NearestCentroid",
        "pipeline.FeatureUnion",
        "pipeline.Pipeline",
        "preprocessing._data.MaxAbsScaler",
        "preprocessing._data.MinMaxScaler",
        "preprocessing._data.Normalizer",
        "preprocessing._data.PowerTransformer",
        "preprocessing._data.RobustScaler",
        "preprocessing._data.StandardScaler",
        "preprocessing._label.LabelBinarizer",
        "preprocessing._label.LabelEncoder",
        "svm._classes.LinearSVC",
        "svm._classes.SVC",
        "tree._classes.DecisionTreeClassifier",
        "tree._classes.ExtraTreeClassifier",
        "utils._bunch.Bunch",
        # Attributes of scorers in older versions: the requested metadata of each method.
        "utils._metadata_requests.MetadataRequest",
        "utils._metadata_requests.MethodMetadataRequest",
    )
)

OBJECTS = OURS | SKLEARN

# Pure functions: architectures and metrics.
FUNCTIONS = frozenset(
    {
        "fashionkit.neural._transfer_network.transfer",
        "fashionkit.neural.architectures._fast.branched",
        *(
            f"sklearn.metrics._classification.{name}"
            for name in (
                "accuracy_score",
                "balanced_accuracy_score",
                "brier_score_loss",
                "cohen_kappa_score",
                "f1_score",
                "jaccard_score",
                "log_loss",
                "matthews_corrcoef",
                "precision_score",
                "recall_score",
            )
        ),
        "sklearn.metrics._ranking.average_precision_score",
        "sklearn.metrics._ranking.roc_auc_score",
        "sklearn.metrics._ranking.top_k_accuracy_score",
    }
)

_NUMBERS = (
    "bool",
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "str_",
)

# Types that may be values: types of the keys of a dict, and parameters such as dtype.
TYPES = frozenset(
    {f"builtins.{name}" for name in ("bool", "float", "int", "str")}
    | {f"numpy.{name}" for name in (*_NUMBERS, "bool_")}
)

# Names that each loader of skops may load. Other loaders, such as those of bound methods, of
# functions of ``operator`` and of constructor calls, are not allowed.
LOADERS: dict[str, frozenset[str]] = {
    "DTypeNode": frozenset({"numpy.dtype"}),
    "DictNode": frozenset(
        {"builtins.dict", "collections.OrderedDict", "sklearn.utils._bunch.Bunch"}
    ),
    "FunctionNode": FUNCTIONS,
    "JsonNode": frozenset({"builtins.str"}),
    "ListNode": frozenset({"builtins.list"}),
    # Its names in NumPy 1 and NumPy 2.
    "MaskedArrayNode": frozenset({"numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray"}),
    "NdArrayNode": frozenset({"numpy.ndarray", *(f"numpy.{name}" for name in _NUMBERS)}),
    "ObjectNode": OBJECTS,
    "PartialNode": frozenset({"functools.partial"}),
    "RandomStateNode": frozenset({"numpy.random.mtrand.RandomState"}),
    "SetNode": frozenset({"builtins.set"}),
    "SliceNode": frozenset({"builtins.slice"}),
    "TreeNode": frozenset({"sklearn.tree._tree.Tree"}),
    "TupleNode": frozenset({"builtins.tuple", "fashionkit.neural._core.engine.OptimizerState"}),
    "TypeNode": TYPES,
}
