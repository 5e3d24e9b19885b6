/**
 * Runs the suite against any server:
 * `deno run --allow-net tests/conformance/http_server_main.ts --host 127.0.0.1 --port 8000`.
 * `--filter text` takes only the cases with that text in their name, `--all`
 * lists those that pass as well. Exit code 1 if a case failed.
 */

import { parseArgs } from "node:util";
import { HTTP_CASES, runSuite } from "./http_server_suite.ts";

const { values } = parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string" },
    filter: { type: "string", default: "" },
    all: { type: "boolean", default: false },
  },
});
const port = Number(values.port);
if (!Number.isInteger(port) || port < 1 || port > 65535) {
  console.error("usage: http_server_main.ts --host H --port P [--filter TEXT] [--all]");
  Deno.exit(2);
}

const cases = HTTP_CASES.filter((item) => item.name.includes(values.filter));
const results = await runSuite({ hostname: values.host, port }, { cases });
const failed = results.filter((result) => result.failure !== undefined);
for (const { name, clause, failure } of values.all ? results : failed) {
  console.log(`${failure === undefined ? "pass" : "FAIL"}  ${name}  [${clause}]`);
  if (failure !== undefined) console.log(`      ${failure}`);
}
console.log(`${results.length - failed.length} passed, ${failed.length} failed`);
Deno.exit(failed.length === 0 ? 0 : 1);
