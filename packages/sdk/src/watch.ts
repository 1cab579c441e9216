/**
 * Notices that something in some directories may have changed. What it was is for the reader to find out.
 *
 * The directories are watched and not the files: editors and deployments put a new file in the place of the old one, and
 * Kubernetes swaps a link beside it, after which a watched file is one that nobody writes any more. Beside that a slow look
 * at dates and sizes finds what the system does not tell of: network mounts, links that lead elsewhere, a directory that
 * was itself replaced.
 */
import { type BigIntStats, type FSWatcher, statSync, watch } from "node:fs";
import { stat } from "node:fs/promises";

export interface Watch {
  /** From here on these are watched, and nothing else. What changes after it returns is noticed. */
  look(directories: readonly string[], files: readonly string[]): void;
  close(): void;
}

/** Keeps no process alive. `changed` may be called too often, and on any of them. */
export function createWatch(changed: () => void, everyMs: number): Watch {
  let watchers: FSWatcher[] = [];
  let paths: readonly string[] = [];
  let seen = "";
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    compare().finally(() => {
      looking = false;
    });
  }, everyMs);
  timer.unref();

  async function compare(): Promise<void> {
    const looked = paths;
    const dates = looked.map((path) => stat(path, { bigint: true }).then(dateOf, () => NO_DATE));
    const now = (await Promise.all(dates)).join();
    if (looked !== paths || now === seen) return;
    seen = now;
    changed();
  }

  function stop(): void {
    for (const watcher of watchers) watcher.close();
    watchers = [];
  }

  return {
    look(directories, files) {
      stop();
      watchers = directories.flatMap((directory) => watching(directory, changed));
      paths = [...directories, ...files];
      seen = paths.map(dateNow).join();
    },
    close() {
      clearInterval(timer);
      stop();
      paths = [];
    },
  };
}

/** None where the system refuses: the look at the dates remains. */
function watching(directory: string, changed: () => void): readonly FSWatcher[] {
  try {
    const watcher = watch(directory, { persistent: false }, changed);
    watcher.on("error", () => watcher.close());
    return [watcher];
  } catch {
    return [];
  }
}

function dateNow(path: string): string {
  try {
    return dateOf(statSync(path, { bigint: true }));
  } catch {
    return NO_DATE;
  }
}

const NO_DATE = "-";

/** Differs after any change. Links were followed. */
function dateOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
