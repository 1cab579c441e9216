/**
 * Whom an agent wrote to, in buckets by the recipient's key: each is a row of its own, so that a call writes the few that it
 * touches however many recipients are known. Plain JSON and bounded.
 */

/** Key and the latest effectful calls, oldest first. */
type Contact = readonly [recipient: string, calls: readonly number[]];

/** Bucket → its contacts. One that is not there is empty, or was not asked for. */
export type Contacts = Readonly<Record<number, readonly Contact[]>>;

/** 4,096 recipients. Of a full bucket the one that was written to longest ago is forgotten, and would be new once more. */
const BUCKETS = 256;
const CONTACTS = 16;

/** Keys begin with hex digits of a digest, so that recipients are spread evenly. */
export function bucketOf(recipient: string): number {
  const bucket = Number.parseInt(recipient.slice(0, 2), 16);
  return Number.isNaN(bucket) ? 0 : bucket % BUCKETS;
}

/** Undefined: the agent never wrote to it, or has forgotten. */
export function contactOf(contacts: Contacts, recipient: string): readonly number[] | undefined {
  return contacts[bucketOf(recipient)]?.find(([key]) => key === recipient)?.[1];
}

export function withContact(contacts: Contacts, recipient: string, calls: readonly number[]): Contacts {
  const bucket = bucketOf(recipient);
  // The latest come last, so that the first is the one to forget.
  const others = (contacts[bucket] ?? []).filter(([key]) => key !== recipient);
  return { ...contacts, [bucket]: [...others, [recipient, calls] as const].slice(-CONTACTS) };
}

/** As they were kept before there were buckets: recipient → the first and the latest calls. */
export type EarlierContacts = Readonly<Record<string, { readonly since: number; readonly calls: readonly number[] }>>;

export function fromEarlier(earlier: EarlierContacts): Contacts {
  const latest = ({ since, calls }: EarlierContacts[string]) => calls.at(-1) ?? since;
  return Object.entries(earlier)
    .toSorted(([, one], [, other]) => latest(one) - latest(other))
    .reduce<Contacts>((contacts, [recipient, { calls }]) => withContact(contacts, recipient, calls), {});
}
