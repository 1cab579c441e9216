/** Looks for what must not be there: in every file of a folder, in every form in which it may stand there. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** A value in the clear, encoded and within other text that is; its words, and guesses of its digest. */
export function formsOf(value: string): readonly (string | Buffer)[] {
  const bytes = Buffer.from(value);
  const words = value.split(" ").filter((word) => word.length > 6);
  const inside = [0, 1, 2].map((count) =>
    Buffer.concat([Buffer.alloc(count), bytes])
      .toString("base64")
      .slice(4, -4),
  );
  const encoded = [bytes.toString("hex"), bytes.toString("hex").toUpperCase(), encodeURIComponent(value), ...inside];
  const lower = [value, ...words].map((text) => text.toLowerCase());
  return [value, ...words, ...lower, ...encoded, ...digestsOf(value), ...digestsOf(JSON.stringify(value))];
}

/** Of exactly this text, as whoever guesses it would try. */
export function digestsOf(text: string | Uint8Array): readonly (string | Buffer)[] {
  const digest = createHash("sha256").update(text).digest();
  return [digest, digest.toString("hex"), digest.toString("base64")];
}

/** Each file below it with its bytes; what is compressed both as it is and as it was. */
export function filesIn(folder: string): [name: string, bytes: Buffer][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap(({ parentPath, name }): [string, Buffer][] => {
      const bytes = readFileSync(join(parentPath, name));
      return name.endsWith(".gz")
        ? [
            [name, bytes],
            [`${name} (gunzip)`, gunzipSync(bytes)],
          ]
        : [[name, bytes]];
    });
}

/** `FILE: FORM` for each that is there. */
export function tracesIn(
  files: readonly (readonly [name: string, bytes: Uint8Array])[],
  wanted: readonly (string | Buffer)[],
): string[] {
  return files.flatMap(([name, raw]) => {
    const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
    return wanted.flatMap((form) => (bytes.includes(form) ? [`${name}: ${form}`] : []));
  });
}
