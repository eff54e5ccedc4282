// One call of the foreign client of wire.mjs. Reads {"address","key","certificate","now","person","path","operation","as","body"} as JSON, "as" being "epj", "sts" or "national";
// with a person it is a health professional's call. Prints the answer's body as JSON; fails with what was wrong.
import { readFileSync } from 'node:fs';
import * as foreign from './wire.mjs';

const { path, operation, as, body, ...settings } = JSON.parse(readFileSync(0, 'utf8'));
const { ticket, client } = foreign.wire(settings);
const [answer] = await (await client(path, ticket({ ...foreign[as], user: Boolean(settings.person) })))[`${operation}Async`](body);
console.log(JSON.stringify(answer ?? null));
