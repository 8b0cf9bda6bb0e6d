"""docs/guides/terraform.md as it stands: its configuration and its commands, by each of the three ways, in a room of their own."""

import re
import subprocess

import pytest

import evidence
from cloud import BINARY, REPOSITORY, clean_environment
from house import runs
from requester import Api
from test_configurations import CONFIGURATIONS, needs
from workspace import Workspace

PAGE = (REPOSITORY / "docs/guides/terraform.md").read_text()

NAME = "sts.tencentcloudapi.com"

# Each way, and the host under which the cloud must have seen STS.
WAYS = {
    "By endpoint": "sts.tc.localhost:8080",
    "As a proxy": NAME,
    "By the hosts file": NAME,
}


def block(title, language):
    """The one block of a language in a section of the page."""
    (section,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    (text,) = re.findall(rf"^```{language}\n(.*?)^```", section, re.M | re.S)
    return text


# In the room the commands run as root, on a hosts file of the test.
PREAMBLE = 'sudo() { "$@"; }\n'


@pytest.mark.parametrize("way", WAYS)
def test_the_page_works_as_it_stands(start, room, tmp_path, home, way):
    cloud = start()
    with room(cloud) as inside:
        workspace = Workspace(tmp_path / "workspace", home, inside, ROOKERY_DATA=cloud.data)
        (workspace.bin / "rookery").symlink_to(BINARY.resolve())
        workspace.write(block("A configuration", "hcl"))
        workspace.mirror()
        run = lambda script: workspace.run("bash", "-euc", PREAMBLE + script)
        run(block("A configuration", "sh"))
        api = Api(cloud)
        runs(api, api.call("tcr", "DescribeInstances")["Registries"][0]["RegistryId"])
        printed = run(block(way, "sh") + block("And then", "sh")).stdout
    assert "3 added" in printed and "No changes" in printed and "3 destroyed" in printed
    records = [record for record in evidence.read(cloud, "traces/all") if evidence.client(record) == evidence.TERRAFORM]
    assert all(record["error"] is None and record["signature"] == "v3" for record in records)
    assert {record["host"] for record in records if record["product"] == "sts"} == {WAYS[way]}


def test_the_table_of_types_is_that_of_the_configurations():
    assert re.findall(r"^\| (`.*) \| (.*) \|$", PAGE, re.M) == [(types(text), written(text)) for text in CONFIGURATIONS.values()]


def types(text):
    """How the page writes the types of a configuration."""
    found = dict.fromkeys(re.findall(r'^(?:resource|data) "tencentcloud_(\w+)"', text, re.M))
    return ", ".join(f"`{type}`" for type in found)


def written(text):
    """How the page writes the actions of a configuration."""
    products = dict.fromkeys(product for product, _ in needs(text))
    return "; ".join(f"{product} {', '.join(action for of, action in needs(text) if of == product)}" for product in products)


# -- what `rookery doctor` says of it: this needs no provider


@pytest.fixture
def doctor(cloud, room, tmp_path):
    """Runs it beside a configuration, in a room with these names in its hosts file. The result is what it says of the configuration."""

    def doctor(configuration, hosts="", **environment):
        (tmp_path / "main.tf").write_text(configuration)
        with room(cloud) as inside:
            inside.hosts.write_text(f"127.0.0.1 localhost {hosts}\n")
            keys = {name: value for name, value in cloud.keys.items() if name.startswith("TENCENTCLOUD_")}
            told = subprocess.run(
                inside.command(BINARY, "doctor"), cwd=tmp_path, capture_output=True, text=True,
                env=clean_environment(**{"ROOKERY_DATA": cloud.data, "HOME": tmp_path} | keys | environment),
            )  # fmt: skip
        lines = [line.split(maxsplit=1) for line in told.stdout.splitlines() if "main.tf:" in line]
        return sorted(((mark, text.split(": ", 1)[1]) for mark, text in lines), key=lambda line: line[1])

    return doctor


def test_the_doctor_follows_the_page_by_each_way(cloud, doctor, ca):
    page = block("A configuration", "hcl")
    (names,) = re.findall(r"echo '127.0.0.1 (.*)' ", block("By endpoint", "sh"))
    real = " ".join(re.findall(r"\S+\.tencentcloudapi\.com", block("By the hosts file", "sh")))
    domain = f"tc.localhost:{cloud.address[1]}"
    ((mark, text),) = doctor(page, hosts=names, TENCENTCLOUD_PROTOCOL="HTTP", TENCENTCLOUD_DOMAIN=domain)
    assert (mark, text) == ("ok", "the provider's sts.tc.localhost leads here")
    ((mark, text),) = doctor(page, HTTPS_PROXY=cloud.endpoints["http"], SSL_CERT_FILE=ca)
    assert (mark, text) == ("ok", f"the provider's {NAME} leads here, through the proxy")
    # Outside of the room this cloud has another port.
    ((mark, text),) = doctor(page, hosts=real, SSL_CERT_FILE=ca)
    assert mark == "check" and text.startswith(f"the provider's {NAME} leads to port 443 of this machine")


def test_the_doctor_reads_the_provider_s_own_arguments(cloud, doctor):
    arguments = ['protocol = "HTTP"', f'domain = "tc.localhost:{cloud.address[1]}"', 'allowed_account_ids = ["1"]']
    ids, provider = doctor("\n  ".join(['provider "tencentcloud" {', *arguments]) + "\n}\n", hosts="sts.tc.localhost")
    assert provider == ("ok", "the provider's sts.tc.localhost leads here")
    assert ids[0] != "ok" and ids[1].startswith(f"allowed_account_ids asks {NAME} whatever domain says")


@pytest.fixture
def ca(cloud):
    return cloud.exports()["ROOKERY_CA"]
