"""Completion: what each shell offers after what was typed."""

import subprocess

import pytest

import tools
from cloud import BINARY, DEADLINE, clean_environment, rookery

ASKS = {
    "bash": """
source <(rookery completion bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_rookery
printf '%s\\n' "${COMPREPLY[@]}"
""",
    # `compadd` takes words outside of the line editor too where it is a function.
    "zsh": """
compdef() { registered="$*" }
compadd() { print -rl -- "${found[@]}" }
_files() { print FILES }
source <(rookery completion zsh)
[[ $registered == "_rookery rookery" ]] || exit 3
words=("$@") CURRENT=$#
_rookery
""",
    "fish": """
rookery completion fish | source
complete --do-complete="$argv"
""",
}


def offered(shell, *words):
    path = f"{BINARY.resolve().parent}:{clean_environment()['PATH']}"
    tool = tools.require(shell) if shell != "bash" else "bash"
    flag = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    first = ["ask"] if shell != "fish" else []
    # One word for fish, which splits its line itself.
    typed = words if shell != "fish" else [" ".join(words)]
    ended = subprocess.run(
        [tool, *flag, "-c", ASKS[shell], *first, *typed],
        capture_output=True, text=True, timeout=DEADLINE, env=clean_environment(PATH=path, HOME="/nonexistent"),
    )
    assert ended.returncode == 0, ended.stderr
    return [line.split("\t")[0] for line in ended.stdout.splitlines() if line]


@pytest.mark.parametrize("shell", ASKS)
def test_each_shell_offers_commands_products_actions_and_parameters(shell):
    assert offered(shell, "rookery", "comp") == ["completion"]
    assert offered(shell, "rookery", "call", "st") == ["sts"]
    assert offered(shell, "rookery", "call", "tcr", "CreateSignaturePol") == ["CreateSignaturePolicy"]
    found = offered(shell, "rookery", "call", "tcr", "Desc")
    assert len(found) > 20 and all(word.startswith("Describe") for word in found)
    assert offered(shell, "rookery", "call", "tcr", "DescribeInstances", "--Off") == ["--Offset"]
    assert set(offered(shell, "rookery", "call", "tcr", "DescribeInstances", "--AllRegion", "")) == {"true", "false"}


def test_an_unknown_shell_is_refused():
    ended = rookery("completion", "tcsh", check=False)
    assert ended.returncode != 0 and "tcsh" in ended.stderr
