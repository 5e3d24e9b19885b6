// This module is sans-I/O.

import { type DerReader, DerTag } from "./der_reader.ts";
import { objectIdentifierName } from "./object_identifier.ts";

/** An algorithm and its parameters (RFC 5280 section 4.1.1.2). */
export interface AlgorithmIdentifier {
  /** Which algorithm, dotted. */
  readonly oid: string;
  /** Its name, for example `sha256WithRSAEncryption`; `undefined` if it is not known. */
  readonly name: string | undefined;
  /** The parameters in DER, a view; `undefined` where there are none. */
  readonly parameters: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Reads an algorithm that is a part of something larger.
 *
 * @param reader In front of the algorithm; behind it afterwards.
 * @returns The algorithm; its bytes are views of the reader's buffer.
 * @throws {CertificateError} If it is malformed.
 */
export function readAlgorithmIdentifier(reader: DerReader): AlgorithmIdentifier {
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  const oid = reader.readObjectIdentifier();
  let parameters: Uint8Array<ArrayBuffer> | undefined;
  if (!reader.isAtEnd) {
    reader.skip();
    parameters = reader.bytes.subarray(reader.elementStart, reader.contentEnd);
  }
  reader.leave(outerEnd);
  return { oid, name: objectIdentifierName(oid), parameters };
}
