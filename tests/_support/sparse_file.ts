/** Files that are larger than they are: of what nobody has written nothing lies on the disk. */

const PROBE_BYTES = 64 * 1024 * 1024;
const BLOCK_BYTES = 512;

/** Why no such file can be made here; `undefined` if it can. */
export const noSparseFiles: string | undefined = probe();

/**
 * Makes a file of zeros with a mark at some places.
 *
 * @param path Where.
 * @param size How long, in bytes.
 * @param places Offset and text of each mark.
 */
export async function writeSparseFile(
  path: string,
  size: number,
  places: readonly (readonly [offset: number, text: string])[] = [],
): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  await file.truncate(size);
  for (const [offset, text] of places) {
    await file.seek(offset, Deno.SeekMode.Start);
    await file.write(new TextEncoder().encode(text));
  }
}

function probe(): string | undefined {
  const write = { name: "write" } as const;
  if (Deno.permissions.querySync(write).state !== "granted") return "no permission to write";
  const path = Deno.makeTempFileSync();
  try {
    Deno.truncateSync(path, PROBE_BYTES);
    const { blocks } = Deno.statSync(path);
    // Windows counts no blocks, and has such files only where they are asked for.
    if (blocks === null) return "the system does not tell how large files are on disk";
    return blocks * BLOCK_BYTES < PROBE_BYTES / 2
      ? undefined
      : "the file system has no sparse files";
  } finally {
    Deno.removeSync(path);
  }
}
