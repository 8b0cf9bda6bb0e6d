"""`rookery call`: any action of the contract, from the command line."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from requester import UUID


def call(cloud, *words, **more):
    return json.loads(cloud.rookery("call", *words, **more).stdout)


def test_who_am_i(cloud):
    told = call(cloud, "sts", "GetCallerIdentity")
    assert told["Arn"] == f"qcs::cam:{told['AccountId']}:uin/{told['UserId']}"
    assert UUID.fullmatch(told["RequestId"])


def test_parameters_are_dotted_or_json(cloud, api, unique):
    name = unique("called")
    created = call(cloud, "tcr", "CreateInstance", "--RegistryName", name, "--RegistryType=basic")
    for filters in (
        ["--Filters.0.Name", "RegistryName", "--Filters.0.Values.0", name],
        ["--Filters", json.dumps([{"Name": "RegistryName", "Values": [name]}])],
    ):
        (found,) = call(cloud, "tcr", "DescribeInstances", *filters, "--Limit", "5")["Registries"]
        assert found["RegistryId"] == created["RegistryId"]


def test_a_refusal_is_printed_and_is_a_failure(cloud):
    ended = cloud.rookery("call", "tcr", "CreateInstance", "--RegistryName", "Bad Name", "--RegistryType", "basic", check=False)
    assert ended.returncode != 0
    assert "InvalidParameter.ErrorNameIllegal" in ended.stderr


def test_the_language_may_be_chosen(cloud):
    ended = cloud.rookery("call", "cvm", "DescribeInstances", "--language", "zh-CN", check=False)
    assert ended.returncode != 0
    assert "UnsupportedOperation" in ended.stderr and "操作不支持" in ended.stderr


def test_an_endpoint_may_be_given_with_keys_of_the_environment(cloud):
    endpoint, authority = cloud.endpoints["https"], cloud.endpoints["ca"]
    keys = {name: cloud.keys[name] for name in ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY")}
    told = call(cloud, "sts", "GetCallerIdentity", "--endpoint", endpoint, "--ca", authority, **keys)
    assert told["AccountId"]
    wrong = keys | {"TENCENTCLOUD_SECRET_KEY": "wrong"}
    words = ["call", "sts", "GetCallerIdentity", "--endpoint", cloud.endpoints["http"]]
    ended = cloud.rookery(*words, check=False, **wrong)
    assert ended.returncode != 0 and "AuthFailure.SignatureFailure" in ended.stderr


def test_an_authority_that_is_not_trusted_is_refused(cloud, tmp_path):
    words = ["call", "sts", "GetCallerIdentity", "--endpoint", cloud.endpoints["https"]]
    keys = {name: cloud.keys[name] for name in ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY")}
    ended = cloud.rookery(*words, check=False, **keys)
    assert ended.returncode == 1 and "certificate" in ended.stderr
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for authority in (empty, tmp_path / "missing.pem"):
        ended = cloud.rookery(*words, "--ca", authority, check=False, **keys)
        assert ended.returncode == 1 and ended.stderr


def test_without_words_it_lists_what_there_is(cloud):
    assert "tcr" in cloud.rookery("call").stdout
    assert "CreateSignaturePolicy" in cloud.rookery("call", "tcr").stdout.split()
    described = cloud.rookery("call", "tcr", "CreateSignaturePolicy", "--help").stdout
    assert "--KmsId" in described and "required" in described


def test_what_the_contract_does_not_know_is_refused_before_it_is_sent(cloud):
    for words in (
        ["nosuch"],
        ["tcr", "Nope"],
        ["tcr", "DescribeInstances", "--Nope", "1"],
        ["tcr", "DescribeInstances", "--Limit", "many"],
        ["tcr", "CreateInstance"],
    ):
        ended = cloud.rookery("call", *words, check=False)
        assert ended.returncode != 0 and ended.stderr


def test_every_way_to_sign_reaches_the_same_account(cloud):
    told = {
        call(cloud, "sts", "GetCallerIdentity", "--signing", way)["Arn"]
        for way in ("v3", "v3-get", "v1-sha1", "v1-sha256", "v1-sha1-get", "v1-sha256-get")
    }
    assert len(told) == 1


def test_nested_parameters_are_flattened_for_queries_and_forms(cloud, unique):
    name = unique("flat")
    call(cloud, "tcr", "CreateInstance", "--RegistryName", name, "--RegistryType", "basic", "--signing", "v1-sha256")
    filters = json.dumps([{"Name": "RegistryName", "Values": [name]}])
    for way in ("v3-get", "v1-sha1-get", "v1-sha256"):
        (found,) = call(cloud, "tcr", "DescribeInstances", "--Filters", filters, "--signing", way)["Registries"]
        assert found["RegistryName"] == name


def test_a_filter_takes_out_what_it_says(cloud):
    account = call(cloud, "sts", "GetCallerIdentity")["AccountId"]
    filtered = ["call", "sts", "GetCallerIdentity", "--filter"]
    assert json.loads(cloud.rookery(*filtered, "AccountId").stdout) == account
    assert cloud.rookery(*filtered, "[AccountId, Type]", "--output", "text").stdout.split() == [account, "CAMUser"]
    for broken in ("AccountId[", "length(`1`)"):
        ended = cloud.rookery(*filtered, broken, check=False)
        assert ended.returncode == 1 and "--filter" in ended.stderr


def test_a_broken_filter_is_refused_before_the_call(cloud, unique):
    name = unique("notmade")
    words = ["call", "tcr", "CreateInstance", "--RegistryName", name, "--RegistryType", "basic", "--filter", "a["]
    assert cloud.rookery(*words, check=False).returncode == 1
    filters = json.dumps([{"Name": "RegistryName", "Values": [name]}])
    assert call(cloud, "tcr", "DescribeInstances", "--Filters", filters)["TotalCount"] == 0


def test_replies_are_tables_and_text_too(cloud):
    table = cloud.rookery("call", "sts", "GetCallerIdentity", "--output", "table").stdout
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")]
    told = call(cloud, "sts", "GetCallerIdentity")
    assert dict(rows).keys() == told.keys() and dict(rows)["Arn"] == told["Arn"]
    assert len({len(line) for line in table.splitlines()}) == 1
    text = cloud.rookery("call", "sts", "GetCallerIdentity", "--output", "text").stdout
    assert told["Arn"] in text.rstrip("\n").split("\t")


def test_a_skeleton_is_filled_in_and_given_back(cloud, tmp_path, unique):
    skeleton = call(cloud, "tcr", "CreateInstance", "--generate-cli-skeleton")
    assert {"RegistryName", "RegistryType", "TagSpecification"} <= skeleton.keys()
    name = unique("filled")
    file = tmp_path / "input.json"
    file.write_text(json.dumps({"RegistryName": "overridden", "RegistryType": "basic"}))
    created = call(cloud, "tcr", "CreateInstance", "--cli-input-json", f"file://{file}", "--RegistryName", name)
    described = call(cloud, "tcr", "DescribeInstances", "--cli-input-json", json.dumps({"Registryids": [created["RegistryId"]]}))
    assert [registry["RegistryName"] for registry in described["Registries"]] == [name]
    for broken in ("file:///nonexistent", "[]", "{", '{"Nope":1}'):
        ended = cloud.rookery("call", "tcr", "DescribeInstances", "--cli-input-json", broken, check=False)
        assert ended.returncode == 1 and ended.stderr


def test_every_page_is_fetched(cloud, unique):
    made = [call(cloud, "tcr", "CreateInstance", "--RegistryName", unique("paged"), "--RegistryType", "basic") for _ in range(5)]
    registry = made[0]["RegistryId"]
    whole = call(cloud, "tcr", "DescribeInstances", "--page-all", "--Limit", "2")
    found = [instance["RegistryId"] for instance in whole["Registries"]]
    assert len(found) == len(set(found)) == whole["TotalCount"] >= 5
    assert {instance["RegistryId"] for instance in made} <= set(found)
    # In this action `Offset` counts pages.
    names = {unique("space") for _ in range(5)}
    for name in names:
        call(cloud, "tcr", "CreateNamespace", "--RegistryId", registry, "--NamespaceName", name, "--IsPublic", "false")
    whole = call(cloud, "tcr", "DescribeNamespaces", "--RegistryId", registry, "--page-all", "--Limit", "2")
    found = [space["Name"] for space in whole["NamespaceList"]]
    assert sorted(found) == sorted(names) and whole["TotalCount"] == 5
    ended = cloud.rookery("call", "sts", "GetCallerIdentity", "--page-all", check=False)
    assert ended.returncode == 1 and "paged" in ended.stderr


def test_a_profile_signs_and_is_not_overridden(cloud, tmp_path):
    keys = {name: cloud.keys[name] for name in ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY")}
    (tmp_path / ".tccli").mkdir()
    (tmp_path / ".tccli/ci.credential").write_text(json.dumps({"secretId": cloud.secret_id, "secretKey": cloud.secret_key}))
    (tmp_path / ".tencentcloud").mkdir()
    (tmp_path / ".tencentcloud/credentials").write_text("[other]\nsecret_id = AKIDother\nsecret_key = k\n")
    words = ["sts", "GetCallerIdentity", "--endpoint", cloud.endpoints["http"]]
    assert call(cloud, *words, "--profile", "ci", HOME=tmp_path)["AccountId"]
    other = cloud.rookery("call", *words, "--profile", "other", check=False, HOME=tmp_path, **keys)
    assert other.returncode == 1 and "AuthFailure.SecretIdNotFound" in other.stderr
    missing = cloud.rookery("call", *words, "--profile", "nope", check=False, HOME=tmp_path, **keys)
    assert missing.returncode == 1 and "nope" in missing.stderr


def test_the_role_of_the_machine_signs(cloud, answering):
    key = {"Code": "Success", "TmpSecretId": cloud.secret_id, "TmpSecretKey": cloud.secret_key, "ExpiredTime": 4000000000}
    where = "/latest/meta-data/cam/security-credentials/"
    metadata = answering({where: "builder", f"{where}builder": json.dumps(key)})
    words = ["sts", "GetCallerIdentity", "--metadata"]
    told = call(cloud, *words, metadata.url)
    assert told["AccountId"] == call(cloud, "sts", "GetCallerIdentity")["AccountId"]
    none = cloud.rookery("call", *words, answering({}).url, check=False)
    assert none.returncode == 1 and "machine role" in none.stderr


def test_without_a_key_the_places_searched_are_named(cloud, tmp_path):
    words = ["call", "sts", "GetCallerIdentity", "--endpoint", cloud.endpoints["http"]]
    ended = cloud.rookery(*words, check=False, HOME=tmp_path)
    assert ended.returncode == 1
    assert "TENCENTCLOUD_SECRET_ID" in ended.stderr and str(tmp_path) in ended.stderr


def test_a_server_that_fails_is_asked_again_only_if_told(cloud, failing):
    keys = {"TENCENTCLOUD_SECRET_ID": "AKID1", "TENCENTCLOUD_SECRET_KEY": "k"}
    refused = failing(1)
    words = ["call", "sts", "GetCallerIdentity", "--endpoint", refused.url]
    ended = cloud.rookery(*words, check=False, **keys)
    assert (ended.returncode, refused.count) == (1, 1)
    assert "RequestLimitExceeded" in ended.stderr and "r-0" in ended.stderr
    patient = failing(1)
    words = ["call", "sts", "GetCallerIdentity", "--endpoint", patient.url, "--retries", "2"]
    assert json.loads(cloud.rookery(*words, **keys).stdout)["Arn"] == "a"
    assert patient.count == 2


@pytest.fixture
def failing():
    """Servers that refuse their first N calls with RequestLimitExceeded."""
    servers = []

    def start(times):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                number, self.server.count = self.server.count, self.server.count + 1
                told = {"Error": {"Code": "RequestLimitExceeded", "Message": "m"}} if number < times else {"Arn": "a"}
                body = json.dumps({"Response": told | {"RequestId": f"r-{number}"}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        servers.append(serve(Handler))
        return servers[-1]

    yield start
    for server in servers:
        end(server)


@pytest.fixture
def answering():
    """Servers of a few texts."""
    servers = []

    def start(texts):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                found = texts.get(self.path)
                body = (found or "").encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        servers.append(serve(Handler))
        return servers[-1]

    yield start
    for server in servers:
        end(server)


def serve(handler):
    server = HTTPServer(("127.0.0.1", 0), handler)
    server.count, server.url = 0, f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def end(server):
    server.shutdown()
    server.server_close()
