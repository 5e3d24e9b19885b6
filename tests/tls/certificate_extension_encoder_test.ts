import { assertEquals } from "@std/assert";
import { parseCertificate } from "../../tls/certificate.ts";
import {
  authorityKeyIdentifierExtension,
  basicConstraintsExtension,
  extendedKeyUsageExtension,
  keyUsageExtension,
  nameConstraintsExtension,
  subjectAltNameExtension,
  subjectKeyIdentifierExtension,
} from "../../tls/certificate_extension_encoder.ts";
import type { CertificateExtension } from "../../tls/certificate_extension.ts";
import { buildCertificate } from "./certificate_builder.ts";

/** What the strict reader makes of it. */
function read({ oid, critical, value }: CertificateExtension) {
  const extension = {
    oid,
    critical,
    value: (writer: { writeRaw(der: Uint8Array): void }) => writer.writeRaw(value),
  };
  return parseCertificate(buildCertificate({ extensions: [extension] }));
}

Deno.test("basicConstraintsExtension() writes what is read back", () => {
  assertEquals(read(basicConstraintsExtension(false)).basicConstraints, { ca: false });
  assertEquals(read(basicConstraintsExtension(true)).basicConstraints, { ca: true });
  const limited = basicConstraintsExtension(true, 0);
  assertEquals(read(limited).basicConstraints, { ca: true, pathLength: 0 });
  assertEquals(limited.critical, true);
});

Deno.test("keyUsageExtension() writes bits without zeros at the end", () => {
  const bits = (extension: CertificateExtension): string => extension.value.toHex();
  assertEquals(bits(keyUsageExtension("digitalSignature")), "03020780");
  assertEquals(bits(keyUsageExtension("digitalSignature", "keyEncipherment")), "030205a0");
  assertEquals(bits(keyUsageExtension("cRLSign", "keyCertSign")), "03020106");
  const { keyUsage } = read(keyUsageExtension("keyCertSign"));
  assertEquals([keyUsage?.keyCertSign, keyUsage?.cRLSign], [true, false]);
});

Deno.test("extendedKeyUsageExtension() writes purposes in order", () => {
  const oids = ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"];
  const extension = extendedKeyUsageExtension(...oids);
  assertEquals(read(extension).extendedKeyUsage, oids);
  assertEquals(extension.critical, false);
});

Deno.test("the extensions for identifiers of keys write what is read back", () => {
  const identifier = new Uint8Array([1, 2, 3]);
  assertEquals(read(subjectKeyIdentifierExtension(identifier)).subjectKeyIdentifier, identifier);
  const { authorityKeyIdentifier } = read(authorityKeyIdentifierExtension(identifier));
  assertEquals(authorityKeyIdentifier, { keyIdentifier: identifier });
});

Deno.test("subjectAltNameExtension() writes names and addresses in order", () => {
  const names = [
    { type: "ip", value: new Uint8Array([127, 0, 0, 1]) },
    { type: "dns", value: "a.test" },
    { type: "ip", value: new Uint8Array(16) },
  ] as const;
  assertEquals(read(subjectAltNameExtension(names)).subjectAltName, [...names]);
});

Deno.test("nameConstraintsExtension() leaves out what is empty", () => {
  const permitted = [{ type: "dns", value: "test" }] as const;
  const excluded = [{ type: "ip", value: new Uint8Array(8) }] as const;
  const wrap = <T>(names: readonly T[]) => names.map((base) => ({ base }));
  const both = read(nameConstraintsExtension({ permitted, excluded })).nameConstraints;
  assertEquals(both, { permitted: wrap(permitted), excluded: wrap(excluded) });
  const one = nameConstraintsExtension({ permitted, excluded: [] });
  assertEquals(read(one).nameConstraints, { permitted: wrap(permitted) });
  assertEquals(one.critical, true);
});
