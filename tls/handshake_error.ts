import { ConnectionClosedError, NetError } from "../nbio/errors.ts";
import type { Transport } from "../nbio/transport.ts";
import { TlsError, type TlsPhase } from "./errors.ts";

/** How the runtime calls an alert that has come: in words of rustls, or as a code of OpenSSL. */
const RECEIVED_ALERT = /received fatal alert: (?:the peer sent a )?([A-Za-z0-9_]+)/;
const OPENSSL_ALERT = /^ERR_SSL_(?:TLSV1(?:_3)?|SSLV3)_ALERT_([A-Z0-9_]+)$/;
const CERTIFICATE = /^invalid peer certificate/;
/** How Node calls what is wrong with a certificate. */
const CERTIFICATE_CODE =
  /^(?:UNABLE_TO_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE)/;
const NO_CERTIFICATE = "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE";
const NOT_TLS = "ERR_SSL_WRONG_VERSION_NUMBER";
/** Names of `Deno.errors` and codes of Node by which a peer is gone. */
const GONE: ReadonlySet<unknown> = new Set([
  "UnexpectedEof",
  "ConnectionReset",
  "ConnectionAborted",
  "BrokenPipe",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
]);

/**
 * In whose hands it was: the runtime has one class for all that TLS finds wrong.
 *
 * @param cause What was thrown.
 * @param action What could not be done, as a sentence without an end.
 * @param phase When.
 * @returns A `TlsError`, a `ConnectionClosedError`, or the cause itself if TLS has no part in it.
 */
export function explainFailure(cause: unknown, action: string, phase: TlsPhase): unknown {
  if (cause instanceof NetError || !(cause instanceof Error)) return cause;
  const { name, message } = cause;
  const { code } = cause as { readonly code?: unknown };
  const alert = alertOf(cause);
  if (alert !== undefined) {
    return new TlsError("ERR_TLS_HANDSHAKE", `${action}: the peer has refused it (${alert})`, {
      cause,
      phase,
      alert,
      reason: message,
    });
  }
  if (CERTIFICATE.test(message) || CERTIFICATE_CODE.test(String(code))) {
    return new TlsError("ERR_TLS_CERTIFICATE", `${action}: its certificate is not accepted`, {
      cause,
      phase: "verify",
      reason: message,
    });
  }
  if (code === NO_CERTIFICATE) {
    return new TlsError("ERR_TLS_CERTIFICATE", `${action}: the peer has shown no certificate`, {
      cause,
      phase: "verify",
      reason: "no certificate",
    });
  }
  if (GONE.has(name) || GONE.has(code)) {
    return new ConnectionClosedError(`${action}: it left during the handshake`, { cause });
  }
  if (name !== "InvalidData" && typeof code !== "string") return cause;
  return new TlsError(
    code === NOT_TLS ? "ERR_TLS_NOT_TLS" : "ERR_TLS_HANDSHAKE",
    `${action}: the handshake failed`,
    { cause, phase, reason: message },
  );
}

/**
 * What a read has failed with: an alert or a broken record is the peer's, the rest is as it was.
 *
 * @param cause What was thrown.
 * @returns A `TlsError` with the phase `"read"`, or the cause itself.
 */
export function explainRead(cause: unknown): unknown {
  const { code, name } = (cause ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  // Node has codes, and the runtime a class of its own.
  const isOfTls = String(code).startsWith("ERR_SSL_") || name === "InvalidData";
  return isOfTls ? explainFailure(cause, "Cannot read", "read") : cause;
}

/**
 * Explains what the first read of a connection fails with: in TLS 1.3 a client hears only then that
 * it was refused (RFC 8446 section 4.4.2.4). Later reads are those of the connection, as they were.
 *
 * @param connection A connection of the runtime, on which nothing was read.
 * @returns The same connection.
 */
export function explainFirstRead<T extends Pick<Transport, "read">>(connection: T): T {
  const { read } = connection;
  connection.read = async (p) => {
    connection.read = read;
    try {
      return await read.call(connection, p);
    } catch (error) {
      throw explainRead(error);
    }
  };
  return connection;
}

/**
 * The alert that a peer has sent.
 *
 * @param error What the runtime threw because of it.
 * @returns Its name in RFC 8446; `undefined` if it was something else.
 */
function alertOf(error: Error): string | undefined {
  const camel = RECEIVED_ALERT.exec(error.message)?.[1];
  if (camel !== undefined) return toSnakeCase(camel);
  const code = OPENSSL_ALERT.exec(String((error as { readonly code?: unknown }).code))?.[1];
  // What we send ourselves has such a code as well.
  return code === undefined || !error.message.includes("alert") ? undefined : code.toLowerCase();
}

/** Where rustls spells otherwise than RFC 8446. */
const SPELLINGS: Readonly<Record<string, string>> = {
  unrecognised_name: "unrecognized_name",
  unknown_pskidentity: "unknown_psk_identity",
  encrypted_client_hello_required: "ech_required",
};

function toSnakeCase(camel: string): string {
  const name = camel.replace(/(?<=[a-z0-9])[A-Z]/g, "_$&").toLowerCase();
  return Object.hasOwn(SPELLINGS, name) ? SPELLINGS[name]! : name;
}
