/** Whom an agent wrote to, by the recipient's key. */
import { type Buckets, bucketOf, valueIn, withValue } from "./buckets.ts";

/** The latest effectful calls to each, oldest first, by `contactBucket`. */
export type Contacts = Buckets<readonly number[]>;

/** 4,096 recipients. Of a full bucket the one that was written to longest ago is forgotten, and would be new once more. */
const BUCKETS = 256;
const CONTACTS = 16;

export function contactBucket(recipient: string): number {
  return bucketOf(recipient, BUCKETS);
}

/** Undefined: the agent never wrote to it, or has forgotten. */
export function contactOf(contacts: Contacts, recipient: string): readonly number[] | undefined {
  return valueIn(contacts[contactBucket(recipient)], recipient);
}

export function withContact(contacts: Contacts, recipient: string, calls: readonly number[]): Contacts {
  const bucket = contactBucket(recipient);
  return { ...contacts, [bucket]: withValue(contacts[bucket], recipient, calls, CONTACTS) };
}

/** As they were kept before there were buckets: recipient → the first and the latest calls. */
export type EarlierContacts = Readonly<Record<string, { readonly since: number; readonly calls: readonly number[] }>>;

export function fromEarlierContacts(earlier: EarlierContacts): Contacts {
  const latest = ({ since, calls }: EarlierContacts[string]) => calls.at(-1) ?? since;
  return Object.entries(earlier)
    .toSorted(([, one], [, other]) => latest(one) - latest(other))
    .reduce<Contacts>((contacts, [recipient, { calls }]) => withContact(contacts, recipient, calls), {});
}
