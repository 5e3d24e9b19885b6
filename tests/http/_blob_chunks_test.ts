import { assertEquals, assertRejects } from "@std/assert";
import { blobChunks } from "../../http/_blob_chunks.ts";

const READ_BYTES = 256 * 1024;

for (const size of [0, 1, READ_BYTES - 1, READ_BYTES, READ_BYTES + 1, 3 * READ_BYTES]) {
  Deno.test(`blobChunks() gives ${size} bytes in pieces of bounded size`, async () => {
    const bytes = Uint8Array.from({ length: size }, (_, index) => index % 251);
    const chunks = await Array.fromAsync(blobChunks(new Blob([bytes])));
    assertEquals(chunks.length, Math.ceil(size / READ_BYTES));
    assertEquals(chunks.every(({ length }) => length > 0 && length <= READ_BYTES), true);
    assertEquals(new Uint8Array(await new Blob(chunks).arrayBuffer()), bytes);
  });
}

Deno.test("blobChunks() passes on what a blob fails with", async () => {
  const blob = new Blob(["x"]);
  const failing = { arrayBuffer: () => Promise.reject(new EvalError("gone")) };
  Object.defineProperty(blob, "slice", { value: () => failing });
  await assertRejects(() => Array.fromAsync(blobChunks(blob)), EvalError);
});
