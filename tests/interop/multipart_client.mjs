// Uploads a FormData with undici: `node multipart_client.mjs FOLDER PORT PATH` prints the answer.
// FOLDER is where undici is installed.

import { createRequire } from "node:module";

const [folder, port, path] = process.argv.slice(2);
const { fetch, FormData } = createRequire(`${folder}/package.json`)(folder);

const file = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
const form = new FormData();
form.append("title", "A c\u00e4t");
form.append("file", new File([file], 'c\u00e4t "1".bin'));
const url = `http://127.0.0.1:${port}${path}`;
const response = await fetch(url, { method: "POST", body: form });
console.log(`${response.status} ${await response.text()}`);
