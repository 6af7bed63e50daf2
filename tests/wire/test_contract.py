"""The contract documents say what the models say, and the accept step takes what they allow."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ingest.decode import decode
from metering.model import Model
from wire.contract import EXAMPLES, MODELS, asyncapi, documents, main, schema
from wire.messages import BareReading, Message
from wire.topics import Channel

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", documents())
def test_the_documents_are_what_the_models_say(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == documents()[name], "run make docs"


def test_writing_them(tmp_path: Path) -> None:
    main(str(tmp_path))
    assert {file.name for file in tmp_path.iterdir()} == set(documents())


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert {model.__name__ for model in MODELS} <= set(schema()["$defs"])


@pytest.mark.parametrize("model", MODELS)
def test_examples_fit_model_and_schema(model: type[Model]) -> None:
    model.model_validate_json(json.dumps(EXAMPLES[model]))
    whole = {"$ref": f"#/$defs/{model.__name__}", "$defs": schema()["$defs"]}
    for found in (model.model_json_schema(), whole):
        jsonschema.validate(EXAMPLES[model], found, jsonschema.Draft202012Validator)


def test_every_reference_of_the_asyncapi_leads_somewhere() -> None:
    document = yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))
    assert document == asyncapi()

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for value in node.values() for found in references(value)]
        return [found for value in node for found in references(value)] if isinstance(node, list) else []

    for reference in references(document):
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_the_asyncapi_has_every_channel_once() -> None:
    document = asyncapi()
    assert set(document["channels"]) == {channel.value for channel in Channel}
    assert [operation["action"] for operation in document["operations"].values()] == [
        "send",
        "send",
        "receive",
        "receive",
    ]
    assert set(document["operations"]) == {"sendReadings", "sendStatus", "receiveReceipts", "receiveRefusals"}
    assert document["channels"]["readings"]["address"] == "ecopark/v1/{park}/{gateway}/readings"


GOOD: dict[str, Any] = {"meter": "em-1", "ts": 1763900000000, "values": {"energy_kwh": 1.5}}
SHAPES: list[object] = [
    GOOD,
    {**GOOD, "id": "b"},
    {**GOOD, "ts": "2026-11-23T18:00:00+07:00"},
    {**GOOD, "ts": "2026-11-23T18:00:00.250Z"},
    {**GOOD, "values": {"energy_kwh": 1}},
    {**GOOD, "state": "calibrating"},
    {**GOOD, "state": None},
    {"readings": []},
    {"readings": [GOOD, GOOD], "id": "b"},
    {"readings": [GOOD], "id": None},
    {**GOOD, "id": ""},
    {**GOOD, "id": "x" * 129},
    {**GOOD, "id": 3},
    {**GOOD, "ts": 1.5},
    {**GOOD, "ts": 1763900000000.0},
    {**GOOD, "ts": True},
    {**GOOD, "ts": "1763900000000"},
    {**GOOD, "ts": "2026-11-23"},
    {**GOOD, "ts": "2026-11-23T18:00:00"},
    {**GOOD, "ts": None},
    {**GOOD, "values": {}},
    {**GOOD, "values": {"energy_kwh": "1.5"}},
    {**GOOD, "values": {"energy_kwh": True}},
    {**GOOD, "values": {"energy_kwh": None}},
    {**GOOD, "values": {"energy_kwh": 1, "power_kw": None}},
    {**GOOD, "values": {"energy_kwh": 1, "power_kw": "1"}},
    {**GOOD, "values": [1]},
    {**GOOD, "state": "broken"},
    {**GOOD, "unit": "kWh"},
    {**GOOD, "meter": 1},
    {"meter": "em-1", "ts": 1},
    {"readings": [GOOD], "unit": "kWh"},
    {"readings": GOOD},
    {"readings": [GOOD, 1]},
    {"readings": [GOOD] * 5_001},
    [GOOD],
    17,
    None,
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: json.dumps(shape)[:60])
def test_the_schema_and_the_accept_step_agree(shape: object) -> None:
    validators = [jsonschema.Draft202012Validator(model.model_json_schema()) for model in (Message, BareReading)]
    decoded = decode("", json.dumps(shape).encode(), 0)
    assert any(validator.is_valid(shape) for validator in validators) == (not decoded.refusals)
