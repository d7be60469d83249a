// Runs nsl: which program, with which parameters, and what it says.

import { execFile } from "node:child_process";
import * as vscode from "vscode";

/** What a run of the program came to. */
export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

/** The program, as the settings name it. */
export function program(): string {
  return vscode.workspace.getConfiguration("nsl").get<string>("path") || "nsl";
}

/** `--set NAME=VALUE` for each parameter in the settings of a document. */
export function parameters(uri: vscode.Uri): string[] {
  const given = vscode.workspace.getConfiguration("nsl", uri).get<Record<string, string>>("parameters") ?? {};
  return Object.entries(given).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
}

/** Runs it; rejects where it cannot be started. */
export function run(args: string[], cwd?: string, stdin?: string): Promise<Output> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: "1", COLUMNS: "110" };
    const child = execFile(program(), args, { cwd, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const code = error?.code;
      if (error && typeof code !== "number") {
        reject(error);
      } else {
        resolve({ code: typeof code === "number" ? code : 0, stdout, stderr });
      }
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(stdin ?? "");
  });
}

/** Says that the program cannot be started, and what to do. */
export async function missing(error: unknown): Promise<void> {
  const reason = error instanceof Error ? error.message : String(error);
  const settings = "Open Settings";
  const answer = await vscode.window.showErrorMessage(
    `NSL: \`${program()}\` cannot be started (${reason}). Install nsl, or set nsl.path to where it is.`,
    settings,
  );
  if (answer === settings) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "nsl.path");
  }
}
