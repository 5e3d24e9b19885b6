/** One read of a blob. */
const READ_BYTES = 256 * 1024;

/**
 * The content of a blob, slice by slice: the stream of the runtime gives each part
 * of a blob as one chunk, which is a copy of all of it.
 *
 * @param blob Content that does not change.
 * @returns The chunks, at least one byte each.
 * @throws {DOMException} If it cannot be read.
 */
export async function* blobChunks(blob: Blob): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  for (let at = 0; at < blob.size; at += READ_BYTES) {
    yield new Uint8Array(await blob.slice(at, at + READ_BYTES).arrayBuffer());
  }
}
