/** Queries that were kept under a name, for everybody who works on this store. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/client.ts";
import { messageOf } from "../../api/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { TextField } from "../../ui/field.tsx";
import { useToast } from "../../ui/toast.tsx";

export interface SavedViewsProps {
  readonly query: string;
  readonly onChoose: (query: string) => void;
}

export function SavedViews({ query, onChoose }: SavedViewsProps) {
  const [naming, setNaming] = useState(false);
  const { data } = useQuery({ queryKey: ["log-views"], queryFn: () => ask(api["log-views"].$get()) });
  const views = Object.entries(data?.views ?? {});
  const current = views.find(([, saved]) => saved === query)?.[0];
  return (
    <>
      {views.map(([name, saved]) => (
        <Button
          key={name}
          aria-pressed={saved === query}
          className={saved === query ? "bg-accent-soft" : ""}
          onClick={() => onChoose(saved)}
        >
          {name}
        </Button>
      ))}
      {query === "" ? null : current === undefined ? (
        <Button tone="quiet" onClick={() => setNaming(true)}>
          Save this search…
        </Button>
      ) : (
        <Forget name={current} query={query} />
      )}
      <SaveDialog query={query} open={naming} onClose={() => setNaming(false)} />
    </>
  );
}

function Forget({ name, query }: { readonly name: string; readonly query: string }) {
  const queries = useQueryClient();
  const say = useToast();
  const keep = useMutation({
    mutationFn: () => ask(api["log-views"][":name"].$put({ param: { name }, json: { query } })),
    onSuccess: () => say(`${name} is kept again`),
    onError: (error) => say(`${name} is not kept: ${messageOf(error)}`),
    onSettled: () => queries.invalidateQueries({ queryKey: ["log-views"] }),
  });
  const forget = useMutation({
    mutationFn: () => ask(api["log-views"][":name"].forget.$post({ param: { name } })),
    async onSuccess() {
      await queries.invalidateQueries({ queryKey: ["log-views"] });
      say(`${name} is forgotten`, () => keep.mutate());
    },
  });
  return (
    <Button tone="quiet" busy={forget.isPending} onClick={() => forget.mutate()}>
      Forget {name}
    </Button>
  );
}

function SaveDialog({
  query,
  open,
  onClose,
}: {
  readonly query: string;
  readonly open: boolean;
  readonly onClose: () => void;
}) {
  const [name, setName] = useState("");
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: () => ask(api["log-views"][":name"].$put({ param: { name }, json: { query } })),
    async onSuccess() {
      await queries.invalidateQueries({ queryKey: ["log-views"] });
      setName("");
      onClose();
    },
  });
  return (
    <Dialog title="Save this search" open={open} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <p className="font-mono text-sm">{query}</p>
        <TextField
          label="Name"
          hint="Letters, digits, dots and dashes. `saferun log search --view NAME` knows it too."
          value={name}
          required
          autoFocus
          onChange={(event) => setName(event.target.value)}
          error={save.isError ? messageOf(save.error) : undefined}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="primary" busy={save.isPending} disabled={name.trim() === ""}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
