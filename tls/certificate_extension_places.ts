// This module is sans-I/O.

import { readNamedBits } from "./certificate_extension_constraints.ts";
import type {
  AccessDescription,
  CrlDistributionPoint,
  RevocationReason,
} from "./certificate_extension.ts";
import { type DerReader, DerTag } from "./der_reader.ts";
import { readRelativeName } from "./distinguished_name.ts";
import { readGeneralName, readGeneralNames } from "./general_name.ts";

/** Where more about a certificate is found (RFC 5280 section 4.2), each read from its value. */

/** By bit; the first bit means nothing. */
const REASONS: readonly RevocationReason[] = [
  "unused",
  "keyCompromise",
  "cACompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "certificateHold",
  "privilegeWithdrawn",
  "aACompromise",
];

/** Section 4.2.2.1. */
export function readInformationAccess(reader: DerReader): readonly AccessDescription[] {
  const places: AccessDescription[] = [];
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  do {
    const placeEnd = reader.enter(DerTag.SEQUENCE);
    const method = reader.readObjectIdentifier();
    places.push({ method, location: readGeneralName(reader) });
    reader.leave(placeEnd);
  } while (!reader.isAtEnd);
  reader.leave(outerEnd);
  return places;
}

/** Section 4.2.1.13. */
export function readCrlDistributionPoints(reader: DerReader): readonly CrlDistributionPoint[] {
  const points: CrlDistributionPoint[] = [];
  const outerEnd = reader.enter(DerTag.SEQUENCE);
  do {
    const pointEnd = reader.enter(DerTag.SEQUENCE);
    const name = reader.peek() === 0xa0 ? readPointName(reader) : {};
    const reasons = reader.peek() === 0x81 ? { reasons: readReasons(reader) } : {};
    const issuer = reader.isAtEnd ? {} : { crlIssuer: readGeneralNames(reader, 0xa2) };
    const point: CrlDistributionPoint = { ...name, ...reasons, ...issuer };
    if (!("fullName" in point || "nameRelativeToCrlIssuer" in point || "crlIssuer" in point)) {
      throw reader.error("a distribution point names nothing");
    }
    reader.leave(pointEnd);
    points.push(point);
  } while (!reader.isAtEnd);
  reader.leave(outerEnd);
  return points;
}

function readPointName(
  reader: DerReader,
): Pick<CrlDistributionPoint, "fullName" | "nameRelativeToCrlIssuer"> {
  const outerEnd = reader.enter(0xa0);
  const name = reader.peek() === 0xa1
    ? { nameRelativeToCrlIssuer: readRelativeName(reader, 0xa1) }
    : { fullName: readGeneralNames(reader, 0xa0) };
  reader.leave(outerEnd);
  return name;
}

function readReasons(reader: DerReader): RevocationReason[] {
  const bits = readNamedBits(reader, 0x81, REASONS.length);
  return REASONS.filter((_, index) => (bits >> index & 1) === 1);
}
