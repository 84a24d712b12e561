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
    """Make a random search over the parameters of a model, given by its name.

    Read more in the :ref:`User Guide <searches>`.

    Parameters
    ----------
    name : str
        A name from :func:`list_models`, such as "cnn-fast", "hog-svm" or "best".

    n_iter : int, default=20
        Number of combinations of parameters to try.

    cv : int or splitter, default=3
        Number of stratified folds, which are shuffled by ``random_state``; or any of
        scikit-learn's splitters.

    memory : str, path or joblib.Memory, default=None
        Where models that compute features before they classify cache these. The search then
        computes them once for each fold, as it varies what comes after them.

    n_jobs : int, default=None
        Number of fits at a time, as for RandomizedSearchCV.

    random_state : int, RandomState instance or None, default=None
        Seed of the combinations, of the folds, and of the model. Pass an int for the same
        result each time.

    **params
        Parameters of the model, as for :func:`make_model`. They are fixed: the search leaves
        them alone, and what is within them.

    Returns
    -------
    search : sklearn.model_selection.RandomizedSearchCV
        The search, not fitted. After ``fit`` it classifies by ``best_estimator_``.

    Raises
    ------
    ValueError
        If there is no such model, the model has no such parameter, or nothing is left to search
        over.

    See Also
    --------
    make_model : The model alone.
    fashionkit.compare_models : Compares models, among them searches, on the same images.

    Notes
    -----
    ``search.param_distributions`` holds what is drawn from: of networks the learning rate,
    between a tenth and three times that of the model, batch size, epochs and dropout; of support
    vector machines the penalty, the width of the kernel and the number of components; of
    neighbours, trees and forests their number, weights, depth and leaves. Change it as you like,
    or by ``search.set_params``, as also ``scoring``, ``refit`` and the other parameters of
    RandomizedSearchCV.

    Random search finds as good parameters as a grid does with far fewer fits, where only few of
    the parameters matter [1]_.

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
