"""The link from the HTML representation of an estimator to its page of the documentation."""

from __future__ import annotations

import fashionkit

DOCUMENTATION = "https://fashionkit.github.io/fashionkit/stable"


class DocLinkMixin:
    """Mixin that links the HTML representation of an estimator to our documentation.

    scikit-learn shows the link as a question mark beside the name. Without the mixin, estimators
    that are not its own have none.
    """

    def _get_doc_link(self) -> str:
        """Return the address of the page; an empty string for classes that have none."""
        package, _, module = type(self).__module__.partition(".")
        if package != fashionkit.__name__:  # a subclass of somebody else's
            return ""
        name = type(self).__name__
        home = module.partition(".")[0]
        if fashionkit._HOMES.get(name) == home:
            page = f"{package}.{name}"
        elif name in getattr(getattr(fashionkit, home), "__all__", ()):
            page = f"{package}.{home}.{name}"
        else:
            return ""
        return f"{DOCUMENTATION}/api/generated/{page}.html"
