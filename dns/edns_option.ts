// This module is sans-I/O.

/** Name server identifier (RFC 5001); empty in a query. */
export interface NsidOption {
  /** Tells the options apart. */
  readonly type: "nsid";
  /** What the server calls itself. */
  readonly bytes: Uint8Array;
}

/** Algorithms of DNSSEC a client understands (RFC 6975): signing, DS digests, NSEC3 hashes. */
export interface AlgorithmsOption {
  /** Tells the options apart. */
  readonly type: "dau" | "dhu" | "n3u";
  /** Numbers of the algorithms, 0 to 255 each. */
  readonly algorithms: readonly number[];
}

/** Part of the client's address (RFC 7871). */
export interface ClientSubnetOption {
  /** Tells the options apart. */
  readonly type: "client-subnet";
  /** Bits of the address that count in the question; 0 asks not to use any. */
  readonly sourcePrefixLength: number;
  /** Bits for which the answer holds, 0 in a query. */
  readonly scopePrefixLength: number;
  /** The address, IPv4 or IPv6, the bits that do not count zero. */
  readonly address: string;
}

/** Time until a secondary's zone expires (RFC 7314). */
export interface ExpireOption {
  /** Tells the options apart. */
  readonly type: "expire";
  /** In seconds, 0 to 4,294,967,295; `undefined` in a query. */
  readonly seconds: number | undefined;
}

/** DNS cookie (RFC 7873, 9018). */
export interface CookieOption {
  /** Tells the options apart. */
  readonly type: "cookie";
  /** The client's part, 8 bytes. */
  readonly client: Uint8Array;
  /** The server's part, 8 to 32 bytes, or none. */
  readonly server: Uint8Array;
}

/** How long a TCP connection may be idle (RFC 7828). */
export interface KeepaliveOption {
  /** Tells the options apart. */
  readonly type: "keepalive";
  /** In milliseconds, 0 to 6,553,500 in steps of 100; `undefined` in a query. */
  readonly idleTimeoutMs: number | undefined;
}

/** Bytes that only make the message longer (RFC 7830). */
export interface PaddingOption {
  /** Tells the options apart. */
  readonly type: "padding";
  /** They should be zero. */
  readonly bytes: Uint8Array;
}

/** Up to where the chain of trust is wanted (RFC 7901). */
export interface ChainOption {
  /** Tells the options apart. */
  readonly type: "chain";
  /** The name from which on it is known. */
  readonly closestTrustPoint: string;
}

/** Trust anchors a validator has (RFC 8145). */
export interface KeyTagOption {
  /** Tells the options apart. */
  readonly type: "key-tag";
  /** Their key tags. */
  readonly tags: readonly number[];
}

/** More about an error (RFC 8914). */
export interface ExtendedErrorOption {
  /** Tells the options apart. */
  readonly type: "extended-error";
  /** What went wrong, see {@linkcode formatExtendedError}. */
  readonly infoCode: number;
  /** Text for people; bytes that are no UTF-8 became U+FFFD. */
  readonly text: string;
}

/** Where to report errors to (RFC 9567). */
export interface ReportChannelOption {
  /** Tells the options apart. */
  readonly type: "report-channel";
  /** The name reports are sent below. */
  readonly agentDomain: string;
}

/** Version of the zone the answer is from (RFC 9660). */
export interface ZoneVersionOption {
  /** Tells the options apart. */
  readonly type: "zone-version";
  /** Which zone, how versions are written, and the version; `undefined` in a query. */
  readonly version: ZoneVersion | undefined;
}

/** A version in a {@linkcode ZoneVersionOption}. */
export interface ZoneVersion {
  /** Labels of the zone's name, the root left out. */
  readonly labelCount: number;
  /** 0: the version is the serial of the SOA record. */
  readonly versionType: number;
  /** The version. */
  readonly bytes: Uint8Array;
}

/** Any other option. */
export interface UnknownOption {
  /** Tells the options apart. */
  readonly type: "unknown";
  /** Its number. */
  readonly code: number;
  /** What it holds. */
  readonly bytes: Uint8Array;
}

/** An option of EDNS (RFC 6891 section 6.1.2), told apart by `type`. */
export type EdnsOption =
  | NsidOption
  | AlgorithmsOption
  | ClientSubnetOption
  | ExpireOption
  | CookieOption
  | KeepaliveOption
  | PaddingOption
  | ChainOption
  | KeyTagOption
  | ExtendedErrorOption
  | ReportChannelOption
  | ZoneVersionOption
  | UnknownOption;
