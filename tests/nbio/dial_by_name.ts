/**
 * A program for `dial_test.ts`, run with narrow permissions: dials the name and port that are its
 * arguments, and prints what came of it.
 */

import { ConnectError } from "../../nbio/connect_error.ts";
import { dial } from "../../nbio/dial.ts";

const [hostname, port] = Deno.args;
try {
  const transport = await dial({ hostname: hostname!, port: Number(port) });
  const { hostname: remote } = transport.remoteAddr as Deno.NetAddr;
  transport.close();
  console.log(JSON.stringify({ remote }));
} catch (error) {
  if (!(error instanceof ConnectError)) throw error;
  const tried = error.attempts.map(({ address }) => (address as Deno.NetAddr).hostname);
  const causes = error.attempts.map(({ cause }) => (cause as Error).constructor.name);
  console.log(JSON.stringify({ code: error.code, tried, causes }));
}
