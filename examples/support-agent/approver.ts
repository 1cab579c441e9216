/** The person who is asked: played by the demo, or sitting at this terminal. */
import { createInterface } from "node:readline/promises";
import type { PausedCall } from "@saferun/sdk";
import { EDITED_AMOUNT } from "./conversations.ts";
import { dollars } from "./narrate.ts";
import { startPage } from "./page.ts";

export interface Approver {
  ask(call: PausedCall): Promise<void>;
  /** The call is over: nobody has to answer here any more. */
  dismiss(): void;
}

/** Answers as the approver of the story does: one headset of ten is broken. */
export function playedApprover(): Approver {
  return {
    dismiss() {},
    async ask(call) {
      await call.approve({ args: { ...call.args, amount: EDITED_AMOUNT }, by: "finn" });
    },
  };
}

/** A person answers: in a second terminal, on the local page, or here where there is a terminal. */
export function realApprover(store: string, say: (text: string) => void): Approver {
  let waiting = new AbortController();
  return {
    dismiss: () => waiting.abort(),
    async ask(call) {
      waiting = new AbortController();
      say("\n   Your decision, until then nothing runs:");
      const page = await startPage(store);
      if (page !== undefined) say(`   in the browser   ${page}`);
      say(`   in a terminal    npx saferun approvals --store ${store}`);
      if (process.stdin.isTTY && process.stdout.isTTY) await askHere(call, waiting.signal, say);
      say("");
    },
  };
}

/** Asks at this terminal until somebody has decided, here or elsewhere; `signal` says that it was elsewhere. */
async function askHere(call: PausedCall, signal: AbortSignal, say: (text: string) => void): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl-C at the prompt means what it means everywhere else.
  terminal.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
  const prompt = `   or here          [a]pprove ${dollars(call.args.amount)}, [d]eny, or type a lower amount: `;
  try {
    for (;;) {
      const text = (await terminal.question(prompt, { signal })).trim().toLowerCase();
      const amount = centsOf(text);
      const answer = /^a(pprove)?$/.test(text)
        ? await call.approve({ by: "terminal" })
        : /^d(eny)?$/.test(text)
          ? await call.deny({ by: "terminal", note: "denied at the terminal" })
          : amount !== undefined
            ? await call.approve({ args: { ...call.args, amount }, by: "terminal" })
            : undefined;
      if (answer?.status === "applied") return;
      say(`   ${answer?.message ?? "please answer `a`, `d`, or dollars such as `450` or `449.90`"}`);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    say("");
  } finally {
    terminal.close();
  }
}

/** `450`, `$4,499.90` → cents, without any arithmetic on fractions. */
export function centsOf(text: string): number | undefined {
  const [, whole, part = ""] = /^\$?(\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.(\d{2}))?$/.exec(text) ?? [];
  return whole === undefined ? undefined : Number(whole.replaceAll(",", "")) * 100 + Number(part);
}
