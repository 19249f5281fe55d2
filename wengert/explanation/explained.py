"""What every explanation can do: show itself as text, HTML, LaTeX and JSON, all from one report."""

from __future__ import annotations

from .render import report_to_html, report_to_json, report_to_latex, report_to_text
from .tables import Report


class Explained:
    """A report that prints itself.

    >>> print(Explained(Report("nothing", ())))
    nothing
    =======
    """

    def __init__(self, report: Report) -> None:
        self.report = report

    def __str__(self) -> str:
        return report_to_text(self.report)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.report.title}; print it to see the tables>"

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self) -> str:
        """Semantic tables in one `<section>`."""
        return report_to_html(self.report)

    def to_latex(self) -> str:
        """LaTeX that compiles without any package."""
        return report_to_latex(self.report)

    def to_json(self) -> str:
        """Strict JSON with unrounded numbers."""
        return report_to_json(self.report)
