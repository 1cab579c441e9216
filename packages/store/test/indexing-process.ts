/** Starts the index of a store, asks it nothing and ends by itself: an idle index keeps no process alive. */
import { startSearchIndex } from "../src/search/follower.ts";

startSearchIndex({ directory: process.argv[2] ?? "" });
