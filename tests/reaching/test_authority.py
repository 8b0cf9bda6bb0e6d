"""`rookery ca`: the certificate, and what is told about it."""

import ssl
from pathlib import Path

import certifi

from cloud import rookery


def test_the_certificate_is_printed_and_its_path(cloud, ca):
    pem = Path(ca).read_text()
    assert cloud.rookery("ca", "print").stdout == pem
    assert cloud.rookery("ca", "path").stdout == f"{ca}\n"
    assert Path(ca).is_absolute()


def test_the_key_of_the_authority_is_the_owners_alone(ca):
    assert Path(ca).with_name("ca.key").stat().st_mode & 0o777 == 0o600


def test_a_bundle_trusts_the_system_and_this_cloud(cloud, ca, tmp_path):
    roots = tmp_path / "roots.pem"
    roots.write_text(Path(certifi.where()).read_text())
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(cloud.rookery("ca", "bundle", "--roots", roots).stdout)

    def count(file):
        return ssl.create_default_context(cafile=file).cert_store_stats()["x509_ca"]

    assert count(bundle) == count(roots) + 1
    again = tmp_path / "again.pem"
    again.write_text(cloud.rookery("ca", "bundle", "--roots", bundle).stdout)
    assert again.read_text() == bundle.read_text()


def test_a_bundle_needs_the_systems_authorities(cloud, tmp_path):
    refused = cloud.rookery("ca", "bundle", "--roots", tmp_path / "none.pem", check=False)
    assert refused.returncode == 1 and "none.pem" in refused.stderr


def test_every_client_is_told_how(cloud, ca):
    said = cloud.rookery("ca", "trust").stdout
    for client in ["Python", "tccli", "Node", "Go", "Java", "Terraform", "docker", "skopeo", "curl"]:
        assert client in said
    assert f"NODE_EXTRA_CA_CERTS={ca}" in said and f"SSL_CERT_FILE={ca}" in said


def test_without_a_cloud_there_is_no_authority_yet(tmp_path):
    refused = rookery("ca", "--data", tmp_path, "print", check=False)
    assert refused.returncode == 1 and "rookery serve --data" in refused.stderr
