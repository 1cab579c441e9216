/** `saferun log report`: the evidence of a span of time that an auditor asks for. */

import type { Store, Verification } from "@saferun/core";
import { iso } from "@saferun/server/wire";
import { installation, verifyStore } from "@saferun/store";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type CommandSetup, describe, type Shared } from "../command.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { createStyle } from "../output/style.ts";
import { collect, type Happening } from "../report/collect.ts";
import { controlsOf } from "../report/controls.ts";
import { reportHtml } from "../report/html.ts";
import { storeArgument, storeOption } from "../store.ts";
import { type Looking, withContent } from "../viewing.ts";
import { claimedKey } from "./claimed-key.ts";
import { type OutOptions, outOption, writeOut } from "./out.ts";
import { verificationJson, verificationLines } from "./view.ts";

interface Options extends Shared, OutOptions {
  readonly store: string;
  readonly from: number;
  readonly to: number;
  readonly format: "html" | "json";
  readonly pin?: string;
}

const DAY_MS = 86_400_000;

export function registerReport(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("report")
    .summary("the evidence of a span of time, for an audit")
    .description(
      "Policies in force, who approved what, exceptions, stops, and the verification of the whole log, set beside SOC 2\n" +
        "CC6 and CC7 and articles 12 and 14 of the EU AI Act. Days are in UTC. Exit 1 when the log has a fault.",
    )
    .addOption(storeOption())
    .requiredOption("--from <day>", "the first day, `2026-11-01`", dayOf)
    .requiredOption("--to <day>", "the last day", dayOf)
    .addOption(new Option("--format <format>", "the page, or data").choices(["html", "json"]).default("html"))
    .option("--pin <vkey>", "the public key that you kept elsewhere")
    .addOption(outOption())
    .action(
      run((options: Options) =>
        withContent(io, options.store, (store, looking, sealed) => report(io, looking, store, sealed.store, options)),
      ),
    );
  describe(command, ["saferun log report --from 2026-10-01 --to 2026-10-31 --out october.html"]);
}

async function report(io: Io, looking: Looking, store: Store, sealed: Store, options: Options): Promise<ExitCode> {
  const period = { from: options.from, to: options.to + DAY_MS };
  if (period.to <= period.from) throw usage("--to is before --from");
  const pinned = options.pin?.trim();
  const claimed = await claimedKey(store);
  const kept = installation().lastNote(store.logId);
  const verification = await verifyStore(sealed, {
    ...(pinned === undefined ? {} : { pinned }),
    ...(claimed === undefined ? {} : { claimed }),
    ...(kept === undefined ? {} : { kept: [kept] }),
  });
  const shown = { verification, key: pinned, claimed };
  const collected = await collect(store, period);
  await looking.takesOut({ what: "log report", target: { period }, entries: collected.entries });
  const controls = controlsOf(collected, statusWords(verification));
  const made = Date.now();
  if (options.format === "json" || options.json) {
    const { revisions, approvals, exceptions, stops, record, entries, calls, tools, left } = collected;
    const lists = { revisions, approvals, exceptions, stops, record };
    const dated = Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list.map(happeningJson)]));
    const head = { log: store.logId, from: iso(period.from), to: iso(period.to), made: iso(made) };
    const data = { ...head, verification: verificationJson(shown), controls, entries, calls, tools, ...dated, left };
    writeOut(io, options, `${JSON.stringify(data, null, 2)}\n`);
  } else {
    const lines = verificationLines(shown, storeArgument(options.store), createStyle(false));
    const tone = verification.faults.length > 0 ? "bad" : verification.status === "verified" ? "good" : "wait";
    writeOut(
      io,
      options,
      reportHtml({ log: store.logId, period, made, collected, controls, verification: lines, tone }),
    );
  }
  const wanted = pinned === undefined || verification.status === "verified";
  return verification.faults.length === 0 && wanted ? EXIT.fine : EXIT.found;
}

function statusWords({ status, size, signedUpTo }: Verification): string {
  const signed = `signed up to ${signedUpTo} of ${size} entries`;
  switch (status) {
    case "verified":
      return `verified by the key given, ${signed}`;
    case "self-consistent":
      return `without a fault, the signer not proven, ${signed}`;
    case "faulty":
      return "the log has faults, see its verification";
  }
}

function happeningJson({ at, ...rest }: Happening) {
  return { ...rest, at: iso(at) };
}

function dayOf(text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // `2026-02-31` would become a day in March.
  if (!Number.isFinite(ms) || iso(ms).slice(0, 10) !== text)
    throw new InvalidArgumentError("it is a day, `2026-11-01`");
  return ms;
}
