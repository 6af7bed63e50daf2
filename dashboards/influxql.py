"""A raw InfluxQL query as Grafana's `influxdb` data source expects it; the published types lack it."""

from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.cog.variants import Dataquery

Format = Literal["time_series", "table"]


@dataclass(frozen=True)
class InfluxQL(Dataquery):
    """One statement. `alias` names a series: `$tag_tenant`, `[[tag_a]]-[[tag_b]]`, or plain text."""

    query: str
    alias: str | None = None
    form: Format = "time_series"
    ref: str = "A"

    def to_json(self) -> dict[str, object]:
        """The target in a dashboard and in the model of an alert's query."""
        target: dict[str, object] = {
            "refId": self.ref,
            "query": self.query,
            "rawQuery": True,
            "resultFormat": self.form,
        }
        return target if self.alias is None else {**target, "alias": self.alias}


@dataclass(frozen=True)
class Marks(Dataquery):
    """A statement whose rows become annotations: columns that hold the text and the tags."""

    query: str
    text: str
    tags: str

    def to_json(self) -> dict[str, object]:
        """The target of an annotation."""
        return {
            "refId": "Anno",
            "fromAnnotations": True,
            "query": self.query,
            "rawQuery": True,
            "textColumn": self.text,
            "tagsColumn": self.tags,
        }
