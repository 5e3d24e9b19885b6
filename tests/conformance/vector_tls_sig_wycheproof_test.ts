import { assertEquals } from "@std/assert";
import { NetError } from "../../nbio/errors.ts";
import type { AlgorithmIdentifier } from "../../tls/algorithm_identifier.ts";
import { DerReader } from "../../tls/der_reader.ts";
import { signatureSchemeOf } from "../../tls/signature_algorithm.ts";
import { readSubjectPublicKeyInfo } from "../../tls/subject_public_key_info.ts";
import { verifySignature } from "../../tls/verify_signature.ts";
import { type Judgement, loadTlsCases, unlisted } from "./vector_tls.ts";

/** A signature; bytes are hexadecimal. */
interface SignatureCase {
  readonly id: string;
  readonly alg: "ES256" | "ES384" | "ES512" | "RS256" | "PS256" | "Ed25519";
  readonly spki: string;
  readonly msg: string;
  readonly sig: string;
  /** The third is for what only lenient verifiers take. */
  readonly expect: "ok" | "err" | "acceptable";
}

/** RSASSA-PSS with SHA-256 twice and a salt of 32 bytes. */
const PSS_SHA256 = "3034a00f300d06096086480165030402010500" +
  "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120";

const ALGORITHMS: Readonly<Record<SignatureCase["alg"], AlgorithmIdentifier>> = {
  ES256: algorithm("1.2.840.10045.4.3.2"),
  ES384: algorithm("1.2.840.10045.4.3.3"),
  ES512: algorithm("1.2.840.10045.4.3.4"),
  RS256: algorithm("1.2.840.113549.1.1.11"),
  PS256: algorithm("1.2.840.113549.1.1.10", PSS_SHA256),
  Ed25519: algorithm("1.3.101.112"),
};

function algorithm(oid: string, parameters?: string): AlgorithmIdentifier {
  const bytes = parameters === undefined ? undefined : Uint8Array.fromHex(parameters);
  return { oid, name: undefined, parameters: bytes };
}

async function judge({ id, alg, spki, msg, sig, expect }: SignatureCase): Promise<Judgement> {
  const wanted = expect === "ok" ? "ok" : "err";
  let got: string;
  try {
    const key = readSubjectPublicKeyInfo(new DerReader(Uint8Array.fromHex(spki)));
    const scheme = signatureSchemeOf(ALGORITHMS[alg], key);
    const signature = Uint8Array.fromHex(sig);
    got = await verifySignature(scheme, key, signature, Uint8Array.fromHex(msg)) ? "ok" : "err";
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    got = error.code;
  }
  return { name: id, wanted, got, isAgreed: got === wanted };
}

const cases = loadTlsCases<SignatureCase>("sig-wycheproof");

Deno.test({
  name: "verifySignature() is right about every signature of Wycheproof",
  ignore: cases === undefined,
  async fn() {
    const judgements: Judgement[] = [];
    for (const item of cases!) judgements.push(await judge(item));
    assertEquals(unlisted(judgements, []), []);
  },
});
