// The checker of the cluster tests finds what it is there for.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Chronicle } from './chronicle.js';

const [old, young] = ['a'.repeat(16), 'b'.repeat(16)];
const at = (offset, epoch = old) => `${epoch}-${offset}`;
const message = (offset, id, epoch) => ({ cursor: at(offset, epoch), data: `${id} x` });

/** A room with m1 to m4, the last two in another epoch than those before. */
const log = [message(1, 'm1'), message(2, 'm2'), message(3, 'm3', young), message(4, 'm4', young)];

function chronicle(seen, begin = at(0)) {
  const room = new Chronicle('r');
  const segment = room.segment('ada', begin ?? undefined);
  for (const { cursor, data } of seen) room.received(segment, begin ? cursor : undefined, data);
  return room;
}

function violations(room, dumps = [log, log]) {
  room.finish(dumps);
  return room.violations.map((text) => text.slice(0, 2));
}

describe('the checker of the cluster tests', () => {
  it('accepts a log that goes on in another epoch, with and without cursors', () => {
    assert.deepEqual(violations(chronicle(log)), []);
    assert.deepEqual(violations(chronicle(log.slice(1), at(1))), []);
    assert.deepEqual(violations(chronicle(log, null)), []);
  });

  it('I1: one place with two messages', () => {
    assert.deepEqual(violations(chronicle([message(1, 'm1'), message(2, 'other')])), ['I1']);
    const room = chronicle(log);
    room.publish('other');
    room.answered('other', 'ok', at(2));
    assert.deepEqual(violations(room), ['I1']);
  });

  it('I2: a hole, a duplicate, another order', () => {
    assert.deepEqual(violations(chronicle([log[0], log[2]])), ['I2']);
    assert.deepEqual(violations(chronicle([log[0], log[0]])), ['I2', 'I2']);
    for (const seen of [[log[0], log[2]], [log[1], log[0]]]) assert.deepEqual(violations(chronicle(seen, null)), ['I2']);
    assert.deepEqual(violations(chronicle([log[0], message(9, 'm9')], null)), ['I2'], 'a message that is nowhere');
  });

  it('I4: an epoch that forks at two places', () => {
    const room = chronicle(log);
    const segment = room.segment('bob', at(0));
    for (const { cursor, data } of [message(1, 'm1'), message(2, 'm2'), message(3, 'm9')]) room.received(segment, cursor, data);
    room.received(room.segment('eve', at(3)), at(4, young), 'm4');
    assert.deepEqual(violations(room), ['I4']);
  });

  it('I5: a refused publish that was made, an answer too many, none, a second copy', () => {
    const refused = chronicle(log);
    refused.publish('m2');
    refused.answered('m2', 'unavailable');
    assert.deepEqual(violations(refused), ['I5']);
    const twice = chronicle(log);
    twice.publish('m2');
    twice.answered('m2', 'ok', at(2));
    twice.answered('m2', 'ok', at(2));
    assert.deepEqual(violations(twice), ['I5']);
    const open = chronicle(log);
    open.publish('m2');
    assert.deepEqual(violations(open), ['I5']);
    const copied = [...log, message(5, 'm1', young)];
    assert.deepEqual(violations(chronicle([]), [copied, copied]), ['I5']);
    const may = chronicle(log);
    may.publish('m2');
    may.answered('m2', 'timed_out');
    assert.deepEqual(violations(may), []);
  });

  it('I6: nodes that have not the same', () => {
    assert.deepEqual(violations(chronicle(log), [log, log.slice(0, 3)]), ['I6']);
    assert.deepEqual(violations(chronicle(log), [log, [...log.slice(0, 3), message(4, 'm9', young)]]), ['I6']);
  });

  it('counts what was acknowledged and is lost, who went past it, and gaps for nothing', () => {
    const room = chronicle(log);
    for (const [id, place] of [['m2', at(2)], ['lost', at(3)]]) {
      room.publish(id);
      room.answered(id, 'ok', place);
    }
    room.gap('bob', at(3), at(2));
    const bob = room.segment('bob', at(2));
    for (const { cursor, data } of log.slice(2)) room.received(bob, cursor, data);
    room.gap('eve', at(1), at(2));
    const { acknowledged, lost, passed, gaps, unfounded } = room.finish([log]);
    assert.deepEqual({ acknowledged, lost, passed, gaps, unfounded }, { acknowledged: 2, lost: 1, passed: 1, gaps: 2, unfounded: 1 });
  });
});
