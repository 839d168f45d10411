// Whether the binary under test was built with a sanitizer.

import { readFileSync } from 'node:fs';
import { binary } from './server.js';

/** The reason why tests of the allocator cannot run with this build; false if they can. */
export const sanitized = readFileSync(binary).includes('__asan_init') && 'a sanitizer has an allocator of its own';
