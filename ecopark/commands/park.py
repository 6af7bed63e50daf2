"""`ecopark park`: make a park file."""

from pathlib import Path
from typing import Annotated

import typer

from ecopark.parkdraft import draft_park
from metering.errors import OperatorError
from metering.model import IDENTIFIER

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Park files: make a draft.")


@app.callback()
def _group() -> None:
    """Keeps the name of the command while it is the only one."""


@app.command(epilog="Example: ecopark park draft meters.xlsx --park song-xanh > park.yaml")
def draft(
    file: Annotated[Path, typer.Argument(help="A list of meters: a CSV file or workbook.")],
    park: Annotated[str, typer.Option(help="Identifier of the park.")] = "my-park",
    sheet: Annotated[str | None, typer.Option(help="Name of the sheet, if not the one with most of the heads.")] = None,
    header: Annotated[int | None, typer.Option(min=1, help="Row of the column heads, if it is not found.")] = None,
) -> None:
    """Write a park file from a list of meters to standard output; doubts are comments in it and listed at the end.

    Columns are recognised by their heads in English and Vietnamese, wherever in the file they are. Then run
    `ecopark check` on it.
    """
    if not IDENTIFIER.fullmatch(park):
        raise OperatorError(f"--park {park!r}: an identifier begins with a letter; letters, digits, - and _ may follow")
    made = draft_park(file, park, sheet=sheet, header=header)
    typer.echo(made.text, nl=False)
    for doubt in made.doubts:
        typer.echo(f"CHECK {file}: {doubt}", err=True)
