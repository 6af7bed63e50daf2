"""The usage service stores the matches of months and years, and deletes them with the streams."""

from pathlib import Path

import yaml

from metering.parkfile import load_park
from store.client import Store
from store.schema import OPERATOR_DATABASE, SYMBIOSIS
from store.select import select
from tests.efficiency.service.test_edits import NOW, begun, lines, raw_park, streams


async def test_matches_are_stored_by_month_and_year_and_go_with_their_streams(store: Store, tmp_path: Path) -> None:
    file, raw = tmp_path / "park.yaml", raw_park()
    await store.write(lines("demo"), OPERATOR_DATABASE)
    file.write_text(yaml.safe_dump(raw | {"streams": streams(5.0)}))
    usage = await begun(store, load_park(file), NOW)
    await usage.cycle(NOW)
    rows = {row["period"]: row for row in await store.query(select(SYMBIOSIS, ["*"]), OPERATOR_DATABASE)}
    for period in ("month", "year"):
        # 5 kWh in each of 48 hours; of each kWh 0.1 m3 of water at 10,000.
        assert round(rows[period]["met"], 6) == 240.0, period
        assert round(rows[period]["saved_m3"], 6) == 24.0
        assert round(rows[period]["saved_vnd"]) == 240_000
        assert round(rows[period]["met_share"], 6) == 1.0
        assert rows[period]["met_completeness"] < 0.95
        assert set(rows[period]["met_reasons"].split(",")) == {"indicative", "stated", "no_place"}
        assert rows[period]["saved_toe_reasons"] == "not_replaced"
        assert "saved_toe" not in rows[period]
    file.write_text(yaml.safe_dump(raw))
    usage.park = load_park(file)
    await usage.cycle(NOW + 120_000)
    assert await store.query(select(SYMBIOSIS, ["*"]), OPERATOR_DATABASE) == []
