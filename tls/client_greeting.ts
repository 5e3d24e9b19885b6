import { ConnectionClosedError } from "../nbio/errors.ts";
import { lingeringClose } from "../nbio/linger.ts";
import { sendAll } from "../nbio/send_all.ts";
import type { Transport } from "../nbio/transport.ts";
import { type ClientHello, ClientHelloReader } from "./client_hello.ts";
import { TlsError } from "./errors.ts";
import { checkOwnCertificate, type OwnCertificate } from "./own_certificate.ts";
import type { TlsServerSettings } from "./tls_options.ts";

/** What a client has said first, and the bytes in which it did. */
export interface ClientGreeting {
  /** What it wants; `undefined` if it speaks no TLS. */
  readonly hello: ClientHello | undefined;
  /** Everything that was read. */
  readonly bytes: Uint8Array;
}

/** Four records: hellos with keys that resist quantum computers have a tenth of that. */
const MAX_HELLO_BYTES = 65_536;
const READ_BYTES = 4_096;
const MAX_EMPTY_READS = 1_000;
/** RFC 8446 section 6. */
const Alert = {
  PROTOCOL_VERSION: 70,
  UNRECOGNIZED_NAME: 112,
  NO_APPLICATION_PROTOCOL: 120,
} as const;
const TLS_1_2 = 0x0303;
const TLS_1_3 = 0x0304;
/** A request of HTTP/1, which nobody sends by chance. */
const HTTP_REQUEST = /^[A-Z]{3,16} [!-~]/;
const HTTP_TEXT = "This port speaks HTTPS, not HTTP\n";
const HTTP_ANSWER = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n" +
  `Content-Length: ${HTTP_TEXT.length}\r\nConnection: close\r\n\r\n${HTTP_TEXT}`;

/**
 * Reads what a client says first.
 *
 * @param transport The connection. No byte is taken from it that is not given back.
 * @returns What it has said.
 * @throws {ConnectionClosedError} If it leaves before that.
 * @throws {LimitExceededError} If it goes on for too long.
 */
export async function receiveClientHello(transport: Transport): Promise<ClientGreeting> {
  const reader = new ClientHelloReader(MAX_HELLO_BYTES);
  const space = new Uint8Array(READ_BYTES);
  for (let emptyCount = 0; emptyCount < MAX_EMPTY_READS;) {
    const count = await transport.read(space);
    if (count === null) break;
    if (count === 0) emptyCount++;
    const result = reader.receive(space.subarray(0, count));
    if (result === undefined) continue;
    return { hello: result.type === "hello" ? result.hello : undefined, bytes: reader.bytes };
  }
  throw new ConnectionClosedError("Cannot secure connection as server: the client has left", {
    bytesReceived: reader.bytes.length,
  });
}

/**
 * Refuses a client with whom there will be no handshake, and tells it why: the runtime closes
 * without a word.
 *
 * @param transport The connection.
 * @param greeting What it has said.
 * @param settings What we can do.
 * @throws {TlsError} If it speaks no TLS, or no version or protocol of ours.
 */
export async function refuseClientHello(
  transport: Transport,
  { hello, bytes }: ClientGreeting,
  settings: Pick<TlsServerSettings, "alpnProtocols" | "minVersion" | "maxVersion">,
): Promise<void> {
  if (hello === undefined) {
    await answerInTheClear(transport, bytes);
    throw refusal("ERR_TLS_NOT_TLS", "the client speaks no TLS");
  }
  const [oldest, newest] = [settings.minVersion, settings.maxVersion]
    .map((version) => version === "TLSv1.3" ? TLS_1_3 : TLS_1_2);
  if (hello.newestVersion < oldest! || hello.oldestVersion > newest!) {
    await sendAlert(transport, Alert.PROTOCOL_VERSION);
    throw refusal("ERR_TLS_HANDSHAKE", "there is no version in common");
  }
  const ours = settings.alpnProtocols;
  const theirs = hello.alpnProtocols;
  // RFC 7301 section 3.2. A client that says nothing of protocols is let in.
  if (ours.length === 0 || theirs.length === 0 || theirs.some((name) => ours.includes(name))) {
    return;
  }
  await sendAlert(transport, Alert.NO_APPLICATION_PROTOCOL);
  throw refusal("ERR_TLS_HANDSHAKE", "there is no protocol in common");
}

/**
 * Chooses the certificate for a client, and refuses the client if there is none.
 *
 * @param transport The connection.
 * @param hello What the client wants.
 * @param settings The certificates.
 * @returns The certificate.
 * @throws {TlsError} If there is none for its name.
 */
export async function chooseCertificate(
  transport: Transport,
  { serverName }: ClientHello,
  { own, certificates }: TlsServerSettings,
): Promise<OwnCertificate> {
  if (own !== undefined) return own;
  const chosen = await certificates!.select(serverName);
  return chosen === undefined ? await refuseName(transport) : checkOwnCertificate(chosen, "server");
}

/** RFC 6066 section 3. */
async function refuseName(transport: Transport): Promise<never> {
  await sendAlert(transport, Alert.UNRECOGNIZED_NAME);
  throw refusal("ERR_TLS_HANDSHAKE", "there is no certificate for the name that was asked for");
}

function refusal(code: "ERR_TLS_NOT_TLS" | "ERR_TLS_HANDSHAKE", reason: string): TlsError {
  return new TlsError(code, `Cannot secure connection as server: ${reason}`, { reason });
}

/** In the clear, as nothing else has been agreed on yet (RFC 8446 section 6.2). */
async function sendAlert(transport: Transport, description: number): Promise<void> {
  const FATAL = 2;
  await sayFarewell(transport, new Uint8Array([21, 3, 3, 0, 2, FATAL, description]));
}

/** Tells somebody who has come to the wrong door, where that is plain to see. */
async function answerInTheClear(transport: Transport, bytes: Uint8Array): Promise<void> {
  const start = String.fromCharCode(...bytes.subarray(0, 32));
  if (HTTP_REQUEST.test(start)) await sayFarewell(transport, new TextEncoder().encode(HTTP_ANSWER));
}

/** Within the deadline of the handshake, which closes the connection below. */
async function sayFarewell(transport: Transport, bytes: Uint8Array): Promise<void> {
  try {
    await sendAll(transport, bytes);
    await lingeringClose(transport);
  } catch {
    // It is gone: why it is refused is said to our side all the same.
  }
}
