/**
 * Asks a server whether it is well, for containers that have no other program to do so: ends with
 * 0 if the answer is one of 2xx and comes within two seconds, else with 1.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1:8001 examples/deploy/health.ts http://127.0.0.1:8001/healthz
 * ```
 */

try {
  const response = await fetch(Deno.args[0]!, { signal: AbortSignal.timeout(2_000) });
  console.log((await response.text()).trim());
  Deno.exit(response.ok ? 0 : 1);
} catch (error) {
  console.log(String(error));
  Deno.exit(1);
}
