import { Buffer } from "node:buffer";
import zlib from "node:zlib";

/** RFC 7692 section 7.2.1: it ends each flush and is not sent. */
const TAIL = new Uint8Array([0x00, 0x00, 0xff, 0xff]);

/**
 * Compresses messages as a client with context takeover does. They can be sent again and again, in
 * the same order: the first of them refers to nothing before it, and none further back than to it.
 *
 * @param messages The messages.
 * @param windowBits Size of the window, 9 to 15.
 * @returns The payload of the frame of each.
 */
export function deflateMessages(
  messages: readonly Uint8Array[],
  windowBits: number,
): Uint8Array<ArrayBuffer>[] {
  return messages.map((message, index) => {
    // A context that goes on is one that knows the messages before.
    const dictionary = Buffer.concat(messages.slice(0, index)).subarray(-(2 ** windowBits));
    const wire = zlib.deflateRawSync(message, {
      windowBits,
      finishFlush: zlib.constants.Z_SYNC_FLUSH,
      ...index > 0 && { dictionary },
    });
    return new Uint8Array(wire.subarray(0, wire.length - TAIL.length));
  });
}

/**
 * Decompresses the first message that was sent on a connection.
 *
 * @param payload Payload of its frame.
 * @returns The message.
 */
export function inflateFirst(payload: Uint8Array): Uint8Array {
  const bytes = Buffer.concat([payload, TAIL]);
  return zlib.inflateRawSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
}
