import { encodeBase64 } from "@std/encoding/base64";
import type { FollowedRedirect } from "./client_response.ts";
import { nextRedirect } from "./client_redirect.ts";
import type { CallObserver } from "./client_telemetry.ts";
import { openRequestBody, type RequestBody } from "./client_request_body.ts";
import type { CallSettings, ClientRouteOptions, RequestOptions } from "./client_settings.ts";
import type { ExchangeRequest } from "./client_sender.ts";
import type { RequestUrl, TargetTable } from "./client_target.ts";
import type { DialedConnection } from "./dial.ts";
import type { ExchangeResponse } from "./exchange_response.ts";
import { HeaderList } from "./header_list.ts";

/** Codings that are undone, the best first. */
export const ACCEPTED_CODINGS = "zstd, br, gzip, deflate";

/** What a client says with every request. */
export interface RequestDefaults {
  /** Header fields of every request. */
  readonly fields: ReadonlyArray<readonly [name: string, value: string]>;
  /** What URLs mean. */
  readonly targets: TargetTable;
}

/** What a call asks, from one redirect to the next. */
export class CallRequest {
  /** Method. */
  method: string;
  /** Where to. */
  url: RequestUrl;
  /** The body; `undefined` without one. */
  body: RequestBody | undefined;

  readonly #defaults: RequestDefaults;
  readonly #options: RequestOptions;
  readonly #settings: CallSettings;
  /** How the server is reached. */
  #route: ClientRouteOptions;
  /** Fields of the caller and the client; `undefined` where the server's plain ones do. */
  #headers: HeaderList | undefined;
  /** Bytes that the caller says a body has of which that is not known. */
  #declaredLength: number | undefined;
  #isChunked = false;

  /**
   * @param defaults What the client says.
   * @param settings Settings of the call.
   * @param method Method.
   * @param url Where to.
   * @param options What else the caller says.
   * @throws {TypeError} If a part of it cannot be sent.
   */
  constructor(
    defaults: RequestDefaults,
    settings: CallSettings,
    method: string,
    url: string | URL,
    options: RequestOptions | undefined,
  ) {
    this.method = method;
    this.#defaults = defaults;
    this.#settings = settings;
    this.#options = options ?? {};
    if (method === "CONNECT") {
      throw new TypeError("Cannot request: CONNECT asks for a tunnel, which exchange() makes");
    }
    this.#route = this.#options;
    this.url = options === undefined
      ? defaults.targets.resolve(url)
      : defaults.targets.route(url, options);
    if (options === undefined && this.url.userinfo === undefined) return;
    this.#headers = this.#compose();
    this.body = this.#openBody(this.#headers);
  }

  /**
   * The request as it goes over a connection.
   *
   * @param proxy What a proxy on the way has to be told.
   * @param cookie Cookies of the jar.
   * @param observer Adds the fields of a trace.
   */
  exchange(
    proxy: DialedConnection["proxy"],
    cookie: string | undefined,
    observer?: CallObserver,
  ): ExchangeRequest {
    const { method, url } = this;
    const isAbsolute = proxy?.absoluteForm === true;
    const target = isAbsolute ? `${url.url.protocol}//${url.url.host}${url.path}` : url.path;
    const isPlain = this.#headers === undefined && cookie === undefined && !isAbsolute;
    if (isPlain && observer === undefined) {
      return method === "GET" || method === "HEAD"
        ? { method, target, headers: url.target.plainHeaders }
        : { method, target, headers: url.target.plainHeaders, bodyLength: 0 };
    }
    const headers = this.#wireHeaders(cookie);
    if (proxy?.authorization !== undefined) {
      headers.append("proxy-authorization", proxy.authorization);
    }
    observer?.inject(headers);
    const { body } = this;
    // Of no body that is said too, where its method makes the server expect one.
    if (body === undefined) return { method, target, headers, bodyLength: 0 };
    const bodyLength = this.#isChunked ? undefined : body.length ?? this.#declaredLength;
    const { trailers } = body;
    return {
      method,
      target,
      headers,
      body: body.open(),
      ...bodyLength !== undefined && { bodyLength },
      ...trailers !== undefined && { trailers },
    };
  }

  /**
   * Goes where a response says.
   *
   * @param response What came.
   * @param redirectCount Redirects that were followed before.
   * @returns What was followed; `undefined` for a response to give to the caller.
   * @throws {HttpRedirectError} If it must not be followed.
   */
  follow(response: ExchangeResponse, redirectCount: number): FollowedRedirect | undefined {
    const { method, url, body } = this;
    const { status } = response;
    // What the client says with every request may be secret, too.
    const headers = this.#headers ?? this.#compose();
    const step = nextRedirect(
      {
        method,
        url: url.url,
        headers,
        hasBody: body !== undefined,
        isReplayable: body === undefined || body.isReplayable,
        redirectCount,
      },
      { status, location: response.headers.getAll("location") },
      this.#settings,
    );
    if (step === undefined) return undefined;
    this.method = step.method;
    this.#headers = step.headers;
    if (step.dropBody) this.#dropBody();
    // What secures one server, or who it is, says nothing about another.
    if (step.isCrossOrigin) this.#route = proxyOf(this.#route);
    this.url = this.#defaults.targets.route(step.url, this.#route);
    return { url: url.href, status };
  }

  /** What goes over the wire, Host in front. */
  #wireHeaders(cookie: string | undefined): HeaderList {
    const given = this.#headers ?? this.url.target.plainHeaders;
    const headers = new HeaderList();
    if (!given.has("host")) headers.append("host", this.url.url.host);
    given.forEach((name, value) => headers.append(name, value));
    if (cookie !== undefined) {
      const own = headers.get("cookie");
      headers.set("cookie", own === undefined ? cookie : `${own}; ${cookie}`);
    }
    return headers;
  }

  /** Fields of the client, those of the caller in their place. */
  #compose(): HeaderList {
    const { fields } = this.#defaults;
    const own = new HeaderList(this.#options.headers);
    const headers = new HeaderList();
    for (const [name, value] of fields) {
      if (!own.has(name)) headers.append(name, value);
    }
    own.forEach((name, value) => headers.append(name, value));
    if (own.getAll("host").length > 1) throw new TypeError("Cannot request: Host comes twice");
    // What is ours to say depends on the request; what the caller says stays.
    const isOurs = !own.has("accept-encoding") &&
      headers.get("accept-encoding") === ACCEPTED_CODINGS;
    if (isOurs) headers.delete("accept-encoding");
    if (this.#settings.decompress && !headers.has("accept-encoding")) {
      // A part of something that is encoded cannot be decoded.
      headers.append("accept-encoding", headers.has("range") ? "identity" : ACCEPTED_CODINGS);
    }
    const { userinfo } = this.url;
    if (userinfo !== undefined && !headers.has("authorization")) {
      headers.append("authorization", basicCredentials(userinfo));
    }
    return headers;
  }

  #openBody(headers: HeaderList): RequestBody | undefined {
    const { json, trailers, expectContinue = false, onUploadProgress } = this.#options;
    const source = json === undefined ? this.#options.body : jsonText(json, this.#options.body);
    const contentType = headers.get("content-type") ??
      (json === undefined ? undefined : "application/json");
    const body = openRequestBody(source, {
      ...contentType !== undefined && { contentType },
      ...trailers !== undefined && { trailers },
      ...onUploadProgress !== undefined && { onProgress: onUploadProgress },
    });
    if (body?.contentType !== undefined) headers.set("content-type", body.contentType);
    this.#takeFraming(headers, body);
    if (body === undefined) {
      if (trailers !== undefined) throw new TypeError("Cannot request: trailers without a body");
      return undefined;
    }
    if (expectContinue && !headers.has("expect")) headers.append("expect", "100-continue");
    return body;
  }

  /**
   * Takes the fields of framing out: they are written for the body. What they say
   * has to be true, and tells the length of a body of which nothing else does.
   */
  #takeFraming(headers: HeaderList, body: RequestBody | undefined): void {
    const length = declaredLength(headers);
    const codings = headers.getAll("transfer-encoding");
    headers.delete("content-length");
    headers.delete("transfer-encoding");
    if (codings.length > 0) {
      const isChunked = codings.length === 1 && codings[0]!.toLowerCase() === "chunked";
      if (!isChunked || body === undefined || length !== undefined) {
        throw new TypeError("Cannot request: Transfer-Encoding contradicts the body");
      }
      this.#isChunked = true;
    }
    const actual = body === undefined ? 0 : body.length;
    const isFree = actual === undefined && body?.trailers === undefined;
    if (length !== undefined && length !== actual && !isFree) {
      throw new TypeError(
        `Cannot request: Content-Length is ${length}, but the body has ${actual ?? "trailers"}`,
      );
    }
    this.#declaredLength = length;
  }

  #dropBody(): void {
    this.body?.cancel();
    this.body = undefined;
    this.#declaredLength = undefined;
    this.#isChunked = false;
  }
}

function proxyOf({ proxy }: ClientRouteOptions): ClientRouteOptions {
  return proxy === undefined ? {} : { proxy };
}

/** The length that the fields of a caller name, which have to agree. */
function declaredLength(headers: HeaderList): number | undefined {
  const values = headers.getAll("content-length");
  if (values.length === 0) return undefined;
  const length = Number(values[0]);
  const isLength = values.every((value) => value === values[0] && /^[0-9]+$/.test(value));
  if (isLength && Number.isSafeInteger(length)) return length;
  throw new TypeError("Cannot request: Content-Length is no length");
}

function jsonText(value: unknown, body: unknown): string {
  if (body !== undefined) throw new TypeError("Cannot request: both body and json are given");
  const text = JSON.stringify(value);
  if (text !== undefined) return text;
  throw new TypeError("Cannot request: json is nothing that JSON can say");
}

/** RFC 7617 section 2, of what stood in a URL. */
function basicCredentials(userinfo: string): string {
  try {
    return `Basic ${encodeBase64(new TextEncoder().encode(decodeURIComponent(userinfo)))}`;
  } catch {
    // Not with the value: it is secret.
    throw new TypeError("Cannot request: the credentials of the URL are malformed");
  }
}
