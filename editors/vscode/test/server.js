#!/usr/bin/env node
// A language server that says hello and goodbye, and writes down what it was asked: for the test of the client's set-up.

const fs = require("node:fs");

const log = (line) => fs.appendFileSync(process.env.NSL_TEST_LOG, `${line}\n`);

log(process.argv.slice(2).join(" "));
if (process.argv[2] === "lsp") {
  let input = Buffer.alloc(0);
  process.stdin.on("data", (data) => {
    input = Buffer.concat([input, data]);
    for (;;) {
      const head = /^Content-Length: (\d+)\r\n(?:[^\r]+\r\n)*\r\n/.exec(input.toString("latin1"));
      if (!head || input.length < head[0].length + Number(head[1])) {
        return;
      }
      const message = JSON.parse(input.subarray(head[0].length, head[0].length + Number(head[1])).toString());
      input = input.subarray(head[0].length + Number(head[1]));
      log(message.method);
      if (message.id !== undefined) {
        // The client registers these, so the extension must not.
        const commands = ["nsl.explain", "nsl.effective"];
        const result = message.method === "initialize" ? { capabilities: { executeCommandProvider: { commands } } } : null;
        if (message.method === "initialize") {
          log(`lenses ${message.params.initializationOptions.commands}`);
        }
        const text = JSON.stringify({ jsonrpc: "2.0", id: message.id, result });
        process.stdout.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
      }
      if (message.method === "exit") {
        process.exit(0);
      }
    }
  });
}
