/** What a verifier finds wrong with a log. */

export interface LogFault {
  /** Position of the entry, or where it should be. */
  readonly seq: number;
  /** `WRITER/NUMBER` of the entry, where its header can be read. */
  readonly entry?: string;
  readonly fault:
    | "changed"
    | "missing"
    | "inserted"
    | "reordered"
    | "truncated"
    | "forked"
    | "bad-signature"
    | "unlisted-tree";
  /** Column or part. */
  readonly where: string;
  readonly message: string;
}

/** More would not help anybody: the first ones say where to look. */
const MOST_FAULTS = 1_000;

export interface Faults {
  readonly list: readonly LogFault[];
  /** Once per place of an entry. */
  add(fault: LogFault): void;
  has(seq: number): boolean;
  /** What looked missing turned up behind its place. */
  foundLater(seq: number): void;
}

export function createFaults(): Faults {
  const list: LogFault[] = [];
  const places = new Set<string>();
  const positions = new Set<number>();
  return {
    list,
    add(fault) {
      const place = `${fault.seq}/${fault.where}`;
      if (places.has(place) || list.length >= MOST_FAULTS) return;
      places.add(place);
      positions.add(fault.seq);
      list.push(fault);
    },
    has: (seq) => positions.has(seq),
    foundLater(seq) {
      const index = list.findIndex((fault) => fault.seq === seq && fault.fault === "missing");
      const fault = list[index];
      if (fault !== undefined)
        list[index] = { ...fault, fault: "reordered", message: "this entry stands before one that it follows" };
    },
  };
}
