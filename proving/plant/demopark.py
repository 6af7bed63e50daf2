"""The park file of a demo: the example with the plant's events: exchanged instruments, a tenant that leaves."""

import re
from datetime import timedelta

from proving.plant.clock import instant
from proving.plant.plant import Plant

_METERS = re.compile(r"^meters:.*?(?=^[a-z]|\Z)", re.MULTILINE | re.DOTALL)


def demo_park_text(text: str, plant: Plant) -> str:
    """Add each exchange of the plant to its meter's entry, and end the stay of tenants that move out.

    Raises `ValueError` where an entry does not begin with a line `- id: ...`.
    """
    for meter, exchange in plant.exchanges().items():
        counter, ratios = plant.park.meter[meter].counter, (exchange.old_ratio, exchange.new_ratio)
        old, new = (f"multiplier: {ratio!r}, " if exchange.old_ratio != exchange.new_ratio else "" for ratio in ratios)
        text = _added(
            text,
            meter,
            "instruments:",
            f"  - {{{old}closing: {{{counter}: {exchange.closing!r}}}}}",
            f'  - {{from: "{instant(exchange.ms).isoformat()}", {new}opening: {{{counter}: {exchange.opening!r}}}}}',
        )
    for tenant, ms in plant.moves().items():
        left = instant(ms).astimezone(plant.park.zone)
        until = (left + timedelta(days=1)).date() if (left.hour, left.minute) != (0, 0) else left.date()
        text = _added(text, tenant, f"until: {until}")
        line = re.compile(rf"^(?P<indent> +)tenant: {re.escape(tenant)} *$", re.MULTILINE)
        left_then = rf'\g<indent>belongs: [{{tenant: {tenant}}}, {{from: "{left.isoformat()}"}}]'
        # Only of meters: what else names the tenant has an end of its own.
        if (meters := _METERS.search(text)) is not None:
            text = text[: meters.start()] + line.sub(left_then, meters[0]) + text[meters.end() :]
    return text


def _added(text: str, name: str, *lines: str) -> str:
    found = re.compile(rf"^(?P<indent> *)- id: {re.escape(name)} *$", re.MULTILINE).search(text)
    if found is None:
        raise ValueError(f"the park file has no line `- id: {name}` to which the plant's events could be added")
    inner = found["indent"] + "  "
    return text[: found.end()] + "".join(f"\n{inner}{line}" for line in lines) + text[found.end() :]
