"""The code blocks of a page of the documentation, and how they are run."""

from __future__ import annotations

import doctest
import re
from dataclasses import dataclass, field
from pathlib import Path

_MARK = re.compile(r"(?:\.\. |<!-- )(slow|realdata|extra|not run): (.+?)(?: -->)?$")
_FENCE = re.compile(r"^ *```(\w*)$")
_DIRECTIVE = re.compile(r"^( *)\.\. (?:code-block|code):: *(\w*)$")
_FLOAT = re.compile(r"\d+\.\d+(?: m?s\b)?|\d+(?= %)")
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


class Checker(doctest.OutputChecker):
    """Allow floats to differ by a tenth, and times by any factor, as versions and processors do."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        """Return whether what was printed is what the page shows."""
        if super().check_output(want, got, optionflags):
            return True
        if not super().check_output(_FLOAT.sub("#", want), _FLOAT.sub("#", got), optionflags):
            return False
        pairs = zip(_FLOAT.findall(want), _FLOAT.findall(got), strict=False)
        return all(_is_close(*pair) for pair in pairs)


def _is_close(want, got):
    if want.endswith("s") and got.endswith("s"):
        return True
    return abs(float(want) - float(got)) <= max(0.05, 0.1 * float(want))


@dataclass
class Block:
    """One block of Python in a page."""

    source: str
    line: int
    is_doctest: bool = False
    marks: dict[str, str] = field(default_factory=dict)

    def run(self, names: dict) -> None:
        """Run the block with the names of the page, and compare what a doctest prints."""
        __tracebackhide__ = True
        if not self.is_doctest:
            exec(compile("\n" * (self.line - 1) + self.source, "<block>", "exec"), names)
            return
        test = doctest.DocTestParser().get_doctest(self.source, names, "block", None, self.line)
        test.globs = names  # not a copy: the next block uses the same names
        report: list[str] = []
        flags = FLAGS | doctest.REPORT_ONLY_FIRST_FAILURE
        runner = doctest.DocTestRunner(Checker(), optionflags=flags)
        results = runner.run(test, out=report.append, clear_globs=False)
        assert results.failed == 0, f"line {self.line}:\n" + "".join(report)


def read_blocks(path: Path) -> list[Block]:
    """Return the blocks of Python of a page, in reST or Markdown, in their order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".md":
        return _markdown(lines)
    return _rest(lines)


def _markdown(lines):
    blocks, start, language, marks = [], None, "", {}
    for row, line in enumerate(lines):
        fence = _FENCE.match(line)
        if start is None and fence:
            start, language = row + 1, fence[1]
        elif fence and start is not None:
            if language == "python":
                blocks.append(Block("\n".join(lines[start:row]), start + 1, marks=marks))
            start, marks = None, {}
        elif start is None and line.strip():
            marks = _marked(line, marks)
    return blocks


def _rest(lines):
    blocks, marks, row, language = [], {}, 0, ""
    while row < len(lines):
        line, indent = lines[row], _indent(lines[row])
        if line.lstrip().startswith(">>> "):
            end = row
            while end < len(lines) and lines[end].strip() and _indent(lines[end]) >= indent:
                end += 1
            source = "\n".join(text[indent:] for text in lines[row:end]) + "\n"
            blocks.append(Block(source, row + 1, True, marks))
            row, marks = end, {}
        elif directive := _DIRECTIVE.match(line):
            language = directive[2]
            row, source, start = _indented(lines, row + 1, indent)
            if language == "python":
                blocks.append(Block(source, start + 1, marks=marks))
            marks = {}
        elif line.rstrip().endswith("::") and not line.lstrip().startswith(".. "):
            row, source, start = _indented(lines, row + 1, indent)
            blocks.append(Block(source, start + 1, marks=marks))
            marks = {}
        else:
            marks = _marked(line, marks) if line.strip() else marks
            row += 1
    return blocks


def _indented(lines, row, indent):
    """Return the row after an indented block, its text, and the row where it begins."""
    while row < len(lines) and (not lines[row].strip() or lines[row].strip().startswith(":")):
        row += 1
    start, inner = row, _indent(lines[row]) if row < len(lines) else 0
    while row < len(lines) and (not lines[row].strip() or _indent(lines[row]) > indent):
        row += 1
    return row, "\n".join(text[inner:] for text in lines[start:row]), start


def _marked(line, marks):
    match = _MARK.match(line.strip())
    return {**marks, match[1]: match[2]} if match else {}


def _indent(line):
    return len(line) - len(line.lstrip())
