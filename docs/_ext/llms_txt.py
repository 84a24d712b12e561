"""Write ``llms.txt``: every page with its first sentence, for readers that are programs."""

from __future__ import annotations

from pathlib import Path

from docutils import nodes

_SKIPPED = ("api/generated/", "auto_examples/", "sg_execution_times")
_DESCRIPTION = (
    "Scikit-learn-compatible classifiers for fashion images: named models, one comparison of them "
    "with statistical verdicts, and what turns a model into decisions on photos."
)


def _first_paragraph(doctree):
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            return " ".join(paragraph.astext().split())
    return ""


def _write(app, exception):
    if exception or app.builder.format != "html":
        return
    env = app.env
    lines = [f"# {app.config.project}", "", f"> {_DESCRIPTION}", "", "## Pages", ""]
    for name in sorted(env.found_docs):
        if not name.startswith(_SKIPPED):
            url = f"{app.config.html_baseurl}{app.builder.get_target_uri(name)}"
            summary = _first_paragraph(env.get_doctree(name))
            lines.append(f"- [{env.titles[name].astext()}]({url}): {summary}".rstrip(": "))
    lines += ["", "## API", ""]
    objects = env.get_domain("py").objects
    for name, entry in sorted(objects.items()):
        if entry.docname.startswith("api/generated/") and not entry.aliased:
            url = f"{app.config.html_baseurl}{app.builder.get_target_uri(entry.docname)}"
            if name.count(".") <= 1 or entry.objtype in ("class", "function"):
                lines.append(f"- [{name}]({url})")
    Path(app.outdir, "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def setup(app):
    """Write the file when the pages are finished."""
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
