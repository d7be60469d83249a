#!/usr/bin/env python3
"""Loads editors/kate/nsl.xml into KSyntaxHighlighting and looks at the colours of tests/editors/colours.nsl.

Run by tests/editors/run: test.py REPOSITORY SCRATCH
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

root, scratch = map(pathlib.Path, sys.argv[1:3])
syntax = scratch / "org.kde.syntax-highlighting" / "syntax"
syntax.mkdir(parents=True, exist_ok=True)
shutil.copy(root / "editors/kate/nsl.xml", syntax)
source = root / "tests/editors/colours.nsl"
environment = {**os.environ, "XDG_DATA_HOME": str(scratch), "QT_QPA_PLATFORM": "offscreen"}
result = subprocess.run(
    ["kate-syntax-highlighter", "-f", "ansi", "--syntax-trace=format", str(source)],
    env=environment, capture_output=True, text=True, check=True, timeout=60,
)
failures = []
# What it does not understand of a definition, it says and goes on.
for line in result.stderr.splitlines():
    if "nsl" in line.lower() or "Unhandled" in line or "unknown" in line.lower():
        failures.append(line)


def styles(trace, text):
    """The style of each column of a line, from the names that hang below it by `|`."""
    starts, names = set(), {}
    for below in trace:
        for at in re.finditer(r"\|", below):
            starts.add(at.start())
        for word in re.finditer(r"[A-Za-z]+", below):
            names[word.start()] = word.group()
    found, current = [], None
    for column in range(len(text)):
        if column in starts or column in names:
            current = names.get(column, current)
        found.append(current)
    return found


# A line of the source, then lines with marks and names.
output = re.sub(r"\x1b\[[0-9;]*[mK]", "", result.stdout).split("\n")
lines = source.read_text().splitlines()
coloured, at = {}, 0
for line in lines:
    while at < len(output) and output[at].rstrip() != line.rstrip():
        at += 1
    if at == len(output):
        sys.exit(f"the output lacks {line!r}:\n" + "\n".join(output))
    end = at + 1
    while end < len(output) and re.fullmatch(r"[|A-Za-z ]*", output[end]) and (output[end].strip() or not line):
        if output[end].rstrip() in lines and output[end].strip():
            break
        end += 1
    coloured.setdefault(line, styles(output[at + 1 : end], line))
    at = end

rows = [row.split("\t") for row in (root / "tests/editors/kate/expected").read_text().splitlines()]
for pattern, style, word in rows:
    line = next(line for line in lines if re.search(pattern, line))
    got = coloured[line][line.index(word)]
    if got != style:
        failures.append(f"{pattern}: {word!r} is {got}, not {style}")
print(f"{len(rows)} colours, {len(failures)} wrong", flush=True)
if failures:
    sys.exit("\n".join(failures))
