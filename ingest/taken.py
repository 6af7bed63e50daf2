"""Readings that were taken, and the lines of the store that they become: many at a time, for that is cheaper.

The names in a reading's values are quantities of the park file and its values finite numbers by then.
"""

from collections.abc import Sequence

from pydantic_core import to_json

from ingest.directory import Entry

Taken = tuple[Entry, dict[str, float], int, str]
"""A meter's entry, the values of a reading, its instant in ms, and what stands behind the values in its line."""


def lines_of(taken: Sequence[Taken]) -> list[str]:
    """One line for each reading, in their order."""
    if not taken:
        return []
    # The serializer writes numbers in half the time of repr(); what it puts between them is put right in one go.
    text = to_json([values for _, values, _, _ in taken]).decode()
    fields = text[3:-2].replace('":', "=").replace('"', "").split("},{")
    return [
        f"{entry.series} {values}{more} {ms}000000" for values, (entry, _, ms, more) in zip(fields, taken, strict=True)
    ]
