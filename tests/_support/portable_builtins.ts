/**
 * Built-ins that tests of cores use and that not every runtime has yet: those of ES2025 and ES2026
 * that Node 20 lacks. The cores themselves do without them; they are held to ES2024.
 */

type Codec = Uint8Array & { toHex?: () => string; toBase64?: (options?: Alphabet) => string };

interface Alphabet {
  readonly alphabet?: "base64" | "base64url";
  readonly omitPadding?: boolean;
}

/** Defines what is missing, and leaves alone what is there. */
export function definePortableBuiltins(): void {
  const bytes: Codec = Uint8Array.prototype;
  bytes.toHex ??= toHex;
  bytes.toBase64 ??= toBase64;
  const constructor = Uint8Array as unknown as Record<string, unknown>;
  constructor.fromHex ??= fromHex;
  constructor.fromBase64 ??= fromBase64;
  const set = Set.prototype as unknown as Record<string, unknown>;
  set.difference ??= difference;
}

function toHex(this: Uint8Array): string {
  return Array.from(this, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw new SyntaxError("Cannot decode hex");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function toBase64(this: Uint8Array, options: Alphabet = {}): string {
  let text = btoa(Array.from(this, (byte) => String.fromCharCode(byte)).join(""));
  if (options.alphabet === "base64url") text = text.replaceAll("+", "-").replaceAll("/", "_");
  return options.omitPadding ? text.replace(/=+$/, "") : text;
}

function fromBase64(text: string, options: Alphabet = {}): Uint8Array {
  const isUrl = options.alphabet === "base64url";
  const allowed = isUrl ? /^[\w\s=-]*$/ : /^[A-Za-z0-9+/\s=]*$/;
  if (!allowed.test(text)) throw new SyntaxError("Cannot decode base64");
  const plain = isUrl ? text.replaceAll("-", "+").replaceAll("_", "/") : text;
  return Uint8Array.from(atob(plain), (character) => character.charCodeAt(0));
}

function difference(this: Set<unknown>, other: ReadonlySet<unknown>): Set<unknown> {
  return new Set([...this].filter((value) => !other.has(value)));
}
