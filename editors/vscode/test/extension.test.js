// The bundled extension with a stub for VS Code and the real nsl: run by tests/editors/run, which puts it on the PATH.

const assert = require("node:assert");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const test = require("node:test");
const { load, Uri, Position } = require("./stub.js");

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "nsl-tests-vscode."));
test.after(() => fs.rmSync(dir, { recursive: true }));

function document(name, text) {
  const file = path.join(dir, name);
  fs.writeFileSync(file, text);
  return { uri: Uri.file(file), languageId: "nsl", isDirty: false, getText: () => text, save: async () => true };
}

async function started(settings = {}) {
  const [extension, state] = load({ "nsl.server.enable": false, ...settings });
  await extension.activate({ subscriptions: [] });
  return [extension, state];
}

const GOOD = 'sandbox web {\n  run = ["/bin/true"]\n  user new\n  mnt new {\n    root = host(ro)\n  }\n}\n';

test("what package.json promises is there", async () => {
  const [, state] = await started();
  const { contributes } = require("../package.json");
  // Lenses ask for these, people do not.
  const lenses = ["nsl.check", "nsl.plan", "nsl.run"];
  const shown = [...state.commands.keys()].filter((it) => !lenses.includes(it));
  assert.deepStrictEqual(shown.sort(), contributes.commands.map((it) => it.command).sort());
  assert.strictEqual(state.tasks.type, contributes.taskDefinitions[0].type);
  assert.ok(state.listens("onDidSaveTextDocument"));
  for (const file of require("../package.json").files) {
    assert.ok(fs.existsSync(path.join(__dirname, "..", file)), file);
  }
});

test("findings on save, and their end", async () => {
  const [, state] = await started();
  const wrong = document("wrong.nsl", 'sandbox web {\n  hostnam = "x"\n}\n');
  await state.fire("onDidSaveTextDocument", wrong);
  const found = state.diagnostics.get(wrong.uri.fsPath);
  const one = found.find((it) => it.code === "unknown-key");
  assert.strictEqual(one.severity, 0);
  assert.deepStrictEqual([one.range.start.line, one.range.start.character, one.range.end.character], [1, 2, 9]);
  assert.strictEqual(one.source, "nsl");
  assert.match(one.message, /hostnam/);
  const right = document("wrong.nsl", GOOD);
  await state.fire("onDidSaveTextDocument", right);
  assert.deepStrictEqual((state.diagnostics.get(right.uri.fsPath) ?? []).filter((it) => it.severity === 0), []);
});

test("what the server has said is not said again", async () => {
  const [, state] = await started();
  const wrong = document("twice.nsl", 'sandbox web {\n  hostnam = "x"\n}\n');
  state.foreign.set(wrong.uri.fsPath, [{ code: "nsl::unknown-key", range: { start: new Position(1, 2) } }]);
  await state.fire("onDidSaveTextDocument", wrong);
  assert.deepStrictEqual(state.diagnostics.get(wrong.uri.fsPath).filter((it) => it.code === "unknown-key"), []);
});

test("checks on save can be switched off", async () => {
  const [, state] = await started({ "nsl.check.onSave": "off" });
  await state.fire("onDidSaveTextDocument", document("off.nsl", "sandbox web {\n"));
  assert.strictEqual(state.diagnostics.size, 0);
});

test("a plan", async () => {
  const [, state] = await started();
  state.editor = { document: document("plan.nsl", GOOD) };
  await state.commands.get("nsl.showPlan")();
  assert.strictEqual(state.shown.length, 1);
  assert.match(state.shown[0].uri.path, /^\/Plan of plan/);
  assert.match(state.shown[0].text, /web/);
});

test("one of several sandboxes is picked", async () => {
  const [, state] = await started();
  state.editor = { document: document("two.nsl", GOOD + GOOD.replace("web", "other")) };
  state.pick = "other";
  await state.commands.get("nsl.showEffectivePolicy")();
  assert.deepStrictEqual(state.picked, [["web", "other"]]);
  assert.match(state.shown[0].text, /^sandbox other/m);
  assert.doesNotMatch(state.shown[0].text, /^sandbox web/m);
  state.pick = undefined;
  await state.commands.get("nsl.showEffectivePolicy")();
  assert.strictEqual(state.shown.length, 1);
});

test("parameters come from the settings", async () => {
  const [, state] = await started({ "nsl.parameters": { dir: "/srv" } });
  const text = `param dir: path\n${GOOD.replace("user new", "cwd = $dir\n  user new")}`;
  state.editor = { document: document("param.nsl", text) };
  await state.commands.get("nsl.showEffectivePolicy")();
  assert.strictEqual(state.shown[0].language, "nsl");
  assert.match(state.shown[0].text, /cwd = \/srv/);
});

test("what stands in the way of a plan is shown in its place", async () => {
  const [, state] = await started();
  state.editor = { document: document("no.nsl", 'sandbox web {\n  hostnam = "x"\n}\n') };
  await state.commands.get("nsl.showPlan")();
  assert.match(state.shown[0].uri.path, /findings/);
  assert.match(state.shown[0].text, /unknown-key/);
});

test("the page behind the finding under the cursor", async () => {
  const [, state] = await started();
  const here = document("explain.nsl", GOOD);
  state.editor = { document: here, selection: { active: new Position(1, 3) } };
  state.foreign.set(here.uri.fsPath, [
    { source: "nsl", code: "unused-let", range: { contains: (at) => at.line === 1, start: new Position(1, 0) } },
  ]);
  await state.commands.get("nsl.explainFinding")();
  assert.match(state.shown[0].text, /unused-let/);
});

test("a program that is not there is said once, with what to do", async () => {
  const [, state] = await started({ "nsl.path": "/nowhere/nsl" });
  const policy = document("missing.nsl", GOOD);
  await state.fire("onDidSaveTextDocument", policy);
  await state.fire("onDidSaveTextDocument", policy);
  assert.strictEqual(state.errors.length, 1);
  assert.match(state.errors[0], /nsl\.path/);
});

test("a server that is not there is said, with what to do", async () => {
  const [, state] = await started({ "nsl.server.enable": true, "nsl.path": "/nowhere/nsl" });
  assert.match(state.errors[0], /nsl\.path/);
});

test("tasks", async () => {
  const [, state] = await started();
  const tasks = state.tasks.provider.provideTasks();
  const check = tasks.find((it) => it.name === "check");
  assert.deepStrictEqual(check.execution.args, ["check", "--format", "short", "${file}"]);
  assert.deepStrictEqual(check.problemMatchers, ["$nsl"]);
  const own = state.tasks.provider.resolveTask({ definition: { type: "nsl", command: "plan", file: "a.nsl", args: ["--json"] } });
  assert.deepStrictEqual(own.execution.args, ["plan", "--json", "a.nsl"]);
  assert.strictEqual(state.tasks.provider.resolveTask({ definition: { type: "nsl" } }), undefined);
});

test("the problem matcher reads what nsl check prints", () => {
  const { execFileSync } = require("node:child_process");
  const { pattern } = require("../package.json").contributes.problemMatchers[0];
  const wrong = document("match.nsl", 'sandbox web {\n  hostnam = "x"\n}\n');
  let output = "";
  try {
    execFileSync("nsl", ["check", "--format", "short", wrong.uri.fsPath]);
  } catch (error) {
    output = String(error.stdout);
  }
  const found = output.split("\n").map((it) => new RegExp(pattern.regexp).exec(it)).filter(Boolean);
  const one = found.find((it) => it[pattern.code] === "unknown-key");
  assert.deepStrictEqual(
    [one[pattern.file], one[pattern.line], one[pattern.column], one[pattern.severity]],
    [wrong.uri.fsPath, "2", "3", "error"],
  );
});

test("every snippet is a policy, or a part of one", () => {
  const { execFileSync } = require("node:child_process");
  for (const [name, snippet] of Object.entries(require("../snippets/nsl.json"))) {
    const text = snippet.body
      .join("\n")
      .replace(/\$\{\d+\|([^,|]*)[^|]*\|\}/g, "$1")
      .replace(/\$\{\d+:((?:[^{}]|\$\{\d+:[^}]*\})*)\}/g, "$1")
      .replace(/\$\{\d+:([^{}]*)\}/g, "$1")
      .replace(/(?<!\\)\$\d+/g, "")
      .replace(/\\\$/g, "$");
    const whole = /^(sandbox|use|profile|pod|param|##)/.test(text) ? text : `profile p(memory: size) {\n${text}\n}`;
    // Only what can be read is laid out.
    execFileSync("nsl", ["fmt", "-"], { input: `${whole}\n`, stdio: ["pipe", "pipe", "pipe"] });
    assert.ok(name.length > 0);
  }
});

test("the language server is started, restarted and stopped", async () => {
  const log = path.join(dir, "server.log");
  process.env.NSL_TEST_LOG = log;
  const [extension, state] = await started({ "nsl.server.enable": true, "nsl.path": path.join(__dirname, "server.js") });
  assert.deepStrictEqual(state.errors, []);
  await state.commands.get("nsl.restartServer")();
  await extension.deactivate();
  const told = fs.readFileSync(log, "utf8").trim().split("\n");
  const count = (line) => told.filter((it) => it === line).length;
  assert.strictEqual(count("lsp"), 2);
  assert.strictEqual(count("initialize"), 2);
  assert.strictEqual(count("shutdown"), 2);
  assert.strictEqual(count("lenses nsl.run,nsl.plan,nsl.check"), 2);
});

test("the language server of nsl is started and stopped", async (t) => {
  const { spawnSync } = require("node:child_process");
  if (spawnSync("nsl", ["lsp", "--help"]).status !== 0) {
    return t.skip("this nsl has no language server");
  }
  const [extension, state] = await started({ "nsl.server.enable": true });
  assert.deepStrictEqual(state.errors, []);
  assert.ok(state.commands.has("nsl.explain"), "the server performs no command");
  await extension.deactivate();
});

test("what lenses ask for", async () => {
  const [, state] = await started({ "nsl.parameters": { a: "1" } });
  const policy = document("lens.nsl", GOOD);
  const uri = policy.uri.toString();
  await state.commands.get("nsl.run")(uri, "web");
  await state.commands.get("nsl.check")(uri, "web");
  const told = state.performed.map((it) => it.execution.args);
  assert.deepStrictEqual(told, [
    ["run", "--set", "a=1", policy.uri.fsPath, "web"],
    ["check", "--format", "short", "--host", "--set", "a=1", policy.uri.fsPath],
  ]);
  state.settings["nsl.parameters"] = {};
  await state.commands.get("nsl.plan")(uri, "web");
  assert.match(state.shown[0].text, /web/);
});
