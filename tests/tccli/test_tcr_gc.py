"""Garbage: jobs that free what nothing names, and paying in advance."""

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

import cloud as clouds
import images
import place as places
from cloud import eventually
from place import NOBODYS, refusal


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """A cloud that takes garbage of any age."""
    with clouds.started(tmp_path_factory.mktemp("collecting") / "data", "--gc-window", "0") as cloud:
        yield cloud


@pytest.fixture
def place(cloud, home, unique):
    return places.instance(cloud, home, unique)


def collected(place, **parameters):
    """A job that was just asked for, once it is over."""
    place("CreateGCJob", **parameters)
    newest = lambda: place("DescribeGCJobs").Jobs[0]
    return eventually("the job ends", lambda: newest() if newest().JobStatus not in ("pending", "running") else None)


def kept(cloud, digest):
    """Whether the bytes are still on the disk."""
    hex = digest.removeprefix("sha256:")
    return any(path.is_file() and path.name == hex for path in (cloud.data / "registry").rglob("*"))


def test_a_job_frees_what_nothing_names(place, cloud, tmp_path, unique):
    namespace = place.namespace()
    stays, goes = (images.single(tmp_path / name, unique(name)) for name in ("stays", "goes"))
    place.push(stays, f"{namespace}/app:1")
    place.push(goes, f"{namespace}/app:2")
    place("DeleteImage", NamespaceName=namespace, RepositoryName="app", ImageVersion="2")
    layers = {layout: [digest for digest, content in layout.blobs.items() if content != layout.top] for layout in (stays, goes)}
    assert all(kept(cloud, digest) for digests in layers.values() for digest in digests)
    dry = collected(place, GCParameters={"Dryrun": True})
    assert (dry.JobStatus, dry.Schedule.Type) == ("finished", "Dryrun")
    assert all(kept(cloud, digest) for digest in layers[goes])
    job = collected(place)
    assert (job.JobStatus, job.Schedule.Type) == ("finished", "Manual") and job.UpdateTime >= job.CreationTime
    assert not any(kept(cloud, digest) for digest in layers[goes])
    assert all(kept(cloud, digest) for digest in layers[stays])
    assert place.skopeo().pull(f"{place.name}/{namespace}/app:1", tmp_path / "pulled").returncode == 0


def test_pushes_go_on_while_a_job_runs(place, tmp_path, unique):
    namespace = place.namespace()
    place("CreateGCJob")
    for number in range(5):
        place.push(images.single(tmp_path / str(number), unique("hello")), f"{namespace}/app:{number}")
    eventually("the job ends", lambda: place("DescribeGCJobs").Jobs[0].JobStatus == "finished")
    assert place.tags(namespace, "app") == [str(number) for number in range(5)]


def test_ten_jobs_are_shown_one_runs_and_it_can_be_stopped(place):
    for _ in range(11):
        assert collected(place).JobStatus == "finished"
    jobs = place("DescribeGCJobs").Jobs
    assert [job.ID for job in jobs] == sorted((job.ID for job in jobs), reverse=True) and len(jobs) == 10
    assert place("TerminateGCJob").Status == "error"
    place("CreateGCJob")
    # It waits for the background work for a moment; then it may be over before it is stopped.
    code = refusal_or_none(place, "CreateGCJob")
    assert code in (None, "InternalError.ErrConflict")
    stopped = place("TerminateGCJob")
    status = place("DescribeGCJobs").Jobs[0].JobStatus
    assert (stopped.Status, status) in [("success", "stopped"), ("error", "finished")]


def refusal_or_none(call, *arguments):
    try:
        call(*arguments)
    except TencentCloudSDKException as refused:
        return refused.code


def test_what_jobs_refuse(place):
    assert refusal(place.call, "CreateGCJob", RegistryId=NOBODYS) == "ResourceNotFound"
    assert refusal(place.call, "DescribeGCJobs", RegistryId=NOBODYS) == "ResourceNotFound"
    assert refusal(place.call, "TerminateGCJob", RegistryId=NOBODYS) == "InternalError"


# -- paying in advance


def paid(place):
    (row,) = place.call("DescribeInstances", Registryids=[place.id]).Registries
    return row.PayMod, row.RenewFlag, row.ExpiredAt


def test_an_instance_is_paid_for_in_advance_and_again(place):
    assert paid(place)[0] == 0
    charge = lambda months, flag=0: {"Period": months, "RenewFlag": flag}
    assert place("RenewInstance", RegistryChargePrepaid=charge(1), Flag=1).RegistryId == place.id
    mode, renewal, first = paid(place)
    assert (mode, renewal) == (1, 0) and first
    place("RenewInstance", RegistryChargePrepaid=charge(12, 1), Flag=0)
    mode, renewal, second = paid(place)
    assert (mode, renewal) == (1, 1) and int(second[:4]) == int(first[:4]) + 1 and second[4:10] == first[4:10]


def test_what_renewals_refuse(place):
    charge = {"Period": 1, "RenewFlag": 0}
    assert refusal(place, "RenewInstance", RegistryChargePrepaid=charge, Flag=0) == "InvalidParameter"
    assert refusal(place, "RenewInstance", RegistryChargePrepaid=charge | {"Period": 0}, Flag=1) == "InvalidParameter"
    assert refusal(place, "RenewInstance", RegistryChargePrepaid=charge, Flag=2) == "InvalidParameter"
    assert refusal(place.call, "RenewInstance", RegistryId=NOBODYS, RegistryChargePrepaid=charge, Flag=1) == "InternalError.ErrNotExist"
