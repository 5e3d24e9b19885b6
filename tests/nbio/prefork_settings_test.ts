import { assertEquals } from "@std/assert";
import { parsePreforkSettings, readPreforkWord } from "../../nbio/prefork_settings.ts";

for (const message of [undefined, null, "ready", 1, {}, { nbioPrefork: "go" }, []]) {
  Deno.test(`readPreforkWord() leaves ${JSON.stringify(message)} to the program`, () => {
    assertEquals(readPreforkWord(message), undefined);
  });
}

Deno.test("readPreforkWord() reads every word, and no end without a code", () => {
  for (
    const word of [
      { nbioPrefork: "ready" },
      { nbioPrefork: "stop" },
      { nbioPrefork: "end", code: 3 },
    ] as const
  ) {
    assertEquals(readPreforkWord({ ...word, more: 1 }), word);
  }
  assertEquals(readPreforkWord({ nbioPrefork: "end", code: "3" }), undefined);
});

Deno.test("parsePreforkSettings() takes what was written, and nothing else", () => {
  const settings = { id: 1, supervisorPid: 2 };
  assertEquals(parsePreforkSettings(JSON.stringify(settings)) as unknown, settings);
  for (const text of ["", "{", "null", "1", "{}", '{"supervisorPid":"1"}']) {
    assertEquals(parsePreforkSettings(text), undefined);
  }
});
