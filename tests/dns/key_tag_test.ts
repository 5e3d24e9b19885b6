import { assertEquals } from "@std/assert";
import { dsDigestInput, keyTag } from "../../dns/key_tag.ts";
import { parseRdata } from "../../dns/rdata.ts";

Deno.test("keyTag() gives that of RFC 4034 section 5.4", () => {
  const key = parseRdata(
    "DNSKEY",
    `256 3 5 ( AQOeiiR0GOMYkDshWoSKz9Xz
      fwJr1AYtsmx3TGkJaNXVbfi/
      2pHm822aJ5iI9BMzNXxeYCmZ
      DRD99WYwYqUSdjMmmAphXdvx
      egXd/M5+X7OrzKBaMbCVdFLU
      Uh6DhweJBjEVv5f2wwjM9Xzc
      nOf+EPbtG9DMBmADjFDc2w/r
      ljwvFw== )`,
  );
  assertEquals(keyTag(key), 60485);
});

Deno.test("keyTag() takes the end of the modulus for RSAMD5", () => {
  const publicKey = new Uint8Array([1, 3, 0xaa, 0xbb, 0xcc]);
  assertEquals(keyTag({ flags: 256, protocol: 3, algorithm: 1, publicKey }), 0xaabb);
  const short = new Uint8Array(2);
  assertEquals(keyTag({ flags: 256, protocol: 3, algorithm: 1, publicKey: short }), 0);
});

Deno.test("dsDigestInput() lower-cases the owner and nothing else", () => {
  const key = { flags: 256, protocol: 3, algorithm: 5, publicKey: new Uint8Array([0x41]) };
  assertEquals(dsDigestInput("A", key).toHex(), "016100" + "01000305" + "41");
});
