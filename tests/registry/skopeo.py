"""skopeo, logged in to one registry."""

import json

from tools import run

# The signature policy of this machine is not the subject.
ANY_POLICY = "--insecure-policy"


class Skopeo:
    def __init__(self, login, home):
        self.login, self.home = login, home

    def _run(self, *arguments, check=True, **more):
        return run("skopeo", ANY_POLICY, *arguments, home=self.home, check=check, **more)

    def _credentials(self, prefix=""):
        if self.login.username is None:
            return [f"--{prefix}no-creds"]
        return [f"--{prefix}creds", f"{self.login.username}:{self.login.password}"]

    def reference(self, name):
        return f"docker://{self.login.host}/{name}"

    def push(self, layout, name, check=True):
        """Copies a layout to the registry as it is, all platforms of it."""
        flags = ["--all", "--preserve-digests", "--dest-tls-verify=false", *self._credentials("dest-")]
        return self._run("copy", *flags, layout.reference, self.reference(name), check=check)

    def pull(self, name, directory, check=True):
        """Copies an image, all platforms of it, into a directory of plain files."""
        flags = ["--all", "--preserve-digests", "--src-tls-verify=false", *self._credentials("src-")]
        return self._run("copy", *flags, self.reference(name), f"dir:{directory}", check=check)

    def raw_manifest(self, name):
        flags = ["--raw", "--tls-verify=false", *self._credentials()]
        return self._run("inspect", *flags, self.reference(name)).stdout.encode()

    def inspect(self, name, check=True):
        ended = self._run("inspect", "--tls-verify=false", *self._credentials(), self.reference(name), check=check)
        return json.loads(ended.stdout) if check else ended

    def log_in(self):
        """`skopeo login`, with the password on standard input."""
        authfile = self.home / "auth.json"
        return self._run(
            *("login", "--tls-verify=false", "--authfile", authfile, "--username", self.login.username),
            *("--password-stdin", self.login.host),
            stdin=self.login.password,
            check=False,
        )


def holds(directory, layout):
    """Whether a pulled directory has every byte of the layout, and nothing else."""
    ours = set(layout.blobs.values())
    theirs = {
        path.read_bytes() for path in directory.iterdir() if path.name != "version" and not path.name.startswith("signature-")
    }
    return ours == theirs
