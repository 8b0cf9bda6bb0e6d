"""What every official client must be able to do, once for all of them.

Each language has a folder with a small driver program, which reads calls as lines of JSON and answers with lines of JSON, and a
class of tests that inherits `Matrix`. A limit of a client is a scenario skipped with the reason, never a weaker assertion.
"""

import json
import shutil
import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

import evidence
import messages
import room
from cloud import DEADLINE, clean_environment, eventually
from relay import relayed
from requester import UUID, VERSIONS, Api
from tools import STRICT

WAYS = [(sign, method) for sign in ("TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256") for method in ("POST", "GET")]
V3 = [way for way in WAYS if way[0].startswith("TC3")]

PRODUCTS = {
    "GetCallerIdentity": "sts",
    "CreateKey": "kms",
    "DescribeKey": "kms",
    "DescribeInstances": "tcr",
    "CreateNamespace": "tcr",
    "DescribeNamespaces": "tcr",
    "DeleteNamespace": "tcr",
}

# What encoders of queries, forms and JSON treat differently.
HARD = "a b+c*d~e(f)g'h!i&j=k/l%20m_n<o>\"p\\q,未"
# What it becomes where an encoder and a decoder disagree.
GARBLED = [HARD.replace(*letters) for letters in ("+ ", " +", ("%20", " "), "未?", "_.")]


def only(ways, because):
    """Marks a scenario that these ways have alone, and says why."""

    def mark(scenario):
        scenario.ways, scenario.because = ways, because
        return scenario

    return mark


def needs(what, install):
    """A tool or a folder that the tests of a client need. In CI a missing one is a failure."""
    found = shutil.which(what) if isinstance(what, str) else what if what.exists() else None
    if found is None:
        missing = f"{what} is not there: {install}"
        pytest.fail(missing) if STRICT else pytest.skip(missing)
    return found


class Refused(Exception):
    """What a client says of an error reply."""

    def __init__(self, code, message, request_id):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.request_id = code, message, request_id


class Driver:
    """A driver program that stays: a call per line in, a reply per line out."""

    def __init__(self, command, environment):
        self.command, self.environment = [str(part) for part in command], environment
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=clean_environment(**self.environment),
        )

    def __call__(self, call):
        if self.process is None:
            self.start()
        # A client that never answers is ended, and the line that it does not write is the failure.
        watchdog = threading.Timer(DEADLINE, self.process.kill)
        watchdog.start()
        try:
            self.process.stdin.write(json.dumps(call) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watchdog.cancel()
        if not line:
            # The next call gets a driver that is none the worse for it.
            raise AssertionError(f"the driver ended with {self.end()}")
        return json.loads(line)

    def end(self):
        """The end of its input is the end of a driver. The result is the exit status."""
        process, self.process = self.process, None
        if process is None:
            return None
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()
        try:
            return process.wait(DEADLINE)
        finally:
            process.kill()


@contextmanager
def driven(*command, **environment):
    driver = Driver(command, environment)
    try:
        yield driver
    finally:
        assert driver.end() in (None, 0)


@dataclass
class Client:
    """A client, pointed at a cloud by its endpoint setting."""

    cloud: object
    drive: object
    way: tuple = WAYS[0]

    def __call__(self, action, parameters=None, **changes):
        """The reply of an action; an error reply raises `Refused`. `changes` replace the usual key, endpoint and so on."""
        product = changes.get("product") or PRODUCTS[action]
        sign, method = self.way
        usual = {
            "product": product,
            "version": VERSIONS[product],
            "action": action,
            "parameters": parameters or {},
            "region": "ap-guangzhou",
            "sign": sign,
            "method": method,
            "language": "en-US",
            "scheme": "http",
            "endpoint": self.cloud.authority,
            "proxy": None,
            "secret_id": self.cloud.secret_id,
            "secret_key": self.cloud.secret_key,
            "token": None,
            "unsigned": False,
            "common": False,
        }
        reply = self.drive(usual | changes)
        if "error" in reply:
            raise Refused(**reply["error"])
        assert "result" in reply, reply.get("failure")
        return reply["result"]

    def refused(self, action, parameters=None, **changes):
        """The error with which a call is refused; the trace of the request has the same one."""
        with pytest.raises(Refused) as caught:
            self(action, parameters, **changes)
        error = caught.value
        assert UUID.fullmatch(error.request_id)
        told = self.trace(error.request_id)["error"]
        assert (told["code"], told["message"]) == (error.code, error.message)
        return error

    def trace(self, request_id):
        return evidence.read(self.cloud, f"traces/{request_id}")


@dataclass(frozen=True)
class Instances:
    """One registry in the region of the calls, with a tag that is hard to encode, and one in another region."""

    near: str
    near_id: str
    far: str


class Matrix:
    """The scenarios. A subclass says what its client is like."""

    # How the client calls itself.
    client_name = None
    # The service in the scope of its v3 signatures, for an endpoint at 127.0.0.1.
    scope_service = None
    # The reading of the bytes under which its signatures verify, and what differs from that for an endpoint with a path.
    readings = {"v3": "as-sent", "v1": "as-sent"}
    readings_of_a_path = {}
    # Scenario → why this client cannot do it, or ways → why it cannot do it so.
    cannot = {}
    ways = WAYS

    def pytest_generate_tests(self, metafunc):
        if "way" in metafunc.fixturenames:
            scenario = metafunc.function
            ways = [way for way in self.ways if way in getattr(scenario, "ways", WAYS)]
            none = pytest.param(None, id="none", marks=pytest.mark.skip(reason=getattr(scenario, "because", None)))
            metafunc.parametrize("way", [pytest.param(way, id="-".join(way)) for way in ways] or [none])

    @pytest.fixture
    def asked(self, client, way):
        """The client, signing and sending in one way."""
        return Client(client.cloud, client.drive, way)

    @pytest.fixture(scope="class")
    @classmethod
    def instances(cls, api):
        name = cls.__name__.lower()
        tags = {"ResourceType": "instance", "Tags": [{"Key": "env", "Value": HARD}, {"Key": "empty", "Value": ""}]}
        near, far = ({"RegistryName": f"{name}-{where}", "RegistryType": "basic"} for where in ("near", "far"))
        near_id = api.call("tcr", "CreateInstance", **near, TagSpecification=tags)["RegistryId"]
        Api(api.cloud, region="ap-shanghai").call("tcr", "CreateInstance", **far)

        def runs():
            (found,) = api.call("tcr", "DescribeInstances", Registryids=[near_id])["Registries"]
            return found["Status"] == "Running"

        eventually("the instance runs", runs)
        return Instances(near["RegistryName"], near_id, far["RegistryName"])

    def unless_it_cannot(self, scenario, way=None):
        reason = self.cannot.get(scenario)
        if isinstance(reason, dict):
            reason = reason.get(way)
        if reason:
            pytest.skip(reason)

    def reading(self, way, differing=None):
        version = "v3" if way in V3 else "v1"
        return version, (self.readings | (differing or {}))[version]

    def verified(self, client, result):
        record = client.trace(result["RequestId"])
        assert record["client"].startswith(self.client_name)
        assert record["method"] == client.way[1]
        return record["signature"], record["reading"]

    # -- signatures

    def test_who_am_i(self, asked, way):
        self.unless_it_cannot("who am I")
        told = asked("GetCallerIdentity")
        assert told["AccountId"] == told["UserId"] == told["PrincipalId"]
        assert told["Arn"] == f"qcs::cam:{told['AccountId']}:uin/{told['UserId']}"
        assert self.verified(asked, told) == self.reading(way)

    @only(V3, "v1 has no payload apart from the parameters")
    def test_the_payload_may_stay_unsigned(self, asked, way, instances):
        self.unless_it_cannot("unsigned payload", way)
        filters = {"Filters": [{"Name": "RegistryName", "Values": [instances.near]}]}
        with relayed(asked.cloud, rewrite=lambda body: body.replace(b":", b" : ")) as relay:
            told = asked("DescribeInstances", filters, unsigned=True, endpoint=relay.authority)
            assert told["TotalCount"] == 1
            assert [headers["X-TC-Content-SHA256"] for headers in relay.seen] == ["UNSIGNED-PAYLOAD"]
            assert self.verified(asked, told) == self.reading(way)
            if way[1] == "POST":
                # The same passage breaks a signature that covers the body.
                error = asked.refused("DescribeInstances", filters, endpoint=relay.authority)
                assert error.code == "AuthFailure.SignatureFailure"

    def test_https_with_the_authority_of_the_cloud(self, asked, way):
        self.unless_it_cannot("https")
        url = urlsplit(asked.cloud.endpoints["https"])
        told = asked("DescribeInstances", {"Limit": 1}, scheme=url.scheme, endpoint=url.netloc)
        assert self.verified(asked, told) == self.reading(way)

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_the_real_names_through_the_cloud_as_a_proxy(self, asked, way, scheme):
        self.unless_it_cannot(f"{scheme} through a proxy", way)
        name, proxy = "tcr.tencentcloudapi.com", asked.cloud.authority
        told = asked("DescribeInstances", {"Limit": 1}, scheme=scheme, endpoint=name, proxy=proxy)
        assert name in asked.trace(told["RequestId"])["host"]
        # There is no port to leave out.
        assert self.verified(asked, told) == self.reading(way, {"v3": "as-sent"})

    def test_the_real_names_by_the_hosts_file_need_no_endpoint(self, asked, way):
        self.unless_it_cannot("https", way)
        reason = room.refusal()
        if reason:
            pytest.skip(f"no namespaces on this machine: {reason}")
        name = "tcr.tencentcloudapi.com"
        with room.leading_to(asked.cloud) as inside:
            inside.hosts.write_text(f"127.0.0.1 localhost {name}\n")
            with driven(*inside.command(*asked.drive.command), **asked.drive.environment) as drive:
                client = Client(asked.cloud, drive, asked.way)
                told = client("DescribeInstances", {"Limit": 1}, scheme="https", endpoint=None)
            assert client.trace(told["RequestId"])["host"] == name
            assert self.verified(client, told) == self.reading(way, {"v3": "as-sent"})

    def test_an_endpoint_may_have_a_path(self, asked, way):
        self.unless_it_cannot("endpoint with a path", way)
        told = asked("DescribeInstances", {"Limit": 1}, endpoint=f"{asked.cloud.authority}/any/path")
        assert asked.trace(told["RequestId"])["path"].startswith("/any/path")
        assert self.verified(asked, told) == self.reading(way, self.readings_of_a_path)

    # -- parameters

    def test_nested_filters_and_hard_text_arrive(self, asked, way, instances):
        def found(tag):
            by_name = {"Name": "RegistryName", "Values": ["nobody's", instances.near]}
            by_tag = {"Name": "Tags", "Values": ["env:", f"env:{tag}"]}
            return asked("DescribeInstances", {"Filters": [by_name, by_tag], "Offset": 0, "Limit": 5})

        told = found(HARD)
        (registry,) = told["Registries"]
        assert (registry["RegistryName"], told["TotalCount"]) == (instances.near, 1)
        assert {"Key": "env", "Value": HARD} in registry["TagSpecification"]["Tags"]
        assert self.verified(asked, told) == self.reading(way)
        for garbled in GARBLED:
            assert found(garbled)["TotalCount"] == 0, garbled

    def test_empty_strings_in_lists_arrive(self, asked, way, instances):
        self.unless_it_cannot("empty strings in lists", way)
        filters = [{"Name": "RegistryName", "Values": ["", instances.near]}]
        told = asked("DescribeInstances", {"Filters": filters})
        assert told["TotalCount"] == 1
        assert self.verified(asked, told) == self.reading(way)

    def test_booleans_and_numbers_arrive(self, asked, way, instances):
        both = {"Filters": [{"Name": "RegistryName", "Values": [instances.near, instances.far]}]}

        def found(**parameters):
            told = asked("DescribeInstances", {**both, **parameters})
            # Some clients leave empty lists out of what they tell.
            return [registry["RegistryName"] for registry in told.get("Registries", [])]

        assert found(AllRegion=False) == [instances.near]
        assert sorted(found(AllRegion=True)) == [instances.far, instances.near]
        pages = [found(AllRegion=True, Limit=1, Offset=offset) for offset in (0, 1, 2)]
        assert [len(page) for page in pages] == [1, 1, 0]
        assert sorted(pages[0] + pages[1]) == [instances.far, instances.near]

    @pytest.mark.parametrize("public", [True, False], ids=["public", "private"])
    def test_a_namespace_comes_and_goes(self, asked, instances, unique, public):
        place = {"RegistryId": instances.near_id, "NamespaceName": unique("library")}
        asked("CreateNamespace", {**place, "IsPublic": public})
        (made,) = asked("DescribeNamespaces", {**place, "Limit": 10})["NamespaceList"]
        assert (made["Name"], made["Public"]) == (place["NamespaceName"], public)
        asked("DeleteNamespace", place)
        assert asked("DescribeNamespaces", {**place, "Limit": 10})["TotalCount"] == 0

    def test_a_namespace_keeps_its_tags(self, asked, instances, unique):
        self.unless_it_cannot("tags of a namespace")
        place = {"RegistryId": instances.near_id, "NamespaceName": unique("tagged")}
        tags = [{"Key": "env", "Value": HARD}, {"Key": "team", "Value": "one"}]
        asked("CreateNamespace", {**place, "IsPublic": False, "TagSpecification": {"ResourceType": "namespace", "Tags": tags}})
        (made,) = asked("DescribeNamespaces", {**place, "Limit": 10})["NamespaceList"]
        assert made["TagSpecification"]["Tags"] == tags

    def test_a_key_is_described_in_the_words_it_was_made_with(self, asked, unique):
        alias = unique("signer")
        made = asked("CreateKey", {"Alias": alias, "Description": HARD, "KeyUsage": "ASYMMETRIC_SIGN_VERIFY_ECC"})
        told = asked("DescribeKey", {"KeyId": made["KeyId"]})["KeyMetadata"]
        assert (told["Alias"], told["Description"]) == (alias, HARD)

    # -- refusals

    @pytest.mark.parametrize("language", ["en-US", "zh-CN"])
    def test_a_wrong_key_is_a_signature_failure(self, asked, way, language):
        error = asked.refused("DescribeInstances", secret_key="x" * 32, language=language)
        assert (error.code, error.message) == (messages.SIGNATURE if language == "en-US" else messages.SIGNATURE_ZH)
        if way in V3:
            scope = asked.trace(error.request_id)["computed"]["string_to_sign"].split("\n")[2]
            assert scope.split("/")[1:] == [self.scope_service, "tc3_request"]

    @pytest.mark.parametrize("language", ["en-US", "zh-CN"])
    def test_an_unknown_secret_id_is_not_found(self, asked, language):
        error = asked.refused("DescribeInstances", secret_id="AKID" + "x" * 32, language=language)
        assert (error.code, error.message) == (messages.SECRET_ID if language == "en-US" else messages.SECRET_ID_ZH)

    def test_a_token_that_is_not_the_keys_is_refused(self, asked):
        assert asked.refused("DescribeInstances", token="somebody's").code == "AuthFailure.TokenFailure"

    def test_a_product_refuses_in_its_own_words(self, asked, unique):
        alias = unique("taken")
        key = {"Alias": alias, "KeyUsage": "ASYMMETRIC_SIGN_VERIFY_ECC"}
        asked("CreateKey", key)
        error = asked.refused("CreateKey", key)
        assert error.code == "InvalidParameterValue.AliasAlreadyExists"
        assert alias in error.message
        assert asked.refused("CreateKey", key, language="zh-CN").message != error.message

    def test_a_required_parameter_is_missed(self, asked):
        self.unless_it_cannot("missing parameter")
        error = asked.refused("CreateKey", {"Description": HARD})
        assert (error.code, error.message) == ("MissingParameter", "The request is missing a required parameter `Alias`.")

    def test_an_unknown_parameter_is_named(self, asked, way):
        self.unless_it_cannot("unknown parameter", way)
        error = asked.refused("DescribeInstances", {"Nope": HARD}, common=True)
        assert (error.code, error.message) == ("UnknownParameter", "The parameter `Nope` is not recognized.")
