"""A page as PDF, by WeasyPrint; nothing is fetched from anywhere.

WeasyPrint loads Pango, a library of the system, which a gateway need not have: it is loaded when a PDF is asked for.
"""

from importlib import import_module
from pathlib import Path
from typing import NoReturn

from metering.errors import OperatorError


def write_pdf(page: str, out: Path) -> None:
    """Write a self-contained page to `out`.

    Raises `OperatorError` where Pango is missing.
    """
    try:
        weasyprint = import_module("weasyprint")
    except OSError as error:
        raise OperatorError(
            f"{out}: a PDF needs the library Pango ({error}); run deploy/setup, or write .html"
        ) from error
    weasyprint.HTML(string=page, url_fetcher=_refuse).write_pdf(out)


def _refuse(url: str) -> NoReturn:
    raise ValueError(f"a report refers to nothing outside itself, but found {url}")
