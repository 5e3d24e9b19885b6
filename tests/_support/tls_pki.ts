/** Certificates for tests of TLS, made once for each process: a CA, leaves below it, and some that are not good. */

import {
  createDevelopmentCa,
  createDevelopmentCertificate,
  type DevelopmentCertificateOptions,
} from "../../tls/development_certificate.ts";
import type { CertifiedKey } from "../../tls/certified_key.ts";

/** The CA that is trusted. */
export const ca: CertifiedKey = await createDevelopmentCa();
/** A CA that nobody trusts. */
export const otherCa: CertifiedKey = await createDevelopmentCa();

/** A certificate and its key as options have them. */
export interface OwnPems {
  /** The chain. */
  readonly cert: string;
  /** The key. */
  readonly key: string;
}

/** Makes a leaf. */
export async function issue(
  names: readonly string[],
  options: DevelopmentCertificateOptions = {},
): Promise<OwnPems> {
  const { leaf } = await createDevelopmentCertificate(names, { ca, ...options });
  return pems(leaf);
}

/** Both as options have them. */
export function pems({ certificatePem, privateKeyPem }: CertifiedKey): OwnPems {
  return { cert: certificatePem, key: privateKeyPem };
}

/** A server's, for localhost and 127.0.0.1. */
export const server: OwnPems = await issue(["localhost", "127.0.0.1"]);
/** A client's. */
export const client: OwnPems = await issue(["client.test"], { allowClientAuth: true });
/** A client's below the CA that nobody trusts. */
export const stranger: OwnPems = await issue(["client.test"], {
  allowClientAuth: true,
  ca: otherCa,
});

/** Two ends of a TCP connection on this machine. */
export async function tcpPair(): Promise<[client: Deno.TcpConn, server: Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const pair = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port }),
    listener.accept(),
  ]);
  for (const connection of pair) connection.setNoDelay(true);
  return pair;
}
