"""Possible matches between companies as rows of a page: what could be met and saved, and what is uncertain."""

from typing import Any

from efficiency.reports.contents import ParkReport
from efficiency.reports.entries import in_words, quantity, why
from efficiency.reports.words import TEXTS
from efficiency.symbiosis.matching import Match
from metering.figures import MATCH_FIGURES
from metering.streams import Stream
from metering.words import Language

_SAVED = ("saved_vnd", "saved_m3", "saved_toe", "saved_co2e_kg")


def match_rows(report: ParkReport, language: Language) -> list[dict[str, Any]]:
    """One row per pair of surplus and demand."""

    def owner(stream: Stream) -> str:
        tenant = report.park.tenant.get(stream.tenant or "")
        return language.say((tenant or report.park.park).name)

    def number(match: Match, name: str) -> str:
        return " ".join(filter(None, quantity(MATCH_FIGURES[name], match.figures[name], language)))

    def uncertain(match: Match) -> str:
        unknown = language.say(TEXTS["distance_unknown"])
        known = (
            ""
            if match.distance_m is None
            else language.say(TEXTS["distance"]).format(m=language.number(match.distance_m, 0))
        )
        return " · ".join(filter(None, (in_words(match.met.reasons, language), known or unknown)))

    return [
        {
            "giver": language.say(match.giver.name),
            "giver_of": owner(match.giver),
            "taker": language.say(match.taker.name),
            "taker_of": owner(match.taker),
            "kind": language.say(match.giver.spec.label),
            "reason": why(match.met, language),
            "met": number(match, "met"),
            "met_by_day": number(match, "met_by_day"),
            "met_share": number(match, "met_share"),
            "used_share": number(match, "used_share"),
            "saved": [text for name in _SAVED if (text := number(match, name))],
            "uncertain": uncertain(match),
            "sources": [match.giver.source, match.taker.source],
        }
        for match in report.matches
    ]
