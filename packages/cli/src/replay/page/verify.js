/** The page that verifies an evidence bundle by itself, without a network: built into `verifier.min.js` by scripts/verifier-page.ts. */
import { sha256 } from "@noble/hashes/sha2.js";
import { verifyBundle } from "@saferun/core/verifier";

const hash = { sha256: (bytes) => sha256(bytes) };

/**
 * The verifier asks for signatures at once and the browser answers later: asked first, answered, and run again.
 */
export async function verifyHere(text, pinned) {
  const asked = new Map();
  const nameOf = (key, message, signature) => [key, message, signature].map((bytes) => bytes.join(",")).join(";");
  const ask = (key, message, signature) => {
    asked.set(nameOf(key, message, signature), [key, message, signature]);
    return false;
  };
  verifyBundle(text, { hash, verifier: { verify: ask } }, pinned);
  const answers = new Map();
  for (const [name, of] of asked) answers.set(name, await isSigned(...of));
  const verify = (...of) => answers.get(nameOf(...of)) === true;
  return verifyBundle(text, { hash, verifier: { verify } }, pinned);
}

async function isSigned(key, message, signature) {
  try {
    const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", imported, signature, message);
  } catch {
    // A browser that cannot check a signature has not checked it.
    return false;
  }
}

const SAID = {
  verified: "Verified: these entries stand in the log that your key has signed.",
  "self-consistent": "Self-consistent, signer not proven: give the public key that you kept elsewhere.",
  faulty: "Faulty: this is not what the log holds.",
};

const element = (id) => document.getElementById(id);
let bundle = "";

async function show() {
  const pinned = element("key").value.trim();
  const check = await verifyHere(bundle, pinned === "" ? undefined : pinned);
  document.body.dataset.status = check.status;
  element("status").textContent = SAID[check.status];
  const { log, run, entries, size, erased, key } = check;
  const facts = [
    `run ${run}`,
    `log ${log}`,
    `entries 0 to ${entries - 1}, of ${size} in the log`,
    `key ${key}`,
    `${erased} parts without content: erased, or taken out of this file`,
  ];
  element("facts").replaceChildren(...items(facts));
  element("faults").replaceChildren(
    ...items(check.faults.map((one) => `entry ${one.seq}: ${one.fault} (${one.where}): ${one.message}`)),
  );
}

/** Text of others stays text. */
function items(texts) {
  return texts.map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  });
}

async function start() {
  const bytes = Uint8Array.from(atob(element("bundle").textContent.trim()), (character) => character.charCodeAt(0));
  bundle = new TextDecoder().decode(bytes);
  element("key").addEventListener("input", () => void show());
  element("file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file === undefined) return;
    bundle = await file.text();
    await show();
  });
  await show();
}

void start();
