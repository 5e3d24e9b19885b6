/** What the server behind the proxies answers, by path. */
export const ANSWERS = {
  "/small": { text: "Hello, World!", repeat: 1 },
  "/large": { text: "a", repeat: 1_048_576 },
} as const;

/** A path that is asked for. */
export type AnswerPath = keyof typeof ANSWERS;

/** The body that a path answers with. */
export function bodyOf(path: AnswerPath): Uint8Array<ArrayBuffer> {
  const { text, repeat } = ANSWERS[path];
  return new TextEncoder().encode(text.repeat(repeat));
}
