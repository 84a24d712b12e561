import fashionkit

project = "fashionkit"
author = "The fashionkit developers"
copyright = "2026, The fashionkit developers"
version = release = fashionkit.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
# Reports of comparisons, linked from "Benchmarks".
html_extra_path = ["reports"]
html_theme = "pydata_sphinx_theme"
html_title = "fashionkit"
html_theme_options = {"show_prev_next": False, "show_toc_level": 2}
# Pages without pages below them have nothing to show there.
html_sidebars = dict.fromkeys(
    ("benchmarks", "classify", "decisions", "faq", "photos", "pretrained", "review", "user_guide"),
    (),
)

autosummary_generate = True
autodoc_default_options = {"members": True, "inherited-members": True}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

intersphinx_mapping = {
    "numpy": ("https://numpy.org/doc/stable", None),
    "pandas": ("https://pandas.pydata.org/docs", None),
    "sklearn": ("https://scikit-learn.org/stable", None),
}
intersphinx_timeout = 5

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "FileNameSortKey",
    "doc_module": ("fashionkit",),
    "reference_url": {"fashionkit": None},
    "remove_config_comments": True,
}
