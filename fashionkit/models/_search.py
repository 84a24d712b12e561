"""A model by its name, in a search over its parameters."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from sklearn.model_selection import RandomizedSearchCV, StratifiedKFold

from fashionkit.models._make import find_model, make_model
from fashionkit.models._spaces import search_space


def make_search(
    name: str,
    *,
    n_iter: int = 20,
    cv: Any = 3,
    memory: Any = None,
    n_jobs: int | None = None,
    random_state: Any = None,
    **params: Any,
) -> RandomizedSearchCV:
    """Make a randomised search over the parameters of a model given by its name.

    Read more in the :ref:`User Guide <searches>`.

    Parameters
    ----------
    name : str
        Name from :func:`list_models`, such as "cnn-fast", "hog-svm" or "best".

    n_iter : int, default=20
        Number of combinations of parameters to try.

    cv : int or splitter, default=3
        Number of stratified folds, shuffled with ``random_state``, or a splitter.

    memory : str, path or joblib.Memory, default=None
        Cache for the features of models that have such a step. The search then computes them once
        for each fold, because it varies only the steps after them.

    n_jobs : int, default=None
        Number of fits at the same time, as for
        :class:`~sklearn.model_selection.RandomizedSearchCV`.

    random_state : int, RandomState instance or None, default=None
        Seed of the combinations, of the folds, and of the model. Pass an int for reproducible
        results.

    **params
        Parameters of the model, as for :func:`make_model`. The search does not vary them, nor their
        nested parameters.

    Returns
    -------
    search : sklearn.model_selection.RandomizedSearchCV
        Search, not fitted. After ``fit`` it predicts with ``best_estimator_``.

    Raises
    ------
    ValueError
        If the model or a parameter is unknown, or no parameter is left to search over.

    See Also
    --------
    make_model : Makes the model alone.
    fashionkit.compare_models : Compares models, including searches, on the same images.

    Notes
    -----
    ``search.param_distributions`` holds the distributions. For networks they are those of the
    learning rate (between a tenth and three times that of the model), the batch size, the epochs
    and the dropout. For support vector machines they are those of the penalty, the kernel
    coefficient and the number of components. For neighbours, trees and forests they are those of
    the number, weights, depth and leaves. They can be changed directly or by ``search.set_params``,
    as can ``scoring``, ``refit`` and the other parameters of RandomizedSearchCV.

    If only few of the parameters matter, random search finds parameters as good as those of a grid
    search with far fewer fits [1]_.

    References
    ----------
    .. [1] J. Bergstra and Y. Bengio, "Random Search for Hyper-Parameter Optimization", Journal
       of Machine Learning Research 13, 2012, section 4.

    Examples
    --------
    >>> from fashionkit import make_garments, make_search
    >>> X, y = make_garments(200, random_state=0)
    >>> search = make_search("pixels-tree", n_iter=3, random_state=0).fit(X[:150], y[:150])
    >>> sorted(search.best_params_)
    ['tree__max_depth', 'tree__min_samples_leaf']
    >>> search.predict(X[150:]).shape
    (50,)
    """
    model = make_model(name, memory=memory, random_state=random_state, **params)
    space = {
        parameter: values
        for parameter, values in search_space(find_model(name), model).items()
        if not _is_fixed(parameter, params)
    }
    if not space:
        fixed = f"with {', '.join(params)} fixed " if params else ""
        raise ValueError(
            f"name={name!r} {fixed}has no parameters to search over; pass "
            "make_model(...) to RandomizedSearchCV, with distributions of your own."
        )
    if isinstance(cv, Integral):
        cv = StratifiedKFold(int(cv), shuffle=True, random_state=random_state)
    return RandomizedSearchCV(
        model, space, n_iter=n_iter, cv=cv, n_jobs=n_jobs, random_state=random_state
    )


def _is_fixed(parameter: str, params: dict[str, Any]) -> bool:
    """Tell whether a parameter is among those given, or is one of an object that is."""
    return any(parameter == given or parameter.startswith(f"{given}__") for given in params)
