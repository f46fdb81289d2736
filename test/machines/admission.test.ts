/** Admission: the budget holds for any interleaving, nobody is forgotten, priority goes first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { apply, emptyAdmission, release, type Applicant } from '../../src/machines/admission.ts';

const limits = { fleet: 5, perAddress: 2 };
const applicant: fc.Arbitrary<Applicant> = fc.record({
  id: fc.constantFrom(...Array.from({ length: 20 }, (_, n) => `c${n}`)),
  address: fc.constantFrom('a', 'b', 'c', 'd'),
  priority: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
});
const steps = fc.array(fc.oneof(fc.record({ apply: applicant }), fc.record({ release: fc.nat(19).map((n) => `c${n}`) })), { maxLength: 200 });

test('neither the fleet\'s nor an address\'s budget is ever exceeded, and nobody is granted twice', () => {
  fc.assert(fc.property(steps, (sequence) => {
    let state = emptyAdmission;
    for (const step of sequence) {
      const held = new Set(state.holding.map(({ id }) => id));
      const next = 'apply' in step ? apply(state, step.apply, limits) : release(state, step.release, limits);
      state = next.state;
      assert.ok(state.holding.length <= limits.fleet);
      for (const address of ['a', 'b', 'c', 'd']) assert.ok(state.holding.filter((entry) => entry.address === address).length <= limits.perAddress);
      for (const { id } of next.granted) assert.ok(!held.has(id));
      assert.equal(new Set([...state.holding, ...state.waiting].map(({ id }) => id)).size, state.holding.length + state.waiting.length);
    }
  }));
});

test('whoever applied is served once all others released', () => {
  fc.assert(fc.property(fc.uniqueArray(applicant, { selector: ({ id }) => id, maxLength: 20 }), (applicants) => {
    let state = applicants.reduce((current, one) => apply(current, one, limits).state, emptyAdmission);
    const served = new Set(state.holding.map(({ id }) => id));
    while (state.holding.length > 0) {
      const next = release(state, state.holding[0]!.id, limits);
      next.granted.forEach(({ id }) => served.add(id));
      state = next.state;
    }
    assert.equal(served.size, applicants.length);
    assert.equal(state.waiting.length, 0);
  }));
});

test('recorded goes before viewed, viewed before idle, and first come, first served among equals', () => {
  const full = Array.from({ length: 5 }, (_, n) => ({ id: `h${n}`, address: `x${n}`, priority: 2 as const }));
  let state = full.reduce((current, one) => apply(current, one, limits).state, emptyAdmission);
  for (const [id, priority] of [['idle', 2], ['viewed-1', 1], ['recorded', 0], ['viewed-2', 1]] as const) {
    state = apply(state, { id, address: id, priority }, limits).state;
  }
  const order: string[] = [];
  for (const { id } of full) {
    const next = release(state, id, limits);
    order.push(...next.granted.map((entry) => entry.id));
    state = next.state;
  }
  assert.deepEqual(order, ['recorded', 'viewed-1', 'viewed-2', 'idle']);
});

test('a busy address does not hold up the others', () => {
  let state = emptyAdmission;
  for (const id of ['1', '2', '3']) state = apply(state, { id, address: 'nvr', priority: 0 }, limits).state;
  const next = apply(state, { id: '4', address: 'other', priority: 2 }, limits);
  assert.deepEqual(next.granted.map(({ id }) => id), ['4']);
});
