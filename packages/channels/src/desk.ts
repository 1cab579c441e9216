/**
 * What all channels share: which approvals were sent where, whose answer counts, and that every message shows the end.
 */
import {
  type AlarmText,
  type Answered,
  type ApprovalRecord,
  answeredOf,
  approvalState,
  chosenGrant,
  type DecisionPorts,
  decideApproval,
  type GrantChoice,
  grantMistakeText,
  notAllowed,
  outboxRows,
  SafeRunError,
  type SendFailure,
  type Store,
  unreachable,
} from "@saferun/core";
import { type Direct, type OnError, type Outgoing, type PausedApproval, sourceOf } from "./channel.ts";
import { deliver } from "./delivery.ts";
import { createNonces, type Nonces } from "./nonce.ts";
import { type Person, rolesOf } from "./people.ts";

export interface DeskOptions<Message> {
  /** The channel's name in the record. */
  readonly via: string;
  /** From which the nonces are made; known to nobody outside. */
  readonly secret: string;
  /** For a process that answers and has not asked. */
  readonly ports?: DecisionPorts;
  readonly onError: OnError;
  /** Puts the question once. */
  post(target: string, approval: ApprovalRecord, nonce: string): Promise<Message>;
  /** Tells of an alarm once: plain text without any way to answer. */
  alarm(target: string, id: string, alarm: AlarmText): Promise<Message>;
  /** Begins to listen for answers, where that has to be begun. */
  listen?(): void;
  /** Shows the question as it reads now, after somebody agreed to it or edited it. Absent: nothing is shown of that. */
  renew?(message: Message, approval: ApprovalRecord, nonce: string): Promise<unknown>;
  /** Shows the outcome on one message. */
  close(message: Message, approval: ApprovalRecord): Promise<unknown>;
  failure(error: unknown): SendFailure;
  /** Nothing waits for an answer any more, and nothing is being sent. */
  idle?(): void;
}

/** All that a button or link carries: which approval, as it was shown. */
export interface Shown {
  readonly approval: string;
  readonly version: number;
  readonly nonce: string;
}

/** A person's answer; its arguments are what that person typed. */
export interface Reply extends Shown {
  readonly verdict: "approve" | "deny";
  readonly args?: unknown;
  readonly note?: string;
  /** What is permitted too, as that person chose it. */
  readonly grant?: GrantChoice;
}

interface Sent<Message> {
  readonly messages: Message[];
  /** Target → the delivery to it. */
  readonly deliveries: Map<string, Promise<Message | undefined>>;
  /** Message → the version that it shows. */
  readonly shown: Map<string, number>;
  /** Message → its closing. */
  readonly closings: Map<string, Promise<void>>;
}

const WATCH_MS = 200;
/** Attempts to show an outcome; about two minutes. */
const CLOSE_ATTEMPTS = 7;

export class Desk<Message> {
  readonly nonces: Nonces;
  readonly #options: DeskOptions<Message>;
  readonly #sent = new Map<string, Sent<Message>>();
  readonly #ports = new Map<Store, DecisionPorts>();
  readonly #stop = new AbortController();
  readonly #work = new Set<Promise<unknown>>();
  /** Questions whose answers are listened for. */
  readonly #attended = new Set<string>();
  /** Message → its last edit that is under way. */
  readonly #edits = new Map<string, Promise<unknown>>();

  constructor(options: DeskOptions<Message>) {
    this.#options = options;
    this.nonces = createNonces(options.secret, options.via);
    if (options.ports !== undefined) this.#ports.set(options.ports.store, options.ports);
  }

  /** Sends the question once to each target, and watches it until it is decided. */
  async send(target: string, paused: PausedApproval): Promise<readonly Message[]> {
    const { approval, ports } = sourceOf(paused);
    this.#options.listen?.();
    this.#ports.set(ports.store, ports);
    const sent = this.#entry(approval.id);
    const delivery = sent.deliveries.get(target) ?? this.#deliver(target, approval, ports);
    sent.deliveries.set(target, delivery);
    delivery.catch(() => sent.deliveries.delete(target));
    const message = await delivery;
    if (message === undefined) return [];
    // Another question may have ended, and hung up, while this one was being sent.
    this.#options.listen?.();
    if (!sent.messages.includes(message)) {
      sent.messages.push(message);
      this.run(this.#watch(approval, ports));
    }
    return [message];
  }

  /** For an outbox: each attempt is one, whatever becomes of it. */
  get direct(): Direct {
    return {
      send: (target, outgoing) => this.#attempt(target, outgoing),
      attend: (approval, ports) => this.#attend(approval, ports),
      failure: (error) =>
        error instanceof SafeRunError ? { retry: true, message: error.message } : this.#options.failure(error),
    };
  }

  /** The outbox has put this question here, and shows its end. */
  async isQueued(approval: string): Promise<boolean> {
    const found = await this.find(approval);
    if (found === undefined) return false;
    const rows = await outboxRows(found.ports.store).about(approval);
    return rows.some(({ channel, state }) => channel.startsWith(`${this.#options.via}:`) && state.name === "sent");
  }

  /** The approval as it stands, in whichever store of this process holds it. */
  async find(id: string): Promise<{ readonly approval: ApprovalRecord; readonly ports: DecisionPorts } | undefined> {
    for (const ports of this.#ports.values()) {
      const approval = await ports.store.approval(id);
      if (approval !== undefined) return { approval, ports };
    }
    return undefined;
  }

  /** Somebody could still answer something, in one of the stores that this process knows. */
  async anyPending(): Promise<boolean> {
    for (const { store } of this.#ports.values()) {
      if ((await store.approvals({ state: "pending", limit: 1 })).length > 0) return true;
    }
    return false;
  }

  /** The approval that a button stands for, in its state of now; undefined for a button that we did not make. */
  async opened(reply: Shown): Promise<ApprovalRecord | undefined> {
    const found = await this.find(reply.approval);
    if (found === undefined || !this.nonces.isOf(reply.nonce, found.approval, reply.version)) return undefined;
    return { ...found.approval, state: approvalState(found.approval, found.ports.clock.now()) };
  }

  /**
   * Durable when it resolves. `from` is the message that the person answered on.
   * @throws SafeRunError when the store could not record it: nothing was decided.
   */
  async decide(reply: Reply, person: Person, from?: Message): Promise<Answered> {
    const found = await this.find(reply.approval);
    if (found === undefined || !this.nonces.isOf(reply.nonce, found.approval, reply.version)) {
      return notAllowed("this button belongs to no approval that is known here");
    }
    const { verdict, version, args, note, grant: choice } = reply;
    const chosen = choice === undefined ? undefined : chosenGrant(found.approval, choice);
    if (chosen !== undefined && "mistakes" in chosen)
      return { ...notAllowed(grantMistakeText(chosen.mistakes)), mendable: true };
    const result = await decideApproval(found.ports, {
      approval: reply.approval,
      version,
      verdict,
      by: { id: person.principal, via: this.#options.via, verified: true, ...rolesOf(person) },
      ...(args === undefined ? {} : { args }),
      ...(note === undefined ? {} : { note }),
      ...(chosen ?? {}),
    });
    const answer = answeredOf(result);
    if (answer.approval === undefined) return answer;
    const state = approvalState(answer.approval, found.ports.clock.now());
    if (state === "pending") this.run(this.#renew(answer.approval, from));
    else if (state !== "suspended") this.run(this.#settle({ ...answer.approval, state }, from));
    return answer;
  }

  /** Shows the outcome, on a message that this process may not know of as well. */
  async update(approval: ApprovalRecord, from?: Message): Promise<void> {
    await this.#settle(approval, from);
  }

  /** Work that nobody waits for; `close` does. */
  run(work: Promise<unknown>): void {
    const done = work.catch(this.#options.onError).finally(() => {
      this.#work.delete(done);
      if (this.#work.size === 0) this.#options.idle?.();
    });
    this.#work.add(done);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  #entry(id: string): Sent<Message> {
    const known = this.#sent.get(id);
    if (known !== undefined) return known;
    const entry: Sent<Message> = { messages: [], deliveries: new Map(), shown: new Map(), closings: new Map() };
    this.#sent.set(id, entry);
    return entry;
  }

  async #attempt(target: string, outgoing: Outgoing): Promise<string> {
    const { post, alarm, close, renew } = this.#options;
    switch (outgoing.kind) {
      case "alarm":
        return keyOf(await alarm(target, outgoing.id, outgoing.alarm));
      case "asked": {
        const { approval, ports } = outgoing;
        this.#ports.set(ports.store, ports);
        const { deliveries } = this.#entry(approval.id);
        // Code of the application may have put it here as well (`onPause`): then it is one message, and not waited for.
        const known = deliveries.get(target);
        const delivery = known ?? post(target, approval, this.nonces.of(approval));
        deliveries.set(target, delivery);
        delivery.catch(() => deliveries.delete(target));
        const message = await (known === undefined ? delivery : Promise.race([known, undefined]));
        if (message === undefined) throw new SafeRunError("channel.undelivered", "it is being sent already");
        this.#attend(approval, ports);
        return keyOf(message);
      }
      case "changed": {
        const { approval, ports, earlier } = outgoing;
        this.#ports.set(ports.store, ports);
        const { closings, shown } = this.#entry(approval.id);
        for (const key of earlier) {
          if (renew === undefined || closings.has(key) || (shown.get(key) ?? 0) >= approval.version) continue;
          await this.#inOrder(key, () => renew(messageOf<Message>(key), approval, this.nonces.of(approval)));
          shown.set(key, approval.version);
        }
        return earlier.join("\n");
      }
      case "closed": {
        const { approval, earlier } = outgoing;
        const { closings } = this.#entry(approval.id);
        for (const key of earlier) {
          const closing =
            closings.get(key) ?? this.#inOrder(key, () => close(messageOf<Message>(key), approval)).then(() => {});
          closings.set(key, closing);
          closing.catch(() => closings.delete(key));
          await closing;
        }
        this.#forget();
        return earlier.join("\n");
      }
      default:
        return unreachable(outgoing);
    }
  }

  /** Listens for answers until the question is over. */
  #attend(approval: ApprovalRecord, ports: DecisionPorts): void {
    this.#ports.set(ports.store, ports);
    if (this.#stop.signal.aborted || this.#attended.has(approval.id)) return;
    this.#attended.add(approval.id);
    this.#options.listen?.();
    this.run(this.#watch(approval, ports).finally(() => this.#attended.delete(approval.id)));
  }

  #deliver(target: string, approval: ApprovalRecord, ports: DecisionPorts): Promise<Message | undefined> {
    const { store, clock } = ports;
    const { post } = this.#options;
    return deliver({
      clock,
      signal: this.#stop.signal,
      // As it reads when it is sent: an earlier attempt may lie some time back.
      send: async () => {
        const now = (await store.approval(approval.id)) ?? approval;
        const message = await post(target, now, this.nonces.of(now));
        this.#entry(approval.id).shown.set(keyOf(message), now.version);
        return message;
      },
      failure: this.#options.failure,
      wanted: async () => {
        const now = await store.approval(approval.id);
        return now !== undefined && approvalState(now, clock.now()) === "pending";
      },
    });
  }

  /** Until it is decided here, at the terminal or anywhere else. */
  async #watch(approval: ApprovalRecord, { store, clock }: DecisionPorts): Promise<void> {
    const { signal } = this.#stop;
    for (let token = ""; !signal.aborted; await clock.sleep(WATCH_MS, signal)) {
      const now = await store.changeToken();
      if (now === token && clock.now() < approval.deadline) continue;
      token = now;
      const current = await store.approval(approval.id);
      if (current === undefined) return;
      const state = approvalState(current, clock.now());
      if (state === "pending") await this.#renew(current);
      else if (state !== "suspended") return this.#settle({ ...current, state });
    }
  }

  /** Each message for each version that it has not shown yet. */
  async #renew(approval: ApprovalRecord, from?: Message): Promise<void> {
    const { renew } = this.#options;
    if (renew === undefined || approval.version === 1) return;
    const { messages, closings, shown } = this.#entry(approval.id);
    const all =
      from === undefined || messages.some((known) => keyOf(known) === keyOf(from)) ? messages : [...messages, from];
    for (const message of all) {
      const key = keyOf(message);
      if ((shown.get(key) ?? 1) >= approval.version || closings.has(key)) continue;
      shown.set(key, approval.version);
      const send = () => this.#inOrder(key, () => renew(message, approval, this.nonces.of(approval)));
      const latest = () => !closings.has(key) && shown.get(key) === approval.version;
      await this.#retried(approval, send, async (attempts) => attempts < CLOSE_ATTEMPTS && latest());
    }
  }

  /** Each message once, also one that came to be known after others were closed. */
  async #settle(approval: ApprovalRecord, from?: Message): Promise<void> {
    const { messages, closings } = this.#entry(approval.id);
    // A card that was posted twice, or by a process that is gone.
    if (from !== undefined && !messages.some((known) => keyOf(known) === keyOf(from))) messages.push(from);
    for (const message of messages) {
      const key = keyOf(message);
      if (closings.has(key)) continue;
      const closing = this.#close(message, approval);
      closings.set(key, closing);
      closing.catch(() => closings.delete(key));
    }
    await Promise.all(closings.values());
    this.#forget();
  }

  async #close(message: Message, approval: ApprovalRecord): Promise<void> {
    const { close } = this.#options;
    // What was decided is shown also while the channel is being closed: one attempt is always made.
    await this.#retried(
      approval,
      () => this.#inOrder(keyOf(message), () => close(message, approval)),
      async (attempts) => attempts < CLOSE_ATTEMPTS,
    );
  }

  /** One edit of a message after the other: an older one that is slow would stand there in the end. */
  #inOrder(key: string, edit: () => Promise<unknown>): Promise<unknown> {
    const done = (this.#edits.get(key) ?? Promise.resolve()).then(edit);
    const settled = done
      .catch(() => undefined)
      .then(() => {
        if (this.#edits.get(key) === settled) this.#edits.delete(key);
      });
    this.#edits.set(key, settled);
    return done;
  }

  async #retried(
    { id }: ApprovalRecord,
    send: () => Promise<unknown>,
    wanted: (attempts: number) => Promise<boolean>,
  ): Promise<void> {
    const clock = (await this.find(id))?.ports.clock;
    if (clock === undefined) return;
    await deliver({ clock, signal: this.#stop.signal, send, failure: this.#options.failure, wanted });
  }

  /** Messages of questions that are long over need not be remembered. */
  #forget(): void {
    for (const [id, { closings }] of this.#sent) {
      if (this.#sent.size <= MOST_SENT) return;
      if (closings.size > 0) this.#sent.delete(id);
    }
  }
}

const MOST_SENT = 1_000;

/** What `keyOf` was made of, kept with the outbox's row in our own store. */
function messageOf<Message>(key: string): Message {
  return JSON.parse(key) as Message;
}

function keyOf(message: unknown): string {
  return JSON.stringify(message);
}
