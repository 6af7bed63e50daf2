"""What Grafana does to the answer of an alert rule's question: reduce, and threshold with its recovery."""

import math
from typing import Any


def reduced(values: list[float | None], reducer: str) -> float | None:
    """A series as one number; `dropNN` mode: what is no number does not count."""
    numbers = [value for value in values if value is not None and math.isfinite(value)]
    if not numbers:
        return None
    match reducer:
        case "last":
            return numbers[-1]
        case "max":
            return max(numbers)
        case "min":
            return min(numbers)
        case "mean":
            return sum(numbers) / len(numbers)
        case "sum":
            return sum(numbers)
    raise ValueError(f"no reducer {reducer}")


def beyond(value: float, condition: dict[str, Any], *, firing: bool) -> bool:
    """Whether a threshold expression is true; one that fires stays so until the recovery threshold is passed."""
    evaluator = condition["evaluator"]
    if firing and "unloadEvaluator" in condition:
        return not _compare(value, condition["unloadEvaluator"])
    return _compare(value, evaluator)


def _compare(value: float, evaluator: dict[str, Any]) -> bool:
    limit, kind = evaluator["params"], evaluator["type"]
    match kind:
        case "gt":
            return bool(value > limit[0])
        case "lt":
            return bool(value < limit[0])
        case "outside_range":
            return bool(value < limit[0] or value > limit[1])
        case "within_range":
            return bool(limit[0] <= value <= limit[1])
    raise ValueError(f"no evaluator {kind}")
