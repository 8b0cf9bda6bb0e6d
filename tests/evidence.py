"""The evidence page: for every action, on separate axes, what a run of these tests has shown. Nothing is added up.

Each cloud's trace is read before it ends. `docs/evidence.md` is written from the traces of a whole run with
ROOKERY_EVIDENCE=write; any other whole run fails where a mark of the committed page is gone. Every whole run fails where an
action that is implemented never answered an official client, never refused although it can, or has no life cycle (`lifecycle.py`)
although it can. A refusal is never a success.
"""

import json
import urllib.request
from collections import defaultdict

import cloud as clouds
import lifecycle

PAGE = clouds.REPOSITORY / "docs/evidence.md"

# (product, action) → axis → set of what was seen.
seen = defaultdict(lambda: defaultdict(set))
contract = {}
# Why an action will not be implemented, in the words of its refusal.
reasons = {}
run = lifecycle.Run()

# How the SDKs of the platform's languages begin to name themselves. tccli stands on Python's and adds its own name, except where it still signs with v1.
SDKS = {"SDK_PYTHON": "Python SDK", "SDK_NODEJS": "Node SDK", "SDK_GO": "Go SDK", "SDK_JAVA": "Java SDK"}
TCCLI_V1 = "SDK_PYTHON_3.0.1148"

# Terraform's provider. Not every machine can have it: a run without it loses none of its marks, and it closes no gap.
TERRAFORM = "Terraform"

AXES = ("tccli", *SDKS.values(), TERRAFORM, "rookery call", "hand-signed")
OFFICIAL = ("tccli", *SDKS.values())

# Implemented actions that refuse nothing which the gateway lets through, and why. One that does refuse has to leave this table.
NO_PARAMETERS = "it has no parameters, and only a missing permission refuses it"
CANNOT_REFUSE = {
    ("cam", "DescribeSafeAuthFlag"): NO_PARAMETERS,
    ("cam", "DescribeSafeAuthFlagIntl"): NO_PARAMETERS,
    ("cam", "DescribeUserSAMLConfig"): NO_PARAMETERS,
    ("cam", "GetAccountSummary"): NO_PARAMETERS,
    ("cam", "GetPasswordRules"): NO_PARAMETERS,
    ("cam", "GetUserAppId"): NO_PARAMETERS,
    ("cam", "ListSAMLProviders"): NO_PARAMETERS,
    ("cam", "ListUsers"): NO_PARAMETERS,
    ("kms", "DescribeWhiteBoxServiceStatus"): "it has no parameters, and everybody can have white-box keys",
    ("kms", "GetRegions"): "it has no parameters, and every caller may read the regions",
    ("kms", "GetServiceStatus"): "it has no parameters, and the service is open to everybody",
    ("kms", "ListAlgorithms"): "it has no parameters, and every region has algorithms",
    ("mariadb", "DescribeSaleInfo"): "it has no parameters, and every caller may read what is on sale",
    ("sts", "GetCallerIdentity"): "it has no parameters, and who asks is known by then",
    ("tcr", "CheckInstance"): "an id that is nobody's is an answer: `IsValidated` is false",
    ("tcr", "CheckInstanceName"): "what is wrong with a name is an answer: `DetailCode`",
    ("tcr", "DescribeInstanceStatus"): "an id that is nobody's is left out of the answer",
    ("tcr", "TerminateGCJob"): "an id that is nobody's is `InternalError`, the only code that its model has, and which counts for nothing",
    ("tcr", "DescribeRegions"): "it has no parameters, and every caller may read the regions",
}


def client(record):
    """Which client sent a request, by its own word (`RequestClient`)."""
    said = record["client"] or ""
    if "_CLI_" in said or said == TCCLI_V1:
        return "tccli"
    for name, axis in SDKS.items():
        if said.startswith(f"{name}_"):
            return axis
    if said.startswith("Terraform-"):
        return TERRAFORM
    return "rookery call" if said.startswith("SDK_RUST_ROOKERY") else "hand-signed"


def collect(cloud):
    """Takes the evidence of a running cloud."""
    for action in read(cloud, "actions"):
        contract[action["product"], action["action"]] = action["implemented"]
        if action["unsupported"]:
            reasons[action["product"], action["action"]] = action["unsupported"]
    records = read(cloud, "traces/all")
    # What Terraform's provider did closes no gap here either.
    run.add(cloud, [record for record in records if client(record) != TERRAFORM], refused_by_the_action)
    for record in records:
        if record["product"] is None:
            continue
        marks = seen[record["product"], record["action"]]
        if record["error"] is None:
            marks[client(record)].add(record["signature"])
        elif refused_by_the_action(record):
            marks["refused"].add(record["error"]["code"])


def refused_by_the_action(record):
    """Whether an error is a business refusal. What the gateway refuses never comes as far as the permission."""
    code, message = record["error"]["code"], record["error"]["message"]
    ran = record["permission"] is not None and "UnauthorizedOperation" not in code
    # Neither a failure of ours nor what Rookery does not implement yet is a refusal of the platform's.
    return ran and code != "InternalError" and not message.startswith("Rookery ")


def read(cloud, page):
    with urllib.request.urlopen(f"{cloud.endpoints['http']}/_rookery/{page}", timeout=clouds.DEADLINE) as reply:
        return json.load(reply)


def page():
    lines = [
        "# Evidence",
        "",
        "What the tests in `tests/` have shown of each action, written by `make evidence` from the traces of their clouds. The axes are never added up. *Answered* names the",
        "signatures under which that client got a reply that is not an error; *refused* lists the business errors that were provoked. What is not in the first table answers `UnsupportedOperation`.",
        "",
        "| action | " + " | ".join(f"answered: {axis}" for axis in AXES) + " | refused |",
        "|---|" + "---|" * (len(AXES) + 1),
    ]
    for (product, action), implemented in sorted(contract.items()):
        if implemented:
            marks = seen[product, action]
            cells = [" ".join(sorted(marks[axis])) for axis in (*AXES, "refused")]
            lines.append(f"| {product} {action} | " + " | ".join(cells) + " |")
    lines += ["", "## Not implemented", ""]
    for product in sorted({product for product, _ in contract}):
        missing = [name for name, implemented in sorted(contract.items()) if name[0] == product and not implemented]
        lines += [f"**{product}** ({len(missing)}): {', '.join(action for _, action in missing)}", ""]
    lines += ["## Cannot be real on one machine", "", "These are among the above. Their refusals say why.", ""]
    lines += [f"- {' '.join(name)}: {reason}" for name, reason in sorted(reasons.items())]
    lines.append("")
    return "\n".join(lines)


def gaps():
    """What a whole run should have shown and has not, in words."""
    for name, implemented in sorted(contract.items()):
        if not implemented:
            continue
        action, marks = " ".join(name), seen[name]
        if not any(marks[axis] for axis in OFFICIAL):
            yield f"{action}: never answered an official client"
        if name in CANNOT_REFUSE and marks["refused"]:
            codes = " ".join(sorted(marks["refused"]))
            yield f"{action}: refused with {codes}, and is said to refuse nothing: {CANNOT_REFUSE[name]}"
        if name not in CANNOT_REFUSE and not marks["refused"]:
            yield f"{action}: never refused anything"
    for name in CANNOT_REFUSE:
        if not contract.get(name):
            yield f"{' '.join(name)}: is said to refuse nothing, and is not implemented"
    registered = {name for name, implemented in contract.items() if implemented}
    yield from lifecycle.gaps(registered, run.complete(), lifecycle.WITHOUT)


def lost(committed, fresh):
    """The marks of the committed page that the fresh one no longer has."""
    def marks(text):
        axes = []
        for line in text.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if cells[0] == "action":
                # A page of before an axis came has a column less.
                axes = [axis.removeprefix("answered: ") for axis in cells[1:]]
            elif " " in cells[0] and len(cells) == len(axes) + 1:
                for axis, cell in zip(axes, cells[1:], strict=True):
                    for mark in cell.split():
                        yield cells[0], axis, mark
    shown = set(marks(fresh))
    absent = {TERRAFORM} - {axis for _, axis, _ in shown}
    return sorted(mark for mark in set(marks(committed)) - shown if mark[1] not in absent)
