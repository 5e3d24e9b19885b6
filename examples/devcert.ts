/**
 * Makes a certificate for a server on this machine, and the CA that clients have to trust.
 *
 * ```sh
 * deno run --allow-read=certs --allow-write=certs examples/devcert.ts --folder=certs
 * deno run --allow-read=certs --allow-write=certs examples/devcert.ts --folder=certs \
 *   www.app.test '*.api.app.test' 192.168.1.10
 * ```
 *
 * Without names: `localhost`, `127.0.0.1` and `::1`. Names in other scripts become A-labels.
 *
 * Four files come to lie in the folder (`--folder`, by default the current one; it is made if it is
 * missing): `ca.pem` and `leaf.pem` for everybody, `ca_key.pem` and `leaf_key.pem` for the owner
 * only (on Windows: for whom the folder lets). A CA that is there is used again, so that it has to
 * be trusted once; its files are never written over: remove them to start afresh. Those of the leaf
 * are written over with `--force` only. `--prefix` calls the leaf otherwise.
 *
 * Options: `--key` (`P-256` by default, `P-384`, `RSA`, or `Ed25519`, which no browser takes yet),
 * `--days` (1 to 397), `--client` (the leaf may be a client too), `--permit=NAME` (a new CA may
 * certify this name, and what is below it, and nothing else; may be repeated), `--quiet` (does not
 * say how to trust the CA).
 *
 * The exit code is 0 if all is well, 1 if a file is in the way, 2 if something cannot be read,
 * written or made.
 */

import { parseArgs } from "node:util";
import {
  type CertifiedKey,
  createDevelopmentCa,
  createDevelopmentCertificate,
  type DevelopmentKeyType,
  importCertifiedKey,
} from "@nbio/net/tls";
import { NetError } from "@nbio/net/nbio";

const DEFAULT_NAMES = ["localhost", "127.0.0.1", "::1"];
const USAGE = "Usage: devcert.ts [NAME...] [--folder=F] [--prefix=P] [--key=K] [--days=N] " +
  "[--client] [--permit=NAME] [--force] [--quiet]";
/** A file name without folders, so that nothing is written elsewhere. */
const PREFIX = /^\w[\w.-]{0,63}$/;

/** A file is in the way, or its other half is missing. */
export class FileConflictError extends Error {
  override readonly name = "FileConflictError";
}

/** Where a certificate and its key lie. */
export interface KeyFiles {
  readonly certificate: string;
  readonly key: string;
}

/** The two files of this name. */
export function keyFiles(folder: string, name: string): KeyFiles {
  return { certificate: `${folder}/${name}.pem`, key: `${folder}/${name}_key.pem` };
}

/**
 * Reads the CA of a folder, if there is one.
 *
 * @throws {FileConflictError} If there is half of one.
 */
export async function readCa(files: KeyFiles): Promise<CertifiedKey | undefined> {
  const [certificate, key] = [await exists(files.certificate), await exists(files.key)];
  if (!certificate && !key) return undefined;
  if (certificate !== key) {
    const missing = certificate ? files.key : files.certificate;
    throw new FileConflictError(`${missing} is missing: put it back, or remove the other half`);
  }
  return await importCertifiedKey(
    await Deno.readTextFile(files.certificate),
    await Deno.readTextFile(files.key),
  );
}

/**
 * Writes a certificate and its key: the key for the owner only from its first byte on.
 *
 * @throws {FileConflictError} If a file is there, and not to be written over.
 */
export async function writeKey(
  files: KeyFiles,
  key: CertifiedKey,
  { force }: { readonly force: boolean },
): Promise<void> {
  await writeFile(files.key, key.privateKeyPem, 0o600, force);
  await writeFile(files.certificate, key.certificatePem, 0o644, force);
}

async function writeFile(path: string, text: string, mode: number, force: boolean): Promise<void> {
  // A file that is there keeps its mode and may be a link: it is replaced, never written into.
  const target = force ? `${path}.${crypto.randomUUID()}.new` : path;
  try {
    await Deno.writeTextFile(target, text, { mode, createNew: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new FileConflictError(`${path} is there already: --force writes over it`);
  }
  if (!force) return;
  try {
    await Deno.rename(target, path);
  } catch (error) {
    await Deno.remove(target);
    throw error;
  }
}

/** Whether something has this name, a broken link included. */
async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The name as certificates have it: other scripts as A-labels, addresses as they are. */
export function toCertificateName(name: string): string {
  if (/^[\0-\x7f]*$/.test(name)) return name;
  const url = URL.parse(`https://${name}/`);
  if (url === null) throw new RangeError(`${JSON.stringify(name)} is no name`);
  return url.hostname;
}

/** How clients come to trust a CA. */
export function describeTrust(certificate: string, commonName: string): string {
  return `To trust the CA "${commonName}":

  Debian, Ubuntu   sudo cp ${certificate} /usr/local/share/ca-certificates/nbio-dev-ca.crt
                   sudo update-ca-certificates
  Fedora, Arch     sudo trust anchor ${certificate}
  macOS            security add-trusted-cert -r trustRoot \\
                     -k ~/Library/Keychains/login.keychain-db ${certificate}
  Windows          certutil -user -addstore Root ${certificate}
  Firefox          Settings, Privacy & Security, View Certificates, Authorities, Import
  Chromium, Linux  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n nbio-dev-ca -i ${certificate}
  Deno             deno run --cert ${certificate} ..., or DENO_CERT=${certificate}
  Node.js          NODE_EXTRA_CA_CERTS=${certificate}
  curl             curl --cacert ${certificate} ...

Whoever has its key can stand in for any server towards you: keep it, and pass only
${certificate} on. Remove the CA from where you trusted it when you are done.`;
}

/** What the program is told. */
interface Settings {
  readonly names: readonly string[];
  readonly folder: string;
  readonly ca: KeyFiles;
  readonly leaf: KeyFiles;
  readonly keyType: DevelopmentKeyType;
  readonly validityDays: number;
  readonly allowClientAuth: boolean;
  readonly permittedNames: readonly string[] | undefined;
  readonly force: boolean;
  readonly quiet: boolean;
}

/** @throws {TypeError} If it is told nonsense. */
function parseSettings(args: string[]): Settings {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      folder: { type: "string", default: "." },
      prefix: { type: "string", default: "leaf" },
      key: { type: "string", default: "P-256" },
      days: { type: "string", default: "397" },
      client: { type: "boolean", default: false },
      permit: { type: "string", multiple: true },
      force: { type: "boolean", default: false },
      quiet: { type: "boolean", default: false },
    },
  });
  const { folder, prefix } = values;
  if (!PREFIX.test(prefix) || /^ca(?:_key)?$/i.test(prefix)) {
    throw new TypeError(`--prefix ${prefix} is no name for the files of a leaf`);
  }
  return {
    names: (positionals.length === 0 ? DEFAULT_NAMES : positionals).map(toCertificateName),
    folder,
    ca: keyFiles(folder, "ca"),
    leaf: keyFiles(folder, prefix),
    keyType: values.key as DevelopmentKeyType,
    validityDays: Number(values.days),
    allowClientAuth: values.client,
    permittedNames: values.permit?.map(toCertificateName),
    force: values.force,
    quiet: values.quiet,
  };
}

async function make(settings: Settings): Promise<void> {
  const { names, keyType, validityDays, allowClientAuth, permittedNames, force } = settings;
  for (const path of Object.values(settings.leaf)) {
    if (force || !await exists(path)) continue;
    throw new FileConflictError(`${path} is there already: --force writes over it`);
  }
  const old = await readCa(settings.ca);
  if (old !== undefined && permittedNames !== undefined) {
    throw new FileConflictError(`${settings.ca.certificate} is there already: --permit is for new`);
  }
  const constraints = permittedNames === undefined ? {} : { permittedNames };
  const ca = old ?? await createDevelopmentCa({ keyType, ...constraints });
  const options = { ca, keyType, validityDays, allowClientAuth };
  const { leaf } = await createDevelopmentCertificate(names, options);
  await Deno.mkdir(settings.folder, { recursive: true });
  if (old === undefined) await writeKey(settings.ca, ca, { force: false });
  await writeKey(settings.leaf, leaf, { force });
  report(settings, ca, old === undefined);
}

function report({ ca: files, leaf, names, quiet }: Settings, ca: CertifiedKey, isNew: boolean) {
  const commonName = ca.certificate.subject.commonName ?? `${ca.certificate.subject}`;
  console.log(`CA           ${files.certificate} (${isNew ? "new" : "used again"})`);
  console.log(`Certificate  ${leaf.certificate}`);
  console.log(`Private key  ${leaf.key}`);
  console.log(`Names        ${names.join(", ")}`);
  if (!quiet) console.log(`\n${describeTrust(files.certificate, commonName)}`);
}

/** Runs the program; gives the exit code. */
export async function main(args: string[]): Promise<number> {
  try {
    await make(parseSettings(args));
    return 0;
  } catch (error) {
    if (!isExpected(error)) throw error;
    console.error(`Cannot make certificate: ${(error as Error).message}`);
    if (error instanceof TypeError) console.error(USAGE);
    return error instanceof FileConflictError ? 1 : 2;
  }
}

/** What wrong names, options or files lead to, and no bug. */
function isExpected(error: unknown): boolean {
  return error instanceof FileConflictError || error instanceof NetError ||
    error instanceof RangeError || error instanceof TypeError ||
    error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.IsADirectory || error instanceof Deno.errors.InvalidData;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
