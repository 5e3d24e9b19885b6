// Uses examples/json_api.ts through undici and prints what it saw as JSON.
//
//   node json_api_undici_client.mjs FOLDER_OF_UNDICI PORT

import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const [folder, port] = process.argv.slice(2);
const { Client, FormData } = createRequire(import.meta.url)(folder);
const client = new Client(`http://127.0.0.1:${port}`);
let cookie;

async function call(method, path, { headers = {}, body, onInfo } = {}) {
  const all = { ...headers, ...cookie !== undefined && { cookie } };
  const response = await client.request({ method, path, headers: all, body, onInfo });
  const line = response.headers["set-cookie"];
  if (line !== undefined) cookie = [line].flat()[0].split(";")[0];
  const bytes = Buffer.from(await response.body.arrayBuffer());
  // Trailers are there when the body has been read.
  return { status: response.statusCode, bytes, trailers: response.trailers };
}

const large = Buffer.alloc(1 << 20, "0123456789abcdefghijklm");
const digest = createHash("sha256").update(large).digest("base64");
const form = new FormData();
form.append("files", new File([large], "large.bin"));
form.append("files", new File(["small"], "größe.txt"));

// It sends no trailers.
const seen = { skipped: ["trailerUpload", "wrongTrailerUpload"] };
seen.before = (await call("GET", "/api/me")).status;
seen.login = (await call("POST", "/api/login", {
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ name: "ada", password: "lovelace" }),
})).status;
seen.form = (await call("POST", "/api/files", { body: form })).status;
const { files } = JSON.parse((await call("GET", "/api/files?order=size")).bytes);
seen.names = files.map(({ name }) => name);
const download = await call("GET", files[0].url, { headers: { te: "trailers" } });
seen.isSame = download.bytes.equals(large);
seen.trailer = download.trailers["content-digest"] === `sha-256=:${digest}:`;
await call("GET", "/", { onInfo: ({ statusCode }) => seen.early = statusCode });
seen.tooLarge = (await call("PUT", "/api/files/a", { body: Buffer.alloc((2 << 20) + 1) })).status;
seen.logout = (await call("POST", "/api/logout")).status;
seen.after = (await call("GET", "/api/me")).status;
await client.destroy();
console.log(JSON.stringify(seen));
