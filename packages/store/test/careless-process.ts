/** What the store must not be: rows in a WAL that nobody syncs, each said to be there: `node careless-process.ts DIRECTORY COUNT`. */
import { mkdirSync, writeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

const [directory = "", count = "0"] = process.argv.slice(2);
mkdirSync(directory, { mode: 0o700 });
const db = new DatabaseSync(`${directory}/log.db`);
db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE rows (id TEXT)");
const add = db.prepare("INSERT INTO rows (id) VALUES (?)");
for (let number = 0; number < Number(count); number++) {
  add.run(String(number));
  writeSync(1, `${number}\n`);
}
db.close();
