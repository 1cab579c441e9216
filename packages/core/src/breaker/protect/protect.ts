/**
 * The protections of one transaction, as one pure step over its rows: what they come to must be what its entries account
 * for, else nothing of it is written and the objection is said.
 */
import { unreachable } from "../../errors.ts";
import type { StateRows } from "../../ports.ts";
import { finish, person, reconcile, release } from "./after.ts";
import { reserveModel, settleModel } from "./model.ts";
import type { Motion, Protection } from "./motion.ts";
import { type Objection, objectionDigest } from "./objection.ts";
import { lift, raise, reset, stop } from "./operate.ts";
import { ProtectionRows } from "./rows.ts";
import { claim, propose } from "./start.ts";
import { newWork, type Work } from "./work.ts";

/**
 * Called by the store inside the transaction, with its own time. Null: the rows are written, go on. Anything else: nothing
 * that was put into `rows` may stay.
 */
export function protect({ motions, accounted }: Protection, rows: StateRows, now: number): Objection | null {
  const work = newWork(new ProtectionRows(rows, now), now);
  for (const motion of motions) move(work, motion);
  return objectionDigest(work.found) === accounted ? null : work.found;
}

function move(work: Work, motion: Motion): void {
  switch (motion.type) {
    case "propose":
      propose(work, motion);
      break;
    case "claim":
      claim(work, motion);
      break;
    case "release":
      release(work, motion);
      break;
    case "finish":
      finish(work, motion);
      break;
    case "join":
      work.rows.join(motion.root, motion.run);
      break;
    case "person":
      person(work, motion);
      break;
    case "reserve":
      reserveModel(work, motion);
      break;
    case "settle":
      settleModel(work, motion);
      break;
    case "reconcile":
      reconcile(work, motion);
      break;
    case "stop":
      stop(work, motion);
      break;
    case "lift":
      lift(work, motion);
      break;
    case "reset":
      reset(work, motion);
      break;
    case "raise":
      raise(work, motion);
      break;
    default:
      unreachable(motion);
  }
}
