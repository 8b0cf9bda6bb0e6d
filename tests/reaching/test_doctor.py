"""`rookery doctor`: what still leads to the real cloud. The names are held by the proxy here, so that no test asks a resolver."""

import json

import pytest

from cloud import rookery


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def doctor(cloud, home, ca):
    """Runs it in a shell that does everything right, but for what the test changes."""

    def doctor(**environment):
        proxy = cloud.endpoints["http"]
        right = {"HOME": home, "http_proxy": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": "localhost,127.0.0.1",
                 "SSL_CERT_FILE": ca, "REQUESTS_CA_BUNDLE": ca, "NODE_EXTRA_CA_CERTS": ca}  # fmt: skip
        keys = {name: value for name, value in cloud.keys.items() if name.startswith("TENCENTCLOUD_")}
        ended = cloud.rookery("doctor", check=False, **(right | keys | environment))
        lines = [line.split(maxsplit=1) for line in ended.stdout.splitlines()[:-1]]
        assert {mark for mark, _ in lines} <= {"ok", "check", "leaves"}
        assert (ended.returncode == 1) == any(mark == "leaves" for mark, _ in lines)
        return ended.returncode, lines

    return doctor


def test_a_shell_that_does_everything_right_is_told_so(doctor):
    status, lines = doctor()
    assert status == 0 and all(mark == "ok" for mark, _ in lines), lines
    said = "\n".join(text for _, text in lines)
    for part in ["Rookery answers at", "the clock", "HTTPS_PROXY is Rookery", "through the proxy", "is a key of this cloud"]:
        assert part in said


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"TENCENTCLOUD_SECRET_ID": "AKIDsomebodyelse"}, "AKIDsome… is no key of this cloud"),
        ({"HTTPS_PROXY": "http://proxy.invalid:3128"}, "HTTPS_PROXY is http://proxy.invalid:3128"),
        ({"TENCENTCLOUD_KMS_ENDPOINT": "192.0.2.1"}, "TENCENTCLOUD_KMS_ENDPOINT"),
    ],
)
def test_a_setting_that_leads_away_is_named(doctor, change, found):
    # An address by number is not asked of the proxy here, or the proxy would refuse it.
    without = {"NO_PROXY": "192.0.2.1"} if "192.0.2.1" in change.values() else {}
    status, lines = doctor(**change, **without)
    assert status == 1
    assert any(mark == "leaves" and found in text and "Do: " in text for mark, text in lines), lines


def test_a_key_whose_secret_is_wrong_is_told_from_a_foreign_one(doctor):
    status, lines = doctor(TENCENTCLOUD_SECRET_KEY="wrong")
    assert status == 0 and any(mark == "check" and "AuthFailure.SignatureFailure" in text for mark, text in lines)


def test_files_of_the_home_are_read_and_left_alone(doctor, home, cloud):
    (home / ".tccli").mkdir()
    (home / ".tccli/default.credential").write_text(json.dumps({"secretId": "AKIDother", "secretKey": "verysecret"}))
    (home / ".tccli/ours.credential").write_text(json.dumps({"secretId": cloud.secret_id, "secretKey": cloud.secret_key}))
    (home / ".tccli/default.configure").write_text(json.dumps({"sts": {"endpoint": "sts.tencentcloudapi.com"}}))
    before = sorted((path, path.stat().st_mtime_ns) for path in home.rglob("*"))
    status, lines = doctor()
    said = "\n".join(text for _, text in lines)
    assert status == 1 and "default.credential: AKIDothe… is no key" in said and "verysecret" not in said
    assert "ours.credential" in said and cloud.secret_key not in said
    assert "default.configure: none of 1 endpoints leads away" in said
    assert sorted((path, path.stat().st_mtime_ns) for path in home.rglob("*")) == before


def test_without_a_cloud_it_says_so(tmp_path, home):
    ended = rookery(
        "doctor",
        "--data",
        tmp_path / "none",
        check=False,
        HOME=home,
        HTTPS_PROXY="http://127.0.0.1:1",
        HTTP_PROXY="http://127.0.0.1:1",
    )
    assert ended.returncode == 1 and "no cloud runs on" in ended.stdout and "\x1b" not in ended.stdout
