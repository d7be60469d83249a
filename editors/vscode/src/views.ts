// What nsl prints, in tabs that cannot be edited: the plan, the policy without its profiles, the page behind a finding.

import * as path from "node:path";
import * as vscode from "vscode";
import { missing, parameters, run } from "./command";

const SCHEME = "nsl-view";

/** The texts that are shown, by the address that they are shown under. */
export class Views implements vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;

  static register(): [Views, vscode.Disposable] {
    const views = new Views();
    return [views, vscode.workspace.registerTextDocumentContentProvider(SCHEME, views)];
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? "";
  }

  async show(name: string, text: string, language: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}` });
    this.texts.set(uri.toString(), text);
    this.changed.fire(uri);
    let document = await vscode.workspace.openTextDocument(uri);
    document = await vscode.languages.setTextDocumentLanguage(document, language);
    await vscode.window.showTextDocument(document, { preview: true, viewColumn: vscode.ViewColumn.Beside, preserveFocus: true });
  }
}

/** The sandboxes and pods that a policy declares, in their order. */
export function declared(text: string): string[] {
  return [...text.matchAll(/^(?:sandbox|pod)\s+([A-Za-z][A-Za-z0-9_-]*)/gm)].map((it) => it[1]);
}

/** The policy that is being looked at, saved: nsl reads files. */
async function policy(): Promise<vscode.TextDocument | undefined> {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId !== "nsl" || document.uri.scheme !== "file") {
    void vscode.window.showInformationMessage("NSL: open a policy first.");
    return undefined;
  }
  if (document.isDirty && !(await document.save())) {
    return undefined;
  }
  return document;
}

/** The one sandbox of a file, or the one that is picked; `undefined` where none is. */
async function chosen(document: vscode.TextDocument): Promise<string[] | undefined> {
  const names = declared(document.getText());
  if (names.length <= 1) {
    return [];
  }
  const name = await vscode.window.showQuickPick(names, { placeHolder: "Which sandbox?" });
  return name === undefined ? undefined : [name];
}

async function show(views: Views, command: string, title: string, language: string): Promise<void> {
  const document = await policy();
  const name = document && (await chosen(document));
  if (document && name) {
    await showOf(views, command, title, language, document.uri, name);
  }
}

async function showOf(
  views: Views, command: string, title: string, language: string, uri: vscode.Uri, name: string[],
): Promise<void> {
  const file = uri.fsPath;
  try {
    const output = await run([command, ...parameters(uri), file, ...name], path.dirname(file));
    const base = path.basename(file, ".nsl") + (name.length > 0 ? `-${name[0]}` : "");
    const good = output.code === 0;
    // What stands in the way is the answer, too, and is no policy.
    await views.show(`${title} ${base}${good ? "" : " (findings)"}.${language === "nsl" && good ? "nsl" : "txt"}`,
      good ? output.stdout : output.stderr, good ? language : "plaintext");
  } catch (error) {
    await missing(error);
  }
}

export function showPlan(views: Views): Promise<void> {
  return show(views, "plan", "Plan of", "plaintext");
}

/** The plan of one sandbox of a policy, as a lens above it asks for. */
export function showPlanOf(views: Views, uri: vscode.Uri, name: string): Promise<void> {
  return showOf(views, "plan", "Plan of", "plaintext", uri, [name]);
}

export function showEffectivePolicy(views: Views): Promise<void> {
  return show(views, "expand", "Effective", "nsl");
}

/** The page behind a finding: of the one under the cursor, or of the code that is typed. */
export async function explain(views: Views): Promise<void> {
  let code: string | undefined;
  const editor = vscode.window.activeTextEditor;
  if (editor) {
    const here = vscode.languages
      .getDiagnostics(editor.document.uri)
      .find((it) => it.source?.startsWith("nsl") && it.range.contains(editor.selection.active));
    const value = typeof here?.code === "object" ? here.code.value : here?.code;
    code = value === undefined ? undefined : String(value);
  }
  code ??= await vscode.window.showInputBox({ prompt: "The code of a finding, such as hostname-without-uts" });
  if (!code) {
    return;
  }
  try {
    const output = await run(["explain", code]);
    await views.show(`${code.replace(/^nsl::/, "")}.txt`, output.code === 0 ? output.stdout : output.stderr, "plaintext");
  } catch (error) {
    await missing(error);
  }
}
