"""Small container images, made by hand: OCI image layouts on disk, with every byte known."""

import gzip
import hashlib
import io
import json
import tarfile

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def compact(document):
    return json.dumps(document, separators=(",", ":")).encode()


def descriptor(content, media_type, **more):
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)} | more


class Layout:
    """An OCI image layout that holds one tag: an image, or an index of images."""

    def __init__(self, path, tag):
        self.path = path
        self.tag = tag
        self.blobs = {}
        (path / "blobs/sha256").mkdir(parents=True)
        (path / "oci-layout").write_bytes(compact({"imageLayoutVersion": "1.0.0"}))

    def add(self, content):
        self.blobs[digest(content)] = content
        (self.path / "blobs/sha256" / digest(content).removeprefix("sha256:")).write_bytes(content)
        return content

    def add_image(self, text, architecture="amd64"):
        """An image of one layer with one file. The result is the manifest."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            entry = tarfile.TarInfo("message")
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
        layer = self.add(gzip.compress(archive.getvalue(), mtime=0))
        config = self.add(
            compact(
                {
                    "architecture": architecture,
                    "os": "linux",
                    "config": {"Labels": {"text": text}},
                    "rootfs": {"type": "layers", "diff_ids": [digest(archive.getvalue())]},
                }
            )
        )
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(config, CONFIG),
            "layers": [descriptor(layer, LAYER)],
        }
        return self.add(compact(manifest))

    def tag_as(self, content, media_type):
        """Makes `content` what the layout's tag names."""
        self.top, self.media_type = content, media_type
        named = descriptor(content, media_type, annotations={"org.opencontainers.image.ref.name": self.tag})
        (self.path / "index.json").write_bytes(compact({"schemaVersion": 2, "mediaType": INDEX, "manifests": [named]}))
        return self

    @property
    def digest(self):
        return digest(self.top)

    @property
    def reference(self):
        """What skopeo calls it."""
        return f"oci:{self.path}:{self.tag}"


def single(path, text, tag="1"):
    """A layout with one image."""
    layout = Layout(path, tag)
    return layout.tag_as(layout.add_image(text), MANIFEST)


def multi(path, text, tag="1"):
    """A layout with an index of two platforms."""
    layout = Layout(path, tag)
    platforms = []
    for architecture in ("amd64", "arm64"):
        manifest = layout.add_image(f"{text} for {architecture}", architecture)
        platform = {"architecture": architecture, "os": "linux"}
        platforms.append(descriptor(manifest, MANIFEST, platform=platform))
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": platforms}
    return layout.tag_as(layout.add(compact(index)), INDEX)
