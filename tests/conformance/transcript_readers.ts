import { readBatch } from "./transcript_batch.ts";
import { readAsServer } from "./transcript_connection.ts";
import type { Reader } from "./transcript.ts";

/** Every parser of requests: each must make the same of every vector. */
export const REQUEST_READERS: readonly { readonly name: string; readonly read: Reader }[] = [
  { name: "RequestReader", read: readBatch },
  { name: "HttpConnection", read: readAsServer },
];
