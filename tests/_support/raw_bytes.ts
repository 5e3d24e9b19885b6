/** The bytes of a text in which each character stands for one byte. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0xff) throw new RangeError(`Cannot encode character ${code}: it is not one byte`);
    bytes[index] = code;
  }
  return bytes;
}

/** The text in which each byte becomes the character of that number. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  // In pieces: the arguments of one call have to fit on the stack.
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return text;
}
