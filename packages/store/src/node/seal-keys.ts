/**
 * Keys of sealed content, in `keys.db` beside `log.db`: one for each scope, wrapped by the master key in `seal.key` (mode
 * 0600). What another process has destroyed is gone here too, with the next use: opened keys are believed only as long as
 * nobody else has written to the file.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  fromBase64,
  type Opener,
  SafeRunError,
  type Sealer,
  type SealKeys,
  type SealTie,
  toBase64,
  toHex,
} from "@saferun/core";
import { storeFailure } from "../sqlite/failure.ts";
import { blob, row, text } from "../sqlite/schema.ts";
import { type KnownKey, OpenedKeys } from "./opened-keys.ts";
import { createPrivateFile, readSecretFile } from "./private-files.ts";

export interface StoreKeys extends Sealer, Opener, SealKeys {
  close(): void;
}

export interface StoreKeysOptions {
  /** How long another process's lock is waited for before `record.busy`. Default 5,000 ms. */
  readonly busyMs?: number;
  /** A bound on the file in pages of 4 KiB: `record.full` beyond it. For tests; default none. */
  readonly maxPages?: number;
}

/** Ids without a wrapped key were destroyed: what names one of them is erased, and not only out of reach. */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS master (id INTEGER PRIMARY KEY CHECK (id = 1), mark BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, scope TEXT UNIQUE, wrapped BLOB) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ties (scope TEXT, tied TEXT, PRIMARY KEY (scope, tied)) STRICT, WITHOUT ROWID;
`;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const MASTER = "SEAL+KEY+";

function sealKeyPath(directory: string): string {
  return join(directory, "seal.key");
}

/**
 * The keys of a store's directory. Opens and makes nothing until it is asked: most stores seal nothing. Its methods throw
 * SafeRunError `seal.missing` for a master key that is not there or another one, and the store's own codes.
 */
export function openStoreKeys(directory: string, options: StoreKeysOptions = {}): StoreKeys {
  const path = join(directory, "keys.db");
  const master = sealKeyPath(directory);
  let opened: KeyFile | undefined;
  let believed: Buffer | undefined;

  /** Undefined: there is no file, and none is made. */
  function existing(): KeyFile | undefined {
    if (opened === undefined && statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    opened ??= connect(path, options);
    return opened;
  }

  function masterKey(db: KeyFile): Buffer {
    if (believed !== undefined) return believed;
    const key = readMaster(master);
    const mark = db.mark();
    if (key === undefined || mark === undefined || !mark.equals(markOf(key))) throw missing(master);
    believed = key;
    return key;
  }

  return {
    seal: (scope, content, place) =>
      failing(() => {
        opened ??= connect(path, options);
        const { id, key } = opened.known(scope, masterKey) ?? opened.make(scope, () => makeMaster(master), masterKey);
        return { key: id, bytes: encrypt(key, content, place) };
      }),
    open: ({ key: id, bytes }, place) =>
      failing(() => {
        const db = existing();
        if (db === undefined) return undefined;
        try {
          const key = db.opened(id, masterKey);
          if (key === undefined) return undefined;
          return key === null ? "destroyed" : decrypt(key, bytes, place);
        } catch (error) {
          if (error instanceof SafeRunError && error.code !== "seal.missing") throw error;
          return undefined;
        }
      }),
    tie: (tie) =>
      failing(() => {
        opened ??= connect(path, options);
        opened.tie(tie);
      }),
    has: (scopes) => failing(() => existing()?.has(scopes) === true),
    destroy: (scopes) => failing(() => existing()?.destroy(scopes) ?? []),
    isDestroyed: (id) => failing(() => existing()?.wrapped(id) === null),
    close() {
      opened?.close();
      opened = undefined;
      believed = undefined;
    },
  };
}

function failing<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    throw storeFailure(error);
  }
}

type KeyFile = ReturnType<typeof keysIn>;
type Master = (keys: KeyFile) => Buffer;

/** A rollback journal and no WAL: what was destroyed stands in no file that stays. */
function connect(path: string, { busyMs = 5_000, maxPages }: StoreKeysOptions) {
  const readOnly = !isWritable(path);
  const db = new DatabaseSync(path, { timeout: busyMs, readOnly });
  try {
    db.exec("PRAGMA trusted_schema = OFF");
    if (!readOnly) {
      db.exec("PRAGMA synchronous = EXTRA; PRAGMA fullfsync = 1; PRAGMA secure_delete = ON");
      if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${maxPages}`);
      // At once with the lock: two that make it at the same time wait for one another.
      db.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`);
      syncDirectory(dirname(path));
    }
    return keysIn(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

function keysIn(db: DatabaseSync) {
  const statements = {
    mark: db.prepare("SELECT mark FROM master WHERE id = 1"),
    setMark: db.prepare("INSERT INTO master (id, mark) VALUES (1, ?)"),
    ofScope: db.prepare("SELECT id, wrapped FROM keys WHERE scope = ?"),
    ofId: db.prepare("SELECT wrapped FROM keys WHERE id = ?"),
    add: db.prepare("INSERT INTO keys (id, scope, wrapped) VALUES (?, ?, ?)"),
    destroy: db.prepare("UPDATE keys SET scope = NULL, wrapped = NULL WHERE scope = ? RETURNING id"),
    version: db.prepare("PRAGMA data_version"),
  };
  const opened = new OpenedKeys(() => row(statements.version)?.data_version);

  const keys = {
    mark(): Buffer | undefined {
      const found = row(statements.mark);
      return found === undefined ? undefined : Buffer.from(blob(found.mark, "mark"));
    },
    known(scope: string, master: Master): KnownKey | undefined {
      const known = opened.ofScope(scope);
      if (known !== undefined) return known;
      const found = row(statements.ofScope, scope);
      if (found === undefined) return undefined;
      const id = text(found.id, "id");
      return believed({ id, key: unwrap(blob(found.wrapped, "wrapped"), id, master(keys)) }, scope);
    },
    /** Null: destroyed. Undefined: not known here. */
    opened(id: string, master: Master): Buffer | null | undefined {
      const known = opened.ofId(id);
      if (known !== undefined) return known.key;
      const wrapped = keys.wrapped(id);
      return wrapped instanceof Uint8Array ? believed({ id, key: unwrap(wrapped, id, master(keys)) }).key : wrapped;
    },
    /** The first of several processes makes it; the others find it once they have the lock. */
    make(scope: string, makeKey: () => Buffer, master: Master): KnownKey {
      return within(() => {
        const known = keys.known(scope, master);
        if (known !== undefined) return known;
        if (keys.mark() === undefined) statements.setMark.run(markOf(makeKey()));
        const [id, key] = [toHex(randomBytes(16)), randomBytes(KEY_BYTES)];
        statements.add.run(id, scope, encrypt(master(keys), key, Buffer.from(id)));
        return { id, key };
      });
    },
    /** Null: destroyed. Undefined: not known here. */
    wrapped(id: string): Uint8Array | null | undefined {
      const found = row(statements.ofId, id);
      if (found === undefined) return undefined;
      return found.wrapped === null ? null : blob(found.wrapped, "wrapped");
    },
    tie({ scope, tied }: SealTie): void {
      const name = `${scope} ${tied}`;
      if (opened.hasTie(name)) return;
      const known = "SELECT 1 AS known FROM ties WHERE scope = ? AND tied = ?";
      if (row(db.prepare(known), scope, tied) === undefined) {
        within(() => db.prepare("INSERT OR IGNORE INTO ties (scope, tied) VALUES (?, ?)").run(scope, tied));
      }
      opened.addTie(name);
    },
    has(scopes: readonly string[]): boolean {
      const tied = "SELECT 1 AS known FROM ties JOIN keys ON keys.scope = ties.tied WHERE ties.scope = ?";
      return scopes.some(
        (scope) => row(statements.ofScope, scope) !== undefined || row(db.prepare(tied), scope) !== undefined,
      );
    },
    /** A tie goes with its scope: who comes back ties again. Those of others to the same key hold for the next one. */
    destroy(scopes: readonly string[]): readonly string[] {
      try {
        return within(() => {
          const tiedTo = db.prepare("SELECT tied FROM ties WHERE scope = ?");
          const untie = db.prepare("DELETE FROM ties WHERE scope = ?");
          return scopes.flatMap((scope) => {
            const reached = [scope, ...tiedTo.all(scope).map(({ tied }) => text(tied, "tied"))];
            untie.run(scope);
            return reached.flatMap((one) => statements.destroy.all(one).map(({ id }) => text(id, "id")));
          });
        });
      } finally {
        opened.forget();
      }
    },
    close() {
      opened.forget();
      db.close();
    },
  };

  function believed(known: KnownKey, scope?: string): KnownKey {
    opened.add(known, scope);
    return known;
  }

  function within<Value>(work: () => Value): Value {
    db.exec("BEGIN IMMEDIATE");
    try {
      const value = work();
      db.exec("COMMIT");
      return value;
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }

  return keys;
}

function makeMaster(path: string): Buffer {
  createPrivateFile(path, `${MASTER}${toBase64(randomBytes(KEY_BYTES))}\n`);
  const key = readMaster(path);
  if (key === undefined) throw missing(path);
  return key;
}

function readMaster(path: string): Buffer | undefined {
  const line = readSecretFile(path)?.trim();
  if (line === undefined) return undefined;
  const bytes = line.startsWith(MASTER) ? fromBase64(line.slice(MASTER.length)) : undefined;
  if (bytes?.length !== KEY_BYTES) throw missing(path);
  return Buffer.from(bytes);
}

/** By which a master key is known again without being told. */
function markOf(master: Buffer): Buffer {
  return createHmac("sha256", master).update("saferun/seal-master/v1").digest();
}

function unwrap(wrapped: Uint8Array, id: string, master: Buffer): Buffer {
  return decrypt(master, wrapped, Buffer.from(id));
}

/** Nonce, cipher text, tag. */
function encrypt(key: Buffer, content: Uint8Array, place: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(place);
  return Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/** @throws for a tag that does not fit. */
function decrypt(key: Buffer, sealed: Uint8Array, place: Uint8Array): Buffer {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const tag = sealed.subarray(sealed.length - TAG_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(place).setAuthTag(tag);
  const content = sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES);
  return Buffer.concat([decipher.update(content), decipher.final()]);
}

/** Made where it is missing, closed to others. */
function isWritable(path: string): boolean {
  try {
    closeSync(openSync(path, "a", 0o600));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && ["EACCES", "EROFS", "EPERM"].includes(String(error.code)))
      return false;
    throw error;
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function missing(path: string): SafeRunError {
  return new SafeRunError(
    "seal.missing",
    `\`${path}\` does not hold the key that the store's content was sealed with: put it back; nothing is sealed until then`,
    { details: { path } },
  );
}
