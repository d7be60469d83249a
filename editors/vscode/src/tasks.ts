// Tasks of the type `nsl`: check, layout, plan and run of a policy.

import * as vscode from "vscode";
import { parameters, program } from "./command";

interface Definition extends vscode.TaskDefinition {
  command: string;
  file?: string;
  name?: string;
  args?: string[];
}

const OFFERED: [string, string[]][] = [
  ["check", []],
  ["check", ["--host"]],
  ["fmt", ["--check"]],
  ["plan", []],
  ["run", []],
];

/** The command line of a task. What nsl finds wrong is printed so that the problem matcher reads it. */
export function commandLine(definition: Definition): string[] {
  const format = definition.command === "check" ? ["--format", "short"] : [];
  return [definition.command, ...format, ...(definition.args ?? []), definition.file ?? "${file}", ...(definition.name ? [definition.name] : [])];
}

function task(definition: Definition, scope: vscode.WorkspaceFolder | vscode.TaskScope): vscode.Task {
  const name = [definition.command, ...(definition.args ?? [])].join(" ");
  const execution = new vscode.ProcessExecution(program(), commandLine(definition));
  const made = new vscode.Task(definition, scope, name, "nsl", execution, definition.command === "check" ? ["$nsl"] : []);
  if (definition.command === "check") {
    made.group = vscode.TaskGroup.Build;
  } else if (definition.command === "run") {
    made.group = vscode.TaskGroup.Test;
  }
  return made;
}

/** Runs a command with a policy in the terminal, as a task. */
export async function perform(command: string, args: string[], uri: vscode.Uri, name?: string): Promise<void> {
  const scope = vscode.workspace.getWorkspaceFolder(uri) ?? vscode.TaskScope.Workspace;
  const given = { type: "nsl", command, file: uri.fsPath, name, args: [...args, ...parameters(uri)] };
  await vscode.tasks.executeTask(task(given, scope));
}

export const provider: vscode.TaskProvider = {
  provideTasks(): vscode.Task[] {
    return OFFERED.map(([command, args]) => task({ type: "nsl", command, args }, vscode.TaskScope.Workspace));
  },
  resolveTask(given: vscode.Task): vscode.Task | undefined {
    const definition = given.definition as Definition;
    return definition.command ? task(definition, given.scope ?? vscode.TaskScope.Workspace) : undefined;
  },
};
