"""Which InfluxQL a tenant may send: one SELECT on its own database, rewritten so that the database reads the same.

InfluxDB 1.x has statements that let an account look into other databases, because it does not check them. Instead of
listing them all, this accepts a small part of the language: a statement is read into tokens, and only tokens that every
version reads alike are accepted. What cannot be expressed with them cannot be asked: no second statement, no INTO, no
name qualified by a database or retention policy, no system measurement, no bound parameter, no comment.
"""

import re
from typing import NamedTuple

LONGEST = 65_536
"""Characters of a statement; a panel's are a few hundred."""

SHORTEST_S = 1.0
"""Shortest interval of GROUP BY time(): a year has 31 million seconds, and each bucket is held in memory."""

_SPACE = re.compile(r"[ \t\r\n]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED_NAME = re.compile(r'"(?:[^"\\\n]|\\[\\"\'n])*"')
_TEXT = re.compile(r"'(?:[^'\\\n]|\\[\\\"'n])*'")
_DURATION = re.compile(r"(?:\d+(?:ns|u|µ|ms|s|m|h|d|w))+(?![A-Za-z0-9_.])")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?![A-Za-z0-9_.])")
_PATTERN = re.compile(r"/(?:[^/\\\n]|\\[^\\\n])*/")
"""A regular expression. Two consecutive backslashes are not accepted: InfluxDB ends such a pattern elsewhere."""

_OPERATOR = re.compile(r"=~|!~|<>|!=|<=|>=|::|[-+*/%&|^=<>(),]")
_UNITS_S = {"ns": 1e-9, "u": 1e-6, "µ": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_COMMENTS = frozenset((("-", "-"), ("/", "*")))
_BEFORE_OPERANDS = frozenset(("SELECT", "DISTINCT", "FROM", "WHERE", "AND", "OR", "BY", "AS", "IN", "ORDER", "GROUP"))
_OPERANDS = (_NAME, _QUOTED_NAME, _TEXT, _DURATION, _NUMBER)


class ForbiddenStatementError(Exception):
    """A statement that is not accepted; the message says why, and what is."""


def confined(statement: str) -> str:
    """The statement as it may be sent to the database, rebuilt from its tokens so that no two of them form a comment.

    Raises `ForbiddenStatementError`.
    """
    if len(statement) > LONGEST:
        raise ForbiddenStatementError(f"a statement has at most {LONGEST} characters")
    found = _tokens(statement.strip().removesuffix(";"))
    tokens = [token.text for token in found]
    words = [token.upper() for token in tokens]
    if not words or words[0] != "SELECT":
        raise ForbiddenStatementError("only SELECT is answered here")
    if "INTO" in words:
        raise ForbiddenStatementError("SELECT INTO is not answered here")
    for token in tokens:
        if token.removeprefix('"').startswith("_"):
            raise ForbiddenStatementError(f"{token} is the database's own; it is not answered here")
    _check_parentheses(tokens)
    _check_interval(tokens)
    sent = ""
    for before, each in zip(["", *tokens], found, strict=False):
        sent += f" {each.text}" if each.spaced or (before, each.text) in _COMMENTS else each.text
    return sent


class _Token(NamedTuple):
    """A token, and whether space comes before it: a function's name and its parenthesis must stay together."""

    text: str
    spaced: bool


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        space = _SPACE.match(text, at)
        if space:
            at = space.end()
        before = tokens[-1].text if tokens else ""
        kinds = (_PATTERN,) if before in {"=~", "!~"} else (*_OPERANDS, _OPERATOR)
        found = next((match for kind in kinds if (match := kind.match(text, at))), None)
        if found is None or (found[0] == "/" and not _ends_an_operand(before)):
            raise ForbiddenStatementError(f"{text[at : at + 20]!r} is not answered here")
        tokens.append(_Token(found[0], spaced=space is not None))
        at = found.end()
    return tokens


def _ends_an_operand(last: str) -> bool:
    return last == ")" or (last.upper() not in _BEFORE_OPERANDS and any(kind.fullmatch(last) for kind in _OPERANDS))


def _check_parentheses(tokens: list[str]) -> None:
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth < 0:
            break
    if depth:
        raise ForbiddenStatementError("the parentheses do not match")


def _check_interval(tokens: list[str]) -> None:
    """GROUP BY time() needs a start and an interval that is not tiny: the database creates every bucket in between."""
    names = [token.strip('"').upper() for token in tokens]
    followers = list(zip(names, tokens[1:], [*tokens[2:], ""], strict=False))
    intervals = [third for name, second, third in followers if (name, second) == ("TIME", "(")]
    if any(_seconds(interval) < SHORTEST_S for interval in intervals):
        raise ForbiddenStatementError(f"GROUP BY time() has an interval of at least {SHORTEST_S:.0f} s here")
    bounded = any(name == "TIME" and second in {">", ">=", "="} for name, second, _ in followers)
    if intervals and not bounded:
        raise ForbiddenStatementError("GROUP BY time() needs a beginning: WHERE time >= ...")


def _seconds(duration: str) -> float:
    return sum(int(number) * _UNITS_S[unit] for number, unit in re.findall(r"(\d+)(ns|u|µ|ms|s|m|h|d|w)", duration))
