import {
  type CertifiedKey,
  createDevelopmentCa,
  createDevelopmentCertificate,
} from "@nbio/net/tls";

/** A certificate and its key. */
export interface FiledPair {
  /** As options have them. */
  readonly own: { readonly cert: string; readonly key: string };
  /** Where the chain is. */
  readonly certPath: string;
  /** Where the key is. */
  readonly keyPath: string;
}

/** A CA that is trusted, one that is not, and what they have issued: in files for other programs. */
export class TlsFiles implements AsyncDisposable {
  /** Where all is. */
  readonly folder: string;
  /** The CA that is trusted. */
  readonly ca: CertifiedKey;
  /** Where its certificate is. */
  readonly caPath: string;
  /** The one that is not. */
  readonly otherCa: CertifiedKey;

  private constructor(folder: string, ca: CertifiedKey, otherCa: CertifiedKey) {
    this.folder = folder;
    this.ca = ca;
    this.caPath = `${folder}/ca.pem`;
    this.otherCa = otherCa;
  }

  /** Makes a folder with the CA in it. */
  static async create(): Promise<TlsFiles> {
    const [ca, otherCa] = [await createDevelopmentCa(), await createDevelopmentCa()];
    const files = new TlsFiles(await Deno.makeTempDir(), ca, otherCa);
    await Deno.writeTextFile(files.caPath, ca.certificatePem);
    return files;
  }

  /** A server's certificate. */
  server(name: string, ...names: readonly string[]): Promise<FiledPair> {
    return this.#issue(name, [name, ...names], false, this.ca);
  }

  /** A client's certificate, of the CA that is trusted or of the other one. */
  client(name: string, isTrusted = true): Promise<FiledPair> {
    return this.#issue(name, [name], true, isTrusted ? this.ca : this.otherCa);
  }

  async #issue(
    file: string,
    names: readonly string[],
    allowClientAuth: boolean,
    ca: CertifiedKey,
  ): Promise<FiledPair> {
    const { leaf } = await createDevelopmentCertificate(names, { ca, allowClientAuth });
    const [cert, key] = [leaf.certificatePem, leaf.privateKeyPem];
    const [certPath, keyPath] = [`${this.folder}/${file}.pem`, `${this.folder}/${file}_key.pem`];
    await Deno.writeTextFile(certPath, cert);
    await Deno.writeTextFile(keyPath, key);
    return { own: { cert, key }, certPath, keyPath };
  }

  /** Removes all of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Defines a test with certificates of its own. */
export function tlsTest(
  name: string,
  ignore: boolean,
  fn: (files: TlsFiles) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      await using files = await TlsFiles.create();
      await fn(files);
    },
  });
}
