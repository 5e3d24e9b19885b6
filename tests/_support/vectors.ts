/**
 * Loading of test vectors that live outside the repository.
 *
 * The vectors come from other projects under their own licences, so they are never copied in.
 * `NBIO_VECTORS` names their folder; by default it is `../shared/vectors` beside the checkout.
 */

import { reportVector } from "./report.ts";

const DEFAULT_FOLDER = new URL("../../../shared/vectors/", import.meta.url);

/**
 * Reads `<name>.json` from the vectors folder and reports that it ran.
 *
 * Gives `undefined`, and reports the skip with its reason, where the file does not exist or may
 * not be read. A file that exists but is not JSON throws: that is a fault, not an absence.
 *
 * ```ts ignore
 * const vectors = loadVectors<LlhttpVectors>("llhttp");
 * Deno.test({ name: "llhttp vectors", ignore: vectors === undefined, fn() { ... } });
 * ```
 */
export function loadVectors<T = unknown>(name: string): T | undefined {
  const text = readVectorText(`${name}.json`);
  if (typeof text !== "string") {
    reportVector(name, text);
    return undefined;
  }
  const vectors: T = JSON.parse(text);
  reportVector(name, "ran");
  return vectors;
}

function readVectorText(fileName: string): string | { skipped: string } {
  try {
    const folder = Deno.env.get("NBIO_VECTORS");
    const path = folder ? `${folder}/${fileName}` : new URL(fileName, DEFAULT_FOLDER);
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { skipped: `${fileName} is not there` };
    if (error instanceof Deno.errors.NotCapable) {
      return { skipped: "no permission to read the vectors (--allow-read --allow-env)" };
    }
    throw error;
  }
}
