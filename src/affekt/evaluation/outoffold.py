"""Scores by quick models that did not learn from the texts: enough to see which labels look wrong (extra `report`)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from affekt.errors import MissingExtraError
from affekt.tuning.arrays import as_truth
from affekt.tuning.folds import stratified_folds
from affekt.tuning.rules import cross_fitted_scores

FOLDS = 4
FEATURES = 2**17
STEEPNESS = 10.0
"""From ridge regression's output, about 0 to 1, to something like log-odds, for the calibration to start from."""
MOST = 60_000
"""Texts that a model learns from at most, so that the time has a bound."""


def quick_scores(
    texts: Sequence[str], truth: npt.ArrayLike, *, folds: int = FOLDS, seed: int = 0
) -> npt.NDArray[np.float32]:
    """Calibrated scores of each text by ridge regression on its words, fitted on the other folds.

    Args:
        texts: at least ``folds`` of them.
        truth: (texts, labels) of 0/1.
        folds: how many.
        seed: of the folds.

    Returns:
        (texts, labels) float32.

    Raises:
        MissingExtraError: if scikit-learn is not installed.
    """
    try:
        from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
        from sklearn.linear_model import Ridge
    except ImportError as error:
        raise MissingExtraError("Looking for suspect labels", "report") from error
    gold = as_truth(truth)
    counts = HashingVectorizer(n_features=FEATURES, ngram_range=(1, 2), alternate_sign=False, norm=None).transform(
        texts
    )
    counts.data = np.log1p(counts.data)
    features = TfidfTransformer().fit_transform(counts).astype(np.float32)
    fold = stratified_folds(gold, folds, seed)
    found = np.empty(gold.shape, dtype=np.float32)
    rng = np.random.default_rng(seed)
    for held in range(folds):
        rows = np.flatnonzero(fold != held)
        rows = rng.choice(rows, MOST, replace=False) if len(rows) > MOST else rows
        model = Ridge(alpha=1.0, solver="sparse_cg", tol=1e-2, max_iter=40, fit_intercept=True)
        model.fit(features[rows], gold[rows].astype(np.float32))
        found[fold == held] = model.predict(features[fold == held]).reshape(-1, gold.shape[1])
    return cross_fitted_scores(STEEPNESS * (found - 0.5), gold, folds=folds, seed=seed)
