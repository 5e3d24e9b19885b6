import { assertEquals } from "@std/assert";
import type { Certificate } from "../../tls/certificate.ts";
import { CertificateVerificationError } from "../../tls/certificate_verification_error.ts";
import { checkPolicies } from "../../tls/chain_policy.ts";
import type { BuiltExtension } from "./certificate_builder.ts";
import {
  ca,
  inhibitAnyPolicy,
  leaf,
  policies,
  policyMapping,
  requirePolicy,
} from "./chain_certificates.ts";

const [A, B, ANY] = ["1.2.3", "1.2.4", "2.5.29.32.0"] as const;

/** Extensions of the CA below the root, of the one below that and of the leaf. */
type Row = readonly [
  name: string,
  upper: BuiltExtension[],
  lower: BuiltExtension[],
  leaf: BuiltExtension[],
  outcome: "accepts" | number,
];

const ROWS: readonly Row[] = [
  ["no policy, none required", [], [], [], "accepts"],
  ["different policies, none required", [policies(A)], [policies(B)], [], "accepts"],
  [
    "one policy, required",
    [requirePolicy(0), policies(A)],
    [policies(A)],
    [policies(A)],
    "accepts",
  ],
  ["one of two", [requirePolicy(0), policies(A, B)], [policies(B)], [policies(B, A)], "accepts"],
  ["any policy above", [requirePolicy(0), policies(ANY)], [policies(A)], [policies(A)], "accepts"],
  ["any policy below", [requirePolicy(0), policies(A)], [policies(A)], [policies(ANY)], "accepts"],
  [
    "any policy all the way",
    [requirePolicy(0), policies(ANY)],
    [policies(ANY)],
    [policies(ANY)],
    "accepts",
  ],
  ["none in the leaf", [requirePolicy(0), policies(A)], [policies(A)], [], 0],
  ["another one in the leaf", [requirePolicy(0), policies(A)], [policies(A)], [policies(B)], 0],
  ["none in between", [requirePolicy(0), policies(A)], [], [policies(A)], 1],
  ["required by the leaf alone", [], [], [requirePolicy(0)], 0],
  [
    "required one below, and shown",
    [requirePolicy(1), policies(A)],
    [policies(A)],
    [policies(A)],
    "accepts",
  ],
  ["required one below, not shown", [requirePolicy(1), policies(A)], [policies(A)], [], 0],
  ["required further below than there is anything", [requirePolicy(3)], [], [], "accepts"],
  ["required of nobody but the leaf, which does not insist", [], [], [requirePolicy(2)], "accepts"],
  [
    "any policy, inhibited",
    [requirePolicy(0), inhibitAnyPolicy(0), policies(A)],
    [policies(ANY)],
    [policies(A)],
    1,
  ],
  [
    "any policy, inhibited one below",
    [requirePolicy(0), inhibitAnyPolicy(1), policies(A)],
    [policies(ANY)],
    [policies(A)],
    "accepts",
  ],
  [
    "a mapping",
    [requirePolicy(0), policyMapping(A, B), policies(A)],
    [policies(A)],
    [policies(A)],
    1,
  ],
];

for (const [name, upper, lower, last, outcome] of ROWS) {
  Deno.test(`checkPolicies() decides on ${name}`, () => {
    const chain = [
      leaf({ by: "lower", extensions: last }),
      ca({ name: "lower", by: "upper", extensions: lower }),
      ca({ name: "upper", by: "root", extensions: upper }),
    ];
    assertEquals(refusedDepth(chain), outcome);
  });
}

Deno.test("checkPolicies() does not count what is self-issued", () => {
  const chain = (required: number): Certificate[] => [
    leaf({ by: "upper", extensions: [] }),
    ca({ name: "upper", by: "upper", key: 2, extensions: [policies(A)] }),
    ca({ name: "upper", by: "root", key: 1, extensions: [requirePolicy(required), policies(A)] }),
  ];
  assertEquals(refusedDepth(chain(1)), 0);
  assertEquals(refusedDepth(chain(2)), "accepts");
});

Deno.test("checkPolicies() takes any policy of what is self-issued, even where it is inhibited", () => {
  const inhibiting = [requirePolicy(0), inhibitAnyPolicy(0), policies(A)];
  const chain = (lastPolicy: string): Certificate[] => [
    leaf({ by: "upper", extensions: [policies(lastPolicy)] }),
    ca({ name: "upper", by: "upper", key: 2, extensions: [policies(ANY)] }),
    ca({ name: "upper", by: "root", key: 1, extensions: inhibiting }),
  ];
  assertEquals(refusedDepth(chain(A)), "accepts");
  assertEquals(refusedDepth(chain(ANY)), 0);
});

Deno.test("checkPolicies() counts every policy it looks at, and nothing where none is required", () => {
  const chain = (...upper: BuiltExtension[]): Certificate[] => [
    leaf({ by: "lower", extensions: [policies(A)] }),
    ca({ name: "lower", by: "upper", extensions: [policies(A, B)] }),
    ca({ name: "upper", by: "root", extensions: upper }),
  ];
  let count = 0;
  checkPolicies(chain(policies(A, B)), () => count++);
  assertEquals(count, 0);
  // Of a certificate, and of those that are valid above it: 2 + 1, 2 + 2, 1 + 2.
  checkPolicies(chain(policies(A, B), requirePolicy(0)), () => count++);
  assertEquals(count, 10);
});

function refusedDepth(chain: readonly Certificate[]): "accepts" | number | undefined {
  try {
    checkPolicies(chain, () => {});
    return "accepts";
  } catch (error) {
    if (!(error instanceof CertificateVerificationError)) throw error;
    assertEquals(error.code, "ERR_X509_POLICY");
    return error.depth;
  }
}
