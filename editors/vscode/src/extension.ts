// Wires everything up. What a policy means is the server's and the command's to know; nothing of it is here.

import * as vscode from "vscode";
import { LanguageClient, type LanguageClientOptions, type ServerOptions } from "vscode-languageclient/node";
import { CheckOnSave } from "./check";
import { missing, program, run } from "./command";
import { perform, provider } from "./tasks";
import { Views, explain, showEffectivePolicy, showPlan, showPlanOf } from "./views";

let client: LanguageClient | undefined;

/** What the server's lenses may ask of us, with the address of a policy and the name of a sandbox. */
const LENSES = ["nsl.run", "nsl.plan", "nsl.check"];

async function startServer(): Promise<void> {
  if (!vscode.workspace.getConfiguration("nsl").get<boolean>("server.enable", true)) {
    return;
  }
  try {
    await run(["--version"]);
  } catch (error) {
    return missing(error);
  }
  const server: ServerOptions = { command: program(), args: ["lsp"] };
  const options: LanguageClientOptions = {
    documentSelector: [{ scheme: "file", language: "nsl" }, { scheme: "untitled", language: "nsl" }],
    initializationOptions: { commands: LENSES },
  };
  const started = new LanguageClient("nsl", "NSL", server, options);
  client = started;
  try {
    await started.start();
  } catch (error) {
    client = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    void vscode.window.showErrorMessage(`NSL: the language server \`${program()} lsp\` did not start: ${reason}`);
  }
}

async function stopServer(): Promise<void> {
  const running = client;
  client = undefined;
  // One that has crashed cannot be stopped, and need not be.
  await running?.stop().catch(() => {});
}

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const [views, registered] = Views.register();
  const check = new CheckOnSave();
  const command = vscode.commands.registerCommand;
  context.subscriptions.push(
    registered,
    check,
    command("nsl.showPlan", () => showPlan(views)),
    command("nsl.showEffectivePolicy", () => showEffectivePolicy(views)),
    // The client itself registers `nsl.explain` and `nsl.effective`, which the server performs.
    command("nsl.explainFinding", () => explain(views)),
    command("nsl.plan", (uri: string, name: string) => showPlanOf(views, vscode.Uri.parse(uri), name)),
    command("nsl.run", (uri: string, name: string) => perform("run", [], vscode.Uri.parse(uri), name)),
    command("nsl.check", (uri: string) => perform("check", ["--host"], vscode.Uri.parse(uri))),
    command("nsl.restartServer", async () => {
      await stopServer();
      await startServer();
    }),
    vscode.tasks.registerTaskProvider("nsl", provider),
    vscode.workspace.onDidSaveTextDocument((document) => check.check(document)),
    vscode.workspace.onDidCloseTextDocument((document) => check.forget(document)),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("nsl.path") || change.affectsConfiguration("nsl.server")) {
        await stopServer();
        await startServer();
      }
    }),
  );
  await startServer();
}

export async function deactivate(): Promise<void> {
  await stopServer();
}
