/** A supervisor to be killed: holds two hosts, prints their pids once both answered a heartbeat. */
import { startPool } from './hosts.ts';
import { eventually } from './eventually.ts';

const { pool } = startPool();
const taken = [await pool.take('camera:a/source'), await pool.take('camera:b/source')];
await eventually(() => pool.hosts().every(({ rssBytes }) => rssBytes > 0), { what: 'both hosts' });
console.log(JSON.stringify(taken.map(({ pid }) => pid)));
