/** Bytes of the file that is uploaded. */
export const FILE_BYTES: number = 10 * 1024 * 1024;

/** The boundary that Chromium makes, but for its last letters. */
export const BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW3";

const CR = 0x0d;

/** What the file consists of; compressed data looks like noise, text has its lines. */
export type Content = "noise" | "text";

function contentOf(content: Content): Uint8Array {
  const bytes = new Uint8Array(FILE_BYTES);
  let state = 1;
  for (let index = 0; index < bytes.length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = content === "noise" ? state >>> 24 : 0x61 + (state >>> 24) % 26;
  }
  if (content === "text") {
    for (let index = 72; index < bytes.length - 1; index += 74) {
      bytes[index] = CR;
      bytes[index + 1] = CR - 3;
    }
  }
  return bytes;
}

/** A request that uploads a file of 10 MiB beside a field, as a browser does. */
export function uploadRequest(content: Content): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const start = encoder.encode(
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="title"\r\n\r\nA file\r\n` +
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n` +
      "Content-Type: application/octet-stream\r\n\r\n",
  );
  const end = encoder.encode(`\r\n--${BOUNDARY}--\r\n`);
  const length = start.length + FILE_BYTES + end.length;
  const head = encoder.encode(
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
      `Content-Type: multipart/form-data; boundary=${BOUNDARY}\r\n` +
      `Content-Length: ${length}\r\n\r\n`,
  );
  const request = new Uint8Array(head.length + length);
  let at = 0;
  for (const piece of [head, start, contentOf(content), end]) {
    request.set(piece, at);
    at += piece.length;
  }
  return request;
}
