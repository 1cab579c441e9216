/** Search for the page: the index is opened by the first search, and brought up to the log's end before each. */
import type { SearchDesk } from "@saferun/server";
import { nodeClock, openSearch, readViews, type Search, saveView } from "@saferun/store";

export function searchDesk(directory: string): SearchDesk & { close(): Promise<void> } {
  let opened: Promise<Search> | undefined;
  const search = (): Promise<Search> => {
    // One that failed is tried again: a disk that was full may have room by then.
    opened ??= openSearch({ directory }).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  return {
    async search(request) {
      const index = await search();
      await index.catchUp();
      return index.search({ ...request, now: nodeClock.now() });
    },
    views: () => readViews(directory),
    saveView: (name, query) => saveView(directory, name, query),
    async close() {
      (await opened)?.close();
    },
  };
}
