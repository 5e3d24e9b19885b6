import { assertEquals } from "@std/assert";
import { serveDir, type ServeDirOptions } from "../../http/serve_dir.ts";
import { RawServer, TestFolder } from "../_support/file_server.ts";
import { loadVectors } from "../_support/vectors.ts";
import { type Judgement, unlisted } from "./vector_difference.ts";

/** A request target that tries to reach a file outside of what is served. */
interface TraversalCase {
  readonly name: string;
  readonly target: string;
  readonly expect?: { readonly status: number };
}

const FILE = "marker.txt";
const MARKER = "the marker that no request may see";
/** The root lies so deep that eight steps up are still in the folder of the test. */
const ROOT = "1/2/3/4/5/6/7/8/root";

const vectors = loadVectors<{ readonly cases: readonly TraversalCase[] }>("traversal");

/** A root with markers above it at each level, a link to one, hidden ones, and two files. */
async function fill(folder: TestFolder): Promise<string> {
  await folder.write(`${ROOT}/file/a..`, "a file");
  await folder.write(`${ROOT}/index.html`, "the index");
  for (const name of [`${ROOT}/.htaccess`, `${ROOT}/.hidden/${FILE}`]) {
    await folder.write(name, MARKER);
  }
  const names = ROOT.split("/");
  for (let depth = 0; depth < names.length; depth++) {
    const path = [...names.slice(0, depth), FILE].join("/");
    await folder.write(path, MARKER);
    await folder.write([...names.slice(0, depth), "boot.ini"].join("/"), MARKER);
    await folder.link(`${ROOT}/link${depth}.txt`, `${folder.path}/${path}`);
  }
  await folder.link(`${ROOT}/up`, "..");
  return `${folder.path}/${ROOT}`;
}

async function judge(root: string, options: ServeDirOptions): Promise<Judgement[]> {
  await using server = new RawServer(serveDir(root, options));
  const judgements: Judgement[] = [];
  const own: TraversalCase[] = [
    `/link0.txt`,
    `/link8.txt`,
    `/up/${FILE}`,
    `/.hidden/${FILE}`,
    "/up/",
  ]
    .map((target) => ({ name: target, target }));
  for (const { name, target, expect } of [...vectors!.cases, ...own]) {
    const { status, body } = await server.ask(`GET ${target.replaceAll("{FILE}", FILE)}`);
    const isRefused = (status >= 300 && status < 500) || body === "the index";
    judgements.push({
      name,
      wanted: expect?.status === 200 ? "200" : "nothing of the marker",
      got: body.includes(MARKER) ? "the marker" : String(status),
      isAgreed: !body.includes(MARKER) && (expect?.status === 200 ? status === 200 : isRefused),
    });
  }
  assertEquals(server.errors, []);
  return judgements;
}

for (
  const [name, options] of [
    ["by default", {}],
    ["with listings", { listing: true }],
    ["with clean URLs and siblings", { cleanUrls: true, precompressed: true }],
    ["where links are refused", { symlinks: "refuse" }],
  ] as const
) {
  Deno.test({
    name: `no traversal target leads out of a folder ${name}`,
    ignore: vectors === undefined,
    async fn() {
      await using folder = new TestFolder();
      assertEquals(unlisted(await judge(await fill(folder), options), []), []);
    },
  });
}
