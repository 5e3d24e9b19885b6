import { assert, assertEquals, assertGreater } from "@std/assert";
import { bytesOf } from "../_support/raw_bytes.ts";
import { runTargets } from "./main.ts";
import { randomOf } from "./mutation.ts";
import { FUZZ_TARGETS, INPUT_TARGETS } from "./registry.ts";

const ROOT = new URL("../../", import.meta.url);
const MODULES = ["nbio", "dns", "tls", "http", "websocket"];
/** What the product calls a thing that reads what somebody else has written. */
const PARSER =
  /^export (?:async )?(?:function\*? (?:parse|decode|read)[A-Z]|class \w+(?:Parser|Decoder|Reader|Deframer|Tokenizer|Handshake)\b)/m;

/** Why a file that looks like a parser has no target of its own. */
const EXEMPT: Readonly<Record<string, string>> = {
  "dns/system.ts": "hands files to dns/settings",
  "dns/record_text_reader.ts": "by dns/record and dns/zone",
  "http/adapter_static_body.ts": "reads what a handler of ours has made",
  "http/ascii.ts": "total: any byte is a character",
  "http/body_multipart.ts": "hands events of http/multipart on",
  "http/body_content_decoding.ts": "hands pieces to peers/content_decoder",
  "http/cli_options.ts": "the user's own command line",
  "http/client_decoding.ts": "hands pieces to peers/content_decoder",
  "http/directory_listing.ts": "one of a few words, else the default",
  "http/middleware_require_body.ts": "hands the body to JSON.parse and the form parsers",
  "http/server_errors.ts": "by http/field_values: the preferences",
  "nbio/dial_target.ts": "the caller's own options",
  "nbio/prefork_settings.ts": "what our own processes tell each other",
  "nbio/read_entire_file.ts": "files, whose bytes mean nothing here",
  "nbio/file_info.ts": "names of a folder",
  "nbio/_udp_address.ts": "by nbio/address",
  "nbio/_testing_transcript_reader.ts": "reads a script of the test's own",
  "nbio/_testing_flat_json.ts": "by nbio/transcript",
  "nbio/_testing_fault_reader.ts": "parses nothing",
  "tls/algorithm_identifier.ts": "by tls/certificate",
  "tls/certificate_extension_constraints.ts": "by tls/certificate",
  "tls/certificate_extension_places.ts": "by tls/certificate",
  "tls/certificate_extension_policies.ts": "by tls/certificate",
  "tls/certificate_extension_timestamps.ts": "by tls/certificate",
  "tls/development_name.ts": "the caller's own options",
  "tls/own_certificate.ts": "hands the text to tls/pem and tls/certificate",
  "tls/signature_algorithm.ts": "the signatures of the vectors; by tls/certificate",
  "tls/subject_public_key_info.ts": "by tls/certificate",
};

async function parserFiles(): Promise<string[]> {
  const files: string[] = [];
  for (const module of MODULES) {
    for await (const { name } of Deno.readDir(new URL(`${module}/`, ROOT))) {
      const path = `${module}/${name}`;
      if (!name.endsWith(".ts")) continue;
      if (PARSER.test(await Deno.readTextFile(new URL(path, ROOT)))) files.push(path);
    }
  }
  return files.sort();
}

Deno.test("every parser has a target, or a reason to have none", async () => {
  const files = await parserFiles();
  const driven = new Set(FUZZ_TARGETS.flatMap(({ drives }) => drives));
  assertEquals(files.filter((file) => !driven.has(file) && EXEMPT[file] === undefined), []);
  assertGreater(files.length, 50);
});

Deno.test("what the targets drive is there", async () => {
  const driven = new Set(FUZZ_TARGETS.flatMap(({ drives }) => drives));
  for (const file of [...driven, ...Object.keys(EXEMPT)]) await Deno.stat(new URL(file, ROOT));
});

Deno.test("FUZZ_TARGETS has each name once", () => {
  const names = FUZZ_TARGETS.map(({ name }) => name);
  assertEquals(names.filter((name, index) => names.indexOf(name) !== index), []);
});

for (const target of FUZZ_TARGETS) {
  Deno.test(`${target.name} does what it should with all that is kept`, async () => {
    const outcomes = await target.replay();
    assertGreater(outcomes["accepted"] ?? 0, 0);
  });
}

Deno.test("every target makes the same of the same seed", async () => {
  for (const target of FUZZ_TARGETS) {
    const run = { seed: 7, first: 3, count: 20 };
    assertEquals(await target.fuzz(run), await target.fuzz(run), target.name);
  }
});

/** Quadratic work on so much takes far longer. */
const LONG_BYTES = 32_768;
const MOST_MS = 5_000;

for (const target of INPUT_TARGETS) {
  Deno.test(`${target.name} is soon done with 32 KiB of the same`, async () => {
    const starts = ["", target.corpus()[0]!];
    for (const piece of target.pieces) {
      for (const start of starts) {
        const input = bytesOf(`${start}${piece.repeat(LONG_BYTES)}`.slice(0, LONG_BYTES));
        const begin = performance.now();
        await target.judge(input, randomOf(1, 1));
        const shown = `${JSON.stringify(start)} and then ${JSON.stringify(piece)}`;
        assert(performance.now() - begin < MOST_MS, `${shown} took too long`);
      }
    }
  });
}

Deno.test("all targets hold for some seconds of spoilt inputs", async () => {
  // Another seed every day, the same one all day: new inputs, but no flicker.
  const seed = Math.floor(Date.now() / 86_400_000);
  const plan = { seed, first: 0, count: 1_000_000, seconds: 3 };
  const scores = await runTargets(FUZZ_TARGETS, plan);
  assertEquals(scores.filter(({ inputCount }) => inputCount < 200), []);
});
