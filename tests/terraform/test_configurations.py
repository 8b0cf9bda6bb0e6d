"""What users declare, in `configurations/`: applied, found settled by a second plan, changed in place, destroyed.

The first lines of a configuration say which actions it needs. While one of them is not implemented the configuration is skipped, with
the list of what is missing; it is run by itself from the day that the last one is there.
"""

import json
import re
from pathlib import Path

import pytest

import evidence
import images
from distribution import Login, Registry

CONFIGURATIONS = {path.stem: path.read_text() for path in sorted((Path(__file__).parent / "configurations").glob("*.tf"))}


def needs(text):
    """The actions that a configuration says it needs."""
    for product, actions in re.findall(r"^# (\w+): (.*)$", text, re.M):
        yield from ((product, action) for action in actions.split())


def called(cloud):
    """The actions that the provider has called."""
    records = evidence.read(cloud, "traces/all")
    return {(record["product"], record["action"]) for record in records if evidence.client(record) == evidence.TERRAFORM}


def missing(cloud, text):
    implemented = {(action["product"], action["action"]) for action in evidence.read(cloud, "actions") if action["implemented"]}
    return [f"{product} {action}" for product, action in needs(text) if (product, action) not in implemented]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_it_is_applied_found_settled_changed_and_destroyed(cloud, request, terraform, name):
    text = CONFIGURATIONS[name]
    workspace = terraform(cloud)
    workspace.write(text)
    workspace("validate")
    gaps = missing(cloud, text)
    if gaps:
        pytest.skip(f"not implemented: {', '.join(gaps)}")
    house = request.getfixturevalue("house")
    workspace = terraform(house.cloud)
    workspace.write(text)
    workspace.apply()
    workspace.assert_settled()
    held = PROOFS.get(name, lambda *_: None)
    held(house, workspace.outputs(), 1)
    if 'variable "step"' in text:
        workspace.environment["TF_VAR_step"] = "2"
        planned = {address: change["actions"] for address, change in workspace.plan().items()}
        assert planned and set(map(tuple, planned.values())) == {("update",)}, planned
        workspace.apply()
        workspace.assert_settled()
        held(house, workspace.outputs(), 2)
    workspace.destroy()
    undeclared = called(house.cloud) - set(needs(text))
    assert not undeclared, f"{name}.tf needs more than its first lines say: {undeclared}"


# -- what must be true beside a settled plan


def contents(house, outputs, step):
    assert outputs["status"] == "Running" and "library" in outputs["namespaces"]
    assert outputs["repositories"] == [f"step {step}"] and outputs["enabled"] == [step == 1]
    assert outputs["url"].endswith("/library/team/app")
    login = Login(house.cloud.registry, outputs["user_name"], outputs["token"])
    assert Registry(login).ask_token("repository:demo/library/team/app:pull").status == (200 if step == 1 else 401)
    (namespace,) = house.api.call("tcr", "DescribeNamespaces", RegistryId=house.demo, NamespaceName="library")["NamespaceList"]
    assert namespace["Public"] is (step == 2) and namespace["Severity"] == ("medium" if step == 1 else "high")


def shipped(house, outputs, step):
    assert outputs["digest"] == images.digest(house.image.top)
    assert json.loads(outputs["manifest"]) == json.loads(house.image.top)


def operations(house, outputs, step):
    reply = house.api.call("tcr", "DescribeImages", RegistryId=house.demo, NamespaceName="shipped", RepositoryName="app")
    assert not [image for image in reply["ImageInfoList"] if image["ImageVersion"] == "1"]


def keys(house, outputs, step):
    assert outputs["state"] == "Enabled" and outputs["listed"] is True
    assert outputs["pem"].startswith("-----BEGIN PUBLIC KEY-----")


def identity(house, outputs, step):
    assert outputs["arn"] == house.api.call("sts", "GetCallerIdentity")["Arn"]


def states(house, outputs, step):
    described = [house.api.call("kms", "DescribeKey", KeyId=id)["KeyMetadata"] for id in outputs["keys"]]
    assert [key["KeyState"] for key in described] == ["Enabled", "Disabled" if step == 1 else "Enabled"]
    assert described[0]["KeyRotationEnabled"] is (step == 1)


PROOFS = {
    "identity": identity,
    "kms-key": states,
    "kms-reading": keys,
    "tcr-contents": contents,
    "tcr-images": shipped,
    "tcr-operations": operations,
}
