/** Body of the smallest answer. */
export const GREETING = "Hello, World!";

/** Size of the large response. */
export const LARGE_BYTES = 65_536;

/** Size of the upload. */
export const UPLOAD_BYTES = 1_048_576;

const encoder = new TextEncoder();

/** The body of the large response: every peer sends these bytes. */
export function largeBody(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(LARGE_BYTES).fill(0x61);
}

/** A JSON text of 1,024 bytes that `JSON.parse` and `JSON.stringify` give back as it is. */
export function jsonBody(): Uint8Array<ArrayBuffer> {
  const items = Array.from({ length: 10 }, (_, id) => ({
    id,
    name: `Item number ${id}`,
    price: 19.25 + id,
    tags: ["red", "green"],
    active: id % 2 === 0,
  }));
  const length = JSON.stringify({ items, padding: "" }).length;
  return encoder.encode(JSON.stringify({ items, padding: "x".repeat(1_024 - length) }));
}
