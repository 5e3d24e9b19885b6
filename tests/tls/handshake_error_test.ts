import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { connectTls } from "../../tls/connect_tls.ts";
import { denoProvider } from "../../tls/deno_provider.ts";
import { TlsError } from "../../tls/errors.ts";
import { explainFailure, explainFirstRead, explainRead } from "../../tls/handshake_error.ts";
import { listenTls } from "../../tls/listen_tls.ts";
import { nodeProvider } from "../../tls/node_provider.ts";
import { ca, server } from "../_support/tls_pki.ts";

function coded(code: string, message = "text"): Error {
  return Object.assign(new Error(message), { code });
}

const INVALID = (message: string) => new Deno.errors.InvalidData(message);

const ROWS: readonly {
  name: string;
  cause: Error;
  code: string;
  phase: string;
  alert?: string;
}[] = [
  {
    name: "an alert of rustls",
    cause: INVALID("received fatal alert: HandshakeFailure"),
    code: "ERR_TLS_HANDSHAKE",
    phase: "handshake",
    alert: "handshake_failure",
  },
  {
    name: "an alert in words",
    cause: INVALID("received fatal alert: the peer sent a NoApplicationProtocol alert"),
    code: "ERR_TLS_HANDSHAKE",
    phase: "handshake",
    alert: "no_application_protocol",
  },
  {
    name: "an alert that rustls spells its own way",
    cause: INVALID("received fatal alert: UnrecognisedName"),
    code: "ERR_TLS_HANDSHAKE",
    phase: "handshake",
    alert: "unrecognized_name",
  },
  {
    name: "an alert of OpenSSL",
    cause: coded("ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "alert bad certificate"),
    code: "ERR_TLS_HANDSHAKE",
    phase: "handshake",
    alert: "bad_certificate",
  },
  {
    name: "a certificate that the runtime refuses",
    cause: INVALID("invalid peer certificate: UnknownIssuer"),
    code: "ERR_TLS_CERTIFICATE",
    phase: "verify",
  },
  {
    name: "a certificate that Node refuses",
    cause: coded("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
    code: "ERR_TLS_CERTIFICATE",
    phase: "verify",
  },
  {
    name: "a client without a certificate",
    cause: coded("ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"),
    code: "ERR_TLS_CERTIFICATE",
    phase: "verify",
  },
  {
    name: "bytes that are no TLS",
    cause: coded("ERR_SSL_WRONG_VERSION_NUMBER"),
    code: "ERR_TLS_NOT_TLS",
    phase: "handshake",
  },
  {
    name: "anything else of TLS",
    cause: INVALID("something new"),
    code: "ERR_TLS_HANDSHAKE",
    phase: "handshake",
  },
];

for (const { name, cause, code, phase, alert } of ROWS) {
  Deno.test(`explainFailure() tells ${name}`, () => {
    const error = explainFailure(cause, "Cannot do it", "handshake");
    assert(error instanceof TlsError);
    assertEquals([error.code, error.phase, error.alert], [code, phase, alert]);
    assertStrictEquals(error.cause, cause);
    assert(error.reason !== undefined);
  });
}

Deno.test("explainFailure() tells a peer that has left", () => {
  for (
    const cause of [
      new Deno.errors.UnexpectedEof("x"),
      new Deno.errors.ConnectionReset("x"),
      coded("ECONNRESET"),
      coded("EPIPE"),
    ]
  ) {
    const error = explainFailure(cause, "Cannot do it", "handshake");
    assert(error instanceof ConnectionClosedError);
    assertStrictEquals(error.cause, cause);
  }
});

Deno.test("explainFailure() leaves what TLS has no part in", () => {
  for (
    const cause of [
      new TimeoutError("x", { phase: "tls", timeoutMs: 1 }),
      new TypeError("x"),
      "no error",
      undefined,
    ]
  ) assertStrictEquals(explainFailure(cause, "Cannot do it", "handshake"), cause);
});

Deno.test("explainRead() knows what TLS has to say, and leaves the rest", () => {
  const code = "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED";
  for (
    const cause of [
      INVALID("received fatal alert: CertificateRequired"),
      coded(code, "received fatal alert: CertificateRequired"),
    ]
  ) {
    const error = explainRead(cause);
    assert(error instanceof TlsError);
    assertEquals([error.phase, error.alert], ["read", "certificate_required"]);
  }
  for (const cause of [new Deno.errors.UnexpectedEof("x"), coded("ECONNRESET"), "x", undefined]) {
    assertStrictEquals(explainRead(cause), cause);
  }
});

Deno.test("explainFirstRead() looks at one read, and leaves later ones alone", async () => {
  const alert = INVALID("received fatal alert: UnknownCA");
  let isRefused = false;
  const read = function (this: unknown): Promise<number> {
    assertStrictEquals(this, connection);
    return isRefused ? Promise.reject(alert) : Promise.resolve(7);
  };
  const connection: { read(p: Uint8Array): Promise<number | null> } = { read };
  assertStrictEquals(explainFirstRead(connection), connection);
  assertEquals(await connection.read(new Uint8Array(9)), 7);
  assertStrictEquals(connection.read, read);
  isRefused = true;
  assertStrictEquals(await connection.read(new Uint8Array(9)).catch((error) => error), alert);
  explainFirstRead(connection);
  const error = await assertRejects(() => connection.read(new Uint8Array(9)), TlsError);
  assertEquals([error.code, error.alert], ["ERR_TLS_HANDSHAKE", "unknown_ca"]);
});

for (const provider of [denoProvider, nodeProvider]) {
  Deno.test(`our server refuses clients without a word, which "${provider.name}" reads as a cut`, async () => {
    const options = { clientCertificates: "required", clientCaCerts: [ca.certificatePem] } as const;
    await using listener = listenTls({ hostname: "127.0.0.1", port: 0, ...server, ...options });
    const { port } = listener.addr as Deno.NetAddr;
    const tls = { caCerts: [ca.certificatePem] };
    const client = await connectTls({ hostname: "127.0.0.1", port, tls, provider });
    const error = await client.read(new Uint8Array(9)).catch((reason) => reason);
    const isCut = error instanceof ConnectionClosedError ||
      error instanceof Deno.errors.UnexpectedEof;
    assert(isCut, Deno.inspect(error));
    client.close();
  });
}
