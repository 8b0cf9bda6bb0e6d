"""Webhooks: a listener of one's own, and what it is told."""

import http.server
import json
import threading

import pytest

import images
import place as places
from cloud import eventually
from place import NOBODYS, refusal

GONE, INVALID = "ResourceNotFound.TcrResourceNotFound", "InvalidParameter.ErrorTcrInvalidParameter"


class Listener:
    """A receiver of webhooks that answers what it is told to."""

    def __init__(self):
        self.received, self.answers, outer = [], [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.answers.pop(0) if outer.answers else 200
                outer.received.append((self.path, self.headers, body, status))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def events(self):
        """What was taken."""
        return [json.loads(body) for _, _, body, status in self.received if status == 200]


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.server.shutdown()


def body(address, **more):
    target = {"Address": address, "Headers": [{"Key": "X-Secret", "Values": ["one", "two"]}]}
    return {"Name": "builds", "Targets": [target], "EventTypes": ["pushImage", "deleteImage"], "Condition": ".*", "Enabled": True} | more


def trigger(place, namespace, address, **more):
    return place("CreateWebhookTrigger", Namespace=namespace, Trigger=body(address, **more)).Trigger


def log(place, namespace, **more):
    return place("DescribeWebhookTriggerLog", Namespace=namespace, Limit=100, **more).Logs


def test_a_push_is_told_as_the_platform_tells_it(place, image, listener):
    namespace, layout = place.namespace(public=True), image()
    made = trigger(place, namespace, f"{listener.url}/hook?a=b")
    place.push(layout, f"{namespace}/deep/app:v1")
    eventually("the event", lambda: listener.received)
    path, headers, sent, _ = listener.received[0]
    assert path == "/hook?a=b" and headers.get_all("X-Secret") == ["one", "two"]
    assert headers["Content-Type"] == "application/json"
    event = json.loads(sent)
    assert list(event) == ["type", "occur_at", "event_data", "operator"]
    assert (event["type"], event["operator"]) == ("pushImage", place.login.username)
    (resource,) = event["event_data"]["resources"]
    domain = place.call("DescribeInstances", Registryids=[place.id]).Registries[0].PublicDomain
    assert resource == {"digest": layout.digest, "tag": "v1", "resource_url": f"{domain}/{namespace}/deep/app:v1"}
    repository = event["event_data"]["repository"]
    assert repository | {"date_created": 0} == {
        "date_created": 0, "name": "deep/app", "namespace": namespace, "repo_full_name": f"{namespace}/deep/app", "repo_type": "public",
    }
    row = eventually("the log", lambda: [row for row in log(place, namespace) if row.Status == "finished"])[0]
    assert (row.TriggerId, row.EventType, row.NotifyType, row.Detail) == (made.Id, "pushImage", "http", sent.decode())


def test_deletions_are_told_tag_by_tag(place, image, listener):
    namespace, layout = place.namespace(), image()
    trigger(place, namespace, listener.url, EventTypes=["deleteImage"])
    for tag in ("1", "2", "3"):
        place.push(layout, f"{namespace}/app:{tag}")
    where = {"NamespaceName": namespace, "RepositoryName": "app"}
    place("DeleteRepositoryTags", Tags=["1"], **where)
    place("DeleteImage", ImageVersion="2", **where)
    eventually("both events", lambda: len(listener.events()) == 2)
    tags = [[resource["tag"] for resource in event["event_data"]["resources"]] for event in listener.events()]
    assert sorted(tags) == [["1"], ["2", "3"]]
    assert {event["operator"] for event in listener.events()} == {place.login.username}


def test_pulls_are_told(place, listener, tmp_path, unique):
    namespace = place.namespace(public=True)
    index = images.multi(tmp_path / "index", unique("many"))
    place.push(index, f"{namespace}/app:v1")
    made = trigger(place, namespace, listener.url, EventTypes=["pullImage"])
    pulled = place.registry(f"{namespace}/app")
    assert pulled.head("manifests/v1").status == 200
    assert pulled.get("manifests/v1").status == 200
    nobody = place.registry(f"{namespace}/app", places.Login(place.login.host, None, None))
    assert nobody.get(f"manifests/{index.digest}").status == 200
    child = json.loads(index.top)["manifests"][0]["digest"]
    assert pulled.get(f"manifests/{child}").status == 200
    eventually("both events", lambda: len(listener.events()) == 2)
    assert sorted(event["operator"] for event in listener.events()) == ["", place.login.username]
    for event in listener.events():
        (resource,) = event["event_data"]["resources"]
        assert (event["type"], resource["tag"], resource["digest"]) == ("pullImage", "v1", index.digest)
    place("ModifyWebhookTrigger", Namespace=namespace, Trigger=body(listener.url, Id=made.Id))
    assert pulled.get("manifests/v1").status == 200
    assert len(log(place, namespace)) == 2


def test_one_push_is_one_event(place, listener, story, tmp_path, unique):
    # Neither the images of an index nor the signatures of each are events of their own.
    namespace = place.namespace()
    story.policy(place.id, namespace, story.key())
    trigger(place, namespace, listener.url)
    index = images.multi(tmp_path / "index", unique("many"))
    place.push(index, f"{namespace}/app:1")
    eventually("the event", lambda: listener.events())
    place.push(index, f"{namespace}/app:last")
    eventually("the last event", lambda: any("last" in str(event) for event in listener.events()))
    assert len(listener.received) == 2


@pytest.mark.parametrize(
    ("condition", "told"),
    [("", ["v1", "latest"]), (r"^v\d+$", ["v1"]), ("app:{latest, x}", ["latest"]), ("other", []), ("app", ["v1", "latest"])],
)
def test_conditions_choose(place, image, listener, condition, told):
    namespace = place.namespace()
    trigger(place, namespace, f"{listener.url}/chosen", Condition=condition)
    trigger(place, namespace, f"{listener.url}/all")
    for tag in ("v1", "latest"):
        place.push(image(), f"{namespace}/app:{tag}")
    eventually("all events", lambda: len([path for path, *_ in listener.received if path == "/all"]) == 2)
    chosen = lambda: [json.loads(sent)["event_data"]["resources"][0]["tag"] for path, _, sent, _ in listener.received if path == "/chosen"]
    eventually("the chosen ones", lambda: len(chosen()) >= len(told))
    assert sorted(chosen()) == sorted(told)
    assert sorted(json.loads(row.Detail)["event_data"]["resources"][0]["tag"] for row in log(place, namespace)) == sorted(told + ["v1", "latest"])


def test_what_is_not_taken_is_sent_again(place, image, listener):
    namespace = place.namespace()
    listener.answers = [500, 302]
    trigger(place, namespace, listener.url)
    place.push(image(), f"{namespace}/app:1")
    status = lambda: log(place, namespace)[0].Status
    eventually("a failure", lambda: status() == "retrying")
    eventually("the event", lambda: status() == "finished")
    assert [status for *_, status in listener.received] == [500, 302, 200]
    assert len({sent for _, _, sent, _ in listener.received}) == 1


def test_an_event_survives_a_kill_between_push_and_delivery(start, home, unique, image, listener):
    cloud = start()
    place = places.instance(cloud, home, unique)
    namespace, layout = place.namespace(), image()
    # Nobody takes it before the kill.
    listener.answers = [503] * 1000
    trigger(place, namespace, listener.url)
    place.push(layout, f"{namespace}/app:1")
    cloud.kill()
    listener.answers = []
    cloud.start()
    eventually("the event", lambda: listener.events())
    (event,) = listener.events()
    assert event["event_data"]["resources"][0]["digest"] == layout.digest


def test_triggers_are_listed_changed_and_deleted(place, image, listener):
    namespace = place.namespace()
    made = trigger(place, namespace, listener.url, Description="one")
    assert (made.NamespaceId, made.NamespaceName) == (place.namespace_id(namespace), namespace)
    (row,) = place("DescribeWebhookTrigger", Namespace=namespace).Triggers
    assert (row.Id, row.Name, row.Description, row.Enabled, row.Condition) == (made.Id, "builds", "one", True, ".*")
    assert (row.Targets[0].Address, row.Targets[0].Headers[0].Values) == (listener.url, ["one", "two"])
    assert made.Id in [row.Id for row in place("DescribeWebhookTrigger", Limit=100).Triggers]
    place("ModifyWebhookTrigger", Namespace=namespace, Trigger=body(listener.url, Id=made.Id, Name="new", Enabled=False))
    (row,) = place("DescribeWebhookTrigger", Namespace=namespace).Triggers
    assert (row.Name, row.Enabled, row.Description) == ("new", False, "")
    place.push(image(), f"{namespace}/app:1")
    assert log(place, namespace, Id=made.Id) == []
    place("DeleteWebhookTrigger", Namespace=namespace, Id=made.Id)
    assert place("DescribeWebhookTrigger", Namespace=namespace).TotalCount == 0


def test_the_headers_of_a_trigger_are_not_in_the_state_in_the_clear(start, home, unique):
    cloud = start()
    place = places.instance(cloud, home, unique)
    namespace = place.namespace()
    trigger(place, namespace, "http://127.0.0.1:1", Targets=[{"Address": "http://127.0.0.1:1", "Headers": [{"Key": "Authorization", "Values": ["s3cr3t-of-mine"]}]}])
    cloud.stop()
    for path in cloud.data.rglob("*"):
        assert not path.is_file() or b"s3cr3t-of-mine" not in path.read_bytes(), path


def test_what_triggers_refuse(place, listener):
    namespace = place.namespace()
    create = lambda **more: refusal(place, "CreateWebhookTrigger", Namespace=namespace, Trigger=body(listener.url, **more))
    assert create(Name="") == create(EventTypes=[]) == create(EventTypes=["everything"]) == create(Condition="(") == INVALID
    assert create(Targets=[]) == create(Targets=[{"Address": "ftp://127.0.0.1"}]) == create(Targets=[{"Address": "/hook"}]) == INVALID
    header = lambda key, value="x": create(Targets=[{"Address": listener.url, "Headers": [{"Key": key, "Values": [value]}]}])
    assert header("Content-Length") == header("no header") == header("X", "a\nb") == INVALID
    assert create(Product="ags") == create(NamespaceName="other") == INVALID
    where = {"Namespace": "nowhere"}
    assert refusal(place, "CreateWebhookTrigger", Trigger=body(listener.url), **where) == GONE
    assert refusal(place, "DescribeWebhookTrigger", **where) == refusal(place, "DescribeWebhookTriggerLog", **where) == GONE
    where = {"Namespace": namespace}
    assert refusal(place, "ModifyWebhookTrigger", Trigger=body(listener.url), **where) == INVALID
    assert refusal(place, "ModifyWebhookTrigger", Trigger=body(listener.url, Id=99999), **where) == GONE
    assert refusal(place, "DeleteWebhookTrigger", Id=99999, **where) == GONE
    assert refusal(place, "DescribeWebhookTriggerLog", Id=99999, **where) == GONE
    assert refusal(place.call, "DescribeWebhookTrigger", RegistryId=NOBODYS) == "ResourceNotFound"


def test_headers_are_read_under_another_master_key(start, home, unique, listener):
    cloud = start()
    place = places.instance(cloud, home, unique)
    namespace = place.namespace()
    trigger(place, namespace, listener.url)
    cloud.stop()
    cloud.rookery("state", "rekey")
    cloud.start()
    place = places.Instance(place.id, place.name, place.login, places.client(cloud), home, unique)
    (row,) = place("DescribeWebhookTrigger", Namespace=namespace).Triggers
    assert row.Targets[0].Headers[0].Values == ["one", "two"]
