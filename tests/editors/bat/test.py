#!/usr/bin/env python3
"""Compiles editors/bat/nsl.sublime-syntax into bat, and looks at the colours of tests/editors/colours.nsl.

Run by tests/editors/run: test.py REPOSITORY SCRATCH BAT
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

root, scratch, bat = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
syntaxes = scratch / "source" / "syntaxes"
syntaxes.mkdir(parents=True, exist_ok=True)
shutil.copy(root / "editors/bat/nsl.sublime-syntax", syntaxes)
environment = {**os.environ, "XDG_CACHE_HOME": str(scratch / "cache"), "BAT_CONFIG_PATH": "/dev/null"}


def run(*args):
    return subprocess.run(
        [bat, *args], env=environment, capture_output=True, text=True, check=True, timeout=120, stdin=subprocess.DEVNULL
    ).stdout


run("cache", "--build", "--source", str(scratch / "source"))
source = root / "tests/editors/colours.nsl"
output = run("--color=always", "--style=plain", "--paging=never", "--theme=Monokai Extended", str(source))

lines, colours = [], []
for line in output.splitlines():
    text, columns, colour = "", [], None
    for escape, char in re.findall(r"\x1b\[([0-9;]*)m|(.)", line):
        if char:
            text += char
            columns.append(colour)
        else:
            colour = escape.split(";")[-1] if escape.startswith("38;5;") else None
    lines.append(text)
    colours.append(columns)
if lines != source.read_text().splitlines():
    sys.exit("bat changes the text")

failures = []
rows = [row.split("\t") for row in (root / "tests/editors/bat/expected").read_text().splitlines()]
for pattern, wanted, word in rows:
    at = next(at for at, line in enumerate(lines) if re.search(pattern, line))
    got = colours[at][lines[at].index(word)]
    if got != wanted:
        failures.append(f"{pattern}: {word!r} has colour {got}, not {wanted}")
print(f"{len(rows)} colours, {len(failures)} wrong", flush=True)
if failures:
    sys.exit("\n".join(failures))
