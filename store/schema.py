"""The measurements and databases of the store: writers and readers share these names."""

from typing import Final

from metering.meters import Meter
from store.lines import series

OPERATOR_DATABASE: Final = "ecopark"

REFUSED: Final = "refused"
"""What was refused and is kept, at the time of its receipt; ingesters delete what is older than `REFUSED_DAYS`. Tags
park and gateway (absent where the park files have none), reason, instance (of the ingester); fields meter, quantity
(empty where not one value was refused but all), detail, topic, payload, encoding, size, digest, received (ms), and
replayed (ms) where the database has it now. The same content has the same digest however often it is delivered."""

REFUSED_COUNT: Final = "refused_count"
"""How much was refused, kept or not: a point each minute in which something was. Tags as of `refused`; fields count and
kept. A message that is taken for granted to hold nothing usable (an unknown gateway's) counts as one."""

REFUSED_DAYS: Final = 30

PIPELINE: Final = "pipeline"
"""Tags service, instance; each 10 s. What the usage service has set aside has a point of its own: tags service,
instance, park and part (a meter's id, or `.tenant `, `.main ` or `.baseline ` before an id, or `.park`), field
not_computed (1)."""

METER_STATUS: Final = "meter_status"
"""Of the meters that the park has now. Tags park, tenant, utility, meter; fields heard (whether there ever was a
reading), silent_after_s (it is silent when it was not heard for longer) and seconds_since_last (absent where there
never was a reading); each minute."""

GATEWAY_CLOCK: Final = "gateway_clock"
"""How far gateways' clocks are off. Tags park, gateway, instance (of the ingester); field behind_s: the least time from
sampling to receipt within a minute, below zero where the gateway's clock is ahead. A point each minute in which
something came with a time of its own."""

USAGE: Final = "usage"
"""15-minute intervals stamped at their start. Tags park, tenant, utility, meter, band and `role`, which tells what may
be added up: `main` bounds the park, `billing` is a tenant's uppermost meter of a utility, `sub` hangs below one of the
same tenant, `own` is the park's own use, `generation` generates. Fields amount (the meter's unit), estimated (share
0 to 1), completeness (0 to 1), rule (names with commas between), cost_vnd, co2e_kg, toe, reactive_kvarh and
energy_export_kwh where the meter counts them, error (what one count of a coarse meter can hide, in its
unit), revised (ms, absent where it never was). A quarter hour that straddles a
band's edge has a point in each band; a missing one has no amount and completeness 0."""

EFFICIENCY: Final = "efficiency"
"""Figures of tenants. Tags park, tenant, period (`day`, `month`, `year`), stamped at the local start; fields are those
of `metering.figures`, each figure whole: NAME (absent where there is no value), NAME_completeness, NAME_estimated,
NAME_reasons (names with commas between), and NAME_over of a ratio."""

PARK_EFFICIENCY: Final = "park_efficiency"
"""Figures of the park itself (`metering.figures.PARK_FIGURES`): what came over its edge. Tags park, period; fields as
in `EFFICIENCY`."""

PARK_INDICATOR: Final = "park_indicator"
"""Indicators of an eco-industrial park (`metering.eip`) of a year, stamped at its local start. Tags park, indicator
(its code); the figure value, whole as in `EFFICIENCY`; place (1 for the first heading); status_en, status_vi: measured,
computed, entered or missing, with what must be said of it; target, verdict_en, verdict_vi where the park has a target.
"""

BASELINE: Final = "baseline"
"""What a baseline expects, per whole local day since it holds, stamped at the local start. Tags park, tenant (absent
for the park's own meters), meter (absent where it is of all that a tenant takes), utility, baseline (its id); fields
expected, actual, saving (expected less actual) and cusum (its running sum, positive is saving, which starts anew with
every version) in the unit of the use, enpi (actual over expected), out_of_range (1 where a driver lay outside what the
fit has seen, else 0), version, drivers (their names with commas between), spread, fitted, lever_1 and so on (what the
uncertainty of sums is made of, F21), and, where the park file adjusts that day, adjustment (in expected already) and
adjustment_band. A day of which use or a driver is not wholly known has no point. A tenant's electricity is in
`efficiency` too, per day, month and year."""

BALANCE: Final = "balance"
"""What came into a network and what became of it. Tags park, utility, main (a main meter, or `EDGE` for the park's
edge, all its main meters together), period (`day`, `month`, `year`), stamped at the local start. Figures incoming,
tenants, own, submeters (tenants and own together), loss, band (all in the unit of the main meter) and loss_share, each
whole as in `EFFICIENCY`; incoming = tenants + own + loss. No field may have the name of a tag: InfluxDB 3 refuses it,
and InfluxQL cannot tell them apart."""

SYMBIOSIS: Final = "symbiosis"
"""What a surplus could do for a demand. Tags park, giver and taker (streams of the park file), kind, period (`month`,
`year`), stamped at the local start. Figures of `metering.figures.MATCH_FIGURES`, each whole as in `EFFICIENCY`, in the
unit of the kind; distance_m where both places are known."""

CLOSING: Final = "closing"
"""Months that are closed, and those that are over and wait for it. Tags park, tenant (absent for the park as a whole),
stamped at the local start of the month. Figures of `metering.figures.CLOSING_FIGURES`, each whole as in `EFFICIENCY`;
why_en, why_vi: the reasons of corrections. Of the park also open_days (days since the month's end for which it waits to
be closed, 0 where it is), closed (ms) and obstacles (how many it was closed in spite of)."""

EDGE: Final = "-edge"
"""The park's edge, in place of a main meter in `BALANCE`. No meter can have this id."""

ARRIVALS: Final = "arrivals"
"""What came late, replayed or corrected: written by the ingester when the database has the readings of a batch that
were older than 10 minutes. Tags park, meter, instance (of the ingester); fields first, last (instants of the readings,
ms); time: of writing in ns, unique for each instance."""

PROOF: Final = "read_proof"
"""What a service queries along with each question, to know that the answer is fresh (`store.proof`). Tag reader; field
number; one point per hour."""

USAGE_CURSOR: Final = "usage_cursor"
"""How far the usage service is, and why a restart needs no disk: the newest point of a park counts. Tag park; fields
arrivals (those written before, ns, are computed), computed (readings up to then, ms, are), figures (those of
the months before the one that holds this, ms, are)."""

USAGE_LEASE: Final = "usage_lease"
"""Which usage service has which park (`efficiency.service.lease`). Tags park (or `-`: that the service is there),
instance; fields since, until (ms) and life, which tells processes of one name apart; the newest point counts."""

USAGE_BASIS: Final = "usage_basis"
"""The inputs of stored usage: the newest point of a part of the park file counts. Tags park, part (a meter's id, or a
section after a dot); field content (JSON)."""

EVENTS: Final = "events"
"""What happened, at the instant it happened. Tags park, tenant, meter, kind (`swap`, `reset`, `restored`, `rise`,
`rollover`, `ambiguous`, `unit`, `stuck`, `spike`, `gap`, `tariff`, `gateway_offline`, `not_computed`); a tariff change
has no meter, and what happened to a gateway has the tag gateway in place of tenant and meter. Fields text_en, text_vi:
sentences for people, with a question where only somebody on site knows; of a gateway also end (ms, when it was heard
again; absent as long as it is not)."""

GATEWAY_OFFLINE: Final = "gateway_offline"
"""Kind of `EVENTS`."""

NOT_COMPUTED: Final = "not_computed"
"""Kind of `EVENTS`: the usage service has set a meter, a tenant's figures, a balance or a whole park aside; only the
operator's database has it. Further fields: part (what is set aside), reason, and end (ms, when it was computed again;
absent as long as it is not)."""

ARRIVED: Final = "arrived"
"""Field of raw readings whose message had no time: true, and the point's time is that of the arrival."""

NS_PER_MS: Final = 1_000_000


TENANT_SHARD_DAYS: Final = 3640
"""Of a tenant's database. Its points are few, and each shard costs InfluxDB ten open files or more (two where its index
is in memory) besides the eight of every database: with the usual week, forty tenants would have 20,000 after a year."""


def tenant_database(park: str, tenant: str) -> str:
    """The database that holds a tenant's own data, and nothing else."""
    return f"{OPERATOR_DATABASE}_{park}_{tenant}"


def reading_series(park: str, meter: Meter) -> str:
    """Series of a meter's raw readings. Without the tenant, who changes with time: a reading belongs to the meter."""
    return series(meter.utility.value, {"park": park, "meter": meter.id})
