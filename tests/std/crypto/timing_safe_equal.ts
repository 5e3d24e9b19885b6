import { timingSafeEqual as nodeTimingSafeEqual } from "node:crypto";

/** Whether two byte sequences are equal, in a time that does not tell where they differ. */
export function timingSafeEqual(
  a: ArrayBufferView | ArrayBufferLike | DataView,
  b: ArrayBufferView | ArrayBufferLike | DataView,
): boolean {
  // The published function answers false on different lengths, where node's throws.
  return a.byteLength === b.byteLength && nodeTimingSafeEqual(toBytes(a), toBytes(b));
}

function toBytes(data: ArrayBufferView | ArrayBufferLike): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
