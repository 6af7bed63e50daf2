"""The park file of a demo: the example's text with the meter swaps that the plant plays, so that it tells the truth."""

import re

from proving.plant.plant import Plant


def demo_park_text(text: str, plant: Plant) -> str:
    """Add each swap of the plant to its meter's entry, with the exact closing and opening register.

    Raises `ValueError` where a meter's entry does not begin with a line `- id: ...`.
    """
    for meter, swap in plant.swaps().items():
        entry = re.compile(rf"^(?P<indent> *)- id: {re.escape(meter)} *$", re.MULTILINE)
        found = entry.search(text)
        if found is None:
            raise ValueError(f"the park file has no line `- id: {meter}` to which its swap could be added")
        inner = found["indent"] + "  "
        lines = (
            f"\n{inner}swaps:"
            f'\n{inner}  - {{at: "{swap.at.isoformat()}", closing: {swap.closing!r}, opening: {swap.opening!r}}}'
        )
        text = text[: found.end()] + lines + text[found.end() :]
    return text
