// Runs rows: something is done to a cluster under load, and what everybody was told then is judged.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { chanceOf, seed } from '../support/chance.js';
import { seconds, sleep } from '../support/deadline.js';
import { Cluster } from './cluster.js';
import { ClusterSet } from './cluster_set.js';
import { SentinelSet } from './sentinel_set.js';
import { Session } from './session.js';

/** Where nobody is refused: whatever a busy machine adds to what a row does, publishes outlast it. */
const patient = { 'redis.publish_seconds': 30, 'redis.connect_seconds': 10 };
/** `./dev cluster-test` runs all rows, `./dev check` those that are marked `quick`. */
export const runs_all = process.env.ROOMCAST_CLUSTER_ALL !== undefined;
const node_mib_max = 256;
const redis_mib_max = 256;

/**
 * Of a row:
 *   name, redis (options of redis-server), set (settings of the nodes)
 *   act({ cluster, nodes, redis or servers, session, random })   what is done, between a second of quiet and another
 *   loses    whether acknowledged messages may be lost: then those who had them are told a gap, and nobody else
 *   gaps     whether gaps may be told to somebody who has lost nothing
 *   outcomes codes that publishes may be answered with, besides ok; unknown: none came
 */
export function rowsOf(makeCluster, rows) {
  rows.forEach((row, number) => {
    const is_left_out = !runs_all && !row.quick;
    it(row.name, { timeout: seconds(150), skip: is_left_out && './dev cluster-test' }, async (t) => {
      const cluster = await makeCluster({ ...row, set: { ...(row.outcomes ? {} : patient), ...row.set } });
      const session = new Session(cluster, number);
      try {
        const found = await play(row, cluster, session, chanceOf(seed ^ number));
        t.diagnostic(`${row.name}: ${JSON.stringify(found)}`);
        judge(row, found);
        await checkMemory(cluster);
      } finally {
        session.end();
        await cluster.end();
      }
    });
  });
}

async function play(row, cluster, session, random) {
  session.begin();
  await sleep(1_000);
  await row.act({ cluster, nodes: cluster.nodes, redis: cluster.redis, servers: cluster.servers, session, random });
  const begun = performance.now();
  await cluster.ready();
  const ready_ms = Math.round(performance.now() - begun);
  await sleep(1_000);
  return { ready_ms, ...(await session.finish({ begin_alike: !row.gaps })) };
}

function judge(row, found) {
  assert.deepEqual(found.violations.slice(0, 10), [], `${found.violations.length} violations`);
  const allowed = new Set(['ok', ...(row.outcomes ?? [])]);
  assert.deepEqual(Object.keys(found.outcomes).filter((outcome) => !allowed.has(outcome)), [], JSON.stringify(found.outcomes));
  assert.ok(found.acknowledged > 100, `${found.acknowledged} acknowledged`);
  if (!row.gaps) assert.deepEqual(found.unfounded_gaps, [], 'gaps told to clients that have lost nothing');
  if (row.loses) return;
  assert.equal(found.lost, 0, 'acknowledged and not in the log');
  if (!row.gaps) assert.equal(found.gaps, 0, 'gaps');
}

async function checkMemory(cluster) {
  for (const node of cluster.nodes) {
    const { peak } = node.memory();
    assert.ok(peak < node_mib_max, `node ${node.number} had ${peak} MiB`);
  }
  const redis = cluster.redis ?? (await cluster.servers.primary());
  const redis_peak = Number(await redis.info('used_memory_peak'));
  assert.ok(redis_peak < redis_mib_max << 20, `Redis had ${redis_peak} bytes`);
}

export const single = (row) => Cluster.start(row);
export const watched = async (row) => Cluster.start({ ...row, servers: await SentinelSet.start() });
export const sharded = async (row) => Cluster.start({ ...row, servers: await ClusterSet.start() });
