"""A directory with a configuration, and the command line that works in it: OpenTofu or Terraform, with the provider that is there."""

import json
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import tools
from cloud import REPOSITORY, clean_environment

PROVIDER = "terraform-provider-tencentcloud"
SOURCE = "tencentcloudstack/tencentcloud"

# Of one command. The provider repeats what it takes for a passing fault for a minute (below), each read and each write of it.
LONGEST = 240.0


def programs():
    """The command line and the provider. What cannot be had on this machine is skipped even in CI, with that reason."""
    command = shutil.which("terraform") or shutil.which("tofu")
    provider = shutil.which(PROVIDER)
    refused = REPOSITORY / f".tools/unavailable/{PROVIDER}"
    if provider is None and refused.exists():
        pytest.skip(f"{PROVIDER}: {refused.read_text().strip()}")
    return command or tools.require("tofu"), provider or tools.require(PROVIDER)


class Failed(AssertionError):
    """A command that ended with an error. Its text is what the user sees."""


class Workspace:
    """`room` is where the commands run, or `None` for the machine as it is."""

    def __init__(self, directory, home, room=None, **environment):
        self.directory, self.home, self.room = directory, home, room
        self.terraform, self.provider = programs()
        directory.mkdir()
        # The names that guides use: `terraform`, whichever it is.
        self.bin = directory / ".bin"
        self.bin.mkdir()
        (self.bin / "terraform").symlink_to(self.terraform)
        self.environment = {
            "HOME": home,
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            "TF_CLI_CONFIG_FILE": directory / "cli.tfrc",
            "TENCENTCLOUD_READ_RETRY_TIMEOUT": "1",
            "TENCENTCLOUD_WRITE_RETRY_TIMEOUT": "1",
        } | environment
        self.develop()

    # -- where the provider comes from

    def develop(self):
        """The provider as its developers run it: no `init`, no version, no lock file."""
        self.configure(f'dev_overrides {{\n    "{SOURCE}" = "{Path(self.provider).resolve().parent}"\n  }}')

    def mirror(self):
        """The provider as its users run it, but from a directory in place of its registry. `init` installs it from there."""
        self.configure("direct {}")
        registry = re.search(rf"provider\[(\S+)/{SOURCE}\]", self("providers")).group(1)
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        place = self.directory / ".mirror" / registry / SOURCE / version() / f"{platform.system().lower()}_{machine}"
        place.mkdir(parents=True)
        (place / f"{PROVIDER}_v{version()}").symlink_to(Path(self.provider).resolve())
        self.configure(f'filesystem_mirror {{\n    path = "{self.directory / ".mirror"}"\n  }}')

    def configure(self, installation):
        (self.directory / "cli.tfrc").write_text(f"provider_installation {{\n  {installation}\n}}\n")

    # -- what is in it

    def write(self, text, name="main.tf"):
        (self.directory / name).write_text(text)

    # -- the command line

    def __call__(self, *arguments, allowed=(0,), **environment):
        """Runs a command to its end. The result is what it printed."""
        return self.run(self.terraform, *arguments, allowed=allowed, **environment).stdout

    def run(self, *command, allowed=(0,), **environment):
        line = [str(part) for part in (self.room.command(*command) if self.room else command)]
        kept = {name: value for name, value in clean_environment().items() if not name.startswith("TF_")}
        kept["PATH"] = f"{self.bin}:{kept['PATH']}"
        given = {name: str(value) for name, value in (self.environment | environment).items()}
        ended = subprocess.run(
            line, cwd=self.directory, env=kept | given, capture_output=True, text=True, timeout=LONGEST, stdin=subprocess.DEVNULL
        )
        if ended.returncode not in allowed:
            raise Failed(f"{' '.join(map(str, command))} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
        return ended

    def apply(self, *options):
        return self("apply", "-auto-approve", "-input=false", "-no-color", *options)

    def destroy(self):
        return self("destroy", "-auto-approve", "-input=false", "-no-color")

    def plan(self):
        """What would be done: `{address: actions}`, with what differs outside of the configuration's reach left out."""
        self("plan", "-input=false", "-no-color", "-out=plan", "-detailed-exitcode", allowed=(0, 2))
        planned = json.loads(self("show", "-json", "plan"))
        changes = {change["address"]: change["change"] for change in planned.get("resource_changes", [])}
        return {address: change for address, change in changes.items() if change["actions"] not in (["no-op"], ["read"])}

    def assert_settled(self):
        """A second plan finds nothing to do."""
        drift = self.plan()
        assert not drift, json.dumps(drift, indent=1)

    def outputs(self):
        return {name: output["value"] for name, output in json.loads(self("output", "-json")).items()}


def version():
    """The version of the provider that the guide pins and scripts/install-test-tools installs."""
    return re.search(r"^tencentcloud=(\S+)", (REPOSITORY / "scripts/install-test-tools").read_text(), re.M).group(1)
