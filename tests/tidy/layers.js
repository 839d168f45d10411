// The layer table of src/README.md: which folders a folder may include, and the third-party headers it may use.

/** `only` limits a dependency to the files whose path matches. */
export const layers = {
  base: { folders: [] },
  access: { folders: ['base'] },
  metrics: { folders: ['base'] },
  jose: { folders: ['base'] },
  loop: { folders: ['base'] },
  net: { folders: ['base', 'loop'] },
  redis: { folders: ['base', 'loop', 'net'] },
  fetch: { folders: ['base', 'loop'] },
  http: { folders: ['access', 'base', 'net'], only: { net: /^src\/http\/(connection|exchange|server)/ } },
  ws: { folders: ['base'] },
  hub: { folders: ['base'] },
  store: { folders: ['base', 'hub', 'loop'] },
  engine: { folders: ['base', 'hub', 'redis', 'store'] },
  service: { folders: ['access', 'base', 'hub'] },
  dialect: { folders: ['base', 'hub'] },
  session: { folders: ['access', 'base', 'hub', 'service', 'dialect'] },
  part: { folders: ['access', 'base', 'http', 'hub', 'service', 'session', 'metrics', 'config'] },
  transport: { folders: ['access', 'base', 'hub', 'service', 'session', 'http', 'ws', 'net', 'metrics', 'config', 'part'] },
  auth: { folders: ['access', 'base', 'config', 'fetch', 'http', 'jose', 'loop'] },
  api: { folders: ['access', 'base', 'hub', 'service', 'dialect', 'session', 'http', 'auth', 'metrics', 'config', 'part'] },
  config: { folders: ['base'] },
  app: {
    folders: ['access', 'base', 'fetch', 'jose', 'loop', 'net', 'http', 'ws', 'hub', 'store', 'redis', 'engine', 'service', 'dialect', 'session', 'transport', 'auth', 'api',
      'config', 'metrics', 'part'],
  },
};

/** Third-party headers (as written between the brackets) and the only files that may include them. */
export const third_party = [
  { header: /^uv\.h$/, files: /^src\/(loop\/|net\/\w+\.cpp$)/ },
  { header: /^curl\/curl\.h$/, files: /^src\/fetch\// },
  { header: /^llhttp\.h$/, files: /^src\/http\/parser\.cpp$/ },
  { header: /^openssl\//, files: /^src\/(net\/tls_\w+\.(cpp|h)|base\/digest\.cpp|jose\/\w+\.cpp|jose\/openssl_owners\.h|auth\/(password|password_worker|session_tokens)\.cpp)$/ },
  { header: /^zlib\.h$/, files: /^src\/(ws\/deflate|base\/gzip|store\/record)\.cpp$/ },
  { header: /^sqlite3\.h$/, files: /^src\/store\// },
  { header: /^toml/, files: /^src\/config\/(load|toml_\w+)\.cpp$/ },
  { header: /^spdlog\//, files: /^src\/base\/log\.cpp$/ },
  { header: /^simdjson\.h$/, files: /^src\/(base|ws)\/\w+\.cpp$/ },
];
