#!/usr/bin/python3
"""What stands around the editor, run for real: the pre-commit hooks, the step for GitHub Actions, the jobs for GitLab;
and the settings of Helix.

Run by tests/editors/run, with nsl on the PATH: test.py REPOSITORY SCRATCH
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tomllib

import yaml

root, scratch = map(pathlib.Path, sys.argv[1:3])
scratch.mkdir(parents=True, exist_ok=True)
GOOD = 'sandbox a {\n  run = ["/bin/true"]\n  user new\n  mnt new {\n    root = host(ro)\n  }\n}\n'
WRONG = GOOD.replace("user new", 'hostnam = "x"')
UNTIDY = GOOD.replace("  user", "      user")
WARNS = "let unused = 5\n" + GOOD


def run(*args, cwd, **environment):
    return subprocess.run(
        args, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120,
        stdin=subprocess.DEVNULL,
    )


def folder(name, **files):
    """A folder with these policies."""
    path = scratch / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    for file, text in files.items():
        (path / f"{file}.nsl").write_text(text)
    return path


def check(condition, output):
    if not condition:
        raise AssertionError(f"{output.args}: {output.returncode}\n{output.stdout}\n{output.stderr}")


def git(path):
    """Makes a repository of a folder; the result is its only commit."""
    who = {f"GIT_{role}_{what}": "test@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for args in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "test"]):
        done = run("git", *args, cwd=path, **who)
        check(done.returncode == 0, done)
    return run("git", "rev-parse", "HEAD", cwd=path).stdout.strip()


def pre_commit():
    hooks = folder("hooks")
    shutil.copy(root / ".pre-commit-hooks.yaml", hooks)
    listed = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text())
    assert {hook["id"] for hook in listed} == {"nsl-check", "nsl-fmt", "nsl-check-system", "nsl-fmt-system"}
    commit = git(hooks)
    home = {"PRE_COMMIT_HOME": str(scratch / "pre-commit")}
    for name, text, hook, status, said in [
        ("right", GOOD, "nsl-check-system", 0, "Passed"),
        ("wrong", WRONG, "nsl-check-system", 1, "unknown-key"),
        ("tidy", GOOD, "nsl-fmt-system", 0, "Passed"),
        ("untidy", UNTIDY, "nsl-fmt-system", 1, "files were modified"),
    ]:
        project = folder(f"project-{name}", policy=text)
        (project / "notes.txt").write_text("no policy\n")
        config = {"repos": [{"repo": str(hooks), "rev": commit, "hooks": [{"id": "nsl-check-system"}, {"id": "nsl-fmt-system"}]}]}
        (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
        git(project)
        done = run("pre-commit", "run", hook, "--all-files", "--color=never", cwd=project, **home)
        check(done.returncode == status and said in done.stdout, done)
        assert name != "untidy" or (project / "policy.nsl").read_text() == GOOD
    # Those that build nsl are taken for what they are; building takes minutes.
    done = run("pre-commit", "validate-manifest", ".pre-commit-hooks.yaml", cwd=root, **home)
    check(done.returncode == 0, done)


def github():
    action = yaml.safe_load((root / "editors/github/action.yml").read_text())
    steps = action["runs"]["steps"]
    assert action["runs"]["using"] == "composite" and all("shell" in step for step in steps)
    (step,) = [step for step in steps if step.get("id") == "check"]
    used = {value.removeprefix("${{ inputs.").removesuffix(" }}") for value in step["env"].values()}
    assert used == set(action["inputs"]), used ^ set(action["inputs"])
    for output in action["outputs"].values():
        assert output["value"].startswith("${{ steps.check.outputs."), output
    for text in [step["run"] for step in steps]:
        done = run("bash", "-n", "-c", text, cwd=root)
        check(done.returncode == 0, done)

    def perform(path, **inputs):
        defaults = {key: action["inputs"][value[len("${{ inputs."):-len(" }}")]]["default"] for key, value in step["env"].items()}
        (path / "output").write_text("")
        done = run("bash", "-c", step["run"], cwd=path, **{**defaults, **inputs},
                   GITHUB_ACTION_PATH=str(root / "editors/github"), GITHUB_OUTPUT=str(path / "output"))
        return done, (path / "output").read_text()

    done, output = perform(folder("gh-good", a=GOOD))
    check(done.returncode == 0 and "::error" not in done.stdout and output == "errors=0\nwarnings=0\n", done)
    done, output = perform(folder("gh-wrong", a=WRONG), NSL_SARIF="nsl.sarif")
    check(done.returncode == 2 and "::error file=a.nsl,line=3" in done.stdout and "errors=1\n" in output, done)
    log = json.loads((scratch / "gh-wrong/nsl.sarif").read_text())
    assert any(it["ruleId"] == "unknown-key" for it in log["runs"][0]["results"]), log
    done, output = perform(folder("gh-warns", a=WARNS))
    check(done.returncode == 0 and "::warning" in done.stdout and "warnings=1\n" in output, done)
    done, _ = perform(folder("gh-deny", a=WARNS), NSL_DENY_WARNINGS="true")
    check(done.returncode == 1, done)
    done, _ = perform(folder("gh-untidy", **{"a,b": UNTIDY, "c d": GOOD}))
    check(done.returncode == 1 and "::error file=a%2Cb.nsl,title=nsl fmt::" in done.stdout, done)
    assert done.stdout.count("nsl fmt::") == 1, done.stdout
    done, _ = perform(folder("gh-layout-unasked", a=UNTIDY), NSL_FORMAT="false")
    check(done.returncode == 0, done)
    done, _ = perform(folder("gh-target", a=GOOD), NSL_TARGETS="debian-12 kernel-5.10")
    check(done.returncode == 2 and "kernel-5.10" in done.stdout, done)
    done, _ = perform(folder("gh-no-target", a=GOOD), NSL_TARGETS="no-such-host")
    check(done.returncode == 2 and "no-such-host" in done.stdout + done.stderr, done)


def gitlab():
    jobs = yaml.safe_load((root / "editors/gitlab/nsl.yml").read_text())

    def perform(job, path, **variables):
        environment = {**jobs["variables"], **variables}
        script = "set -eo pipefail\n" + "\n".join(jobs[".nsl"]["before_script"] + jobs[job]["script"])
        return run("bash", "-c", script, cwd=path, **environment)

    for name in ("nsl-check", "nsl-fmt"):
        assert jobs[name]["extends"] == ".nsl" and ".nsl" in jobs
    path = folder("gl-wrong", a=WRONG)
    done = perform("nsl-check", path)
    check(done.returncode == 2 and "a.nsl:3:3: error[unknown-key]" in done.stdout, done)
    report = json.loads((path / jobs["nsl-check"]["artifacts"]["reports"]["codequality"]).read_text())
    (finding,) = [it for it in report if it["check_name"] == "unknown-key"]
    assert finding["severity"] == "critical" and finding["location"] == {"path": "a.nsl", "lines": {"begin": 3, "end": 3}}
    assert len({it["fingerprint"] for it in report}) == len(report)
    for artifact in jobs["nsl-check"]["artifacts"]["paths"]:
        assert json.loads((path / artifact).read_text())["version"] == "2.1.0"
    done = perform("nsl-check", folder("gl-good", a=GOOD))
    check(done.returncode == 0, done)
    done = perform("nsl-fmt", folder("gl-untidy", a=UNTIDY))
    check(done.returncode == 1 and "+  user new" in done.stdout, done)
    done = perform("nsl-fmt", folder("gl-tidy", a=GOOD))
    check(done.returncode == 0, done)


def helix():
    """Helix itself is not in Debian; a Rust test compiles the queries."""
    settings = tomllib.loads((root / "editors/helix/languages.toml").read_text())
    (language,) = settings["language"]
    assert language["name"] == "nsl" and language["file-types"] == ["nsl"] and language["scope"] == "source.nsl"
    for server in language["language-servers"]:
        assert settings["language-server"][server] == {"command": "nsl", "args": ["lsp"]}, server
    (grammar,) = settings["grammar"]
    assert grammar["name"] == "nsl" and grammar["source"]["path"].endswith("editors/tree-sitter-nsl")
    formatter = language["formatter"]
    done = subprocess.run([formatter["command"], *formatter["args"]], input=UNTIDY, capture_output=True, text=True)
    check(done.returncode == 0 and done.stdout == GOOD, done)
    names = {path.name for path in (root / "editors/helix/queries/nsl").iterdir()}
    assert names >= {"highlights.scm", "indents.scm", "injections.scm", "locals.scm", "tags.scm", "textobjects.scm"}


for part in (pre_commit, github, gitlab, helix):
    part()
    print(f"{part.__name__}: ok", flush=True)
