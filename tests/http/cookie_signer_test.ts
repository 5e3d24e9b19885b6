import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createHmac } from "node:crypto";
import { CookieSigner } from "../../http/cookie_signer.ts";

const KEYS = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));

for (const value of ["", "ada", "a.b", "a.b.", "\u00fc\u{1f36a}", "v".repeat(4_000)]) {
  const shown = value.slice(0, 8);
  Deno.test(`CookieSigner verifies what it signed: ${JSON.stringify(shown)}`, async () => {
    const signer = new CookieSigner(KEYS);
    const signed = await signer.sign("user", value);
    assertEquals(signed.length, value.length + 44);
    assertEquals(await signer.verify("user", signed), { value, isOutdated: false });
  });
}

Deno.test("CookieSigner.sign() gives HMAC-SHA-256 over name and value", async () => {
  const mac = createHmac("sha256", KEYS[0]!).update("user=ada").digest("base64url");
  assertEquals(await new CookieSigner(KEYS).sign("user", "ada"), `ada.${mac}`);
});

Deno.test("CookieSigner.verify() says which signatures are to be made anew", async () => {
  const signer = new CookieSigner(KEYS);
  for (const [index, key] of KEYS.entries()) {
    const signed = await new CookieSigner([key]).sign("user", "ada");
    assertEquals(await signer.verify("user", signed), { value: "ada", isOutdated: index > 0 });
  }
  const foreign = await new CookieSigner(["another key of thirty-two bytes."]).sign("user", "ada");
  assertEquals(await signer.verify("user", foreign), undefined);
});

Deno.test("CookieSigner throws on a name that is no token", async () => {
  const signer = new CookieSigner(KEYS);
  await assertRejects(() => signer.sign("a=b", "c"), TypeError);
  await assertRejects(() => signer.verify("", `c.${"A".repeat(43)}`), TypeError);
});

Deno.test("CookieSigner.verify() refuses another name", async () => {
  const signer = new CookieSigner(KEYS);
  const signed = await signer.sign("a", "b=c");
  assertEquals(await signer.verify("b", signed), undefined);
  assertEquals(await signer.verify("A", signed), undefined);
});

Deno.test("CookieSigner.verify() refuses every changed, cut or prolonged text", async () => {
  const signer = new CookieSigner(KEYS);
  const signed = await signer.sign("user", "ada");
  for (let index = 0; index < signed.length; index++) {
    const other = signed[index] === "A" ? "B" : "A";
    const changed = signed.slice(0, index) + other + signed.slice(index + 1);
    assertEquals(await signer.verify("user", changed), undefined, changed);
    assertEquals(await signer.verify("user", signed.slice(0, index)), undefined);
    assertEquals(await signer.verify("user", signed.slice(index + 1)), undefined);
  }
  for (const more of ["=", "A", ".", "\0", "\ud800"]) {
    assertEquals(await signer.verify("user", signed + more), undefined);
    assertEquals(await signer.verify("user", more + signed), undefined);
  }
});

Deno.test("CookieSigner.verify() refuses nothing, garbage and what no client keeps", async () => {
  const signer = new CookieSigner(KEYS);
  const long = await signer.sign("user", "v".repeat(4_053));
  for (const text of [undefined, "", ".", "a", "\ud800".repeat(44), `.${"A".repeat(43)}`, long]) {
    assertEquals(await signer.verify("user", text), undefined);
  }
});

Deno.test("CookieSigner throws on keys that are none", () => {
  assertThrows(() => new CookieSigner([]), RangeError);
  assertThrows(() => new CookieSigner(["too short"]), RangeError);
});
