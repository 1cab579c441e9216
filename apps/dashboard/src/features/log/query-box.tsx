/** Where a query is typed: what may stand next is offered below, and taken with the keys of every such list. */
import { type CompletionOption, completeQuery, printable } from "@saferun/core";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type RefObject, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { api, ask } from "../../api/client.ts";
import { words } from "../../ui/words.ts";
import { wordsOf } from "./entry-words.ts";

export interface QueryBoxProps {
  readonly ref: RefObject<HTMLInputElement | null>;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function QueryBox({ ref, value, onChange }: QueryBoxProps) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const [caret, setCaret] = useState(value.length);
  const [chosen, setChosen] = useState(-1);
  const placed = useRef<number | null>(null);
  const { data } = useQuery({ queryKey: ["names"], queryFn: () => ask(api.names.$get()) });
  const known = { tool: data?.tools, agent: data?.agents, environment: data?.environments, rule: data?.rules };
  const completion = completeQuery(value, Math.min(caret, value.length), definedOf(known));
  const { options, from, to } = completion;
  const shown = open && options.length > 0;
  useLayoutEffect(() => {
    if (placed.current === null) return;
    ref.current?.setSelectionRange(placed.current, placed.current);
    placed.current = null;
  });
  const take = (option: CompletionOption) => {
    const space = option.isWhole && !value.slice(to).startsWith(" ") ? " " : "";
    const next = `${value.slice(0, from)}${option.text}${space}${value.slice(to)}`;
    placed.current = from + option.text.length + (option.isWhole ? 1 : 0);
    setCaret(placed.current);
    setChosen(-1);
    // Behind a field its values come next; behind a value the next term is begun by whoever wants one.
    setOpen(!option.isWhole);
    onChange(next);
  };
  const close = () => {
    setOpen(false);
    setChosen(-1);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const option = shown ? options[chosen] : undefined;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!shown) return setOpen(true);
      const by = event.key === "ArrowDown" ? 1 : -1;
      // One step beyond either end is the text itself.
      setChosen(((chosen + 1 + by + options.length + 1) % (options.length + 1)) - 1);
    } else if ((event.key === "Enter" || event.key === "Tab") && option !== undefined) {
      event.preventDefault();
      take(option);
    } else if (event.key === "Enter") close();
    else if (event.key === "Escape" && shown) {
      event.preventDefault();
      close();
    }
  };
  return (
    <div className="relative">
      <label htmlFor={id} className="sr-only">
        Search the log
      </label>
      <input
        id={id}
        ref={ref}
        type="text"
        role="combobox"
        inputMode="search"
        enterKeyHint="search"
        aria-expanded={shown}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={shown && chosen >= 0 ? `${id}-${chosen}` : undefined}
        value={value}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        placeholder={'tool:stripe.* verdict:deny args.amount>50000 "duplicate charge"'}
        onChange={({ target }) => {
          setCaret(target.selectionStart ?? target.value.length);
          setChosen(-1);
          setOpen(true);
          onChange(target.value);
        }}
        onSelect={({ currentTarget }) => setCaret(currentTarget.selectionStart ?? 0)}
        onKeyDown={onKeyDown}
        onBlur={close}
        className="min-h-11 w-full rounded-md border border-line-strong bg-surface px-3 font-mono placeholder:text-muted"
      />
      <Options id={id} options={shown ? options : []} chosen={chosen} onTake={take} />
      <p role="status" className="sr-only">
        {shown ? `${options.length} ${options.length === 1 ? "suggestion" : "suggestions"}, arrows choose` : ""}
      </p>
    </div>
  );
}

interface OptionsProps {
  readonly id: string;
  readonly options: readonly CompletionOption[];
  readonly chosen: number;
  readonly onTake: (option: CompletionOption) => void;
}

function Options({ id, options, chosen, onTake }: OptionsProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  });
  return (
    <div
      ref={list}
      id={`${id}-list`}
      role="listbox"
      aria-label="What may stand here"
      hidden={options.length === 0}
      className="absolute inset-x-0 top-full z-30 mt-1 max-h-72 overflow-y-auto rounded-md border border-line bg-raised py-1 shadow-dialog"
    >
      {options.map((option, at) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are taken by the box, in which the focus stays
        <div
          key={option.text}
          id={`${id}-${at}`}
          role="option"
          tabIndex={-1}
          aria-selected={at === chosen}
          // The focus stays in the box.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onTake(option)}
          className={words(
            "flex min-h-11 items-center justify-between gap-4 px-3 md:min-h-8",
            at === chosen ? "bg-accent-soft" : "hover:bg-sunken",
          )}
        >
          <span className="max-w-3/4 shrink-0 truncate font-mono">{printable(option.text)}</span>
          <span className="min-w-0 truncate text-right text-sm text-muted">{aboutText(option)}</span>
        </div>
      ))}
    </div>
  );
}

function aboutText({ text, about }: CompletionOption): string {
  if (about !== "") return about;
  const said = wordsOf(text);
  return said === text ? "" : said.toLowerCase();
}

function definedOf<Value>(map: Readonly<Record<string, Value | undefined>>): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(map).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}
