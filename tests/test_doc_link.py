"""The link from estimators shown in a notebook to their pages of the documentation."""

from __future__ import annotations

import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

import fashionkit
from fashionkit import CalibratedSVC, HOGFeatures
from fashionkit._doc_link import DOCUMENTATION, DocLinkMixin
from fashionkit.baselines import BoundedKNeighborsClassifier

ESTIMATORS = [
    value
    for value in (getattr(fashionkit, name) for name in fashionkit._HOMES)
    if isinstance(value, type) and issubclass(value, BaseEstimator)
]


class Private(DocLinkMixin, BaseEstimator):
    """An estimator that has no page."""


def page_of(name):
    return f"{DOCUMENTATION}/api/generated/fashionkit.{name}.html"


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: estimator.__name__)
def test_every_public_estimator_is_linked_to_its_page(estimator):
    unused = estimator.__new__(estimator)
    assert unused._get_doc_link() == page_of(estimator.__name__)


def test_an_estimator_of_a_subpackage_is_linked_by_its_full_name():
    link = BoundedKNeighborsClassifier()._get_doc_link()
    assert link == page_of("baselines.BoundedKNeighborsClassifier")


def test_a_class_without_a_page_has_no_link():
    assert Private()._get_doc_link() == ""
    Private.__module__ = "fashionkit.svm._samples"  # as of a private class
    assert Private()._get_doc_link() == ""


def test_a_subclass_of_somebody_else_has_no_link():
    class Mine(CalibratedSVC):
        pass

    assert Mine()._get_doc_link() == ""


def test_html_of_a_pipeline_links_each_of_its_steps():
    html = make_pipeline(HOGFeatures(), CalibratedSVC())._repr_html_()
    for name in ("HOGFeatures", "CalibratedSVC"):
        assert f'href="{page_of(name)}"' in html
