#!/usr/bin/env python3
"""Looks into the package of the extension: vsix.py FILE"""

import json
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as package:
    names = {name.removeprefix("extension/") for name in package.namelist() if name.startswith("extension/")}
    manifest = json.loads(package.read("extension/package.json"))
    for language in manifest["contributes"]["languages"]:
        assert language["configuration"].removeprefix("./") in names, language
    for grammar in manifest["contributes"]["grammars"]:
        grammar = grammar["path"].removeprefix("./")
        assert grammar in names, grammar
        json.loads(package.read(f"extension/{grammar}"))
    assert manifest["main"].removeprefix("./") in names, manifest["main"]
    lower = {name.lower() for name in names}
    for name in ["readme.md", "changelog.md", "icon.svg"]:
        assert name in lower, f"{name} is not among {sorted(lower)}"
    assert any(name.startswith("license") for name in lower), sorted(lower)
    sources = [name for name in names if name.startswith(("src/", "test/", "node_modules/"))]
    assert not sources, f"what only developers need is in the package: {sources[:5]}"
    size = sum(item.file_size for item in package.infolist())
    assert size < 2 << 20, f"{size} bytes"
    print(f"{len(names)} files, {size} bytes")
