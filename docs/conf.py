"""Settings of the documentation: ``sphinx-build docs docs/_build``.

Without a network, set ``FASHIONKIT_DOCS_OFFLINE=1``: names of other projects are then no links.
"""

import os
import re
import sys
from pathlib import Path

from docutils import nodes

import fashionkit

sys.path.append(str(Path(__file__).parent / "_ext"))

project = "fashionkit"
author = "The fashionkit developers"
copyright = "2026, The fashionkit developers"
version = release = fashionkit.__version__
repository = "https://github.com/fashionkit/fashionkit"
site = "https://fashionkit.github.io/fashionkit"

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "colab",
    "llms_txt",
]
exclude_patterns = ["_build", "_ext", "_templates"]
templates_path = ["_templates"]
extlinks = {
    "repository": (f"{repository}/blob/main/%s", "%s"),
    "scikeras": ("https://github.com/adriangb/scikeras/issues/%s", "SciKeras issue %s"),
}

# Reports of comparisons, linked from "Benchmarks", and the list of versions.
html_extra_path = ["reports"]
html_static_path = ["_static"]
html_css_files = ["fashionkit.css"]
html_theme = "pydata_sphinx_theme"
html_title = "fashionkit"
html_favicon = "_static/favicon.svg"
html_baseurl = f"{site}/stable/"
html_show_sourcelink = False
html_theme_options = {
    "logo": {
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
        "text": f"fashionkit {release}",
        "alt_text": "fashionkit, to the front page",
    },
    "github_url": repository,
    "header_links_before_dropdown": 6,
    "navbar_align": "content",
    "navbar_end": ["theme-switcher", "navbar-icon-links"],
    "navbar_persistent": ["search-button"],
    "navigation_with_keys": False,
    "show_nav_level": 1,
    "show_prev_next": False,
    "show_toc_level": 2,
    "switcher": {
        "json_url": f"{site}/stable/_static/switcher.json",
        "version_match": "dev" if "dev" in release else release,
    },
    "check_switcher": False,
    "footer_start": ["copyright"],
    "footer_end": ["version-switcher"],
}
# The front page has doors instead of a list of pages.
html_sidebars = {"index": [], "search": []}

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say more
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_validation_checks = {
    "GL03",  # no double blank lines
    "GL06",  # known sections
    "GL07",  # in their order
    "GL08",  # a docstring
    "PR01",  # parameters documented
    "PR02",  # that exist
    "PR03",  # in their order
    "PR04",  # with a type
    "PR07",  # and a description
    "RT03",  # what is returned is described
    "SS01",  # a summary
    "SS05",  # in the imperative
}
# Inherited from scikit-learn, which documents them; and Comparison, which compare_models makes.
numpydoc_validation_exclude = {
    r"\.BoundedKNeighborsClassifier$",
    r"\.Comparison$",
    r"\.(get_metadata_routing|get_params|set_output|set_params)$",
    r"\.set_\w+_request$",
}

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"]  # links of CHANGELOG and CONTRIBUTING to files

is_offline = bool(os.environ.get("FASHIONKIT_DOCS_OFFLINE"))
intersphinx_mapping = (
    {}
    if is_offline
    else {
        "joblib": ("https://joblib.readthedocs.io/en/stable", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "pandas": ("https://pandas.pydata.org/docs", None),
        "python": ("https://docs.python.org/3", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }
)
intersphinx_timeout = 5

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "FileNameSortKey",
    "doc_module": ("fashionkit",),
    "backreferences_dir": "api/backreferences",  # for "Examples using ..."
    "reference_url": {"fashionkit": None},
    "remove_config_comments": True,
    "image_srcset": ["2x"],
    "reset_modules_order": "both",
    "show_signature": False,
    "ignore_repr_types": r"matplotlib\.",  # figures show themselves
}


def _plain_references(app, what, name, obj, options, lines):
    """Leave only text of references to labels and terms that scikit-learn's own pages have."""
    if (getattr(obj, "__module__", None) or "").split(".")[0] == "sklearn":
        for row, line in enumerate(lines):
            line = re.sub(r":(?:ref|term):`([^`<]+?)\s*(?:<[^`>]*>)?`", r"\1", line)
            lines[row] = line


def _keep_units(app, doctree, docname):
    """Keep numbers and their units on one line of the page."""
    if app.builder.format != "html":
        return
    for text in list(doctree.findall(nodes.Text)):
        kept = re.sub(r"(?<=\d) (?=%|(?:kB|MB|GB|ms)\b)", "\N{NO-BREAK SPACE}", text)
        if kept != text and not isinstance(text.parent, (nodes.literal, nodes.literal_block)):
            text.parent.replace(text, nodes.Text(kept))


def setup(app):
    app.connect("autodoc-process-docstring", _plain_references)
    app.connect("doctree-resolved", _keep_units)
