"""`deploy/kubernetes` against the official schemas, and against itself: what it names exists and may be reached."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it has no types
import pytest
import yaml

from ecopark.settings import Settings

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSION = "1.34"
DOCUMENTED = (FOLDER.parents[1] / "docs" / "administration.md").read_text(encoding="utf-8")


def kustomization() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    return found


def manifests() -> list[dict[str, Any]]:
    files = [FOLDER / name for name in kustomization()["resources"]]
    return [manifest for file in files for manifest in yaml.safe_load_all(file.read_text())]


def workloads() -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and pod of each."""
    for manifest in manifests():
        if manifest["kind"] in {"Deployment", "StatefulSet"}:
            yield manifest["metadata"]["name"], manifest["spec"]["template"]


@pytest.mark.parametrize("manifest", manifests(), ids=lambda found: f"{found['kind']}-{found['metadata']['name']}")
def test_each_manifest_is_one_of_its_schema(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, VERSION, strict=True)


def test_the_folder_holds_what_it_lists_and_nothing_else() -> None:
    listed = kustomization()
    assert {file.name for file in FOLDER.glob("*.yaml")} == {*listed["resources"], "kustomization.yaml"}
    for made in listed["configMapGenerator"]:
        for file in made["files"]:
            assert (FOLDER / file).exists(), file


def test_every_pod_is_without_rights_bounded_and_asked_how_it_is() -> None:
    for name, pod in workloads():
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        assert pod["spec"]["securityContext"]["runAsNonRoot"], name
        for container in pod["spec"]["containers"]:
            own = container["securityContext"]
            assert own["readOnlyRootFilesystem"], name
            assert not own["allowPrivilegeEscalation"], name
            assert own["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"]["memory"], name
            ports = {port["name"] for port in container["ports"]}
            for probe in ("livenessProbe", "readinessProbe"):
                assert container[probe]["httpGet"]["port"] in ports, name


def test_what_a_pod_needs_is_made_here_or_documented() -> None:
    made = {generated["name"] for generated in kustomization()["configMapGenerator"]}
    claims = {one["metadata"]["name"] for one in manifests() if one["kind"] == "PersistentVolumeClaim"}
    known = {f"ECOPARK_{field.upper()}" for field in Settings.model_fields}
    for name, pod in workloads():
        for volume in pod["spec"]["volumes"]:
            if "configMap" in volume:
                assert volume["configMap"]["name"] in made or f"`{volume['configMap']['name']}`" in DOCUMENTED, name
            assert volume.get("persistentVolumeClaim", {"claimName": "grafana"})["claimName"] in claims
        mounted = {mount["name"] for mount in pod["spec"]["containers"][0]["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["spec"]["volumes"]}, name
        container = pod["spec"]["containers"][0]
        for secret in container.get("envFrom", ()):
            assert f"`{secret['secretRef']['name']}`" in DOCUMENTED, name
        for variable in container["env"]:
            assert variable["name"] in known or variable["name"].startswith("GF_"), variable["name"]
            assert not {"TOKEN", "PASSWORD", "SECRET"} & set(variable["name"].split("_")), variable["name"]


def test_images_are_pinned_and_selectors_find_their_pods() -> None:
    pinned = {image["name"] for image in kustomization()["images"]}
    labels = [pod["metadata"]["labels"].items() for _, pod in workloads()]
    for _, pod in workloads():
        assert {container["image"] for container in pod["spec"]["containers"]} <= pinned
    for manifest in manifests():
        spec = manifest.get("spec", {})
        selector = spec.get("podSelector") or spec.get("selector") or {}
        wanted = selector.get("matchLabels", selector)
        if wanted:
            assert any(wanted.items() <= own for own in labels), manifest["metadata"]["name"]


def test_nothing_is_reachable_but_what_is_named() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in manifests() if one["kind"] == "NetworkPolicy"}
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert policies.keys() - {"nothing"} == {name for name, _ in workloads()}
    to_database = [name for name, spec in policies.items() if "influxdb" in str(spec.get("egress"))]
    assert sorted(to_database) == ["grafana", "guard", "ingest", "usage"]
    assert [name for name, spec in policies.items() if "broker" in str(spec.get("egress"))] == ["ingest"]


def test_the_ingesters_scale_on_a_metric_that_they_have() -> None:
    scaler = next(one for one in manifests() if one["kind"] == "HorizontalPodAutoscaler")
    metric = scaler["spec"]["metrics"][0]["pods"]["metric"]["name"]
    service, _, field = metric.removeprefix("ecopark_").partition("_")
    health = (FOLDER.parents[1] / service / "health.py").read_text()
    assert f'"{field}"' in health
    assert scaler["spec"]["scaleTargetRef"]["kind"] == "StatefulSet"


def test_several_usage_services_divide_the_parks_under_names_of_their_own() -> None:
    usage = next(one for one in manifests() if one["kind"] == "StatefulSet" and one["metadata"]["name"] == "usage")
    assert usage["spec"]["replicas"] > 1
    given = {one["name"]: one for one in usage["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert given["ECOPARK_SHARE_PARKS"]["value"] == "true", "else two would write one park"
    assert given["ECOPARK_INSTANCE"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
