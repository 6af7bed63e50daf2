"""Evaluates a provisioned rule against a database as Grafana does: questions, reduce, arithmetic, threshold.

Grafana's waiting (`for`, `keepFiringFor`) is not included: the state is that of the rule's condition at one instant.
"""

import ast
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboards.filling import with_macros
from store.answers import Row
from store.client import Store
from store.schema import OPERATOR_DATABASE

Labels = frozenset[tuple[str, str]]
Numbers = dict[Labels, float]

_STEP_S = 60
"""`$__interval` of an alert's question."""
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: a / b if b else math.nan,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
}
_COMPARISON: dict[type[ast.cmpop], Callable[[float, float], bool]] = {ast.Lt: operator.lt, ast.Gt: operator.gt}


@dataclass(frozen=True, slots=True)
class InstanceState:
    """One alert instance: whether it is beyond the threshold, and the number that was compared."""

    fires: bool
    value: float


async def evaluate(
    store: Store, rule: dict[str, Any], now: datetime, firing: frozenset[Labels] = frozenset()
) -> dict[Labels, InstanceState] | None:
    """State of each alert instance, or None where the questions have no answer (no data).

    Those in `firing` continue until their recovery threshold is passed. Raises `ValueError` for an expression that none
    of our rules uses.
    """
    frames: dict[str, dict[Labels, list[float | None]]] = {}
    numbers: dict[str, Numbers] = {}
    for step in rule["data"]:
        model = step["model"]
        if step["datasourceUid"] != "__expr__":
            span = step["relativeTimeRange"]
            start, end = now - timedelta(seconds=span["from"]), now - timedelta(seconds=span["to"])
            statement = with_macros(model["query"], start, end, _STEP_S)
            frames[step["refId"]] = _series(await store.query(statement, OPERATOR_DATABASE))
        elif model["type"] == "reduce":
            found = {
                labels: reduced(values, model["reducer"]) for labels, values in frames[model["expression"]].items()
            }
            numbers[step["refId"]] = {labels: value for labels, value in found.items() if value is not None}
        elif model["type"] == "math":
            numbers[step["refId"]] = _joined(model["expression"], numbers)
        else:
            condition = model["conditions"][0]
            states = {
                labels: InstanceState(beyond(value, condition, firing=labels in firing), value)
                for labels, value in numbers[model["expression"]].items()
            }
            return states or None
    raise ValueError(f"{rule['title']} does not end with a threshold")


def reduced(values: list[float | None], reducer: str) -> float | None:
    """A series as one number; in `dropNN` mode, values that are no numbers are ignored."""
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
    """Whether a threshold expression is true; one that fires does so until the recovery threshold is passed."""
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


def _series(rows: list[Row]) -> dict[Labels, list[float | None]]:
    found: dict[Labels, list[float | None]] = {}
    for row in rows:
        labels = frozenset((key, value) for key, value in row.items() if isinstance(value, str))
        values = [value for key, value in row.items() if key != "time" and not isinstance(value, str)]
        if len(values) != 1:
            raise ValueError(f"one value a row, or Grafana makes several series: {row}")
        found.setdefault(labels, []).append(values[0])
    return found


def _joined(expression: str, numbers: dict[str, Numbers]) -> Numbers:
    """Combines numbers where the labels of one are a subset of the other's."""
    joined: Numbers = {}
    for labels, value in numbers["A"].items():
        for others, other in numbers["B"].items():
            if others <= labels or labels <= others:
                names = {"A": value, "B": other}
                joined[labels | others] = _computed(ast.parse(expression.replace("$", ""), mode="eval").body, names)
    return joined


def _computed(node: ast.expr, names: dict[str, float]) -> float:
    match node:
        case ast.BinOp(left, how, right):
            return _ARITHMETIC[type(how)](_computed(left, names), _computed(right, names))
        case ast.Compare(left, [how], [right]):
            return float(_COMPARISON[type(how)](_computed(left, names), _computed(right, names)))
        case ast.Name(name):
            return names[name]
        case ast.Constant(int() | float() as value):
            return float(value)
    raise ValueError(f"Grafana's arithmetic, as far as our rules use it, has no {ast.dump(node)}")
