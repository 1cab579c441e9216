/** Words of SQL: which of them call something that is known to change nothing, and which can never be a name. */
import type { SqlToken } from "./sql-tokens.ts";

export function isWord(token: SqlToken | undefined, ...words: readonly string[]): boolean {
  return token?.kind === "word" && !token.quoted && words.includes(token.text);
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(" "));
}

/** Functions that the common databases have, and that change nothing. */
export const PURE = words(
  "count sum avg min max coalesce nullif greatest least abs ceil ceiling floor round sign mod power sqrt lower upper length char_length octet_length trim ltrim rtrim btrim substring substr replace position strpos concat concat_ws left right lpad rpad reverse split_part initcap cast convert extract date_part date_trunc date time now current_date current_timestamp age to_char to_date to_timestamp to_number json_extract jsonb_extract_path json_extract_path_text json_value json_query row_number rank dense_rank ntile lag lead first_value last_value nth_value array_agg string_agg json_agg jsonb_agg group_concat bool_and bool_or every stddev variance percentile_cont percentile_disc unnest overlay ifnull isnull iif year month day hour minute second datediff dateadd date_add date_sub",
);

/** Words before a parenthesis that call nothing. */
export const GROUPING = words(
  "in and or not where on having values as over using any all some exists select from join set when then else by between like union intersect except distinct case is filter group order limit offset returning key unique primary check default interval within cube rollup sets lateral only numeric decimal varchar char character timestamp bit varbit float partition with recursive materialized",
);

/** Never the name of a table; where one stands in its place, the statement has another form than was thought. */
export const RESERVED = words(
  "select insert update delete merge from where set values and or not in into using join on group order having limit offset union intersect except with as by case when then else end all any distinct create alter drop truncate table view index top percent low_priority high_priority delayed quick ignore replace rollback abort fail left right inner outer cross natural full apply straight_join for fetch window returning default null true false is like between exists cast",
);

/** Words that begin a statement of their own in dialects that need no `;` between two. */
export const COMMANDS = words(
  "create alter drop truncate exec execute call do grant revoke deny shutdown backup restore kill dbcc use declare waitfor reconfigure bulk open close deallocate print raiserror throw while begin commit rollback save savepoint go prepare copy load attach detach pragma vacuum analyze reindex listen notify lock unlock handler install uninstall import export",
);
