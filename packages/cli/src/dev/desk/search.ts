/** Search for the page: the index is opened by the first search, and brought up to the log's end before each. */
import type { SearchDesk } from "@saferun/server";
import { nodeClock, openSearch, openStoreKeys, readViews, type Search, saveView } from "@saferun/store";

export interface OwnSearchDesk extends SearchDesk {
  /** The index at the log's end; the desk closes it. */
  index(): Promise<Search>;
  close(): Promise<void>;
}

export function searchDesk(directory: string): OwnSearchDesk {
  const keys = openStoreKeys(directory);
  let opened: Promise<Search> | undefined;
  const search = (): Promise<Search> => {
    // One that failed is tried again: a disk that was full may have room by then.
    opened ??= openSearch({ directory, opener: keys }).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  async function index(): Promise<Search> {
    const found = await search();
    await found.catchUp();
    return found;
  }
  return {
    index,
    search: async (request) => (await index()).search({ ...request, now: nodeClock.now() }),
    views: () => readViews(directory),
    saveView: (name, query) => saveView(directory, name, query),
    async close() {
      (await opened)?.close();
      keys.close();
    },
  };
}
