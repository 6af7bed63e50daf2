"""The wire as documents for other programs: a JSON Schema of each payload, and an AsyncAPI 3.0 of the topics.

Both are generated from the models of `wire.messages` and the topics of `wire.topics`, so they cannot differ from them.
`python -m wire.contract docs` writes them.
"""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic.json_schema import models_json_schema

from metering.model import IDENTIFIER, Model
from wire.messages import (
    MAX_BYTES,
    MAX_READINGS,
    BareReading,
    Message,
    Reason,
    Receipt,
    Refusals,
    RefusedReading,
    Status,
)
from wire.topics import Channel, topic

MODELS: tuple[type[Model], ...] = (Message, BareReading, Receipt, Refusals, Status)

EXAMPLES: dict[type[Model], dict[str, Any]] = {
    Message: {
        "id": "b-000123",
        "readings": [
            {"meter": "em-textile-1", "ts": 1763900000000, "values": {"energy_kwh": 48211.25, "power_kw": 212.4}},
            {
                "meter": "ww-outfall",
                "ts": "2025-11-23T19:13:20+07:00",
                "values": {"ph": 7.1},
                "state": "calibrating",
            },
        ],
    },
    BareReading: {"meter": "em-textile-1", "ts": 1763900000000, "values": {"energy_kwh": 48211.25}},
    Receipt: {"stored": ["b-000123", "b-000124"]},
    Refusals: Refusals(
        id="b-000123",
        refused=[
            RefusedReading(
                meter="em-9",
                ts=1763900000000,
                reason=Reason.UNKNOWN_METER,
                detail="the park file has no such meter",
            ),
            RefusedReading(
                meter="em-textile-1",
                ts=1763900000000,
                quantity="power_factor",
                reason=Reason.OUT_OF_RANGE,
                detail="power_factor is 1.31; it lies between -1 and 1",
            ),
        ],
    ).model_dump(mode="json"),
    Status: {"online": True, "version": "0.1.0", "spooled": 17, "oldest": 1763900000000},
}


class _Described(NamedTuple):
    """What goes through a channel; `action` is the gateway's."""

    action: str
    description: str
    models: tuple[type[Model], ...]
    summary: str


_CHANNELS: dict[Channel, _Described] = {
    Channel.READINGS: _Described(
        "send",
        f"Readings at QoS 1, many or one: at most {MAX_BYTES // 1024} KiB and {MAX_READINGS} readings.",
        (Message, BareReading),
        "Value by value: good ones are stored even when others are refused. Retained messages are not readings.",
    ),
    Channel.STATUS: _Described(
        "send",
        "The gateway's own status: retained, and its last will with `online` false.",
        (Status,),
        "QoS 1.",
    ),
    Channel.RECEIPTS: _Described(
        "receive",
        "Ids of messages that the database has; what is named here may be forgotten.",
        (Receipt,),
        "QoS 0: a receipt that is lost is answered again when the message is sent again.",
    ),
    Channel.REFUSALS: _Described(
        "receive",
        "What was not stored, and why.",
        (Refusals,),
        "QoS 0 and rate-limited. The database has what was refused, up to a ration for each gateway; all is counted.",
    ),
}


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) with each payload under `$defs`."""
    _, definitions = models_json_schema(
        [(model, "validation") for model in MODELS], title="Ecopark wire, version 1", ref_template="#/$defs/{model}"
    )
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **definitions}


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 from the gateway's point of view: what it sends and what it receives."""
    parameters = {
        "park": {"description": f"id of the park in its park file: {IDENTIFIER.pattern}"},
        "gateway": {"description": f"id of the gateway in the park file: {IDENTIFIER.pattern}"},
    }
    channels, operations, messages = {}, {}, {}
    for channel, described in _CHANNELS.items():
        name = channel.value
        channels[name] = {
            "address": topic("{park}", "{gateway}", channel),
            "description": described.description,
            "parameters": parameters,
            "messages": {
                model.__name__: {"$ref": f"#/components/messages/{model.__name__}"} for model in described.models
            },
        }
        operations[f"{described.action}{name.capitalize()}"] = {
            "action": described.action,
            "summary": described.summary,
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [{"$ref": f"#/channels/{name}/messages/{model.__name__}"} for model in described.models],
        }
    for model in MODELS:
        messages[model.__name__] = {
            "contentType": "application/json",
            "summary": (model.__doc__ or "").partition("\n")[0],
            "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
            "examples": [{"payload": EXAMPLES[model]}],
        }
    _, definitions = models_json_schema(
        [(model, "validation") for model in MODELS], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Ecopark wire",
            "version": "1.0.0",
            "description": "How a gateway of an eco-industrial park hands in readings, and what it is answered.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": definitions["$defs"]},
    }


def documents() -> dict[str, str]:
    """Text of each document by the name of its file."""
    return {
        "wire.schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        "asyncapi.yaml": yaml.dump(asyncapi(), sort_keys=False, allow_unicode=True, width=120, Dumper=_Plain),
    }


class _Plain(yaml.SafeDumper):
    """Writes repeated content in full, which people read more easily than anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def main(folder: str) -> None:
    """Write the documents into a folder."""
    for name, text in documents().items():
        (Path(folder) / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
