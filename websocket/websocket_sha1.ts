import type { Sha1 } from "./handshake_request.ts";

let loaded: Sha1 | undefined;

/**
 * Loads what a handshake needs of `node:crypto`, at the first use: the digests of the web are
 * asynchronous.
 *
 * @returns Gives the SHA-1 digest of some bytes.
 */
export async function loadSha1(): Promise<Sha1> {
  if (loaded === undefined) {
    const { createHash } = await import("node:crypto");
    loaded = (bytes) => createHash("sha1").update(bytes).digest();
  }
  return loaded;
}
