"""Evaluates a provisioned rule against a real database as Grafana does: questions, reduce, arithmetic, threshold."""

import ast
import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from dashboards.filling import with_macros
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.dashboards.grafana import beyond, reduced

Labels = frozenset[tuple[str, str]]
Numbers = dict[Labels, float]

_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: a / b if b else float("nan"),
    ast.Add: operator.add,
    ast.Sub: operator.sub,
}
_COMPARISON: dict[type[ast.cmpop], Callable[[float, float], bool]] = {ast.Lt: operator.lt, ast.Gt: operator.gt}


async def evaluate(
    store: Store, rule: dict[str, Any], now: datetime, firing: frozenset[Labels] = frozenset()
) -> dict[Labels, bool] | None:
    """State of each alert instance, or None where the questions have no answer (no data)."""
    frames: dict[str, dict[Labels, list[float | None]]] = {}
    numbers: dict[str, Numbers] = {}
    for step in rule["data"]:
        model = step["model"]
        if step["datasourceUid"] != "__expr__":
            span = step["relativeTimeRange"]
            start, end = now - timedelta(seconds=span["from"]), now - timedelta(seconds=span["to"])
            statement = with_macros(model["query"], start, end, 60)
            frames[step["refId"]] = _series(await store.query(statement, OPERATOR_DATABASE))
        elif model["type"] == "reduce":
            found = {
                labels: reduced(values, model["reducer"]) for labels, values in frames[model["expression"]].items()
            }
            numbers[step["refId"]] = {labels: value for labels, value in found.items() if value is not None}
        elif model["type"] == "math":
            numbers[step["refId"]] = _joined(model["expression"], numbers)
        else:
            values = numbers[model["expression"]]
            condition = model["conditions"][0]
            states = {labels: beyond(value, condition, firing=labels in firing) for labels, value in values.items()}
            return states or None
    raise AssertionError("a rule ends with a threshold")


def _series(rows: list[dict[str, Any]]) -> dict[Labels, list[float | None]]:
    found: dict[Labels, list[float | None]] = {}
    for row in rows:
        labels = frozenset((key, value) for key, value in row.items() if isinstance(value, str))
        values = [value for key, value in row.items() if key != "time" and not isinstance(value, str)]
        assert len(values) == 1, f"one value a row, or Grafana makes several series: {row}"
        found.setdefault(labels, []).append(values[0])
    return found


def _joined(expression: str, numbers: dict[str, Numbers]) -> Numbers:
    """Numbers meet where the labels of one are part of the other's."""
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
    raise AssertionError(f"Grafana's arithmetic, as far as we use it, has no {ast.dump(node)}")
