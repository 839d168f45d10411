// Whether the binary under test has a sanitizer in it.

import { readFileSync } from 'node:fs';
import { binary } from './server.js';

/** Why tests of the allocator say nothing about this build, false where they do. `./dev test` runs them only there. */
export const sanitized = readFileSync(binary).includes('__asan_init') && 'a sanitizer has an allocator of its own';
