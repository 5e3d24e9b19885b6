import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { LimitExceededError } from "../../nbio/errors.ts";
import type { Certificate } from "../../tls/certificate.ts";
import { CertificateVerificationError } from "../../tls/certificate_verification_error.ts";
import { ChainBuilder, type ChainBuilderOptions } from "../../tls/chain_builder.ts";
import { HostnameError } from "../../tls/verify_hostname.ts";
import {
  altNames,
  basicConstraints,
  ca,
  type ChainCertificate,
  dns,
  extendedKeyUsage,
  leaf,
  nameConstraints,
  NOW,
  policies,
  requirePolicy,
  subjectKey,
} from "./chain_certificates.ts";

const ROOT = ca({ name: "root" });
const CA = ca({ name: "ca", by: "root" });

type Options = Partial<ChainBuilderOptions>;

function builderOf(certificate: Certificate, options: Options = {}): ChainBuilder {
  return new ChainBuilder(certificate, { roots: [ROOT], time: NOW, ...options });
}

/** A signature that was asked for, by the names of who has signed and who was signed. */
type Answer = (issuer: string, subject: string) => boolean;

const nameOf = ({ subject }: Certificate): string => subject.commonName ?? "";

/** Answers until the end; gives the names on the chain. */
function drive(builder: ChainBuilder, answer: Answer = () => true): string[] {
  for (;;) {
    const event = builder.nextEvent();
    if (event.type === "verified") return event.chain.map(nameOf);
    builder.receiveSignature(answer(nameOf(event.issuer), nameOf(event.certificate)));
  }
}

function refusal(builder: ChainBuilder, answer?: Answer): CertificateVerificationError {
  return assertThrows(() => drive(builder, answer), CertificateVerificationError);
}

/** CAs below the root, `c1` the uppermost. */
function casBelow(
  count: number,
  change: (index: number) => Partial<ChainCertificate> = () => ({}),
) {
  return Array.from(
    { length: count },
    (_, index) =>
      ca({ name: `c${index + 1}`, by: index === 0 ? "root" : `c${index}`, ...change(index + 1) }),
  );
}

Deno.test("ChainBuilder finds the root right above the leaf", () => {
  const builder = builderOf(leaf(), { name: "leaf.example" });
  assertEquals(drive(builder), ["leaf", "root"]);
  assertEquals(builder.steps, { signatures: 1, nameComparisons: 0, pathSteps: 1 });
});

Deno.test("ChainBuilder finds a way through CAs in any order", () => {
  const cas = casBelow(3);
  const below = leaf({ by: "c3" });
  for (const intermediates of [cas, cas.toReversed(), [cas[1]!, cas[2]!, cas[0]!]]) {
    const builder = builderOf(below, { intermediates });
    assertEquals(drive(builder), ["leaf", "c3", "c2", "c1", "root"]);
    assertEquals(builder.steps, { signatures: 4, nameComparisons: 0, pathSteps: 4 });
  }
});

Deno.test("ChainBuilder asks again until it is told, and stays at the end", () => {
  const builder = builderOf(leaf());
  const first = builder.nextEvent();
  assertStrictEquals(builder.nextEvent(), first);
  builder.receiveSignature(true);
  const end = builder.nextEvent();
  assertStrictEquals(builder.nextEvent(), end);
  assertThrows(() => builder.receiveSignature(true), TypeError);
});

Deno.test("ChainBuilder throws the same refusal from then on", () => {
  const builder = builderOf(leaf());
  const error = refusal(builder, () => false);
  assertEquals([error.code, error.depth], ["ERR_X509_BAD_SIGNATURE", 0]);
  assertStrictEquals(assertThrows(() => builder.nextEvent()), error);
});

Deno.test("ChainBuilder says why nobody could tell about a signature", () => {
  const builder = builderOf(leaf());
  builder.nextEvent();
  const reason = new CertificateVerificationError("ERR_X509_UNSUPPORTED_KEY", "no");
  builder.receiveSignature(reason);
  const error = assertThrows(() => builder.nextEvent(), CertificateVerificationError);
  assertEquals(error.code, "ERR_X509_UNSUPPORTED_KEY");
});

Deno.test("ChainBuilder takes another way where a signature is bad", () => {
  const other = ca({ name: "ca", by: "root", key: 9 });
  const good = ca({ name: "ca", by: "root", key: 8 });
  // Without an identifier both may be meant.
  const below = leaf({ by: "ca", extensions: [unidentified()] });
  const builder = builderOf(below, { intermediates: [other, good] });
  let asked = 0;
  assertEquals(drive(builder, () => ++asked !== 1), ["leaf", "ca", "root"]);
  assertEquals(builder.steps.signatures, 3);
});

/** An authorityKeyIdentifier that says nothing. */
function unidentified() {
  return {
    oid: "2.5.29.35",
    value: (writer: Parameters<ReturnType<typeof altNames>["value"]>[0]) =>
      writer.writeSequence(() => {}),
  };
}

Deno.test("ChainBuilder does not ask for a signature of another key than is named", () => {
  const others = Array.from({ length: 50 }, (_, key) => ca({ name: "ca", by: "root", key }));
  const builder = builderOf(leaf({ by: "ca", byKey: 200 }), { intermediates: others });
  assertEquals(refusal(builder).code, "ERR_X509_KEY_IDENTIFIER");
  assertEquals(builder.steps, { signatures: 0, nameComparisons: 0, pathSteps: 50 });
});

Deno.test("ChainBuilder trusts a leaf that is a root, if it is sound", () => {
  const self = leaf({ by: "leaf" });
  assertEquals(drive(builderOf(self, { roots: [ROOT, self] })), ["leaf"]);
  const error = refusal(builderOf(self, { roots: [self], time: self.notAfter + 1 }));
  assertEquals([error.code, error.depth], ["ERR_X509_EXPIRED", 0]);
});

Deno.test("ChainBuilder trusts nobody who has only signed themselves", () => {
  const self = leaf({ by: "leaf" });
  for (const intermediates of [[], [self]]) {
    const error = refusal(builderOf(self, { intermediates }));
    assertEquals([error.code, error.depth], ["ERR_X509_UNKNOWN_ISSUER", 0]);
  }
});

Deno.test("ChainBuilder does not trust an intermediate that has signed itself", () => {
  const false_ = ca({ name: "false", by: "false" });
  const error = refusal(builderOf(leaf({ by: "false" }), { intermediates: [false_] }));
  assertEquals(error.code, "ERR_X509_UNKNOWN_ISSUER");
});

Deno.test("ChainBuilder says which certificate has no issuer", () => {
  const cas = casBelow(3).slice(1);
  const error = refusal(builderOf(leaf({ by: "c3" }), { intermediates: cas }));
  assertEquals([error.code, error.depth], ["ERR_X509_UNKNOWN_ISSUER", 2]);
  assertStrictEquals(error.certificate, cas[0]);
});

Deno.test("ChainBuilder checks the leaf, and its name before all", () => {
  const builder = builderOf(leaf({ serialNumber: 0 }), { name: "other.example" });
  assertEquals(
    assertThrows(() => builder.nextEvent(), HostnameError).code,
    "ERR_X509_NAME_MISMATCH",
  );
  const error = refusal(builderOf(leaf({ serialNumber: 0 }), { name: "leaf.example" }));
  assertEquals([error.code, error.depth], ["ERR_X509_BAD_SERIAL", 0]);
  assertThrows(() => builderOf(leaf(), { name: "a b" }).nextEvent(), TypeError);
});

Deno.test("ChainBuilder says at which depth a CA is refused", () => {
  const cas = casBelow(
    2,
    (index) => index === 1 ? { extensions: [extendedKeyUsage("1.2.3")] } : {},
  );
  const error = refusal(builderOf(leaf({ by: "c2" }), { intermediates: cas }));
  assertEquals([error.code, error.depth], ["ERR_X509_EXTENDED_KEY_USAGE", 2]);
  assertStrictEquals(error.certificate, cas[0]);
});

Deno.test("ChainBuilder refuses an expired root and takes another one", () => {
  const expired = ca({ name: "root", validity: validity(NOW - 2, NOW - 1) });
  assertEquals(refusal(builderOf(leaf(), { roots: [expired] })).code, "ERR_X509_EXPIRED");
  assertEquals(drive(builderOf(leaf(), { roots: [expired, ROOT] })), ["leaf", "root"]);
});

function validity(from: number, to: number): NonNullable<ChainCertificate["validity"]> {
  const second = (time: number): number => Math.floor(time / 1_000) * 1_000;
  return (writer) =>
    writer.writeSequence(() => {
      writer.writeTime(second(from));
      writer.writeTime(second(to));
    });
}

Deno.test("ChainBuilder holds path lengths, the root's too", () => {
  const chain = (length: number, count: number): Options => ({
    intermediates: casBelow(
      count,
      (index) => index === 1 ? { extensions: [basicConstraints(length)] } : {},
    ),
  });
  assertEquals(drive(builderOf(leaf({ by: "c2" }), chain(1, 2))).length, 4);
  const error = refusal(builderOf(leaf({ by: "c3" }), chain(1, 3)));
  assertEquals([error.code, error.depth], ["ERR_X509_PATH_LENGTH", 3]);
  const short = ca({ name: "root", extensions: [basicConstraints(0)] });
  assertEquals(drive(builderOf(leaf(), { roots: [short] })), ["leaf", "root"]);
  const below = builderOf(leaf({ by: "ca" }), { roots: [short], intermediates: [CA] });
  assertEquals(refusal(below).code, "ERR_X509_PATH_LENGTH");
});

Deno.test("ChainBuilder does not count what is self-issued", () => {
  const upper = ca({ name: "c", by: "root", key: 1, extensions: [basicConstraints(0)] });
  const lower = ca({ name: "c", by: "c", key: 2, byKey: 1 });
  const options = { intermediates: [lower, upper], maxDepth: 1 };
  assertEquals(drive(builderOf(leaf({ by: "c", byKey: 2 }), options)), ["leaf", "c", "c", "root"]);
});

Deno.test("ChainBuilder lets a root rename its key at no depth", () => {
  const renamed = ca({ name: "root", by: "root", key: 2, byKey: 1 });
  const options = {
    roots: [ca({ name: "root", key: 1, byKey: 1 })],
    intermediates: [renamed],
    maxDepth: 0,
  };
  assertEquals(drive(builderOf(leaf({ byKey: 2 }), options)), ["leaf", "root", "root"]);
});

Deno.test("ChainBuilder holds no name constraints against self-issued CAs", () => {
  const constrained = [nameConstraints({ permitted: [dns("leaf.example")] })];
  const roots = [ca({ name: "root", key: 1, byKey: 1, extensions: constrained })];
  const stray = [altNames(dns("root.invalid"))];
  const renamed = ca({ name: "root", by: "root", key: 2, byKey: 1, extensions: stray });
  const options = { roots, intermediates: [renamed] };
  assertEquals(drive(builderOf(leaf({ byKey: 2 }), options)), ["leaf", "root", "root"]);
});

Deno.test("ChainBuilder ends at maxDepth", () => {
  for (const maxDepth of [0, 1, 8, 20]) {
    for (const [count, isGood] of [[maxDepth, true], [maxDepth + 1, false]] as const) {
      const below = leaf({ by: count === 0 ? "root" : `c${count}` });
      const builder = builderOf(below, { intermediates: casBelow(count), maxDepth });
      if (isGood) assertEquals(drive(builder).length, count + 2);
      else assertEquals(refusal(builder).code, "ERR_X509_PATH_TOO_DEEP");
    }
  }
  const deep = builderOf(leaf({ by: "c9" }), { intermediates: casBelow(9) });
  assertEquals(refusal(deep).code, "ERR_X509_PATH_TOO_DEEP");
});

Deno.test("ChainBuilder holds name constraints of every CA, against the CAs below too", () => {
  const only = (name: string) => [nameConstraints({ permitted: [dns(name)] })];
  const chain = (upper: string, lower: string): Options => ({
    intermediates: casBelow(2, (index) => ({ extensions: only(index === 1 ? upper : lower) })),
  });
  const below = leaf({ by: "c2" });
  assertEquals(drive(builderOf(below, chain("example", "leaf.example"))).length, 4);
  for (const [upper, lower] of [["example", "example.org"], ["a.example", "example"]] as const) {
    const error = refusal(builderOf(below, chain(upper, lower)));
    assertEquals([error.code, error.depth], ["ERR_X509_NAME_CONSTRAINTS", 0]);
    assertStrictEquals(error.certificate, below);
  }
  const constrained = ca({ name: "root", extensions: only("example") });
  const stray = ca({ name: "ca", by: "root", extensions: [altNames(dns("b.invalid"))] });
  const error = refusal(
    builderOf(leaf({ by: "ca" }), { roots: [constrained], intermediates: [stray] }),
  );
  assertEquals([error.code, error.depth], ["ERR_X509_NAME_CONSTRAINTS", 1]);
});

Deno.test("ChainBuilder holds policies once a root is reached", () => {
  const strict = ca({ name: "ca", by: "root", extensions: [requirePolicy(0)] });
  const builder = builderOf(leaf({ by: "ca" }), { intermediates: [strict] });
  assertEquals(refusal(builder).code, "ERR_X509_POLICY");
});

Deno.test("ChainBuilder passes over cycles", () => {
  // Each has signed the other, under two names; only `b` has a way to the root.
  const a = ca({ name: "a", by: "b" });
  const bByA = ca({ name: "b", by: "a" });
  const bByRoot = ca({ name: "b", by: "root" });
  const builder = builderOf(leaf({ by: "a" }), { intermediates: [a, bByA, bByRoot] });
  assertEquals(drive(builder), ["leaf", "a", "b", "root"]);
  const lost = builderOf(leaf({ by: "a" }), { intermediates: [a, bByA] });
  assertEquals(refusal(lost).code, "ERR_X509_UNKNOWN_ISSUER");
  assert(lost.steps.pathSteps < 10);
});

Deno.test("ChainBuilder passes over cycles of known signatures", () => {
  const one = ca({ name: "c", by: "c", key: 1, byKey: 2 });
  const other = ca({ name: "c", by: "c", key: 2, byKey: 1 });
  const below = leaf({ by: "c", extensions: [unidentified()] });
  const builder = builderOf(below, { intermediates: [one, other] });
  assertEquals(refusal(builder, () => true).code, "ERR_X509_UNKNOWN_ISSUER");
  assertEquals(builder.steps, { signatures: 4, nameComparisons: 0, pathSteps: 10 });
});

Deno.test("ChainBuilder asks for no signature twice", () => {
  // Two certificates for each CA lead to many paths, of which none reaches a root.
  const cas = [1, 2, 3, 4, 5, 6].flatMap((index) =>
    [1, 2].map((serialNumber) =>
      ca({
        name: `c${index}`,
        by: index === 1 ? "nobody" : `c${index - 1}`,
        key: index * 2 + serialNumber,
        byKey: index - 1,
        serialNumber,
        extensions: [subjectKey(index)],
      })
    )
  );
  const below = leaf({ by: "c6", byKey: 6 });
  const seen = new Set<string>();
  const builder = builderOf(below, { intermediates: cas });
  for (;;) {
    const error = step(builder, seen);
    if (error === undefined) continue;
    assertEquals(error.code, "ERR_X509_UNKNOWN_ISSUER");
    break;
  }
  // 2 for the leaf and 2 x 2 for each of five pairs of neighbours; the paths are 2^6.
  assertEquals(builder.steps, { signatures: 22, nameComparisons: 0, pathSteps: 126 });
  assertEquals(seen.size, 22);
});

function step(builder: ChainBuilder, seen: Set<string>): CertificateVerificationError | undefined {
  try {
    const event = builder.nextEvent();
    assert(event.type === "check-signature");
    seen.add(
      `${event.issuer.serialHex} ${nameOf(event.issuer)} ${event.certificate.serialHex} ${
        nameOf(event.certificate)
      }`,
    );
    builder.receiveSignature(true);
    return undefined;
  } catch (error) {
    if (error instanceof CertificateVerificationError) return error;
    throw error;
  }
}

/** A leaf with many paths, none of which reaches a root. */
function maze(): { readonly below: Certificate; readonly intermediates: Certificate[] } {
  const intermediates = [1, 2, 3, 4, 5, 6].flatMap((index) =>
    [1, 2, 3, 4].map((serialNumber) =>
      ca({
        name: `c${index}`,
        by: index === 1 ? "nobody" : `c${index - 1}`,
        key: index * 4 + serialNumber,
        byKey: index - 1,
        extensions: [subjectKey(index)],
      })
    )
  );
  return { below: leaf({ by: "c6", byKey: 6 }), intermediates };
}

Deno.test("ChainBuilder ends where a budget is used up, and stays there", () => {
  const { below, intermediates } = maze();
  for (const budgets of [{ maxSignatures: 20 }, { maxPathSteps: 1_000 }]) {
    const builder = builderOf(below, { intermediates, ...budgets });
    const error = assertThrows(() => drive(builder), LimitExceededError);
    assertEquals({ [error.limit]: error.max }, budgets as Record<string, number>);
    assertStrictEquals(assertThrows(() => builder.nextEvent()), error);
  }
  const names = Array.from({ length: 30 }, (_, index) => dns(`n${index}.example`));
  const root = ca({ name: "root", extensions: [nameConstraints({ permitted: names })] });
  const certificate = leaf({ extensions: [altNames(...names)] });
  const options = { roots: [root], maxNameComparisons: 500 };
  const error = assertThrows(() => drive(builderOf(certificate, options)), LimitExceededError);
  assertEquals([error.limit, error.max], ["maxNameComparisons", 500]);
});

Deno.test("ChainBuilder counts the policies of every path against its budget", () => {
  const oids = Array.from({ length: 30 }, (_, index) => `1.2.${index}`);
  const extensions = [policies(...oids), requirePolicy(0)];
  const intermediates = [ca({ name: "policy", by: "root", extensions })];
  const certificate = leaf({ by: "policy", extensions: [policies(...oids)] });
  const roots = [ca({ name: "root" })];
  // The 30 of the CA and one above it, the 30 of the leaf and 30 above it.
  const builder = builderOf(certificate, { roots, intermediates, maxNameComparisons: 91 });
  drive(builder);
  assertEquals(builder.steps.nameComparisons, 91);
  const options = { roots, intermediates, maxNameComparisons: 90 };
  const error = assertThrows(() => drive(builderOf(certificate, options)), LimitExceededError);
  assertEquals([error.limit, error.max], ["maxNameComparisons", 90]);
});

Deno.test("ChainBuilder names the first 32 refusals", () => {
  const { below, intermediates } = maze();
  const error = refusal(builderOf(below, { intermediates }));
  assertEquals([error.code, error.depth], ["ERR_X509_UNKNOWN_ISSUER", 6]);
  assertEquals(error.refusals.length, 31);
});

Deno.test("ChainBuilder throws on options out of their range", () => {
  for (
    const options of [
      { time: NaN },
      { time: Infinity },
      { purpose: "toString" as "any" },
      { maxDepth: -1 },
      { maxSignatures: 0 },
    ]
  ) assertThrows(() => builderOf(leaf(), options), RangeError);
  const intermediates = Array.from({ length: 101 }, () => CA);
  assertThrows(() => builderOf(leaf(), { intermediates }), LimitExceededError);
});
