"""Parameters within parameters, each of which can be searched over by its own name."""

from __future__ import annotations

from typing import Any, Self

from fashionkit.preprocessing import Augmentation


class RoutedParams:
    """What ``get_params`` and ``set_params`` of neural classifiers do beyond scikit-learn's."""

    # Parameters that ``set_params`` can reach into: ``optimizer__momentum`` and so on.
    _routed_params: dict[str, str] = {"optimizer": "optimizer_params"}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters of this estimator.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the entries of ``optimizer_params`` and ``architecture_params``, as
            ``optimizer__momentum``.

        Returns
        -------
        params : dict
            Parameter names mapped to their values.
        """
        params = super().get_params(deep=deep)  # type: ignore[misc]
        if deep:
            for prefix, holder in self._routed_params.items():
                if isinstance(params[holder], dict):  # anything else is refused by fit
                    for name, value in params[holder].items():
                        params[f"{prefix}__{name}"] = value
        return params

    def set_params(self, **params: Any) -> Self:
        """Set the parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Parameters of the constructor, or entries of ``optimizer_params`` and
            ``architecture_params``, as ``optimizer__momentum=0.9``.

        Returns
        -------
        self : estimator
            This estimator.
        """
        augments = any(name.startswith("augmentation__") for name in params)
        if augments and params.get("augmentation", self.augmentation) is None:  # type: ignore[attr-defined]
            params = {**params, "augmentation": Augmentation()}
        routed = {name for name in params if name.partition("__")[0] in self._routed_params}
        routed = {name for name in routed if "__" in name}
        kept = {name: params[name] for name in params if name not in routed}
        super().set_params(**kept)  # type: ignore[misc]
        for name in routed:
            prefix, _, entry = name.partition("__")
            holder = self._routed_params[prefix]
            setattr(self, holder, {**(getattr(self, holder) or {}), entry: params[name]})
        return self
