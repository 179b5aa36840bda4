"""The manifests against Kubernetes' own schemas, and against one another: what no schema sees."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.settings import Settings

FOLDER = Path(__file__).parents[2] / "triton" / "kubernetes"
BASE = FOLDER / "base"
VERSIONS = ("1.30", "1.33", "1.36")  # the oldest that it is written for, one between, and the newest but one

Manifest = dict[str, Any]


def manifests() -> list[Manifest]:
    files = sorted(path for path in BASE.glob("*.yaml") if path.name != "kustomization.yaml")
    return [each for path in files for each in yaml.safe_load_all(path.read_text("utf-8"))]


def named(kind: str) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each for each in manifests() if each["kind"] == kind}


def pods() -> list[tuple[str, Manifest]]:
    return [(name, each["spec"]["template"]["spec"]) for name, each in workloads().items()]


def workloads() -> dict[str, Manifest]:
    return named("Deployment") | named("StatefulSet")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(version: str) -> None:
    validate = pytest.importorskip(
        "kubernetes_validate", reason="kubernetes-validate is missing: pip install '.[test]'"
    )
    for each in manifests():
        validate.validate(each, version, strict=True)
    with pytest.raises(validate.ValidationError):  # it does look
        validate.validate(
            {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"prot": 1}]}}, version, strict=True
        )


def test_kustomization_names_every_file() -> None:
    kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text("utf-8"))
    local = {each for each in kustomization["resources"] if not each.startswith("..")}
    assert local | {"kustomization.yaml"} == {path.name for path in BASE.glob("*.yaml")}
    assert all((BASE / each).exists() for each in kustomization["resources"])
    images = {each["name"] for each in kustomization["images"]}
    used = {container["image"] for _, pod in pods() for container in pod.get("initContainers", []) + pod["containers"]}
    assert images == {image for image in used if ":" not in image}, "every image has a version, here or there"


def built(folder: Path) -> list[Manifest]:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is missing, which has kustomize")
    done = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def one(found: list[Manifest], kind: str, name: str) -> Manifest:
    (only,) = [each for each in found if each["kind"] == kind and each["metadata"]["name"].startswith(name)]
    return only


def test_kustomize_builds_it() -> None:
    found = built(BASE)
    assert len(found) == len(manifests()) + 1  # and coturn's configuration
    assert all(each["metadata"].get("namespace", "antlitz") == "antlitz" for each in found)
    configuration = one(found, "ConfigMap", "coturn-")
    assert "denied-peer-ip" in configuration["data"]["turnserver.conf"]
    volumes = one(found, "Deployment", "coturn")["spec"]["template"]["spec"]["volumes"]
    assert configuration["metadata"]["name"] in {each.get("configMap", {}).get("name") for each in volumes}


def test_several_gateways_share_what_they_need_to() -> None:
    validate = pytest.importorskip(
        "kubernetes_validate", reason="kubernetes-validate is missing: pip install '.[test]'"
    )
    found = built(FOLDER / "several")
    for each in found:
        validate.validate(each, VERSIONS[-1], strict=True)
    gateway = one(found, "Deployment", "gateway")["spec"]
    assert gateway["replicas"] > 1 and gateway["strategy"]["type"] == "RollingUpdate"
    secrets = {each["name"]: each.get("valueFrom", {}) for each in gateway["template"]["spec"]["containers"][0]["env"]}
    key = secrets["ANTLITZ_DATABASE"]["secretKeyRef"]["key"]
    assert f"--from-literal={key}=" in (FOLDER / "README.md").read_text("utf-8")
    assert one(found, "PersistentVolumeClaim", "characters")["spec"]["accessModes"] == ["ReadWriteMany"]
    assert (
        one(found, "Ingress", "antlitz")["metadata"]["annotations"]["nginx.ingress.kubernetes.io/affinity"] == "cookie"
    )


def test_pods_are_as_the_namespace_demands() -> None:
    assert named("Namespace")["antlitz"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault", name
        assert not pod.get("hostNetwork") and pod["automountServiceAccountToken"] is False, name
        for container in pod.get("initContainers", []) + pod["containers"]:
            context = container["securityContext"]
            assert not context["allowPrivilegeEscalation"] and context["capabilities"]["drop"] == ["ALL"], name
            assert context["readOnlyRootFilesystem"] and "memory" in container["resources"]["limits"], name


def test_every_mount_has_its_volume_and_every_reference_its_object() -> None:
    for name, pod in pods():
        volumes = {each["name"] for each in pod["volumes"]}
        for container in pod.get("initContainers", []) + pod["containers"]:
            assert {each["name"] for each in container["volumeMounts"]} <= volumes, name
            for each in container.get("env", []):
                source = each.get("valueFrom", {})
                if "configMapKeyRef" in source:
                    reference = source["configMapKeyRef"]
                    assert reference["key"] in named("ConfigMap")[reference["name"]]["data"]
                if "secretKeyRef" in source:  # README.md tells how it is made
                    reference = source["secretKeyRef"]
                    assert f"--from-literal={reference['key']}=" in (FOLDER / "README.md").read_text("utf-8")


def test_services_policies_budgets_and_the_autoscaler_find_their_pods() -> None:
    labels = {each["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] for each in workloads().values()}
    ports = {
        name: {port["name"] for container in pod["containers"] for port in container["ports"]} for name, pod in pods()
    }
    for name, service in named("Service").items():
        assert service["spec"]["selector"] == {"app.kubernetes.io/name": name}
        assert {each["targetPort"] for each in service["spec"]["ports"]} <= ports[name]
    for kind, key in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        for name, each in named(kind).items():
            assert each["spec"][key]["matchLabels"] == {"app.kubernetes.io/name": name} and name in labels
    scaled = named("HorizontalPodAutoscaler")["triton"]["spec"]
    assert scaled["scaleTargetRef"]["name"] in named(scaled["scaleTargetRef"]["kind"])
    rules = yaml.safe_load((FOLDER / "prometheus-adapter.yaml").read_text("utf-8"))["rules"]["custom"]
    assert [each["pods"]["metric"]["name"] for each in scaled["metrics"]] == [each["name"]["as"] for each in rules]


def test_the_gateway_knows_every_tritonserver_that_may_run() -> None:
    (pod,) = [pod for name, pod in pods() if name == "gateway"]
    environ = {each["name"]: each.get("value", "") for each in pod["containers"][0]["env"]}
    servers = named("StatefulSet")["triton"]["spec"]
    service = named("Service")[servers["serviceName"]]["spec"]
    assert service["clusterIP"] == "None", "each pod has a name"
    most = named("HorizontalPodAutoscaler")["triton"]["spec"]["maxReplicas"]
    (port,) = [each["port"] for each in service["ports"] if each["name"] == "grpc"]
    expected = [f"triton-{number}.{servers['serviceName']}:{port}" for number in range(most)]
    assert environ["ANTLITZ_TRITON"].split(",") == expected


def test_settings_are_the_gateway_s() -> None:
    known = {item.metadata["variable"] for item in fields(Settings)} | {"ANTLITZ_TURN_PEER"}  # start.sh's
    text = "".join(path.read_text("utf-8") for path in FOLDER.rglob("*.yaml"))
    assert set(re.findall(r"\bANTLITZ_[A-Z_]+\b", text)) <= known
    data = named("ConfigMap")["antlitz"]["data"]
    Settings.from_environment({**data, "ANTLITZ_TURN_SECRET": "s"})  # ValueError where one makes no sense


def test_the_relay_s_ports_are_those_of_its_configuration() -> None:
    configuration = (FOLDER.parent / "coturn" / "turnserver.conf").read_text("utf-8")
    ports = [int(re.search(rf"^{key}=(\d+)$", configuration, re.MULTILINE)[1]) for key in ("min-port", "max-port")]  # type: ignore[index]
    (gateway,) = [each for each in named("NetworkPolicy")["coturn"]["spec"]["ingress"] if "from" in each]
    assert [gateway["ports"][0][key] for key in ("port", "endPort")] == ports


def test_kubelet_is_let_in() -> None:
    """The gateway answers to names that it knows, which the address of its pod is not."""
    (pod,) = [pod for name, pod in pods() if name == "gateway"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = pod["containers"][0][probe]["httpGet"]
        assert asked["scheme"] == "HTTPS" and asked["httpHeaders"] == [{"name": "Host", "value": "localhost"}]


def test_talks_may_end_before_their_gateway_does() -> None:
    (pod,) = [pod for name, pod in pods() if name == "gateway"]
    command = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert command[-2].endswith("triton/drain.py")
    assert int(command[-1]) < pod["terminationGracePeriodSeconds"]
