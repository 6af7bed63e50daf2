"""Texts of labels and values in an alert: as a template for Grafana to fill in, and filled in for the viewer."""

from typing import Final

from dashboards.names import THE_PARK
from dashboards.words import DOUBTFUL_EVENTS, EVENT, NOT_KNOWN, REASON
from metering.model import Localized
from metering.words import UTILITY, Language, inside, text

_READABLE: Final = {
    "kind": {kind: inside(EVENT[kind]) for kind in DOUBTFUL_EVENTS},
    "reason": REASON,
    "utility": {utility.value: name for utility, name in UTILITY.items()},
}
"""Labels whose values have names for people."""
_ABSENT: Final = {"tenant": THE_PARK, "gateway": NOT_KNOWN}
"""What a missing label means: the park itself; a gateway that the park file does not have."""
_LABELS: Final = ("tenant", "meter", "utility", "main", "gateway", "kind", "reason", "instance", "baseline", "part")

_DURATION_VI: Final = (("d", " ngày"), ("h", " giờ"), ("m", " phút"), ("s", " giây"))
"""In this order: no later letter occurs in an earlier word."""
_UNITS: Final = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_A_WHILE: Final = text("some time", "một thời gian")


def labels_as_template(words: str, language: Language) -> str:
    """The words with each `{labels.NAME}` as Grafana's template of it."""
    for label in _LABELS:
        words = words.replace(f"{{labels.{label}}}", _label(label, language))
    return words


def labels_in_words(words: str, labels: dict[str, str], language: Language) -> str:
    """The words with each `{labels.NAME}` filled in."""
    for label in _LABELS:
        words = words.replace(f"{{labels.{label}}}", _label_in_words(label, labels.get(label, ""), language))
    return words


def value_as_template(words: str, value: str, shape: str, language: Language) -> str:
    """The words with Grafana's template of `{value}`."""
    vietnamese = language is Language.VI
    if shape == "duration":
        longer = "".join(f' | reReplaceAll "{short}" "{word}"' for short, word in _DURATION_VI)
        template = f"{{{{ humanizeDuration {value}{longer if vietnamese else ''} }}}}"
    else:
        comma = ' | reReplaceAll "[.]" ","' if vietnamese and shape != "%.0f" else ""
        template = f'{{{{ printf "{shape}" {value}{comma} }}}}'
    return words.replace("{value}", template)


def value_in_words(words: str, value: float | None, shape: str, language: Language) -> str:
    """The words with `{value}` filled in; None: unknown."""
    if value is None:
        return words.replace("{value}", language.say(_A_WHILE))
    if shape == "duration":
        return words.replace("{value}", _duration(value, language))
    written = shape % value
    return words.replace("{value}", written.replace(".", ",") if language is Language.VI else written)


def _label(label: str, language: Language) -> str:
    """Template of a label: with names for people where it has some."""
    if label in _ABSENT:
        return f'{{{{ or .Labels.{label} "{language.say(_ABSENT[label])}" }}}}'
    if label not in _READABLE:
        return f"{{{{ .Labels.{label} }}}}"
    each = (f'if eq .Labels.{label} "{key}" }}}}{language.say(name)}' for key, name in _READABLE[label].items())
    return "{{ " + "{{ else ".join(each) + f"{{{{ else }}}}{{{{ .Labels.{label} }}}}{{{{ end }}}}"


def _label_in_words(label: str, value: str, language: Language) -> str:
    if label in _ABSENT and not value:
        return language.say(_ABSENT[label])
    words: Localized | None = _READABLE.get(label, {}).get(value)
    return value if words is None else language.say(words)


def _duration(value: float, language: Language) -> str:
    seconds = int(value)
    parts: list[tuple[int, str]] = []
    for unit, length in _UNITS:
        count, seconds = divmod(seconds, length)
        if count or parts:
            parts.append((count, unit))
    words = dict(_DURATION_VI) if language is Language.VI else {}
    return " ".join(f"{count}{words.get(unit, unit)}" for count, unit in parts[:2]) or "0s"
