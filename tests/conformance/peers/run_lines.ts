/**
 * The line protocol of `client_peer.ts` from the client's side: a task comes in a line of standard
 * input, what became of it goes out as a line of JSON.
 */
export async function runLines(run: (task: readonly string[]) => Promise<unknown>): Promise<void> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop()!;
    for (const line of lines) console.log(JSON.stringify(await attempt(run, line.split(" "))));
  }
}

async function attempt(
  run: (task: readonly string[]) => Promise<unknown>,
  task: readonly string[],
): Promise<unknown> {
  try {
    return { ok: await run(task) };
  } catch (error) {
    return { error: `${error}` };
  }
}
