// As much of VS Code as the extension touches, without VS Code. What it is asked for and does not know is a class that
// does nothing: the language client derives from dozens of them.

const Module = require("node:module");

class Position {
  constructor(line, character) {
    Object.assign(this, { line, character });
  }
}
class Range {
  constructor(a, b, c, d) {
    this.start = a instanceof Position ? a : new Position(a, b);
    this.end = a instanceof Position ? b : new Position(c, d);
  }
  contains(at) {
    return this.start.line <= at.line && at.line <= this.end.line;
  }
}
class Uri {
  constructor(scheme, path) {
    Object.assign(this, { scheme, path, fsPath: path });
  }
  static file(path) {
    return new Uri("file", path);
  }
  static from({ scheme, path }) {
    return new Uri(scheme, path);
  }
  static parse(text) {
    const [scheme, path] = text.split(/:(?:\/\/)?/);
    return new Uri(scheme, path);
  }
  toString() {
    return `${this.scheme}://${this.path}`;
  }
}
class Diagnostic {
  constructor(range, message, severity) {
    Object.assign(this, { range, message, severity });
  }
}
class EventEmitter {
  constructor() {
    this.listeners = [];
    this.event = (listener) => {
      this.listeners.push(listener);
      return { dispose() {} };
    };
  }
  fire(value) {
    return Promise.all(this.listeners.map((it) => it(value)));
  }
  dispose() {}
}

const kind = (value) => ({ value, append: (part) => kind(value === "" ? part : `${value}.${part}`) });

/** A new VS Code: `state` is what the extension did with it, and what it is asked. */
function vscode(settings) {
  const events = new Map();
  const on = (name) => {
    if (!events.has(name)) {
      events.set(name, new EventEmitter());
    }
    return events.get(name).event;
  };
  const state = {
    settings, commands: new Map(), errors: [], infos: [], shown: [], providers: new Map(), tasks: undefined,
    diagnostics: new Map(), foreign: new Map(), pick: undefined, editor: undefined, picked: [], performed: [],
    fire: (name, value) => events.get(name)?.fire(value),
    listens: (name) => events.has(name),
  };
  const known = {
    Position, Range, Uri, Diagnostic, EventEmitter,
    DiagnosticSeverity: { Error: 0, Warning: 1, Information: 2, Hint: 3 },
    ViewColumn: { Beside: -2 },
    CodeActionKind: { Empty: kind("") },
    TaskScope: { Workspace: 2 },
    TaskGroup: { Build: "build", Test: "test" },
    Location: class { constructor(uri, range) { Object.assign(this, { uri, range }); } },
    DiagnosticRelatedInformation: class { constructor(location, message) { Object.assign(this, { location, message }); } },
    Task: class {
      constructor(definition, scope, name, source, execution, problemMatchers) {
        Object.assign(this, { definition, scope, name, source, execution, problemMatchers });
      }
    },
    ProcessExecution: class { constructor(process, args) { Object.assign(this, { process, args }); } },
    Disposable: class { constructor(dispose) { this.dispose = dispose ?? (() => {}); } },
    version: "1.82.0",
    workspace: {
      textDocuments: [], workspaceFolders: undefined, getWorkspaceFolder: () => undefined,
      getConfiguration: (section) => ({
        get: (key, otherwise) => state.settings[`${section}.${key}`] ?? otherwise,
        inspect: () => undefined,
      }),
      registerTextDocumentContentProvider(scheme, provider) {
        state.providers.set(scheme, provider);
        return { dispose() {} };
      },
      async openTextDocument(uri) {
        return { uri, text: state.providers.get(uri.scheme).provideTextDocumentContent(uri) };
      },
    },
    languages: {
      createDiagnosticCollection: () => ({
        set: (uri, found) => state.diagnostics.set(uri.fsPath, found),
        delete: (uri) => state.diagnostics.delete(uri.fsPath),
        dispose() {},
      }),
      getDiagnostics: (uri) => state.foreign.get(uri.fsPath) ?? [],
      setTextDocumentLanguage: async (document, language) => ({ ...document, language }),
      match: () => 10,
    },
    window: {
      get activeTextEditor() {
        return state.editor;
      },
      showErrorMessage: async (text) => void state.errors.push(text),
      showInformationMessage: async (text) => void state.infos.push(text),
      showInputBox: async () => state.pick,
      showQuickPick: async (names) => (state.picked.push(names), state.pick),
      showTextDocument: async (document) => void state.shown.push(document),
      createOutputChannel: () => ({ append() {}, appendLine() {}, show() {}, clear() {}, dispose() {} }),
      visibleTextEditors: [], tabGroups: { all: [], onDidChangeTabs: on("tabs") },
    },
    commands: {
      registerCommand(name, call) {
        if (state.commands.has(name)) {
          throw new Error(`command '${name}' already exists`);
        }
        state.commands.set(name, call);
        return { dispose: () => state.commands.delete(name) };
      },
      executeCommand: async () => {},
    },
    tasks: {
      registerTaskProvider(type, provider) {
        state.tasks = { type, provider };
        return { dispose() {} };
      },
      executeTask: async (task) => void state.performed.push(task),
    },
    env: { language: "en", appName: "a stub" },
    extensions: { getExtension: () => undefined },
  };
  const anything = () => new Proxy(class {}, { get: (it, name) => it[name] ?? (name === "prototype" ? it.prototype : 0) });
  const open = (object, path) =>
    new Proxy(object, {
      get(it, name) {
        if (name in it || typeof name === "symbol") {
          return it[name];
        }
        if (/^onDid|^onWill/.test(name)) {
          return on(name);
        }
        if (/^register|^create/.test(name)) {
          return () => ({ dispose() {} });
        }
        return (it[name] = path === "" ? anything() : undefined);
      },
    });
  for (const space of ["workspace", "languages", "window", "commands", "tasks", "env"]) {
    known[space] = open(known[space], space);
  }
  return [open(known, ""), state];
}

/** The bundled extension, in a VS Code with these settings. */
function load(settings) {
  const [api, state] = vscode(settings);
  const original = Module._load;
  Module._load = (request, ...rest) => (request === "vscode" ? api : original(request, ...rest));
  try {
    const path = require.resolve("../dist/extension.js");
    delete require.cache[path];
    return [require(path), state, api];
  } finally {
    Module._load = original;
  }
}

module.exports = { load, Uri, Position };
