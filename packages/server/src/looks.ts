/** That the person of this server looks at content, or takes it out, is in the log before it is answered. */
import { createViewRecorder, recordView, type ViewTarget } from "@saferun/core";
import type { ServerPorts } from "./ports.ts";

/** Both @throws SafeRunError `record.*`: then nothing may be answered. */
export interface Looks {
  /** A page asks again and again: the same look is one entry in ten minutes. */
  shows(what: string, target: ViewTarget): Promise<void>;
  takesOut(what: string, target: ViewTarget): Promise<void>;
}

export function createLooks(ports: ServerPorts): Looks {
  const record = createViewRecorder(ports);
  const { id, via, verified } = ports.person.approver;
  const by = { id, via, verified };
  return {
    shows: (what, target) => record({ by, type: "payload.viewed", what, target }),
    takesOut: (what, target) => recordView(ports, { by, type: "log.exported", what, target }),
  };
}
