/** Targets for what surrounds the frames of a WebSocket: both handshakes, extensions, Close. */

import { createHash } from "node:crypto";
import { HeaderList } from "../../http/header_list.ts";
import { decodeCloseFrame, encodeCloseFrame } from "../../websocket/close_frame.ts";
import { WebSocketProtocolError } from "../../websocket/errors.ts";
import {
  formatWebSocketExtensions,
  parseWebSocketExtensions,
} from "../../websocket/extension_header.ts";
import {
  acceptDeflateOffer,
  verifyDeflateResponse,
} from "../../websocket/extension_negotiation.ts";
import { ClientHandshake } from "../../websocket/handshake_client.ts";
import { decideHandshake } from "../../websocket/handshake_server.ts";
import { decodeUtf8 } from "../../websocket/utf8_text.ts";
import { demand, demandSame, type InputTarget, inputTarget, textTarget } from "./input_target.ts";

const sha1 = (bytes: Uint8Array): Uint8Array => createHash("sha1").update(bytes).digest();
const PARAMETERS = [
  ...[",", ";", "=", " ", '"', "\\", "\0", "\xff", "8", "15", "16", "a"],
  ...["permessage-deflate", "client_max_window_bits", "server_max_window_bits"],
  ...["server_no_context_takeover", "client_no_context_takeover"],
] as const;

const extensions = textTarget({
  name: "websocket/extensions",
  drives: ["websocket/extension_header.ts", "websocket/extension_negotiation.ts"],
  pieces: PARAMETERS,
  throws: [WebSocketProtocolError],
  run(text) {
    const parsed = parseWebSocketExtensions([text]);
    demand(parsed.length <= 17, "there are no more extensions than the bound");
    const sound = parsed.filter((extension) => extension !== undefined);
    const again = parseWebSocketExtensions([formatWebSocketExtensions(sound)]);
    if (sound.length > 0) demandSame(again, sound, "extensions are written back");
    const accepted = acceptDeflateOffer(parsed);
    if (accepted !== undefined) {
      const { serverMaxWindowBits, clientMaxWindowBits } = accepted.parameters;
      for (const bits of [serverMaxWindowBits, clientMaxWindowBits]) {
        demand(bits >= 8 && bits <= 15, "a window is in its range");
      }
    }
    return verifyDeflateResponse(parsed, {});
  },
});

/** Field lines of a head; no line is a head, nothing of it is refused. */
function fieldsOf(text: string): HeaderList {
  const headers = new HeaderList();
  for (const line of text.split("\r\n").slice(0, 50)) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff]*)$/.exec(line);
    if (match !== null) headers.append(match[1]!, match[2]!.trim());
  }
  return headers;
}

const HANDSHAKE = [
  ...["\r\n", ": ", ",", "Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Version: 13"],
  ...[
    "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==",
    "Sec-WebSocket-Protocol: chat",
    "Origin: null",
  ],
  ...["Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Accept: ", "=", "x"],
] as const;

const serverHandshake = textTarget({
  name: "websocket/server_handshake",
  drives: ["websocket/handshake_server.ts"],
  pieces: HANDSHAKE,
  run(text, random) {
    const request = {
      method: random.pick(["GET", "GET", "GET", "POST"]),
      minorVersion: random.pick([1, 1, 1, 0]),
      headers: fieldsOf(text),
    };
    const origin = random.pick(["same-origin", "*"] as const);
    const decision = decideHandshake(request, sha1, {
      origin,
      subprotocols: ["chat"],
      deflate: {},
    });
    if (decision.type === "accept") {
      const { method, minorVersion, headers } = request;
      demand(method === "GET" && minorVersion === 1, "only GET of HTTP/1.1 is accepted");
      demandSame(headers.getAll("sec-websocket-version"), ["13"], "the version is one");
      return decision.headers;
    }
    demand([400, 403, 405, 426].includes(decision.status), "a refusal has its status");
    return undefined;
  },
});

const clientHandshake = textTarget({
  name: "websocket/client_handshake",
  drives: ["websocket/handshake_client.ts"],
  pieces: HANDSHAKE,
  throws: [WebSocketProtocolError],
  run(text, random) {
    const key = new Uint8Array(16).map((_, index) => index + 1);
    const handshake = new ClientHandshake("example.com", key, {
      ...random.int(2) === 0 && { subprotocols: ["chat"] },
      ...random.int(2) === 0 && { deflate: {} },
    });
    return handshake.verify(
      { status: random.pick([101, 101, 101, 200]), headers: fieldsOf(text) },
      sha1,
    );
  },
});

const closeFrame = inputTarget({
  name: "websocket/close_frame",
  drives: ["websocket/close_frame.ts", "websocket/utf8_text.ts"],
  pieces: [
    "\x03\xe8",
    "\x03\xed",
    "\x0f\xa0",
    "\xff\xff",
    "\0",
    "\x80",
    "\xc3\xa9",
    "\xed\xa0\x80",
    "\xf0\x9f\x98\x80",
    "a",
  ],
  throws: [WebSocketProtocolError],
  run(input) {
    const text = decodeUtf8(input, 0, input.length);
    let wanted: string | undefined;
    try {
      wanted = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(input);
    } catch {
      // It is none.
    }
    demandSame(text, wanted, "text is read as the platform reads it");
    const { code, reason } = decodeCloseFrame(input);
    // RFC 6455 section 5.5: a frame that is longer does not get here.
    if (input.length >= 2 && input.length <= 125) {
      demandSame([...encodeCloseFrame(code, reason)], [...input], "it is written back");
    }
    return code;
  },
});

/** All of them. */
export const WEBSOCKET_TARGETS: readonly InputTarget[] = [
  ...[extensions, serverHandshake, clientHandshake, closeFrame],
];
