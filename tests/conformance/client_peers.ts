/** The clients that may be installed, for each suite of clients. */

import { type ClientPeer, LinePeer, oncePeer, type PeerAnswer } from "./client_peer.ts";

/** The suites of clients. */
export type ClientSuiteName = "http-client" | "dns-resolver" | "tls-client";

const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

function deno(file: string, mode: string): string[] {
  const { pathname } = new URL(`./peers/${file}`, import.meta.url);
  return [Deno.execPath(), "run", "-A", "--no-check", "--config", CONFIG, pathname, mode];
}

function script(program: string, file: string, mode: string): string[] {
  return [program, new URL(`./peers/${file}`, import.meta.url).pathname, mode];
}

const curl = (task: readonly string[], more: readonly string[]): string[] => [
  ...["--silent", "--max-time", "5", "--noproxy", "*", "--globoff", "--compressed"],
  ...more,
  ...task,
];

function readCurl(code: number, stdout: string): PeerAnswer {
  const status = stdout.slice(-3);
  return code === 0 ? { ok: `${status} ${stdout.slice(0, -3)}` } : { error: `exit code ${code}` };
}

function readSecure(code: number): PeerAnswer {
  return code === 0 ? { ok: "secure" } : { error: `exit code ${code}` };
}

/** dig tells failures in its text. */
function readDig(code: number, stdout: string): PeerAnswer {
  const addresses = stdout.split("\n").filter((line) => /^[0-9a-f:]*[.:][0-9a-f:.]*$/.test(line));
  if (code === 0 && addresses.length > 0) return { ok: addresses.sort() };
  return { error: `exit code ${code}` };
}

/** What has to be on PATH for a column to be there, and how it is started. */
interface KnownPeer {
  readonly program: string;
  /** Arguments with which the program says by its code whether it has what it needs. */
  readonly probe?: readonly string[];
  readonly create: () => ClientPeer;
}

const OURS: Readonly<Record<ClientSuiteName, readonly KnownPeer[]>> = {
  "http-client": [{ program: "", create: () => new LinePeer("ours", deno("ours.ts", "http")) }],
  "dns-resolver": [{ program: "", create: () => new LinePeer("ours", deno("ours.ts", "dns")) }],
  "tls-client": [
    { program: "", create: () => new LinePeer("ours", deno("ours.ts", "tls")) },
    { program: "", create: () => new LinePeer("ours (node)", deno("ours.ts", "tls-node")) },
  ],
};

const OTHERS: Readonly<Record<ClientSuiteName, readonly KnownPeer[]>> = {
  "http-client": [
    { program: "", create: () => new LinePeer("deno", deno("runtime.ts", "http")) },
    { program: "node", create: () => new LinePeer("node", script("node", "node.mjs", "http")) },
    { program: "node", create: () => new LinePeer("undici", script("node", "node.mjs", "fetch")) },
    {
      program: "python3",
      create: () => new LinePeer("python", script("python3", "python.py", "http")),
    },
    {
      program: "curl",
      create: () =>
        oncePeer({
          name: "curl",
          program: "curl",
          args: (task) => curl(task, ["--write-out", "%{http_code}"]),
          read: readCurl,
        }),
    },
  ],
  "dns-resolver": [
    { program: "", create: () => new LinePeer("deno", deno("runtime.ts", "dns")) },
    { program: "node", create: () => new LinePeer("node", script("node", "node.mjs", "dns")) },
    {
      program: "python3",
      probe: ["-c", "import dns.resolver"],
      create: () => new LinePeer("python", script("python3", "python.py", "dns")),
    },
    {
      program: "dig",
      create: () =>
        oncePeer({
          name: "dig",
          program: "dig",
          args: ([port, name, type]) => [
            ...["@127.0.0.1", "-p", port!, "+short", "+time=1", "+tries=2", name!, type!],
          ],
          read: readDig,
        }),
    },
  ],
  "tls-client": [
    { program: "", create: () => new LinePeer("deno", deno("runtime.ts", "tls")) },
    { program: "node", create: () => new LinePeer("node", script("node", "node.mjs", "tls")) },
    {
      program: "python3",
      create: () => new LinePeer("python", script("python3", "python.py", "tls")),
    },
    {
      program: "curl",
      create: () =>
        oncePeer({
          name: "curl",
          program: "curl",
          // It speaks HTTP behind the handshake, and fails for that: other codes are of TLS.
          args: ([port, name, file]) =>
            curl([`https://${name}:${port}/`], [
              ...["--cacert", file!, "--connect-to", `${name}:${port}:127.0.0.1:${port}`],
              ...["--http0.9", "--max-filesize", "1"],
            ]),
          read: (code) =>
            [0, 1, 8, 18, 52, 56, 63, 28].includes(code) ? readSecure(0) : readSecure(code),
        }),
    },
    {
      program: "openssl",
      create: () =>
        oncePeer({
          name: "openssl",
          program: "openssl",
          args: ([port, name, file]) => [
            ...["s_client", "-connect", `127.0.0.1:${port}`, "-servername", name!],
            ...["-verify_hostname", name!, "-verify_return_error", "-CAfile", file!],
            ...["-no-CApath", "-no-CAstore"],
          ],
          read: readSecure,
        }),
    },
  ],
};

async function isInstalled({ program, probe = ["--version"] }: KnownPeer): Promise<boolean> {
  if (program === "") return true;
  const args = program === "openssl" ? ["version"] : program === "dig" ? ["-v"] : [...probe];
  try {
    const options = { args, stdin: "null", stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command(program, options).output()).success;
  } catch {
    return false;
  }
}

/** Our own clients for a suite. */
export function ourClients(suite: ClientSuiteName): ClientPeer[] {
  return OURS[suite].map(({ create }) => create());
}

/** The other clients for a suite, those that are installed. */
export async function installedClients(suite: ClientSuiteName): Promise<ClientPeer[]> {
  const peers: ClientPeer[] = [];
  for (const known of OTHERS[suite]) {
    if (await isInstalled(known)) peers.push(known.create());
  }
  return peers;
}
