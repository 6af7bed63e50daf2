"""A page as PDF, by WeasyPrint; nothing is fetched from anywhere."""

from pathlib import Path
from typing import NoReturn

import weasyprint


def write_pdf(page: str, out: Path) -> None:
    """Write a self-contained page to `out`."""
    weasyprint.HTML(string=page, url_fetcher=_refuse).write_pdf(out)


def _refuse(url: str) -> NoReturn:
    raise ValueError(f"a report refers to nothing outside itself, but found {url}")
