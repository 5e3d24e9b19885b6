// `request` of undici: `node client_undici.mjs FOLDER`, with the folder it is installed in.
import { createRequire } from "node:module";
import process from "node:process";
import { serveRuns } from "./loop.mjs";

const { Agent, request } = createRequire(`${process.argv[2]}/`)("undici");

await serveRuns(({ urls, uploadBytes, concurrency }) => {
  const dispatcher = new Agent({ connections: Math.ceil(concurrency / urls.length) });
  const options = uploadBytes === 0
    ? { dispatcher }
    : { dispatcher, method: "POST", body: new Uint8Array(uploadBytes).fill(0x62) };
  return {
    async ask(worker) {
      const { body } = await request(urls[worker % urls.length], options);
      const bytes = await body.arrayBuffer();
      return uploadBytes === 0 ? bytes.byteLength : Number(new TextDecoder().decode(bytes));
    },
    close: () => dispatcher.close(),
  };
});
