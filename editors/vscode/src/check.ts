// What `nsl check` says of a policy that was saved.

import * as path from "node:path";
import * as vscode from "vscode";
import { missing, parameters, run } from "./command";

/** A finding, as `nsl check --format json` prints it: lines and columns from 1, columns in characters. */
interface Place {
  file: string;
  line: number;
  col: number;
  end_line: number;
  end_col: number;
}
interface Finding extends Partial<Place> {
  code: string;
  severity: "error" | "warning" | "advice";
  message: string;
  labels: (Place & { text: string })[];
  help: string | null;
}

const SEVERITY = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  advice: vscode.DiagnosticSeverity.Information,
};

function range(place: Place): vscode.Range {
  return new vscode.Range(place.line - 1, place.col - 1, place.end_line - 1, place.end_col - 1);
}

/** The findings of the output, by the file that they are in; a finding without a place is at the top of `fallback`. */
export function findings(output: string, cwd: string, fallback: string): Map<string, vscode.Diagnostic[]> {
  const found = new Map<string, vscode.Diagnostic[]>();
  for (const line of output.split("\n").filter((it) => it.startsWith("{"))) {
    const finding = JSON.parse(line) as Finding;
    const file = finding.file === undefined ? fallback : path.resolve(cwd, finding.file);
    const at = finding.file === undefined ? new vscode.Range(0, 0, 0, 0) : range(finding as Place);
    const help = finding.help ? `\n${finding.help}` : "";
    const diagnostic = new vscode.Diagnostic(at, finding.message + help, SEVERITY[finding.severity]);
    diagnostic.source = "nsl";
    diagnostic.code = finding.code;
    diagnostic.relatedInformation = finding.labels
      .filter((label) => label.text !== "" && path.isAbsolute(path.resolve(cwd, label.file)))
      .map((label) => {
        const uri = vscode.Uri.file(path.resolve(cwd, label.file));
        return new vscode.DiagnosticRelatedInformation(new vscode.Location(uri, range(label)), label.text);
      });
    found.set(file, [...(found.get(file) ?? []), diagnostic]);
  }
  return found;
}

function code(diagnostic: vscode.Diagnostic): string {
  const code = typeof diagnostic.code === "object" ? diagnostic.code.value : diagnostic.code;
  return String(code ?? "").replace(/^nsl::/, "");
}

/** Whether somebody else, the language server, has said the same of the same line. */
function isSaid(diagnostic: vscode.Diagnostic, others: readonly vscode.Diagnostic[]): boolean {
  return others.some((it) => code(it) === code(diagnostic) && it.range.start.line === diagnostic.range.start.line);
}

/** Checks policies when they are saved. */
export class CheckOnSave implements vscode.Disposable {
  private readonly collection = vscode.languages.createDiagnosticCollection("nsl-check");
  /** The files that the check of a policy has spoken of: the modules that it uses among them. */
  private readonly files = new Map<string, vscode.Uri[]>();
  private isMissingSaid = false;

  async check(document: vscode.TextDocument): Promise<void> {
    if (document.languageId !== "nsl" || document.uri.scheme !== "file") {
      return;
    }
    const wanted = vscode.workspace.getConfiguration("nsl", document.uri).get<string>("check.onSave", "check");
    if (wanted === "off") {
      return this.forget(document);
    }
    const file = document.uri.fsPath;
    const cwd = path.dirname(file);
    const host = wanted === "host" ? ["--host"] : [];
    let output;
    try {
      output = await run(["check", "--format", "json", ...host, ...parameters(document.uri), file], cwd);
    } catch (error) {
      // Once is enough: every save would say it again.
      if (!this.isMissingSaid) {
        this.isMissingSaid = true;
        void missing(error);
      }
      return;
    }
    this.forget(document);
    const uris: vscode.Uri[] = [];
    for (const [name, found] of findings(output.stdout, cwd, file)) {
      const uri = vscode.Uri.file(name);
      const others = vscode.languages.getDiagnostics(uri);
      this.collection.set(uri, found.filter((it) => !isSaid(it, others)));
      uris.push(uri);
    }
    this.files.set(document.uri.toString(), uris);
  }

  forget(document: vscode.TextDocument): void {
    for (const uri of this.files.get(document.uri.toString()) ?? []) {
      this.collection.delete(uri);
    }
    this.files.delete(document.uri.toString());
  }

  dispose(): void {
    this.collection.dispose();
  }
}
