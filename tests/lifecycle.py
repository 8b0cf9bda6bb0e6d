"""Life cycles: which actions the tests have followed to where their effect shows, judged by the traces of the clouds alone.

A cloud's trace is cut into tests by the marks that `mark` leaves in it. A life cycle is a pair of calls of one test, of one product
and one account (an assertion is nobody's yet): a change that answered, and after it a call that only reads and is about the same
thing. It is about the same thing if

- it names what the change named, or
- it names what nobody had named before the change, or is signed with such a key, and the change was one that makes something (`MAKES`),
  whose name its reply tells, or
- it is of an action that never names anything in the whole run, and so is about all there is of its kind: the last word of its own name,
  which the change's name has too (`DeleteMessageReceiver`, `ListReceiver`).

A change counts once a reading shows it, where a refusal of the reading's own counts too: that is how a deletion shows. A reading
counts once it has answered and shown a change. What an action only gives back (`GIVES`) shows no other way than the second.
"""

import json
import re
import urllib.request
from collections import defaultdict
from contextlib import suppress
from typing import NamedTuple
from urllib.error import URLError

# Actions that leave everything as it is. Every other one changes something, or gives something that is new.
READS = re.compile(r"(Describe|List|Get|Query|Check|Verify|Decrypt|Download|Search)|.*(Decrypt|Verify)$")

# Actions whose replies tell the name of what they have made.
MAKES = re.compile(r"Add|Apply|Build|Clone|Copy|Create|Duplicate|Import|Put|Upload")

# Actions whose whole effect is their reply.
GIVES = re.compile(r"(PostQuantumCrypto)?(Encrypt|ReEncrypt|Sign|GenerateDataKey)|AssumeRole|GetFederationToken|GetSessionToken")

# Implemented actions that can have no life cycle by these rules, and why. One that has it nevertheless has to leave this table.
FIXED = "it shows what no action changes"
WITHOUT = {
    ("cam", "DisableUserSSO"): "it is for two kinds of settings at once, and shows in DescribeUserSAMLConfig and DescribeUserOIDCConfig",
    ("cam", "GetAccountSummary"): "it counts things of five kinds and names none",
    ("kms", "DescribeWhiteBoxServiceStatus"): FIXED,
    ("kms", "GenerateRandom"): "its reply is all there is of it, and no action takes it",
    ("kms", "GetRegions"): FIXED,
    ("kms", "GetServiceStatus"): FIXED,
    ("kms", "ListAlgorithms"): FIXED,
    ("mariadb", "DescribeDBInstanceSpecs"): FIXED,
    ("mariadb", "DescribeSaleInfo"): FIXED,
}

# A value that more tests use than these is a word of the API or a thing that tests share, and no name of what one of them made.
SHARED = 3

MARK = "test "


class Call(NamedTuple):
    """One call, as far as a life cycle asks for it."""

    product: str
    action: str
    account: int | None
    signer: str | None
    names: frozenset
    answered: bool
    refused: bool

    @property
    def name(self):
        return self.product, self.action

    @property
    def kind(self):
        """The last word of the action's name in the singular, whichever platform or user it is for."""
        return re.search(r"([A-Z]+[a-z]*?)s?(Intl|Coll)?$", self.action)[1]

    @property
    def reads(self):
        return bool(READS.match(self.action)) and not self.gives

    @property
    def makes(self):
        return bool(MAKES.match(self.action)) or self.gives

    @property
    def gives(self):
        return bool(GIVES.match(self.action))


def mark(cloud, test):
    """Leaves the name of the test that begins in the trace of a cloud: an unsigned request, which the trace keeps like any other."""
    request = urllib.request.Request(cloud.endpoints["http"], headers={"X-TC-RequestClient": MARK + test})
    with suppress(URLError, OSError):  # one that is ending, or was stopped on purpose, keeps no trace either
        urllib.request.urlopen(request, timeout=5).close()


class Run:
    """The calls of a whole run, by cloud and test."""

    def __init__(self):
        self.clouds = defaultdict(list)

    def add(self, cloud, records, refused):
        """Takes the trace of a process of a cloud, newest first. `refused` tells whether the action itself refused."""
        calls, test = self.clouds[cloud.data], cloud.test
        for record in reversed(records):
            said = record["client"] or ""
            if said.startswith(MARK):
                test = said.removeprefix(MARK)
            elif record["product"] is not None:
                answered = record["error"] is None
                who = record["account"], record["secret_id"]
                call = Call(record["product"], record["action"], *who, names(record), answered, not answered and refused(record))
                calls.append((test, call))

    def complete(self):
        """The actions, by product and name, of which the run has a life cycle."""
        words = self._words()
        naming = {call.name for calls in self.clouds.values() for _, call in calls if call.answered and call.names - words}
        return {name for calls in self.clouds.values() for name in pairs(calls, words, naming)}

    def _words(self):
        users = defaultdict(set)
        for cloud, calls in self.clouds.items():
            for test, call in calls:
                for name in call.names:
                    users[name].add((cloud, test))
        return {name for name, tests in users.items() if len(tests) > SHARED}


def gaps(registered, complete, exempt):
    """What is wrong with the life cycles of a whole run, in words."""
    for name in sorted(registered - complete - set(exempt)):
        yield f"{' '.join(name)}: has no life cycle (tests/lifecycle.py)"
    for name, reason in sorted(exempt.items()):
        if name not in registered:
            yield f"{' '.join(name)}: is said to have no life cycle, and is not implemented"
        elif name in complete:
            yield f"{' '.join(name)}: has a life cycle, and is said to have none: {reason}"


def pairs(calls, words, naming):
    """The actions of one cloud's calls that are one half of a life cycle."""
    known, tests = {}, defaultdict(list)
    for at, (test, call) in enumerate(calls):
        own = call.names - words
        for name in (*own, call.signer):
            known.setdefault(name, at)
        tests[test].append((at, call, own))
    found = set()
    for steps in tests.values():
        changes = [step for step in steps if step[1].answered and not step[1].reads]
        for after, reading, shown in steps:
            if not reading.reads or not (reading.answered or reading.refused):
                continue
            for at, change, named in changes:
                if at > after or change.product != reading.product or change.account not in (None, reading.account):
                    continue
                told = change.makes and any(known[name] > at for name in (*shown, reading.signer))
                if told or not change.gives and (shown & named or reading.name not in naming and reading.kind == change.kind):
                    found.add(change.name)
                    if reading.answered:
                        found.add(reading.name)
    return found


def names(record):
    """Whatever in a call can be the name of something: the texts and numbers of some length."""
    found, parameters = set(), record["parameters"]
    if isinstance(parameters, str):  # it was cut
        texts = re.findall(r'"((?:[^"\\]|\\.)*)["…]', parameters)
        return frozenset(text for text in texts if len(text) > 3)
    pending = [parameters]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, str) and len(value) > 3 or isinstance(value, int) and value > 999:
            found.add(str(value))
    return frozenset(found)
