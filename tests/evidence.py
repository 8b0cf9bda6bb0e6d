"""The evidence page: for every action, on separate axes, what a run of these tests has shown. Nothing is added up.

Each cloud's trace is read before it ends. `docs/evidence.md` is written from the traces of a whole run with ROOKERY_EVIDENCE=write; any other whole run
fails where a mark of the committed page is gone. A refusal is never a success.
"""

import json
import urllib.request
from collections import defaultdict

import cloud as clouds

PAGE = clouds.REPOSITORY / "docs/evidence.md"

# (product, action) → axis → set of what was seen.
seen = defaultdict(lambda: defaultdict(set))
contract = {}

AXES = ("tccli", "Python SDK", "rookery call", "hand-signed")


def client(record):
    """Which client sent a request, by its own word (`RequestClient`)."""
    said = record["client"] or ""
    if "_CLI_" in said:
        return "tccli"
    if said.startswith("SDK_PYTHON"):
        return "Python SDK"
    return "rookery call" if said.startswith("rookery") else "hand-signed"


def collect(cloud):
    """Takes the evidence of a running cloud."""
    for action in read(cloud, "actions"):
        contract[action["product"], action["action"]] = action["implemented"]
    for record in read(cloud, "traces/all"):
        if record["product"] is None:
            continue
        marks = seen[record["product"], record["action"]]
        if record["error"] is None:
            marks[client(record)].add(record["signature"])
        elif record["error"]["code"] != "UnsupportedOperation":
            marks["refused"].add(record["error"]["code"])


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
        missing = [action for (of, action), implemented in sorted(contract.items()) if of == product and not implemented]
        lines += [f"**{product}** ({len(missing)}): {', '.join(missing)}", ""]
    return "\n".join(lines)


def lost(committed, fresh):
    """The marks of the committed page that the fresh one no longer has."""
    def marks(text):
        for line in text.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if len(cells) == len(AXES) + 2 and " " in cells[0]:
                for axis, cell in zip((*AXES, "refused"), cells[1:], strict=True):
                    for mark in cell.split():
                        yield cells[0], axis, mark
    return sorted(set(marks(committed)) - set(marks(fresh)))
