/** BIND as an authority and Unbound as a resolver in front of it, on free ports of the loopback interface. */

import { type Peer, startPeer } from "./peer.ts";
import { freePort } from "./listening_program.ts";

/** A running server. */
export interface NameServer extends AsyncDisposable {
  /** Its port on 127.0.0.1, for UDP and TCP. */
  readonly port: number;
}

/** Starts BIND with the given zones, by their name. */
export function startBind(zones: Readonly<Record<string, string>>): Promise<NameServer> {
  const conf = (folder: string, port: number): string =>
    `options { directory "${folder}"; listen-on port ${port} { 127.0.0.1; };
       listen-on-v6 { none; }; pid-file none; recursion no; dnssec-validation no;
       minimal-responses yes; check-names primary ignore;
       max-records-per-type 0; };
     controls { };
     ${
      Object.keys(zones).map((zone) => `zone "${zone}" { type primary; file "${zone}.zone"; };`)
        .join("\n")
    }`;
  return start(conf, zones, 'exec named -g -c "$0" 2>&1', / running$/);
}

/** Starts Unbound, which asks the server at `port` about `zone`. */
export function startUnbound(zone: string, authorityPort: number): Promise<NameServer> {
  const conf = (folder: string, port: number): string =>
    `server:
       directory: "${folder}"
       chroot: ""
       username: ""
       pidfile: ""
       use-syslog: no
       logfile: ""
       verbosity: 1
       interface: 127.0.0.1@${port}
       do-ip6: no
       do-not-query-localhost: no
       module-config: "iterator"
       cache-max-ttl: 2147483647
     remote-control:
       control-enable: no
     stub-zone:
       name: "${zone}"
       stub-addr: 127.0.0.1@${authorityPort}
    `;
  return start(conf, {}, 'exec unbound -d -c "$0" 2>&1', /start of service/);
}

async function start(
  makeConf: (folder: string, port: number) => string,
  zones: Readonly<Record<string, string>>,
  command: string,
  isReady: RegExp,
): Promise<NameServer> {
  const folder = await Deno.makeTempDir();
  const port = freePort();
  for (const [zone, text] of Object.entries(zones)) {
    await Deno.writeTextFile(`${folder}/${zone}.zone`, text);
  }
  await Deno.writeTextFile(`${folder}/server.conf`, makeConf(folder, port));
  const peer: Peer = startPeer("sh", ["-c", command, `${folder}/server.conf`], 60_000);
  const stop = async (): Promise<void> => {
    await peer[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await peer.ready(isReady);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, [Symbol.asyncDispose]: stop };
}
