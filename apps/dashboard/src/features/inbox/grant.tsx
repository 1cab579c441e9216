/** What is permitted beside the call: a person chooses how long, how often and how much, never which arguments may differ. */
import { GRANT_WINDOW_TEXTS } from "@saferun/core";
import { SelectField, TextField } from "../../ui/field.tsx";
import { Untrusted } from "../../ui/text.tsx";
import type { Approval } from "./approval.ts";

/** As it was typed or chosen; the gate reads it. */
export interface Grant {
  readonly for: string;
  readonly count: string;
  readonly most: string;
}

type Offer = NonNullable<Approval["grant_offer"]>;

export function firstGrant(offer: Offer): Grant {
  return { ...offer.default, most: "" };
}

/** As the gate wants it: what was left out is left out. */
export function sentGrant({ for: window, count, most }: Grant) {
  return { for: window, count, ...(most === "" ? {} : { most }) };
}

export interface GrantFormProps {
  readonly offer: Offer;
  readonly grant: Grant;
  /** By field: what is wrong with what was typed there. */
  readonly mistakes: ReadonlyMap<string, string>;
  readonly onChange: (grant: Grant) => void;
}

export function GrantForm({ offer, grant, mistakes, onChange }: GrantFormProps) {
  return (
    <fieldset className="mb-4 rounded-md border border-line p-3">
      <legend className="px-1 font-medium">Permit the like</legend>
      <p className="mb-3 text-muted">
        Calls like this one are then not asked about: <Untrusted>{offer.text}</Untrusted>
      </p>
      <div className="grid gap-4 sm:grid-cols-3">
        <SelectField
          label="For how long"
          choices={offer.for}
          texts={GRANT_WINDOW_TEXTS}
          value={grant.for}
          error={mistakes.get("for")}
          onChange={(event) => onChange({ ...grant, for: event.target.value })}
        />
        <TextField
          label="How many calls"
          inputMode="numeric"
          value={grant.count}
          error={mistakes.get("count")}
          onChange={(event) => onChange({ ...grant, count: event.target.value })}
        />
        {offer.amount === null ? null : (
          <TextField
            label={`Most of \`${offer.amount}\`, in all`}
            inputMode="numeric"
            value={grant.most}
            error={mistakes.get("most")}
            onChange={(event) => onChange({ ...grant, most: event.target.value })}
          />
        )}
      </div>
    </fieldset>
  );
}
