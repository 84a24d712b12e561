"""The documentation that neural classifiers share is there, and in the order of parameters."""

from __future__ import annotations

import inspect
import re

import pytest

from fashionkit import CNNClassifier, HierarchicalCNNClassifier, TransferClassifier
from fashionkit.neural._core.docs import document_training


@pytest.mark.parametrize(
    "classifier", [CNNClassifier, HierarchicalCNNClassifier, TransferClassifier]
)
def test_every_parameter_is_documented_in_the_order_of_the_signature(classifier):
    text = inspect.getdoc(classifier)
    parameters, attributes = text.split("\nParameters\n")[1].split("\nAttributes\n")[:2]
    assert re.findall(r"^(\w+) : ", parameters, re.M) == [*inspect.signature(classifier).parameters]
    assert {"classes_", "history_", "model_"} <= set(re.findall(r"^(\w+) : ", attributes, re.M))
    assert not re.search(r"^ *\{\w+\}$", text, re.M)


def test_texts_of_unknown_parameters_are_refused():
    with pytest.raises(ValueError, match="no shared texts of 'rate'"):
        document_training(rate="Step size.")
