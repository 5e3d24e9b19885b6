import { assertEquals, assertThrows } from "@std/assert";
import { WebSocketProtocolError } from "../../websocket/errors.ts";
import {
  formatWebSocketExtensions,
  parseWebSocketExtensions,
} from "../../websocket/extension_header.ts";
import {
  acceptDeflateOffer,
  createDeflateOffer,
  type DeflateNegotiationOptions,
  type DeflateParameters,
  verifyDeflateResponse,
} from "../../websocket/extension_negotiation.ts";

/** Parameters in short: takeover of server and client, windows of server and client. */
function short(parameters: DeflateParameters | undefined): string | undefined {
  if (parameters === undefined) return undefined;
  const { serverNoContextTakeover, clientNoContextTakeover } = parameters;
  return `${serverNoContextTakeover ? "-" : "+"}${clientNoContextTakeover ? "-" : "+"} ` +
    `${parameters.serverMaxWindowBits} ${parameters.clientMaxWindowBits}`;
}

/** What a server answers, without the name of the extension, and what holds then. */
function accept(
  offers: string,
  options: DeflateNegotiationOptions = {},
): [answer: string, parameters: string | undefined] | undefined {
  const accepted = acceptDeflateOffer(parseWebSocketExtensions([offers]), options);
  if (accepted === undefined) return undefined;
  const answer = formatWebSocketExtensions([accepted.response]);
  return [answer.replace(/^permessage-deflate(; )?/, ""), short(accepted.parameters)];
}

const PMD = "permessage-deflate";
/** No bound of our own. */
const WIDE = { serverMaxWindowBits: 15, clientMaxWindowBits: 15 };

const OFFERS: readonly {
  offer: string;
  options?: DeflateNegotiationOptions;
  answer: string;
  parameters: string;
}[] = [
  // The defaults.
  { offer: "", answer: "server_max_window_bits=12", parameters: "++ 12 15" },
  {
    offer: "; client_max_window_bits",
    answer: "server_max_window_bits=12; client_max_window_bits=12",
    parameters: "++ 12 12",
  },
  {
    offer: "; client_max_window_bits=10; server_max_window_bits=9",
    answer: "server_max_window_bits=9; client_max_window_bits=10",
    parameters: "++ 9 10",
  },
  {
    offer: "; server_max_window_bits=15; client_max_window_bits=15",
    answer: "server_max_window_bits=12; client_max_window_bits=12",
    parameters: "++ 12 12",
  },
  // No bound of our own.
  { offer: "", options: WIDE, answer: "", parameters: "++ 15 15" },
  { offer: "; client_max_window_bits", options: WIDE, answer: "", parameters: "++ 15 15" },
  {
    offer: "; client_max_window_bits=8",
    options: WIDE,
    answer: "client_max_window_bits=8",
    parameters: "++ 15 8",
  },
  {
    offer: "; server_max_window_bits=15",
    options: WIDE,
    answer: "server_max_window_bits=15",
    parameters: "++ 15 15",
  },
  {
    offer: "; server_max_window_bits=8",
    options: WIDE,
    answer: "server_max_window_bits=8",
    parameters: "++ 8 15",
  },
  {
    offer: '; server_max_window_bits="10"',
    options: WIDE,
    answer: "server_max_window_bits=10",
    parameters: "++ 10 15",
  },
  // Takeover.
  {
    offer: "; server_no_context_takeover",
    options: WIDE,
    answer: "server_no_context_takeover",
    parameters: "-+ 15 15",
  },
  {
    offer: "; client_no_context_takeover",
    options: WIDE,
    answer: "client_no_context_takeover",
    parameters: "+- 15 15",
  },
  {
    offer: "",
    options: { ...WIDE, serverNoContextTakeover: true, clientNoContextTakeover: true },
    answer: "server_no_context_takeover; client_no_context_takeover",
    parameters: "-- 15 15",
  },
  // All at once.
  {
    offer: "; client_max_window_bits=11; client_no_context_takeover; " +
      "server_max_window_bits=13; server_no_context_takeover",
    options: { serverMaxWindowBits: 14, clientMaxWindowBits: 8 },
    answer: "server_no_context_takeover; client_no_context_takeover; " +
      "server_max_window_bits=13; client_max_window_bits=8",
    parameters: "-- 13 8",
  },
];

for (const { offer, options = {}, answer, parameters } of OFFERS) {
  const text = `"${PMD}${offer}" with ${JSON.stringify(options)}`;
  Deno.test(`acceptDeflateOffer() accepts ${text}`, () => {
    assertEquals(accept(PMD + offer, options), [answer, parameters]);
  });
}

const BAD_OFFERS: readonly string[] = [
  "; foo",
  "; foo=1",
  "; Server_no_context_takeover",
  "; server_no_context_takeover=1",
  "; server_no_context_takeover=true",
  "; client_no_context_takeover=0",
  "; server_no_context_takeover; server_no_context_takeover",
  "; client_no_context_takeover; client_no_context_takeover",
  "; server_max_window_bits",
  "; client_max_window_bits; client_max_window_bits",
  "; client_max_window_bits; client_max_window_bits=10",
  "; server_max_window_bits=10; server_max_window_bits=10",
  ...["7", "16", "0", "-8", "08", "+9", "9.0", "1e1", "0xA", "010", "99", "a", "100"].flatMap(
    (bits) => [`; server_max_window_bits=${bits}`, `; client_max_window_bits=${bits}`],
  ),
  ";",
  "; =",
];

for (const bad of BAD_OFFERS) {
  Deno.test(`acceptDeflateOffer() declines "${PMD}${bad}" and takes the next`, () => {
    assertEquals(accept(PMD + bad), undefined);
    const next = `${PMD}${bad}, foo, ${PMD}; server_max_window_bits=10, ${PMD}`;
    assertEquals(accept(next)?.[1], "++ 10 15");
  });
  if (!bad.includes("; client_max_window_bits; client")) {
    Deno.test(`verifyDeflateResponse() throws on "${PMD}${bad}"`, () => {
      const response = parseWebSocketExtensions([PMD + bad]);
      const error = assertThrows(() => verifyDeflateResponse(response, {}), WebSocketProtocolError);
      assertEquals(error.code, "ERR_WEBSOCKET_BAD_EXTENSION");
    });
  }
}

Deno.test("acceptDeflateOffer() accepts nothing without an offer", () => {
  for (const offers of ["", "foo", "Permessage-Deflate", "x-webkit-deflate-frame"]) {
    assertEquals(accept(offers), undefined);
  }
});

Deno.test("acceptDeflateOffer() takes the first of two good offers", () => {
  const offers = `${PMD}; server_max_window_bits=9, ${PMD}; server_max_window_bits=10`;
  assertEquals(accept(offers)?.[1], "++ 9 15");
});

const REQUESTS: readonly { options: DeflateNegotiationOptions; wanted: string }[] = [
  { options: {}, wanted: "client_max_window_bits" },
  { options: { clientMaxWindowBits: 15 }, wanted: "client_max_window_bits=15" },
  { options: { clientMaxWindowBits: 8 }, wanted: "client_max_window_bits=8" },
  {
    options: { serverMaxWindowBits: 8 },
    wanted: "server_max_window_bits=8; client_max_window_bits",
  },
  {
    options: { serverNoContextTakeover: true, clientNoContextTakeover: true },
    wanted: "server_no_context_takeover; client_no_context_takeover; client_max_window_bits",
  },
  {
    options: { serverNoContextTakeover: false, clientNoContextTakeover: false },
    wanted: "client_max_window_bits",
  },
];

for (const { options, wanted } of REQUESTS) {
  Deno.test(`createDeflateOffer() offers ${wanted}`, () => {
    assertEquals(formatWebSocketExtensions([createDeflateOffer(options)]), `${PMD}; ${wanted}`);
  });
}

const RESPONSES: readonly {
  response: string;
  options?: DeflateNegotiationOptions;
  parameters: string;
}[] = [
  { response: "", parameters: "++ 15 12" },
  { response: "", options: { clientMaxWindowBits: 15 }, parameters: "++ 15 15" },
  { response: "; server_max_window_bits=9", parameters: "++ 9 12" },
  { response: "; client_max_window_bits=15", parameters: "++ 15 12" },
  { response: "; client_max_window_bits=8", parameters: "++ 15 8" },
  {
    response: "; client_max_window_bits=10",
    options: { clientMaxWindowBits: 10 },
    parameters: "++ 15 10",
  },
  { response: "; server_no_context_takeover", parameters: "-+ 15 12" },
  { response: "; client_no_context_takeover", parameters: "+- 15 12" },
  { response: "", options: { clientNoContextTakeover: true }, parameters: "+- 15 12" },
  {
    response: "; server_no_context_takeover",
    options: { serverNoContextTakeover: true },
    parameters: "-+ 15 12",
  },
  {
    response: "; server_max_window_bits=10",
    options: { serverMaxWindowBits: 10 },
    parameters: "++ 10 12",
  },
  {
    response: '; server_max_window_bits="8"',
    options: { serverMaxWindowBits: 10 },
    parameters: "++ 8 12",
  },
];

for (const { response, options = {}, parameters } of RESPONSES) {
  const text = `"${PMD}${response}" to ${JSON.stringify(options)}`;
  Deno.test(`verifyDeflateResponse() accepts ${text}`, () => {
    const found = verifyDeflateResponse(parseWebSocketExtensions([PMD + response]), options);
    assertEquals(short(found), parameters);
  });
}

const BAD_RESPONSES: readonly { response: string; options?: DeflateNegotiationOptions }[] = [
  { response: "foo" },
  { response: "Permessage-deflate" },
  { response: `${PMD}, ${PMD}` },
  { response: `${PMD}, foo` },
  { response: `foo, ${PMD}` },
  { response: `${PMD}, ;` },
  { response: `;, ${PMD}` },
  // Without a value it is for an offer only.
  { response: `${PMD}; client_max_window_bits` },
  { response: `${PMD}; client_max_window_bits=11`, options: { clientMaxWindowBits: 10 } },
  { response: PMD, options: { serverNoContextTakeover: true } },
  { response: PMD, options: { serverMaxWindowBits: 15 } },
  { response: `${PMD}; server_max_window_bits=11`, options: { serverMaxWindowBits: 10 } },
];

for (const { response, options = {} } of BAD_RESPONSES) {
  Deno.test(`verifyDeflateResponse() throws on "${response}" to ${JSON.stringify(options)}`, () => {
    const extensions = parseWebSocketExtensions([response]);
    const verify = () => verifyDeflateResponse(extensions, options);
    assertEquals(assertThrows(verify, WebSocketProtocolError).code, "ERR_WEBSOCKET_BAD_EXTENSION");
  });
}

Deno.test("verifyDeflateResponse() throws on any extension where none was offered", () => {
  assertEquals(verifyDeflateResponse([], undefined), undefined);
  assertEquals(verifyDeflateResponse([], {}), undefined);
  for (const response of [PMD, "foo", ";"]) {
    const extensions = parseWebSocketExtensions([response]);
    assertThrows(() => verifyDeflateResponse(extensions, undefined), WebSocketProtocolError);
  }
});

Deno.test("windows out of range throw wherever they are given", () => {
  for (const bits of [7, 16, 0, -8, 8.5, NaN, Infinity]) {
    for (const options of [{ serverMaxWindowBits: bits }, { clientMaxWindowBits: bits }]) {
      assertThrows(() => createDeflateOffer(options), RangeError);
      assertThrows(() => acceptDeflateOffer([], options), RangeError);
      assertThrows(() => verifyDeflateResponse([], options), RangeError);
    }
  }
});
