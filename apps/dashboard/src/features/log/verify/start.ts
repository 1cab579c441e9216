/** Starting the verifier. The browser takes no script from a text that is not known to be ours. */
import workerUrl from "./verify.worker.ts?worker&url";

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): URL };
}

declare global {
  // What browsers with Trusted Types have.
  var trustedTypes: TrustedTypes | undefined;
}

const OWN: { createScriptURL(url: string): string | URL } = trustedTypes?.createPolicy("verifier", {
  createScriptURL(url) {
    if (url !== workerUrl) throw new TypeError("only the verifier is started");
    return url;
  },
}) ?? { createScriptURL: (url) => url };

export function startVerifier(): Worker {
  return new Worker(OWN.createScriptURL(workerUrl), { type: "module" });
}
