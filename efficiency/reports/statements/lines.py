"""Charges and corrections of a statement as lines in words, for pages and for tables."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from efficiency.closing.statement import CORRECTION_TEXT, Charge, ChargeKind, Correction, Peak
from efficiency.reports.statements.words import KEY, KIND, WORDS
from metering.months import next_month
from metering.park import Park
from metering.tariffs import Band
from metering.words import BAND, UTILITY, Language, inside


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line in words; `last` is inclusive. `why` is the source of a price, or the reasons of a correction.

    `metered`: the quantity is of what passed at a point; for other lines, `kind` explains the quantity.
    """

    month: date
    kind: str
    utility: str
    point: str
    band: str
    first: date | None
    last: date | None
    quantity: float
    unit: str
    price: float | None
    net_vnd: int
    vat: float
    why: str
    metered: bool

    def what(self, *, named: bool = True) -> str:
        """What is charged for; `named`: with the name of the point."""
        return ", ".join(filter(None, (self.kind, self.point if named else "", self.band)))


_METERED = frozenset({ChargeKind.USE, ChargeKind.DEMAND})


def instant_text(at: datetime, language: Language) -> str:
    """A day with its year, and the time."""
    return f"{language.full_date(at)} {at:%H:%M}"


def peak_text(peak: Peak, language: Language) -> str:
    """When the highest half hour was, with remarks on it."""
    found = language.say(WORDS["half_hour"]).format(at=instant_text(peak.at, language))
    if peak.estimated:
        found += language.say(WORDS["half_hour_estimated"])
    if peak.known < 1:
        found += language.say(WORDS["half_hours_known"]).format(share=language.percent(peak.known))
    return found


def charge_line(charge: Charge, month: date, park: Park, language: Language) -> StatementLine:
    """A charge of a month."""
    kind = language.say(UTILITY[charge.utility] if charge.kind is ChargeKind.USE else KIND[charge.kind])
    if charge.kind is ChargeKind.REACTIVE:
        filled = {"percent": language.number(charge.quantity, 2), "net": language.number(charge.price * 100, 0)}
        kind = language.say(WORDS["percent_of"]).format(what=kind, **filled)
    if charge.peak is not None:
        kind = f"{kind}, {peak_text(charge.peak, language)}"
        if charge.part != 1:
            days = language.number(charge.part * (next_month(month) - month).days, 3)
            kind += language.say(WORDS["part_of_month"]).format(days=days)
    if charge.share is not None:
        kind = language.say(WORDS["share_of"]).format(
            what=kind,
            weight=language.exact(charge.quantity),
            weights=language.exact(charge.share.weights),
            unit="" if charge.unit == "1" else charge.unit,
            key=language.say(KEY[charge.share.key]),
            amount=language.number(charge.share.amount_vnd, 0),
        )
    return StatementLine(
        month=month,
        kind=kind,
        utility=language.say(UTILITY[charge.utility]),
        point=point_name(charge.point, park, language),
        band="" if charge.band is Band.ALL else language.say(inside(BAND[charge.band])),
        first=charge.since,
        last=charge.until - timedelta(days=1),
        quantity=charge.quantity,
        unit=charge.unit,
        price=charge.price if charge.kind in _METERED else None,
        net_vnd=charge.net_vnd,
        vat=charge.vat,
        why=charge.source,
        metered=charge.kind in _METERED,
    )


def correction_line(correction: Correction, park: Park, language: Language) -> StatementLine:
    """A correction of an earlier month."""
    return StatementLine(
        month=correction.month,
        kind=language.say(UTILITY[correction.utility] if correction.kind is ChargeKind.USE else KIND[correction.kind]),
        utility=language.say(UTILITY[correction.utility]),
        point=point_name(correction.point, park, language),
        band="",
        first=None,
        last=None,
        quantity=correction.quantity,
        unit=correction.unit,
        price=None,
        net_vnd=correction.net_vnd,
        vat=correction.vat,
        why="; ".join(language.say(CORRECTION_TEXT[reason]) for reason in correction.reasons),
        metered=correction.kind in _METERED,
    )


def point_name(point: str | None, park: Park, language: Language) -> str:
    """A metering point's name; its id if the park file no longer has it."""
    if point is None:
        return ""
    return language.say(park.meter[point].name) if point in park.meter else point
