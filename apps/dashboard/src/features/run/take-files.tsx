/** Policies from this machine: some files, or a directory as a gate reads one. They go nowhere but into the draft. */
import { useEffect, useRef } from "react";
import { inDirectory } from "./draft-set.ts";

export interface Taken {
  readonly files: readonly { readonly file: string; readonly text: string }[];
  /** They are all of the draft now. */
  readonly instead: boolean;
  /** Names of what was not taken. */
  readonly left: readonly string[];
}

const LOOK =
  "inline-flex min-h-11 cursor-pointer items-center rounded-md border border-line px-3.5 font-medium focus-within:outline-2 focus-within:outline-accent hover:bg-sunken md:min-h-9";

export function TakeFiles({ onTaken }: { readonly onTaken: (taken: Taken) => void }) {
  const directory = useRef<HTMLInputElement>(null);
  // React knows no such attribute, and browsers no other way to choose a directory.
  useEffect(() => directory.current?.setAttribute("webkitdirectory", ""), []);
  const read = async (chosen: readonly File[], pathOf: (file: File) => string) =>
    Promise.all(chosen.map(async (file) => ({ file: pathOf(file), text: await file.text() })));
  const takeFiles = async (chosen: readonly File[]) =>
    onTaken({ files: await read(chosen, ({ name }) => name), instead: false, left: [] });
  const takeDirectory = async (chosen: readonly File[]) => {
    const { yaml, modules } = inDirectory(chosen.map((own) => ({ own, name: own.name, path: own.webkitRelativePath })));
    const files = await read(
      yaml.map(({ own }) => own),
      ({ webkitRelativePath }) => webkitRelativePath,
    );
    onTaken({ files, instead: files.length > 0, left: modules.map(({ name }) => name) });
  };
  return (
    <div className="mr-auto flex flex-wrap gap-2">
      <label className={LOOK}>
        Take files…
        <input
          type="file"
          accept=".yaml,.yml"
          multiple
          className="sr-only"
          onChange={({ target }) => {
            void takeFiles([...(target.files ?? [])]);
            target.value = "";
          }}
        />
      </label>
      <label className={LOOK}>
        Take a directory…
        <input
          ref={directory}
          type="file"
          className="sr-only"
          onChange={({ target }) => {
            void takeDirectory([...(target.files ?? [])]);
            target.value = "";
          }}
        />
      </label>
    </div>
  );
}
