/** Cameras that are lost together: one incident, one cause, and its end. */
import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import { causeOf, createIncidents, type Incidents, type Loss } from '../../src/control/incidents.ts';
import type { NewEvent } from '../../src/store/types.ts';

function watch(t: TestContext): { incidents: Incidents; rows: Omit<NewEvent, 'at'>[] } {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const rows: Omit<NewEvent, 'at'>[] = [];
  return { incidents: createIncidents({ note: (row) => rows.push(row) }), rows };
}

const loss = (camera: string, at: number, change: Partial<Loss> = {}): Loss => ({ camera, at, address: '192.0.2.20', class: 'reset', ...change });

test('three cameras of one recorder within two seconds are one incident, told once with all their names, and closed with the last return', (t) => {
  const { incidents, rows } = watch(t);
  for (const [index, camera] of ['a', 'b', 'c', 'd'].entries()) incidents.lost(loss(camera, 1_000 + index * 400));
  assert.equal(rows.length, 0, 'more may follow');
  assert.equal(incidents.of('b')?.cameras.length, 4);
  mock.timers.tick(2_000);
  assert.equal(rows.length, 1);
  assert.equal(rows[0]?.type, 'incident.opened');
  assert.equal(rows[0]?.message, '4 cameras were lost within 1.2 s: all of them are at 192.0.2.20.');
  assert.deepEqual([rows[0]?.class, rows[0]?.code, rows[0]?.evidence], ['reset', 'address', 'a, b, c, d']);
  for (const camera of ['a', 'b', 'c']) incidents.back(camera, 5_000);
  assert.equal(incidents.of('a'), null);
  assert.equal(incidents.list()[0]?.closedAt, null);
  incidents.back('d', 13_000);
  assert.deepEqual(rows.map(({ type, message }) => [type, message])[1], ['incident.closed', 'All 4 cameras are back, the last one after 12 s.']);
});

test('losses that lie apart, and one camera that is lost again and again, are no incident', (t) => {
  const { incidents, rows } = watch(t);
  for (const [index, camera] of ['a', 'b', 'c', 'd'].entries()) incidents.lost(loss(camera, index * 1_500));
  for (let nth = 0; nth < 5; nth += 1) {
    incidents.lost(loss('e', 60_000 + nth * 100));
    incidents.back('e', 60_050 + nth * 100);
  }
  mock.timers.tick(10_000);
  assert.deepEqual([rows, incidents.list()], [[], []]);
});

test('an incident that is over before it was told is told all the same, in order', (t) => {
  const { incidents, rows } = watch(t);
  for (const camera of ['a', 'b', 'c']) incidents.lost(loss(camera, 0));
  for (const camera of ['a', 'b', 'c']) incidents.back(camera, 300);
  mock.timers.tick(10_000);
  assert.deepEqual(rows.map(({ type }) => type), ['incident.opened', 'incident.closed']);
});

test('the cause is what the losses have in common', () => {
  const code = (...losses: Partial<Loss>[]): string => causeOf(losses.map((change, index) => loss(`${index}`, 0, change))).code;
  assert.equal(code({}, {}, {}), 'address');
  assert.equal(code({ class: 'host-crash' }, { class: 'native-frozen', address: 'other' }), 'machine');
  assert.equal(code({ address: '192.0.2.20' }, { address: '192.0.2.21', class: 'silent' }), 'network');
  assert.equal(code({ address: '192.0.2.20' }, { address: '198.51.100.7' }), 'class');
  assert.equal(code({ address: '192.0.2.20' }, { address: '198.51.100.7', class: 'silent' }), 'mixed');
});
