import { assertEquals } from "@std/assert";
import { npmPeer, runPeer } from "../_support/peer.ts";

const ROOT = new URL("../../", import.meta.url);
const APP = new URL("./standard_schema_app.ts", import.meta.url).pathname;

/** A folder whose configuration lets the app import this checkout and the npm peers. */
async function makeProject(nodeModules: string): Promise<string> {
  const { name, exports, links } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const imports: Record<string, string> = {};
  const add = (prefix: string, entries: Record<string, string>, base: URL) => {
    for (const [path, file] of Object.entries(entries)) {
      imports[prefix + path.slice(1)] = new URL(file, base).href;
    }
  };
  add(name, exports, ROOT);
  for (const link of links) {
    const base = new URL(`${link}/`, ROOT);
    const linked = JSON.parse(await Deno.readTextFile(new URL("deno.json", base)));
    add(linked.name, linked.exports, base);
  }
  const folder = await Deno.makeTempDir();
  await Deno.symlink(nodeModules, `${folder}/node_modules`);
  await Deno.writeTextFile(
    `${folder}/deno.json`,
    JSON.stringify({ imports, nodeModulesDir: "manual", lock: false }),
  );
  return folder;
}

for (const name of ["zod", "valibot", "arktype"]) {
  const peer = npmPeer(name);
  Deno.test({
    name: `validate() takes a schema of ${name} for query and body`,
    ignore: peer === undefined,
    async fn() {
      const project = await makeProject(peer!.slice(0, -name.length - 1));
      try {
        const args = ["run", "-A", "--config", `${project}/deno.json`, APP, name, peer!];
        const { code, text, stderr } = await runPeer(Deno.execPath(), args);
        assertEquals(code, 0, stderr);
        const [good, badQuery, badBody] = JSON.parse(text);
        assertEquals(good, {
          status: 200,
          answer: { query: { id: 7, tags: ["a"] }, body: { id: 8, tags: [] } },
        });
        const [query] = badQuery.answer.errors;
        assertEquals([badQuery.status, query.in, query.pointer], [400, "query", "/id"]);
        const [body] = badBody.answer.errors;
        assertEquals([badBody.status, body.in, body.pointer], [422, "body", "/tags/1"]);
      } finally {
        await Deno.remove(project, { recursive: true });
      }
    },
  });
}
