"""The park file of a demo: the example's text with the exchanges of instruments that the plant plays."""

import re

from proving.plant.clock import instant
from proving.plant.plant import Plant


def demo_park_text(text: str, plant: Plant) -> str:
    """Add each exchange of the plant to its meter's entry, with the exact closing and opening register.

    Raises `ValueError` where a meter's entry does not begin with a line `- id: ...`.
    """
    for meter, exchange in plant.exchanges().items():
        entry = re.compile(rf"^(?P<indent> *)- id: {re.escape(meter)} *$", re.MULTILINE)
        found = entry.search(text)
        if found is None:
            raise ValueError(f"the park file has no line `- id: {meter}` to which its exchange could be added")
        inner, counter = found["indent"] + "  ", plant.park.meter[meter].counter
        lines = (
            f"\n{inner}instruments:"
            f"\n{inner}  - {{closing: {{{counter}: {exchange.closing!r}}}}}"
            f'\n{inner}  - {{from: "{instant(exchange.ms).isoformat()}", opening: {{{counter}: {exchange.opening!r}}}}}'
        )
        text = text[: found.end()] + lines + text[found.end() :]
    return text
